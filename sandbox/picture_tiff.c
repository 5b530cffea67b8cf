/* TIFF and BigTIFF: one image of all pages, or an image a page where the pages differ in size or type; ImageJ's dimensions; and
 * the way to the OME-XML. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "sandbox/picture_kinds.h"

struct page {
    uint32_t x, y;
    uint16_t samples, bits, format;
    bool reduced; /* a smaller version of another page */
};

struct pages {
    struct page *at;
    size_t n, cap;
    char *text; /* the first page's description; NULL: none */
    bool packed;
    bool cut;   /* a later directory cannot be read */
};

static void pages_clear(struct pages *p)
{
    mem_freep(&p->at);
    mem_freep(&p->text);
}

static void tiff_closep(TIFF **tif)
{
    if (*tif)
        TIFFClose(*tif);
}

static int be_silent(TIFF *tif, void *data, const char *module, const char *fmt, va_list args)
{
    (void)tif, (void)data, (void)module, (void)fmt, (void)args;
    return 1;
}

static TIFF *open_tiff(const char *path)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

    TIFFOpenOptionsSetErrorHandlerExtR(options, be_silent, NULL);
    TIFFOpenOptionsSetWarningHandlerExtR(options, be_silent, NULL);
    TIFF *tif = TIFFOpenExt(path, "rm", options);
    TIFFOpenOptionsFree(options);
    return tif;
}

/* A file that libtiff cannot begin with.  Bio-Formats tells three cases apart. */
static int broken(const char *path, struct err *err)
{
    uint8_t h[8] = {0};
    struct stat st;
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, REASON_UNREADABLE, errno, "cannot open '%s'", path);
    if (io_pread(fd, h, sizeof h, 0, err) < 0)
        return -1;
    bool little = memcmp(h, "II*\0", 4) == 0;
    if (!little && memcmp(h, "MM\0*", 4) && memcmp(h, "II+\0", 4) && memcmp(h, "MM\0+", 4))
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.FormatException: Invalid TIFF file: %s", picture_base(path));
    uint32_t at = little ? (uint32_t)h[7] << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[5] << 8 | h[4]
                         : (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
    if (at >= st.st_size)
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.FormatException: No IFDs found");
    return err_set(err, REASON_BROKEN_FILE, 0, "java.io.EOFException: Attempting to read beyond end of file.");
}

static void add_page(TIFF *tif, struct pages *p)
{
    uint32_t kind = 0;
    uint16_t compression = COMPRESSION_NONE;

    p->at = mem_grow(p->at, p->n, &p->cap, sizeof *p->at);
    struct page *page = &p->at[p->n];
    *page = (struct page){0};
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &page->x);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &page->y);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &page->format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &kind);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &compression);
    page->reduced = kind & FILETYPE_REDUCEDIMAGE;
    p->packed = p->packed || compression != COMPRESSION_NONE;
    p->n++;
}

static int read_pages(const char *path, struct pages *p, struct err *err)
{
    AUTO(tiff_closep) TIFF *tif = open_tiff(path);
    char *text = NULL;

    if (!tif)
        return broken(path, err);
    if (TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &text))
        p->text = mem_str(text);
    for (;;) {
        add_page(tif, p);
        if (TIFFLastDirectory(tif))
            return 0;
        if (p->n >= SANDBOX_PAGES_MAX)
            return err_set(err, REASON_TOO_LARGE, 0, "'%s' has more than %u pages", path, SANDBOX_PAGES_MAX);
        if (!TIFFReadDirectory(tif)) {
            p->cut = true;
            return 0;
        }
    }
}

static bool reads_a_piece(TIFF *tif)
{
    bool tiled = TIFFIsTiled(tif);
    tmsize_t n = tiled ? TIFFTileSize(tif) : TIFFStripSize(tif);

    if (n <= 0 || n > SANDBOX_PIECE_MAX)
        return true;

    AUTO(mem_freep) uint8_t *bytes = mem_new((size_t)n, 1);

    return (tiled ? TIFFReadEncodedTile(tif, 0, bytes, n) : TIFFReadEncodedStrip(tif, 0, bytes, n)) >= 0;
}

static const char *type_of(const struct page *p)
{
    static const char *const types[][4] = {
        [SAMPLEFORMAT_UINT] = {"uint8", "uint16", "uint32", "uint32"},
        [SAMPLEFORMAT_INT] = {"int8", "int16", "int32", "int32"},
        [SAMPLEFORMAT_IEEEFP] = {"float", "float", "float", "double"},
        [SAMPLEFORMAT_VOID] = {"uint8", "uint16", "uint32", "uint32"},
    };
    size_t size = p->bits <= 8 ? 0 : p->bits <= 16 ? 1 : p->bits <= 32 ? 2 : 3;

    return p->format < ARRAY_LEN(types) && types[p->format][0] ? types[p->format][size] : "complex";
}

static bool alike(const struct page *a, const struct page *b)
{
    return a->x == b->x && a->y == b->y && strcmp(type_of(a), type_of(b)) == 0;
}

/* Smaller versions are no pages of their own, unless there is nothing else. */
static void drop_reduced(struct pages *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        if (!p->at[i].reduced)
            p->at[n++] = p->at[i];
    }
    p->n = n ? n : p->n;
}

/* The number after "\nkey=" in ImageJ's lines; 1 when there is none. */
static uint64_t imagej_number(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == '=')
            return strtoul(line + n + 1, NULL, 10);
    }
    return 1;
}

