#include "format/tiff.h"

#include <string.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"

enum {
    TAG_SUBFILE_TYPE = 254,
    TAG_DOCUMENT_NAME = 269,
    TAG_DESCRIPTION = 270,
    TAG_MAKE = 271,
    TAG_STRIP_OFFSETS = 273,
    TAG_STRIP_BYTES = 279,
    TAG_SOFTWARE = 305,
    TAG_DATE_TIME = 306,
    TAG_TILE_OFFSETS = 324,
    TAG_TILE_BYTES = 325,
    TAG_XMP = 700,
    TAG_COPYRIGHT = 33432,
};

/* A reader over one file: what lies in the first bytes is not read again. */
struct source {
    int fd;
    uint64_t size;
    const uint8_t *head;
    size_t head_len;
    bool big_endian, big;
};

struct tag {
    uint16_t id, type;
    uint64_t count;
    const uint8_t *value; /* 4 or 8 bytes: the value or its offset */
};

/* Where the last strip or tile lies, as far as the directory says so. */
struct data_end {
    uint64_t offset, bytes;
};

static uint64_t number(const struct source *s, const uint8_t *at, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[s->big_endian ? i : n - 1 - i];
    return value;
}

/* Exactly n bytes; 1: they lie beyond the end of the file. */
static int read_at(const struct source *s, uint64_t offset, void *out, size_t n, struct err *err)
{
    if (offset > s->size || n > s->size - offset)
        return 1;
    if (offset <= s->head_len && n <= s->head_len - offset) {
        memcpy(out, s->head + offset, n);
        return 0;
    }

    ssize_t got = io_pread(s->fd, out, n, (off_t)offset, err);

    if (got < 0)
        return -1;
    return (size_t)got < n;
}

static uint64_t type_bytes(uint16_t type)
{
    static const uint8_t bytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

    return type < sizeof(bytes) ? bytes[type] : 0;
}

/* Where the value of a tag lies; `at` is the place of the tag itself.  False: its length makes no sense. */
static bool range_of(const struct source *s, const struct tag *tag, uint64_t at, struct tiff_range *out)
{
    uint64_t inlined = s->big ? 8 : 4, bytes;

    if (__builtin_mul_overflow(tag->count, type_bytes(tag->type), &bytes))
        return false;
    out->bytes = bytes;
    out->offset = bytes <= inlined ? at + (s->big ? 12 : 8) : number(s, tag->value, inlined);
    return true;
}

/* The beginning of a text; what is not there is an empty text and a word in `broken`. */
static int read_text(const struct source *s, const struct tiff_range *range, char *out, size_t room, struct tiff_facts *t,
                     struct err *err)
{
    size_t n = range->bytes < room - 1 ? (size_t)range->bytes : room - 1;

    if (range->offset > s->size || range->bytes > s->size - range->offset) {
        t->broken = "a text of its first directory lies beyond the end of the file";
        return 0;
    }

    int done = read_at(s, range->offset, out, n, err);

    out[done == 0 ? n : 0] = '\0';
    return done < 0 ? -1 : 0;
}

static int look_for_iscan(const struct source *s, const struct tiff_range *range, struct tiff_facts *t, struct err *err)
{
    char text[4096];

    if (read_text(s, range, text, sizeof(text), t, err) < 0)
        return -1;
    t->iscan = strstr(text, "iScan") != NULL;
    return 0;
}

/* The last value of a list of numbers. */
static int read_last(const struct source *s, const struct tag *tag, const struct tiff_range *range, uint64_t *out,
                     struct tiff_facts *t, struct err *err)
{
    uint8_t bytes[8];
    uint64_t n = type_bytes(tag->type);

    if (tag->count == 0 || (n != 2 && n != 4 && n != 8))
        return 0;

    int done = range->offset > UINT64_MAX - range->bytes
                   ? 1 : read_at(s, range->offset + range->bytes - n, bytes, (size_t)n, err);

