/* Numbers in files, by byte order.  Private to the room. */
#pragma once

#include <stdint.h>

static inline uint16_t le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t le32(const uint8_t *at)
{
    return (uint32_t)le16(at) | (uint32_t)le16(at + 2) << 16;
}

static inline uint64_t le64(const uint8_t *at)
{
    return (uint64_t)le32(at) | (uint64_t)le32(at + 4) << 32;
}

static inline uint32_t be32(const uint8_t *at)
{
    return __builtin_bswap32(le32(at));
}

static inline uint64_t be64(const uint8_t *at)
{
    return __builtin_bswap64(le64(at));
}
