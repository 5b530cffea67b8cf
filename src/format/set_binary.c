/* Masters that are no plain text: Olympus .oif and .pty (INI in UTF-16), Leica .lei (a chain of directories). */
#include "format/set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "format/bytes.h"
#include "format/text.h"

enum { INI_MAX = 16 << 20, LEI_MAX = 64 << 20 };

static char *bytes_of(const struct format_look *look, size_t max, size_t *n, const char **text)
{
    struct err err = ERR_INIT;

    if (look->size > max) {
        *text = "it is longer than any file of its kind";
        return NULL;
    }

    AUTO(mem_freep) char *bytes = mem_new((size_t)look->size + 1, 1);
    ssize_t got = io_pread(look->fd, bytes, (size_t)look->size, 0, &err);

    if (got < 0) {
        *text = "it cannot be read";
        return NULL;
    }
    *n = (size_t)got;
    return STEAL(bytes);
}

/* ---- Olympus ---- */

static void put_utf8(struct buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_add_byte(b, (uint8_t)(c ? c : ' '));
    } else if (c < 0x800) {
        buf_add_byte(b, (uint8_t)(0xC0 | c >> 6));
        buf_add_byte(b, (uint8_t)(0x80 | (c & 0x3F)));
    } else {
        buf_add_byte(b, (uint8_t)(0xE0 | c >> 12));
        buf_add_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        buf_add_byte(b, (uint8_t)(0x80 | (c & 0x3F)));
    }
}

/* UTF-16 with its mark, or bytes as they are; as UTF-8. */
static char *ini_text(const struct format_look *look, const char **text)
{
    size_t n;
    AUTO(mem_freep) char *bytes = bytes_of(look, INI_MAX, &n, text);
    struct buf b = BUF_INIT(2 * INI_MAX);

    if (!bytes)
        return NULL;
    if (n < 2 || memcmp(bytes, "\xFF\xFE", 2) != 0)
        return text_of(look, INI_MAX, text);
    for (size_t i = 2; i + 1 < n; i += 2)
        put_utf8(&b, le16((const uint8_t *)bytes + i));
    buf_add_byte(&b, '\0');
    return (char *)b.data;
}

/* "a\b.pty" -> a/b.pty, in place. */
static char *clean_value(char *value)
{
    char *to = value;

    for (const char *c = value; *c; c++)
        if (*c != '"')
            *to++ = *c == '\\' ? '/' : *c;
    *to = '\0';
    return text_trim(value);
}

/* A reference image: name-R001.tif */
static bool is_preview(const char *name)
{
    const char *mark = strstr(name, "-R");

    return mark && strlen(mark) == 9;
}

static bool read_three(const char *digits, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < 3; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *out = 10 * *out + (unsigned)(digits[i] - '0');
    }
    return true;
}

/* s_C%03dT%03d.pty with the first and the last of all. */
static void add_pattern(struct names *names, const char *pattern, const char *first, const char *last)
{
    unsigned from[4] = {0}, to[4] = {0};
    size_t n = 0;
    const char *at = pattern, *f = first, *l = last;

    for (const char *mark; n < 4 && (mark = strstr(at, "%03d")); n++) {
        size_t text = (size_t)(mark - at);

        if (strlen(f) < text + 3 || strlen(l) < text + 3)
            return;
        if (!read_three(f + text, &from[n]) || !read_three(l + text, &to[n]) || from[n] > to[n])
            return;
        f += text + 3, l += text + 3, at = mark + 4;
    }

    unsigned now[4];

    memcpy(now, from, sizeof(now));
    for (bool more = n > 0; more && !names->full; ) {
        struct buf b = BUF_INIT(TREE_PATH_MAX);

        at = pattern;
        for (size_t i = 0; i < n; i++) {
            const char *mark = strstr(at, "%03d");

            buf_add(&b, at, (size_t)(mark - at));
            buf_printf(&b, "%03u", now[i]);
            at = mark + 4;
        }
        buf_add_str(&b, at);

        AUTO(mem_freep) char *name = buf_take_str(&b);
        names_add(names, name, "");
        more = false;
        for (size_t i = n; i-- > 0 && !more; ) {
            more = ++now[i] <= to[i];
            if (!more)
                now[i] = from[i];
        }
    }
}

/* [ProfileSaveInfo] names the .pty files, each or by a pattern, and the previews. */
int set_read_oif(struct format_look *look, struct names *names, const char **text)
{
    AUTO(mem_freep) char *bytes = ini_text(look, text);
    const char *first = NULL, *last = NULL, *pattern = "";
    bool here = false, any = false;

    if (!bytes)
        return -1;
    for (char *at = bytes, *line; (line = text_line(&at)); ) {
        char *equals = strchr(line, '=');

        if (line[0] == '[')
            here = strncmp(line, "[ProfileSaveInfo]", 17) == 0;
        if (!here || !equals)
            continue;
        *equals = '\0';

        const char *key = text_trim(line);
        char *value = clean_value(equals + 1);

        any = true;
        if (strcmp(key, "PtyFileNameS") == 0)
            first = value;
        else if (strcmp(key, "PtyFileNameE") == 0)
            last = value;
        else if (strcmp(key, "PtyFileNameT2") == 0)
            pattern = value;
        else if (!strstr(key, "Thumb") && (is_preview(value) || strncmp(key, "IniFileName", 11) == 0))
            names_add(names, value, is_preview(value) ? NAME_MAY : "");
    }
    if (names->n == 0 && first && last)
        add_pattern(names, pattern, first, last);
    if (!any || names->n == 0)
        *text = "an OIF that names no planes";
    return !any || names->n == 0 || names->full ? -1 : 1;
}