    if (done == 0)
        *out = number(s, bytes, (size_t)n);
    else if (done > 0)
        t->broken = "the list of its strips lies beyond the end of the file";
    return done < 0 ? -1 : 0;
}

static int read_tag(const struct source *s, const struct tag *tag, uint64_t at, struct data_end *data, struct tiff_facts *t,
                    struct err *err)
{
    const struct {
        uint16_t id;
        char *text;
        size_t room;
    } texts[] = {
        {TAG_DOCUMENT_NAME, t->document, sizeof(t->document)},
        {TAG_DESCRIPTION, t->comment, sizeof(t->comment)},
        {TAG_MAKE, t->make, sizeof(t->make)},
        {TAG_SOFTWARE, t->software, sizeof(t->software)},
        {TAG_DATE_TIME, t->date_time, sizeof(t->date_time)},
        {TAG_COPYRIGHT, t->copyright, sizeof(t->copyright)},
    };
    struct tiff_range range;

    if (t->n_tags < TIFF_TAGS_KEPT)
        t->tags[t->n_tags++] = tag->id;
    if (!range_of(s, tag, at, &range))
        return 0;
    if (tag->id == TAG_SUBFILE_TYPE)
        t->subfile_type = (uint32_t)number(s, tag->value, type_bytes(tag->type) == 2 ? 2 : 4);
    if (tag->id == TAG_STRIP_OFFSETS || tag->id == TAG_TILE_OFFSETS)
        return read_last(s, tag, &range, &data->offset, t, err);
    if (tag->id == TAG_STRIP_BYTES || tag->id == TAG_TILE_BYTES)
        return read_last(s, tag, &range, &data->bytes, t, err);
    if (tag->id == TAG_XMP)
        return look_for_iscan(s, &range, t, err);
    if (tag->id == TAG_DESCRIPTION)
        t->description = range;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].id == tag->id)
            return read_text(s, &range, texts[i].text, texts[i].room, t, err);
    return 0;
}

/* The offset of the next directory: whole files have 0 or a place within the file there. */
static void check_next(const struct source *s, uint64_t first, uint64_t next, struct tiff_facts *t)
{
    t->more_directories = next != 0;
    if (next == first)
        t->broken = "its directories lead in a circle";
    else if (next >= s->size)
        t->broken = "its second directory lies beyond the end of the file";
}

static struct tag tag_at(const struct source *s, const uint8_t *at)
{
    return (struct tag){
        .id = (uint16_t)number(s, at, 2),
        .type = (uint16_t)number(s, at + 2, 2),
        .count = number(s, at + 4, s->big ? 8 : 4),
        .value = at + (s->big ? 12 : 8),
    };
}

/* The pixels of a later directory, and where the next one lies (0: nowhere).  1: it lies beyond the end. */
static int read_later(const struct source *s, uint64_t at, struct data_end *data, uint64_t *next, struct err *err)
{
    size_t count_bytes = s->big ? 8 : 2, tag_bytes = s->big ? 20 : 12, next_bytes = s->big ? 8 : 4;
    struct tiff_facts ignored = {0};
    uint8_t count[8];
    int done = read_at(s, at, count, count_bytes, err);
    uint64_t n = done == 0 ? number(s, count, count_bytes) : 0;

    if (done != 0 || n == 0 || n > TIFF_TAGS_MAX)
        return done;

    AUTO(mem_freep) uint8_t *tags = mem_new((size_t)n * tag_bytes + next_bytes, 1);

    done = read_at(s, at + count_bytes, tags, (size_t)n * tag_bytes + next_bytes, err);
    for (size_t i = 0; done == 0 && i < (size_t)n; i++) {
        const struct tag tag = tag_at(s, tags + i * tag_bytes);
        uint64_t *to = tag.id == TAG_STRIP_OFFSETS || tag.id == TAG_TILE_OFFSETS ? &data->offset
                       : tag.id == TAG_STRIP_BYTES || tag.id == TAG_TILE_BYTES   ? &data->bytes
                                                                                 : NULL;
        struct tiff_range range;

        if (to && range_of(s, &tag, at + count_bytes + i * tag_bytes, &range))
            done = read_last(s, &tag, &range, to, &ignored, err);
    }
    if (done == 0)
        *next = number(s, tags + (size_t)n * tag_bytes, next_bytes);
    return ignored.broken ? 1 : done;
}

