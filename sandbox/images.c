#include "sandbox/images.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tiffio.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/str.h"

enum { HEAD_BYTES = 65536 };

static struct image_facts *one(struct arena *mem, struct images_facts *out)
{
    out->n = 1;
    out->at = arena_alloc(mem, 1, sizeof(*out->at));
    *out->at = (struct image_facts){
        .name = "", .pixel_type = "uint8", .size_x = 1, .size_y = 1, .size_z = 1, .size_c = 1, .size_t = 1};
    return out->at;
}

static uint32_t big(const uint8_t *at, size_t n)
{
    uint32_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | at[i];
    return v;
}

/* --- TIFF --- */

static void quiet(const char *module, const char *fmt, va_list args)
{
    (void)module;
    (void)fmt;
    (void)args;
}

static const char *type_of(TIFF *t)
{
    static const struct {
        uint16_t bits, format;
        const char *type;
    } types[] = {{1, SAMPLEFORMAT_UINT, "bit"},     {8, SAMPLEFORMAT_UINT, "uint8"},   {16, SAMPLEFORMAT_UINT, "uint16"},
                 {32, SAMPLEFORMAT_UINT, "uint32"}, {8, SAMPLEFORMAT_INT, "int8"},     {16, SAMPLEFORMAT_INT, "int16"},
                 {32, SAMPLEFORMAT_INT, "int32"},   {32, SAMPLEFORMAT_IEEEFP, "float"}, {64, SAMPLEFORMAT_IEEEFP, "double"}};
    uint16_t bits = 1, format = SAMPLEFORMAT_UINT;

    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].bits == bits && types[i].format == format)
            return types[i].type;
    return "uint16";
}

/* ImageJ says the sizes of a stack in the description, a line each. */
static int32_t imagej_size(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    long v = at ? strtol(at + strlen(key), NULL, 10) : 1;

    return v > 0 && v < 1000000 ? (int32_t)v : 1;
}

static void read_plain(TIFF *t, const char *text, struct arena *mem, struct images_facts *out)
{
    struct image_facts *f = one(mem, out);
    uint32_t width = 0, height = 0;
    uint16_t samples = 1;
    int32_t pages = 0;

    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples);
    f->pixel_type = type_of(t);
    f->size_x = (int32_t)width;
    f->size_y = (int32_t)height;
    f->size_c = samples;
    if (text && str_starts(text, "ImageJ=")) {
        f->size_c *= imagej_size(text, "\nchannels=");
        f->size_z = imagej_size(text, "\nslices=");
        f->size_t = imagej_size(text, "\nframes=");
        return;
    }
    do
        pages++;
    while (pages < 100000 && TIFFReadDirectory(t));
    f->size_t = pages;
}

static void close_tiff(TIFF **t)
{
    if (*t)
        TIFFClose(*t);
}

/* The pixels must be there to the last one. */
static bool is_whole(TIFF *t, int fd)
{
    toff_t *offsets = NULL, *counts = NULL, size = (toff_t)lseek(fd, 0, SEEK_END);
    bool tiled = TIFFIsTiled(t);
    uint32_t n = tiled ? TIFFNumberOfTiles(t) : TIFFNumberOfStrips(t);

    if (!TIFFGetField(t, tiled ? TIFFTAG_TILEOFFSETS : TIFFTAG_STRIPOFFSETS, &offsets) ||
        !TIFFGetField(t, tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS, &counts) || !offsets || !counts)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (offsets[i] > size || counts[i] > size - offsets[i])
            return false;
    return true;
}

static int read_tiff(struct arena *mem, int fd, const char *path, struct images_facts *out, struct err *err)
{
    int copy = dup(fd);
    AUTO(close_tiff) TIFF *t = copy < 0 ? NULL : TIFFFdOpen(copy, path, "rm");
    char *text = NULL;
    uint32_t width = 0;

    if (!t && copy >= 0)
        close(copy);
    if (!t || !TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width) || width == 0 || !is_whole(t, fd))
        return err_set(err, REASON_BROKEN_FILE, 0, "not a TIFF that can be read");
    TIFFGetField(t, TIFFTAG_IMAGEDESCRIPTION, &text);
    if (text && strstr(text, "<OME") && images_ome(mem, text, strlen(text), out, err) == 0 && out->n > 0)
        return 0;
    read_plain(t, text, mem, out);
    return 0;
}