/* What ImageJ's text says of z, c and t holds if that many pages are there, or if one unpacked page stands for all that follow
 * it without directories of their own; else pages are points in time. */
static void imagej_sizes(const struct pages *p, const char *path, struct picture_image *image)
{
    struct stat st;
    bool colour = p->at[0].samples > 1;

    image->t = (uint32_t)p->n;
    if (!p->text || !str_starts(p->text, "ImageJ="))
        return;
    uint64_t z = imagej_number(p->text, "slices"), t = imagej_number(p->text, "frames"), c = imagej_number(p->text, "channels");
    if (z == 0 || t == 0 || c == 0 || z > SANDBOX_PAGES_MAX || t > SANDBOX_PAGES_MAX || c > SANDBOX_CHANNELS_MAX)
        return;
    uint64_t planes = z * t * (colour ? 1 : c);
    uint64_t bytes = (uint64_t)image->x * image->y * p->at[0].samples * ((p->at[0].bits + 7u) / 8u);
    bool bare = p->n == 1 && !p->packed && stat(path, &st) == 0 && bytes > 0 && planes <= (uint64_t)st.st_size / bytes;
    if (planes != p->n && !bare)
        return;
    image->z = (uint32_t)z;
    image->t = (uint32_t)t;
    image->c = colour ? image->c : (uint32_t)c;
}

static struct picture_image image_of(const struct page *p, const char *name)
{
    return (struct picture_image){.name = name, .x = p->x, .y = p->y, .z = 1, .c = p->samples, .t = 1, .type = type_of(p)};
}

/* An image a page, as Bio-Formats does it as soon as one page differs from the first. */
static void separate(const struct pages *p, struct picture *out, struct arena *arena)
{
    struct picture_image *at = arena_alloc(arena, p->n, sizeof *at);

    for (size_t i = 0; i < p->n; i++) {
        at[i] = image_of(&p->at[i], arena_printf(arena, "%s #%zu", out->file, i + 1));
        at[i].channels = picture_no_names(at[i].c, arena);
    }
    out->images = at;
    out->n_images = p->n;
}

static void plain(const struct pages *p, const char *path, struct picture *out, struct arena *arena)
{
    struct picture_image image = image_of(&p->at[0], out->file);

    for (size_t i = 1; i < p->n; i++) {
        if (!alike(&p->at[i], &p->at[0])) {
            separate(p, out, arena);
            return;
        }
    }
    imagej_sizes(p, path, &image);
    picture_one(out, image, arena);
}

/* The OME-XML that a BinaryOnly file points to: a companion, or the first page's text of another TIFF. */
static int follow(const char *path, const char *metadata, struct arena *arena, struct picture *out, struct err *err)
{
    AUTO(pages_clear) struct pages p = {0};
    struct err ignored = ERR_INIT;
    const char *none = NULL, *beside = strchr(metadata, '/') ? NULL : picture_beside(path, metadata, arena);

    if (!beside || access(beside, R_OK) < 0)
        return 1;
    out->file = arena_str(arena, metadata);
    if (str_ends_nocase(metadata, ".ome") || str_ends_nocase(metadata, ".xml"))
        return picture_ome_xml(beside, arena, out, err);
    if (read_pages(beside, &p, &ignored) < 0 || !p.text)
        return 1;
    return picture_ome_text(beside, p.text, strlen(p.text), arena, out, &none, err);
}

int picture_pixels(const char *path, const char **name, struct err *err)
{
    static const struct {
        uint16_t compression;
        const char *name, *text;
    } unreadable[] = {
        {COMPRESSION_ADOBE_DEFLATE, "import-file-exception",
         "loci.formats.FormatException: java.util.zip.ZipException: incorrect header check"},
        {COMPRESSION_DEFLATE, "import-file-exception",
         "loci.formats.FormatException: java.util.zip.ZipException: incorrect header check"},
        {COMPRESSION_JPEG, "import-request-failure",
         "java.lang.NullPointerException: ImageIO returned null when reading JPEG stream"},
    };
    AUTO(tiff_closep) TIFF *tif = open_tiff(path);
    uint16_t compression = COMPRESSION_NONE;

    if (!tif)
        return 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &compression);
    for (size_t i = 0; i < ARRAY_LEN(unreadable); i++)
        if (unreadable[i].compression == compression && !reads_a_piece(tif)) {
            *name = unreadable[i].name;
            return err_set(err, REASON_BROKEN_FILE, 0, "%s", unreadable[i].text);
        }
    return 0;
}

int picture_tiff(const char *path, struct arena *arena, struct picture *out, struct err *err)
{
    AUTO(pages_clear) struct pages p = {0};
    const char *metadata = NULL, *own = out->file;
    int r = 1;

    if (read_pages(path, &p, err) < 0)
        return -1;
    if (p.cut || p.at[0].x == 0 || p.at[0].y == 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "java.io.EOFException: Attempting to read beyond end of file.");
    if (p.text && strstr(p.text, "<OME"))
        r = picture_ome_text(path, p.text, strlen(p.text), arena, out, &metadata, err);
    if (r == 1 && metadata)
        r = follow(path, metadata, arena, out, err);
    if (r <= 0)
        return r;
    out->file = own;
    drop_reduced(&p);
    plain(&p, path, out, arena);
    return 0;
}