/* Only some: a file of thousands would take as many reads. */
static int read_rest(const struct source *s, uint64_t next, struct tiff_facts *t, struct err *err)
{
    for (unsigned i = 0; i < TIFF_DIRECTORIES_MOST && next != 0 && !t->cut; i++) {
        struct data_end data = {0};
        uint64_t at = next;

        next = 0;

        int done = read_later(s, at, &data, &next, err);

        if (done < 0)
            return -1;
        if (done > 0)
            t->cut = "one of its directories lies beyond the end of the file";
        else if (data.offset > s->size || data.bytes > s->size - data.offset)
            t->cut = "the file ends before the pixels of its last directories do";
    }
    return 0;
}

static int read_directory(const struct source *s, uint64_t first, struct tiff_facts *t, struct err *err)
{
    size_t count_bytes = s->big ? 8 : 2, tag_bytes = s->big ? 20 : 12, next_bytes = s->big ? 8 : 4;
    uint8_t count[8];
    int done = read_at(s, first, count, count_bytes, err);

    if (done != 0) {
        t->broken = "its first directory lies beyond the end of the file";
        return done < 0 ? -1 : 0;
    }

    uint64_t n = number(s, count, count_bytes);

    if (n == 0 || n > TIFF_TAGS_MAX) {
        t->broken = n ? "its first directory has more tags than any program writes" : "its first directory is empty";
        return 0;
    }

    struct data_end data = {0};
    size_t bytes = (size_t)n * tag_bytes;
    AUTO(mem_freep) uint8_t *tags = mem_new(bytes + next_bytes, 1);

    done = read_at(s, first + count_bytes, tags, bytes + next_bytes, err);
    if (done != 0) {
        t->broken = "the file ends within its first directory";
        return done < 0 ? -1 : 0;
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        const uint8_t *at = tags + i * tag_bytes;
        const struct tag tag = tag_at(s, at);

        if (read_tag(s, &tag, first + count_bytes + i * tag_bytes, &data, t, err) < 0)
            return -1;
    }
    check_next(s, first, number(s, tags + bytes, next_bytes), t);
    if (!t->broken && (data.offset > s->size || data.bytes > s->size - data.offset))
        t->broken = "the file ends before its pixels do";
    return t->broken ? 0 : read_rest(s, number(s, tags + bytes, next_bytes), t, err);
}

bool tiff_begins(const uint8_t *head, size_t n)
{
    return n >= 4 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 || memcmp(head, "II+\0", 4) == 0 ||
                      memcmp(head, "MM\0+", 4) == 0);
}

int tiff_read(int fd, uint64_t size, const uint8_t *head, size_t n, struct tiff_facts *out, struct err *err)
{
    struct source s = {.fd = fd, .size = size, .head = head, .head_len = n, .big_endian = head[0] == 'M'};

    s.big = head[s.big_endian ? 3 : 2] == '+';
    *out = (struct tiff_facts){.big_endian = s.big_endian, .big = s.big};
    if (n < (s.big ? 16 : 8)) {
        out->broken = "the file ends within its header";
        return 0;
    }
    return read_directory(&s, s.big ? number(&s, head + 8, 8) : number(&s, head + 4, 4), out, err);
}

bool tiff_has(const struct tiff_facts *t, uint16_t tag)
{
    for (size_t i = 0; i < t->n_tags; i++)
        if (t->tags[i] == tag)
            return true;
    return false;
}