/* --- PNG and JPEG --- */

static int read_png(struct arena *mem, const uint8_t *head, size_t n, struct images_facts *out, struct err *err)
{
    enum { WIDTH = 16, HEIGHT = 20, DEPTH = 24, COLOUR = 25, NEED = 26 };
    static const int32_t channels[] = {1, 0, 3, 3, 2, 0, 4};

    if (n < NEED || memcmp(head + 12, "IHDR", 4) != 0 || head[COLOUR] >= ARRAY_LEN(channels) || !channels[head[COLOUR]])
        return err_set(err, REASON_BROKEN_FILE, 0, "not a PNG that can be read");

    struct image_facts *f = one(mem, out);

    f->size_x = (int32_t)(big(head + WIDTH, 4) & INT32_MAX);
    f->size_y = (int32_t)(big(head + HEIGHT, 4) & INT32_MAX);
    f->size_c = channels[head[COLOUR]];
    f->pixel_type = head[DEPTH] == 16 ? "uint16" : "uint8";
    return 0;
}

static bool is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static int read_jpeg(struct arena *mem, const uint8_t *head, size_t n, struct images_facts *out, struct err *err)
{
    for (size_t at = 2; at + 10 <= n && head[at] == 0xFF; at += 2 + big(head + at + 2, 2))
        if (is_frame(head[at + 1])) {
            struct image_facts *f = one(mem, out);
            f->size_y = (int32_t)big(head + at + 5, 2);
            f->size_x = (int32_t)big(head + at + 7, 2);
            f->size_c = head[at + 9];
            return 0;
        }
    return err_set(err, REASON_BROKEN_FILE, 0, "not a JPEG that can be read");
}

/* --- which --- */

static int read_companion(struct arena *mem, int fd, struct images_facts *out, struct err *err)
{
    enum { COMPANION_MAX = 16 << 20 };
    AUTO(buf_clear) struct buf text = BUF_INIT(COMPANION_MAX);

    if (io_read_all(fd, &text, err) < 0 || images_ome(mem, (const char *)text.data, text.len, out, err) < 0)
        return -1;
    return out->n ? 0 : err_set(err, REASON_BROKEN_FILE, 0, "no image in it");
}

int images_read(struct arena *mem, const char *path, struct images_facts *out, struct err *err)
{
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(mem_freep) uint8_t *head = mem_new(HEAD_BYTES, 1);
    ssize_t n = fd < 0 ? -1 : io_pread(fd, head, HEAD_BYTES, 0, err);

    if (n < 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "%s cannot be read", path);
    *out = (struct images_facts){.known = true};
    TIFFSetErrorHandler(quiet);
    TIFFSetWarningHandler(quiet);
    if (n >= 4 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 || memcmp(head, "II+\0", 4) == 0 ||
                   memcmp(head, "MM\0+", 4) == 0))
        return read_tiff(mem, fd, path, out, err);
    if (n >= 8 && memcmp(head, "\x89PNG\r\n\x1A\n", 8) == 0)
        return read_png(mem, head, (size_t)n, out, err);
    if (n >= 3 && memcmp(head, "\xFF\xD8\xFF", 3) == 0)
        return read_jpeg(mem, head, (size_t)n, out, err);
    if (str_ends_nocase(path, ".companion.ome") || str_ends_nocase(path, ".ome.xml") || str_ends_nocase(path, ".ome"))
        return read_companion(mem, fd, out, err);
    if (n == 0 || str_ends_nocase(path, ".tif") || str_ends_nocase(path, ".tiff"))
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.UnknownFormatException: Unknown file format: %s", path);
    one(mem, out);
    out->known = false;
    return 0;
}
