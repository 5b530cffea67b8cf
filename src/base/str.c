#include "base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

/* Bytes of the character at s of at most n, or 0 when it is not UTF-8. */
static size_t character(const unsigned char *s, size_t n)
{
    static const struct { unsigned char mask, lead; unsigned len, least; } forms[] = {
        {0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000},
    };

    for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
        if ((s[0] & forms[f].mask) != forms[f].lead)
            continue;
        unsigned code = s[0] & (unsigned char)~forms[f].mask;
        if (forms[f].len > n)
            return 0;
        for (size_t i = 1; i < forms[f].len; i++) {
            if ((s[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (s[i] & 0x3F);
        }
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        return code >= forms[f].least && code <= 0x10FFFF && !surrogate ? forms[f].len : 0;
    }
    return 0;
}

bool str_is_utf8(const char *s, size_t n)
{
    for (size_t at = 0, len; at < n; at += len)
        if ((len = character((const unsigned char *)s + at, n - at)) == 0)
            return false;
    return true;
}

size_t str_char_len(const char *s, size_t n)
{
    return character((const unsigned char *)s, n);
}

static void show_control(struct buf *out, unsigned char c)
{
    if (c == '\n')
        buf_add_str(out, "\\n");
    else if (c == '\t')
        buf_add_str(out, "\\t");
    else
        buf_printf(out, "\\x%02X", c);
}

/* Characters that are not seen and change how the rest looks: C1 controls, marks and overrides of direction, line separators. */
static bool is_unseen(const unsigned char *s, size_t len)
{
    static const struct { unsigned from, to; } ranges[] = {
        {0x80, 0x9F}, {0x61C, 0x61C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
    };
    unsigned code = len == 2 ? s[0] & 0x1F : s[0] & 0x0F;

    for (size_t i = 1; i < len; i++)
        code = code << 6 | (s[i] & 0x3F);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if ((len == 2 || len == 3) && code >= ranges[i].from && code <= ranges[i].to)
            return true;
    return false;
}

char *str_show(const char *s)
{
    const size_t n = strlen(s);
    struct buf out = BUF_INIT(4 * n + 1);

    for (size_t at = 0; at < n;) {
        unsigned char c = (unsigned char)s[at];
        size_t len = character((const unsigned char *)s + at, n - at);
        bool unseen = is_unseen((const unsigned char *)s + at, len);

        if (len == 0 || unseen || c < 0x20 || c == 0x7F)
            show_control(&out, c);
        else
            buf_add(&out, s + at, len);
        at += len && !unseen ? len : 1; /* a byte of what is unseen is no character by itself */
    }
    return buf_take_str(&out);
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool str_ends_nocase(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    if (n < m || m == 0 || (s[n - 1] | 32) != (suffix[m - 1] | 32)) /* mostly so, and quickly seen */
        return m == 0;
    return strcasecmp(s + n - m, suffix) == 0;
}

bool str_is_blank(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return *s == '\0';
}

const char *str_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (n == 0 || strcmp(dir, "/") == 0)
        return path + n;
    if (strncmp(path, dir, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return path + n + (path[n] == '/');
}
