#include "base/toml_scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/str.h"

struct scan {
    const char *text;
    size_t n, at;
    bool in_value;   /* behind an equals sign of this line */
    unsigned depth;  /* brackets of values within one another */
    unsigned dots;   /* of the key being read */
    size_t bottom;   /* offset of the outermost open bracket */
    struct toml_fault *fault;
};

void toml_place(const char *text, size_t n, size_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t at = 0; at < offset && at < n;) {
        size_t len = str_char_len(text + at, n - at);
        *column = text[at] == '\n' ? 1 : *column + 1;
        *line += text[at] == '\n';
        at += len ? len : 1;
    }
}

ATTR_PRINTF(4, 5) static int fault_at(struct scan *s, size_t offset, enum toml_kind kind, const char *fmt, ...)
{
    va_list args;

    *s->fault = (struct toml_fault){.kind = kind};
    toml_place(s->text, s->n, offset, &s->fault->line, &s->fault->column);
    va_start(args, fmt);
    vsnprintf(s->fault->text, sizeof(s->fault->text), fmt, args);
    va_end(args);
    return TOML_SCAN_FAULT;
}

static int check_utf8(struct scan *s)
{
    for (size_t at = 0, len; at < s->n; at += len) {
        len = str_char_len(s->text + at, s->n - at);
        if (len == 0) {
            fault_at(s, at, TOML_NOT_UTF8, "the byte %02X is not UTF-8", (unsigned char)s->text[at]);
            return TOML_SCAN_STOP;
        }
    }
    return 0;
}

static bool starts(const struct scan *s, size_t at, const char *what)
{
    size_t n = strlen(what);

    return n <= s->n - at && memcmp(s->text + at, what, n) == 0;
}

/* Control characters stand nowhere in TOML but tab, LF and CR LF. */
static int check_control(struct scan *s)
{
    unsigned char c = (unsigned char)s->text[s->at];

    if ((c >= 0x20 && c != 0x7F) || c == '\t' || c == '\n' || starts(s, s->at, "\r\n"))
        return 0;
    if (c == '\r')
        return fault_at(s, s->at, TOML_CONTROL, "a carriage return without a line feed");
    return fault_at(s, s->at, TOML_CONTROL, "a control character (U+%04X)", c);
}

/* A backslash at the end of a line of a multi-line string: blanks, then the line's end. */
static bool joins_lines(const struct scan *s, size_t at)
{
    while (at < s->n && (s->text[at] == ' ' || s->text[at] == '\t'))
        at++;
    return at < s->n && (s->text[at] == '\n' || starts(s, at, "\r\n"));
}

/* Behind \u or \U: so many digits of a character that there is. */
static int check_digits(struct scan *s, size_t digits)
{
    uint64_t code = 0;

    for (size_t i = 0; i < digits; i++) {
        size_t at = s->at + 2 + i;
        if (at >= s->n || !isxdigit((unsigned char)s->text[at]))
            return fault_at(s, s->at, TOML_ESCAPE, "\\%c needs %zu hexadecimal digits", s->text[s->at + 1], digits);
        char c = s->text[at];
        code = code << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (code == 0)
        return fault_at(s, s->at, TOML_ESCAPE, "the character U+0000 cannot be stored");
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return fault_at(s, s->at, TOML_ESCAPE, "there is no character U+%04llX", (unsigned long long)code);
    s->at += 2 + digits;
    return 0;
}

static int scan_escape(struct scan *s, bool multi_line)
{
    char c = s->at + 1 < s->n ? s->text[s->at + 1] : '\0';

    if (c == 'u' || c == 'U')
        return check_digits(s, c == 'u' ? 4 : 8);
    if (multi_line && joins_lines(s, s->at + 1)) {
        s->at++;
        return 0;
    }
    if (c == '\0' || !strchr("btnfr\"\\", c)) {
        bool shows = c > ' ' && c < 0x7F;
        return fault_at(s, s->at, TOML_ESCAPE, "\\%.*s is no escape", shows, &c);
    }
    s->at += 2;
    return 0;
}

static int scan_string(struct scan *s)
{
    const size_t start = s->at;
    const char quote = s->text[start];
    const char *triple = quote == '"' ? "\"\"\"" : "'''";
    const bool multi_line = starts(s, start, triple);

    for (s->at += multi_line ? 3 : 1; s->at < s->n;) {
        char c = s->text[s->at];
        if (c == quote && (!multi_line || starts(s, s->at, triple))) {
            s->at += multi_line ? 3 : 1;
            for (int i = 0; i < 2 && multi_line && s->at < s->n && s->text[s->at] == quote; i++)
                s->at++;
            return 0;
        }
        if (!multi_line && (c == '\n' || starts(s, s->at, "\r\n")))
            break;
        int bad = c == '\\' && quote == '"' ? scan_escape(s, multi_line) : check_control(s);
        if (bad)
            return bad;
        if (c != '\\' || quote != '"')
            s->at++;
    }
    return fault_at(s, start, TOML_OPEN_STRING, "text that is never closed by %s",
                    multi_line ? triple : quote == '"' ? "\"" : "'");
}

static int scan_comment(struct scan *s)
{
    for (; s->at < s->n && s->text[s->at] != '\n'; s->at++)
        if (check_control(s))
            return TOML_SCAN_FAULT;
    return 0;
}

static int too_deep(struct scan *s, const char *what)
{
    fault_at(s, s->at, TOML_TOO_LARGE, "more than %u %s", TOML_DEPTH_MAX, what);
    return TOML_SCAN_STOP;
}

static int scan_other(struct scan *s, char c)
{
    switch (c) {
    case '\n':
        s->in_value = s->depth > 0;
        s->dots = 0;
        break;
    case '=':
    case ',':
        s->in_value = s->in_value || c == '=';
        s->dots = 0;
        break;
    case '[':
    case '{':
        s->dots = 0;
        if (s->in_value && s->depth == 0)
            s->bottom = s->at;
        if (s->in_value && ++s->depth > TOML_DEPTH_MAX)
            return too_deep(s, "brackets within one another");
        break;
    case ']':
    case '}':
        s->depth -= s->depth > 0;
        break;
    case '.':
        if (++s->dots >= TOML_DEPTH_MAX)
            return too_deep(s, "parts of a key");
        break;
    default:
        break;
    }
    int bad = check_control(s);
    s->at++;
    return bad;
}

int toml_scan(const char *text, size_t n, struct toml_scan *out)
{
    struct scan s = {.text = text, .n = n, .fault = &out->fault};
    int bad = n > TOML_MAX_BYTES ? fault_at(&s, 0, TOML_TOO_LARGE, "larger than %u bytes", TOML_MAX_BYTES) + 1 : check_utf8(&s);

    out->open_bracket = n;
    while (!bad && s.at < n) {
        char c = text[s.at];
        if (c == '#')
            bad = scan_comment(&s);
        else
            bad = c == '"' || c == '\'' ? scan_string(&s) : scan_other(&s, c);
    }
    if (!bad && s.depth > 0)
        out->open_bracket = s.bottom;
    return bad;
}
