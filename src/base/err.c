#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cut a text that may have been truncated in the middle of a UTF-8 character. */
static void cut_at_character(char *text, size_t size)
{
    size_t n = strnlen(text, size - 1);

    text[n] = '\0';
    if (n < size - 1)
        return;
    while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
        n--;
    if (n > 0 && (unsigned char)text[n - 1] >= 0xC0)
        n--;
    text[n] = '\0';
}

static void append_errno(struct err *err)
{
    size_t used = strlen(err->text);

    snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerrordesc_np(err->sys));
}

int err_set(struct err *err, enum reason why, int sys, const char *fmt, ...)
{
    va_list args;

    *err = (struct err){.why = why, .cls = reason_row(why)->cls, .sys = sys};
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (sys != 0 && strerrordesc_np(sys))
        append_errno(err);
    cut_at_character(err->text, sizeof(err->text));
    return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
    cut_at_character(err->hint, sizeof(err->hint));
    return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    char rest[sizeof(err->text)];
    va_list args;

    memcpy(rest, err->text, sizeof(rest));
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);

    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, "%s", rest);
    cut_at_character(err->text, sizeof(err->text));
    return -1;
}

const char *err_hint_text(const struct err *err)
{
    return err->hint[0] ? err->hint : reason_row(err->why)->hint;
}
