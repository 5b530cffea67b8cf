#include "sandbox/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "sandbox/picture_kinds.h"

typedef int picture_fn(const char *path, struct arena *arena, struct picture *out, struct err *err);

/* A file is of a kind by its first bytes, else by its name: a .tif that is none is a broken one. */
static const struct kind {
    const char *magic;
    size_t n_magic;
    const char *ending;
    picture_fn *read;
} kinds[] = {
    {"II*\0", 4, ".tif", picture_tiff},
    {"MM\0*", 4, ".tiff", picture_tiff},
    {"II+\0", 4, ".btf", picture_tiff},
    {"MM\0+", 4, ".tf8", picture_tiff},
    {"\x89PNG\r\n\x1a\n", 8, ".png", picture_png},
    {"\xff\xd8\xff", 3, ".jpg", picture_jpeg},
    {"\xff\xd8\xff", 3, ".jpeg", picture_jpeg},
    {NULL, 0, ".ome", picture_ome_xml},
    {NULL, 0, ".ome.xml", picture_ome_xml},
};

const char *picture_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *picture_beside(const char *path, const char *name, struct arena *arena)
{
    return arena_printf(arena, "%.*s%s", (int)(picture_base(path) - path), path, name);
}

const char *const *picture_no_names(size_t n, struct arena *arena)
{
    return arena_alloc(arena, n, sizeof(char *));
}

void picture_one(struct picture *p, struct picture_image image, struct arena *arena)
{
    struct picture_image *at = arena_alloc(arena, 1, sizeof *at);

    *at = image;
    if (!at->channels)
        at->channels = picture_no_names(image.c, arena);
    p->images = at;
    p->n_images = 1;
}

/* DICOM may begin as a TIFF does: its first 128 bytes are anything. */
static picture_fn *kind_of(const char *path, const char *head, size_t n)
{
    if (str_ends_nocase(path, ".dcm"))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].magic && n >= kinds[i].n_magic && memcmp(head, kinds[i].magic, kinds[i].n_magic) == 0)
            return kinds[i].read;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_ends_nocase(path, kinds[i].ending))
            return kinds[i].read;
    }
    return NULL;
}

static int read_head(const char *path, char head[8], size_t *n, struct err *err)
{
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_set(err, errno == ENOENT ? REASON_GONE : REASON_UNREADABLE, errno, "cannot open '%s'", path);
    ssize_t got = io_pread(fd, head, 8, 0, err);
    if (got < 0)
        return -1;
    *n = (size_t)got;
    return 0;
}

int picture_read(const char *path, struct arena *arena, struct picture *out, struct err *err)
{
    char head[8];
    size_t n = 0;
    struct picture p = {.file = arena_str(arena, picture_base(path)), .known = true};

    if (read_head(path, head, &n, err) < 0)
        return -1;
    picture_fn *read_kind = kind_of(path, head, n);
    if (read_kind) {
        if (read_kind(path, arena, &p, err) < 0)
            return -1;
    } else {
        p.known = false;
        picture_one(&p, (struct picture_image){.name = p.file, .x = 1, .y = 1, .z = 1, .c = 1, .t = 1, .type = "uint8"}, arena);
    }
    *out = p;
    return 0;
}

/* What Java's trim() leaves: no characters up to the blank at either end. */
static const char *trimmed(const char *s, struct arena *arena)
{
    if (!s)
        return "";
    while (*s && (unsigned char)*s <= ' ')
        s++;
    size_t n = strlen(s);
    while (n > 0 && (unsigned char)s[n - 1] <= ' ')
        n--;
    return arena_strn(arena, s, n);
}

static size_t utf16_units(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1u + ((unsigned char)*s >= 0xf0) : 0u;
    return n;
}

char *picture_name(const struct picture *p, size_t i, const char *wanted, struct arena *arena)
{
    const char *own = trimmed(p->images[i].name, arena), *name = trimmed(wanted, arena);

    if (!*name)
        name = p->file;
    if (p->n_images > 1)
        name = *own ? arena_printf(arena, "%s [%s]", name, own) : arena_printf(arena, "%s [%zu]", name, i);
    if (utf16_units(name) <= 255)
        return arena_str(arena, name);
    while (utf16_units(name) > 254 || ((unsigned char)*name & 0xc0) == 0x80)
        name++;
    return arena_printf(arena, "\xe2\x80\xa6%s", name);
}

const char *picture_plate_name(const struct picture *p, size_t i, const char *wanted)
{
    const char *own = p->plates[i].name;

    return wanted && *wanted ? wanted : own && *own ? own : p->file;
}
