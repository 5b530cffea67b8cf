/* The parts of the TOML adapter that need no parser. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/toml.h"

enum { FLOAT_TEXT = 40, DOUBLE_DIGITS = 17, FIXED_FROM = -4, FIXED_BELOW = 16 };

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
    for (size_t i = 0; i < table->n_items; i++)
        if (table->items[i].key && strcmp(table->items[i].key, key) == 0)
            return &table->items[i];
    return NULL;
}

const char *toml_type_words(enum toml_type type)
{
    static const char *const words[] = {
        [TOML_TABLE] = "a table",      [TOML_ARRAY] = "a list", [TOML_STRING] = "text", [TOML_INTEGER] = "a whole number",
        [TOML_FLOAT] = "a number", [TOML_BOOL] = "true or false", [TOML_DATETIME] = "a date or time",
    };

    return words[type];
}

/* The fewest digits that read back as the same number, with a point or an exponent so that it stays a float. */
static void float_text(double x, char out[FLOAT_TEXT])
{
    int digits = 1, exponent;

    if (!isfinite(x)) {
        snprintf(out, FLOAT_TEXT, "%s", isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    do
        snprintf(out, FLOAT_TEXT, "%.*e", digits - 1, x);
    while (strtod(out, NULL) != x && digits++ < DOUBLE_DIGITS);
    exponent = (int)strtol(strchr(out, 'e') + 1, NULL, 10);
    if (exponent >= FIXED_FROM && exponent < FIXED_BELOW)
        snprintf(out, FLOAT_TEXT, "%.*f", digits - 1 - exponent > 1 ? digits - 1 - exponent : 1, x);
}

static void add_value(struct buf *out, const struct toml_node *v);

/* Items of a list, or of a table within a list, which has no dotted key to be flattened to. */
static void add_items(struct buf *out, const struct toml_node *v)
{
    if (v->type == TOML_TABLE)
        buf_add_byte(out, '{');
    for (size_t i = 0; i < v->n_items; i++) {
        if (i)
            buf_add_str(out, ", ");
        if (v->items[i].key)
            buf_printf(out, "%s = ", v->items[i].key);
        add_value(out, &v->items[i]);
    }
    if (v->type == TOML_TABLE)
        buf_add_byte(out, '}');
}

static void add_value(struct buf *out, const struct toml_node *v)
{
    char number[FLOAT_TEXT];

    switch (v->type) {
    case TOML_STRING:
    case TOML_DATETIME:
        buf_add_str(out, v->text);
        break;
    case TOML_INTEGER:
        buf_printf(out, "%lld", (long long)v->integer);
        break;
    case TOML_FLOAT:
        float_text(v->real, number);
        buf_add_str(out, number);
        break;
    case TOML_BOOL:
        buf_add_str(out, v->boolean ? "true" : "false");
        break;
    case TOML_ARRAY:
    case TOML_TABLE:
        add_items(out, v);
        break;
    }
}

char *toml_value_text(const struct toml_node *value, size_t max)
{
    struct buf out = BUF_INIT(max);

    add_value(&out, value);
    if (out.full) {
        buf_clear(&out);
        return NULL;
    }
    return buf_take_str(&out);
}

void toml_show_line(const char *text, size_t n, int line, char *out, size_t size)
{
    const char *end = text + n, *start = text;

    out[0] = '\0';
    for (int i = 1; i < line && start; i++) {
        start = memchr(start, '\n', (size_t)(end - start));
        start = start ? start + 1 : NULL;
    }
    if (!start)
        return;

    const char *stop = memchr(start, '\n', (size_t)(end - start));
    size_t len = (size_t)((stop ? stop : end) - start);
    if (len > 0 && start[len - 1] == '\r')
        len--;
    AUTO(mem_freep) char *bytes = mem_strn(start, len < size ? len : size);
    AUTO(mem_freep) char *shown = str_show(bytes);
    size_t cut = strlen(shown) < size ? strlen(shown) : size - 1;
    while (cut > 0 && ((unsigned char)shown[cut] & 0xC0) == 0x80)
        cut--;
    memcpy(out, shown, cut);
    out[cut] = '\0';
}
