#include "ice/codec.h"

#include <endian.h>
#include <string.h>

enum { LONG_SIZE = 255 };

void ice_write_bool(struct buf *b, bool v)
{
    buf_add_byte(b, v);
}

void ice_write_i16(struct buf *b, int16_t v)
{
    uint16_t le = htole16((uint16_t)v);

    buf_add(b, &le, sizeof(le));
}

void ice_write_i32(struct buf *b, int32_t v)
{
    uint32_t le = htole32((uint32_t)v);

    buf_add(b, &le, sizeof(le));
}

void ice_write_i64(struct buf *b, int64_t v)
{
    uint64_t le = htole64((uint64_t)v);

    buf_add(b, &le, sizeof(le));
}

void ice_write_size(struct buf *b, size_t n)
{
    if (n > INT32_MAX) {
        b->full = true;
    } else if (n < LONG_SIZE) {
        buf_add_byte(b, (uint8_t)n);
    } else {
        buf_add_byte(b, LONG_SIZE);
        ice_write_i32(b, (int32_t)n);
    }
}

void ice_write_string(struct buf *b, const char *s)
{
    size_t n = s ? strlen(s) : 0;

    ice_write_size(b, n);
    buf_add(b, s, n);
}

void ice_write_identity(struct buf *b, const struct ice_identity *id)
{
    ice_write_string(b, id->name);
    ice_write_string(b, id->category);
}

void ice_put_i32(struct buf *b, size_t at, int32_t v)
{
    uint32_t le = htole32((uint32_t)v);

    if (!b->full && at + sizeof(le) <= b->len)
        memcpy(b->data + at, &le, sizeof(le));
}
