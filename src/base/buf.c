#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_BYTES = 256 };

void buf_clear(struct buf *b)
{
    free(b->data);
    *b = (struct buf)BUF_INIT(b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->full = false;
}

/* Room for n more bytes; false when the ceiling forbids it. */
static bool make_room(struct buf *b, size_t n)
{
    if (b->full || n > b->max - b->len) {
        b->full = true;
        return false;
    }
    if (n <= b->cap - b->len)
        return true;

    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    while (cap < b->len + n)
        cap *= 2;
    b->cap = cap < b->max ? cap : b->max;
    b->data = mem_resize(b->data, b->cap, 1);
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (!make_room(b, n))
        return NULL;
    b->len += n;
    return b->data ? b->data + b->len - n : NULL;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (n && make_room(b, n)) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
}

void buf_add_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_byte(struct buf *b, uint8_t byte)
{
    buf_add(b, &byte, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    AUTO(mem_freep) char *text = NULL;
    va_list args;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n > 0)
        buf_add(b, text, (size_t)n);
}

void buf_drop_front(struct buf *b, size_t n)
{
    if (n) {
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
    }
}

char *buf_take_str(struct buf *b)
{
    char *text = mem_strn((const char *)b->data, b->len);

    buf_clear(b);
    return text;
}
