#include "ice/codec.h"

#include <endian.h>
#include <string.h>

#include "base/str.h"

enum { LONG_SIZE = 255 }; /* this byte says that the size follows as an int */

void ice_fail(struct ice_in *in, const char *why)
{
    if (!in->bad)
        in->why = why;
    in->bad = true;
}

const uint8_t *ice_take(struct ice_in *in, size_t n)
{
    if (!in->bad && n > (size_t)(in->end - in->at))
        ice_fail(in, "the bytes end within a value");
    if (in->bad)
        return NULL;
    in->at += n;
    return in->at - n;
}

uint8_t ice_read_u8(struct ice_in *in)
{
    const uint8_t *p = ice_take(in, 1);

    return p ? *p : 0;
}

bool ice_read_bool(struct ice_in *in)
{
    return ice_read_u8(in) != 0;
}

int16_t ice_read_i16(struct ice_in *in)
{
    uint16_t v = 0;
    const uint8_t *p = ice_take(in, sizeof(v));

    if (p)
        memcpy(&v, p, sizeof(v));
    return (int16_t)le16toh(v);
}

int32_t ice_read_i32(struct ice_in *in)
{
    uint32_t v = 0;
    const uint8_t *p = ice_take(in, sizeof(v));

    if (p)
        memcpy(&v, p, sizeof(v));
    return (int32_t)le32toh(v);
}

int64_t ice_read_i64(struct ice_in *in)
{
    uint64_t v = 0;
    const uint8_t *p = ice_take(in, sizeof(v));

    if (p)
        memcpy(&v, p, sizeof(v));
    return (int64_t)le64toh(v);
}

size_t ice_read_size(struct ice_in *in, size_t min_item_bytes)
{
    int64_t n = ice_read_u8(in);

    if (n == LONG_SIZE)
        n = ice_read_i32(in);
    if (n < 0)
        ice_fail(in, "a size is negative");
    else if (!in->bad && min_item_bytes && (size_t)n > (size_t)(in->end - in->at) / min_item_bytes)
        ice_fail(in, "a size is larger than what follows");
    return in->bad ? 0 : (size_t)n;
}

const char *ice_read_string(struct ice_in *in, struct arena *mem)
{
    size_t n = ice_read_size(in, 1);
    const char *s = (const char *)ice_take(in, n);

    if (!s || !n)
        return "";
    if (memchr(s, '\0', n))
        ice_fail(in, "a string has a NUL inside");
    else if (!str_is_utf8(s, n))
        ice_fail(in, "a string is not UTF-8");
    return in->bad ? "" : arena_strn(mem, s, n);
}

void ice_read_identity(struct ice_in *in, struct arena *mem, struct ice_identity *out)
{
    out->name = ice_read_string(in, mem);
    out->category = ice_read_string(in, mem);
}