/* A .pty has the name of its TIFF. */
int set_read_pty(struct format_look *look, struct names *names, const char **text)
{
    AUTO(mem_freep) char *bytes = ini_text(look, text);

    if (!bytes)
        return -1;
    for (char *at = bytes, *line; names->n == 0 && (line = text_line(&at)); )
        if (strncmp(line, "DataName=", 9) == 0)
            names_add(names, clean_value(line + 9), "");
    return 1;
}

/* ---- Hitachi ---- */

/* [SemImageFile] at the beginning, in bytes or in UTF-16, and ImageName= further down. */
int set_read_hitachi(struct format_look *look, struct names *names, const char **text)
{
    if (!look_contains(look, "[SemImageFile]", 64) && !look_has(look, 0, "\xFF\xFE[\0S\0e\0m\0", 10))
        return 0;

    AUTO(mem_freep) char *bytes = ini_text(look, text);

    if (!bytes)
        return -1;
    for (char *at = bytes, *line; names->n == 0 && (line = text_line(&at)); )
        if (strncmp(line, "ImageName=", 10) == 0)
            names_add(names, text_trim(line + 10), NAME_MAY);
    return 1;
}

/* ---- Leica ---- */

struct lei {
    const uint8_t *bytes;
    size_t n;
    bool big_endian;
    uint32_t name_bytes; /* of each name, in UTF-16 */
};

enum { LEI_SERIES = 10, LEI_IMAGES = 15, LEI_DIRECTORIES_MAX = 10000, LEI_TAGS_MAX = 1000 };

static bool lei_number(const struct lei *lei, uint64_t at, uint32_t *out)
{
    if (at > lei->n || lei->n - at < 4)
        return false;
    *out = lei->big_endian ? be32(lei->bytes + at) : le32(lei->bytes + at);
    return true;
}

/* Names of a fixed length, of which the low bytes are taken. */
static bool lei_images(const struct lei *lei, uint64_t at, struct names *names)
{
    enum { NAMES_AT = 20 };
    uint32_t n;

    if (!lei_number(lei, at, &n) || lei->name_bytes == 0)
        return false;
    if ((uint64_t)n * lei->name_bytes > lei->n)
        n = __builtin_bswap32(n);
    if ((uint64_t)n * lei->name_bytes > lei->n - at || lei->n - at < NAMES_AT + (uint64_t)n * lei->name_bytes)
        return false;
    for (uint32_t i = 0; i < n && !names->full; i++) {
        const uint8_t *from = lei->bytes + at + NAMES_AT + (uint64_t)i * lei->name_bytes;
        struct buf b = BUF_INIT(TREE_PATH_MAX);

        for (uint32_t c = 0; c < lei->name_bytes; c++)
            if (from[c])
                buf_add_byte(&b, from[c]);
        if (b.len == 0)
            continue;

        AUTO(mem_freep) char *name = buf_take_str(&b);
        names_add(names, text_trim(name), "");
    }
    return true;
}

/* One directory: tags with the places of their blocks, until a tag of 0.  The place of the next directory follows. */
static bool lei_directory(struct lei *lei, uint64_t at, struct names *names, uint32_t *next)
{
    uint32_t tag, place, images = 0;
    uint64_t to = at + 4;

    for (unsigned i = 0; i < LEI_TAGS_MAX; i++, to += 8) {
        if (!lei_number(lei, to, &tag))
            return false;
        if (tag == 0)
            return lei_number(lei, to + 4, next) && (images == 0 || lei_images(lei, images, names));
        if (!lei_number(lei, to + 4, &place))
            return false;
        if (tag == LEI_SERIES && (!lei_number(lei, (uint64_t)place + 16 + 8, &lei->name_bytes) ||
                                  __builtin_mul_overflow(lei->name_bytes, 2u, &lei->name_bytes)))
            return false;
        if (tag == LEI_IMAGES)
            images = place > UINT32_MAX - 16 ? 0 : place + 16;
    }
    return false;
}

int set_read_lei(struct format_look *look, struct names *names, const char **text)
{
    struct lei lei = {.big_endian = !look_has(look, 0, "IIII", 4)};
    AUTO(mem_freep) char *bytes = bytes_of(look, LEI_MAX, &lei.n, text);
    uint32_t at = 0;

    if (!bytes)
        return -1;
    lei.bytes = (const uint8_t *)bytes;

    bool whole = lei_number(&lei, 12, &at);

    for (unsigned i = 0; whole && at != 0 && i < LEI_DIRECTORIES_MAX && !names->full; i++)
        whole = lei_directory(&lei, at, names, &at);
    if (!whole || names->n == 0)
        *text = "a LEI that is cut short or damaged";
    return !whole || names->n == 0 || names->full ? -1 : 1;
}
