#include "web/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "shape/shape.h"

static const char *const escapes[128] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};

void html_text(struct buf *b, const char *bytes)
{
    AUTO(mem_freep) char *shown = str_show(bytes ? bytes : "");

    for (const char *c = shown; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (byte < 128 && escapes[byte])
            buf_add_str(b, escapes[byte]);
        else
            buf_add_byte(b, byte);
    }
}

static void add_url(struct buf *b, const char *bytes)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *bytes; bytes++) {
        if (strchr(plain, *bytes))
            buf_add_byte(b, (uint8_t)*bytes);
        else
            buf_printf(b, "%%%02X", (unsigned char)*bytes);
    }
}

static void add_value(struct buf *b, char kind, va_list *args)
{
    switch (kind) {
    case 's':
        html_text(b, va_arg(*args, const char *));
        break;
    case 'u':
        add_url(b, va_arg(*args, const char *));
        break;
    case 'd':
        buf_printf(b, "%lld", (long long)va_arg(*args, int64_t));
        break;
    case '%':
        buf_add_byte(b, '%');
        break;
    default:
        abort(); /* a text of the program that is wrong: a test would have ended here */
    }
}

void html(struct buf *b, const char *text, ...)
{
    va_list args;

    va_start(args, text);
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "%");

        buf_add(b, at, n);
        at += n;
        if (*at == '%') {
            add_value(b, at[1], &args);
            at += 2;
        }
    }
    va_end(args);
}

void html_time(struct buf *b, int64_t wall_ms)
{
    char text[25];

    if (wall_ms == 0 || wall_ms == CLOCK_NEVER) {
        buf_add_str(b, "–");
        return;
    }
    clock_text(wall_ms, text);
    html(b, "<time datetime=\"%s\">", text);
    text[10] = ' ';
    text[16] = '\0';
    html(b, "%s UTC</time>", text);
}

void html_bytes(struct buf *b, int64_t bytes)
{
    char text[32];

    shape_bytes(bytes, text);
    html_text(b, text);
}
