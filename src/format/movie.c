/* AVI and QuickTime: which codec the pictures have.  Bio-Formats reads a few old ones; a film of another kind is no image. */
#include "format/single.h"

#include <string.h>

#include "base/ceilings.h"
#include "format/bytes.h"

static bool is_one_of(const char *codec, const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(codec, known[i], 4) == 0)
            return true;
    return false;
}

/* A codec that was not found is four zeros, "????". */
static void refuse(const struct format_look *look, const char *codec, struct format_verdict *said)
{
    char shown[5] = "";

    for (size_t i = 0; i < 4; i++)
        shown[i] = codec[i] >= ' ' && codec[i] <= '~' ? codec[i] : '?';
    said->why = REASON_UNKNOWN_FORMAT;
    said->text = arena_printf(look->arena, "a film whose codec \"%s\" is not read", shown);
}

/* The codec of the first stream of pictures: chunks "LIST hdrl", "LIST strl", "strh" (its kind), "strf" (a BITMAPINFOHEADER, the
 * codec at 16).  Microsoft, "AVI RIFF file reference". */
static const char *avi_codec(const struct format_look *look)
{
    const char *h = (const char *)look->head;
    bool pictures = false;

    for (uint64_t at = 12; at + 8 <= look->head_len; ) {
        uint32_t n = le32(look->head + at + 4);
        bool list = memcmp(h + at, "LIST", 4) == 0;

        if (memcmp(h + at, "strh", 4) == 0 && at + 12 <= look->head_len)
            pictures = memcmp(h + at + 8, "vids", 4) == 0;
        if (pictures && memcmp(h + at, "strf", 4) == 0)
            return at + 28 <= look->head_len ? h + at + 24 : NULL;
        at += list ? 12 : 8 + (uint64_t)n + n % 2;
    }
    return NULL;
}

void check_avi(const struct format_look *look, struct format_verdict *said)
{
    static const char *const known[] = {"\0\0\0\0", "\1\0\0\0", "DIB ", "RGB ", "RAW ", "Y8  ", "Y800", "CRAM",
                                        "cram", "MSVC", "msvc", "MJPG", "mjpg", "JPEG", "jpeg"};
    const char *codec = avi_codec(look);

    if ((uint64_t)le32(look->head + 4) + 8 > look->size)
        say_cut(said, "an AVI whose end is missing");
    else if (!codec)
        say_cut(said, "an AVI without pictures");
    else if (!is_one_of(codec, known, ARRAY_LEN(known)))
        refuse(look, codec, said);
}

/* Atoms: length, kind, content; a length of 1 is followed by one of 8 bytes, 0 goes on to the end.  QuickTime file format. */
struct film {
    const struct format_look *look;
    unsigned atoms;
    bool pictures; /* of the track at hand */
    bool found, cut;
    char codec[4];
};

struct atom {
    uint64_t content, end;
    char kind[4];
};

static bool read_atom(struct film *f, uint64_t at, uint64_t end, struct atom *out)
{
    uint8_t head[16];
    uint64_t header = 8, length;

    if (f->atoms++ >= MOVIE_ATOMS_MAX || end - at < 8 || !look_read(f->look, at, head, 8))
        return false;
    length = be32(head);
    if (length == 1) {
        if (!look_read(f->look, at, head, header = 16))
            return false;
        length = be64(head + 8);
    }
    if (length == 0)
        length = end - at;
    if (length < header || length > end - at) {
        f->cut = length > end - at;
        return false;
    }
    *out = (struct atom){.content = at + header, .end = at + length};
    memcpy(out->kind, head + 4, 4);
    return true;
}

static void read_leaf(struct film *f, const struct atom *a, const char *parent)
{
    char text[4];

    if (memcmp(a->kind, "hdlr", 4) == 0 && strcmp(parent, "mdia") == 0 && look_read(f->look, a->content + 8, text, 4))
        f->pictures = memcmp(text, "vide", 4) == 0;
    if (memcmp(a->kind, "stsd", 4) == 0 && f->pictures && !f->found)
        f->found = look_read(f->look, a->content + 12, f->codec, 4);
}

static void walk(struct film *f, uint64_t at, uint64_t end, unsigned depth)
{
    static const char *const path[] = {"", "moov", "trak", "mdia", "minf", "stbl"};
    struct atom a;

    for (; at < end && read_atom(f, at, end, &a); at = a.end) {
        read_leaf(f, &a, path[depth]);
        if (depth + 1 < ARRAY_LEN(path) && memcmp(a.kind, path[depth + 1], 4) == 0)
            walk(f, a.content, a.end, depth + 1);
    }
}

void check_quicktime(const struct format_look *look, struct format_verdict *said)
{
    static const char *const known[] = {"raw ", "jpeg", "mjpa", "mjpb", "rle ", "rpza"};
    struct film f = {.look = look};

    walk(&f, 0, look->size, 0);
    if (f.cut)
        say_cut(said, "a QuickTime film whose end is missing");
    else if (!f.found || !is_one_of(f.codec, known, ARRAY_LEN(known)))
        refuse(look, f.codec, said);
}
