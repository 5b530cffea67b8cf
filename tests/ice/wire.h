/* Hand-made Ice messages (protocol 1.0), written without the encoder under test. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "peer.h"

static const uint8_t GREETING[14] __attribute__((unused)) = {'I', 'c', 'e', 'P', 1, 0, 1, 0, 3, 0, 14, 0, 0, 0};
static const uint8_t CLOSING[14] __attribute__((unused)) = {'I', 'c', 'e', 'P', 1, 0, 1, 0, 4, 0, 14, 0, 0, 0};

static inline void wire_i32(uint8_t *at, int32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)((uint32_t)v >> 8 * i);
}

/* A message of this type with this body. */
static inline bool wire_send(int fd, uint8_t type, const uint8_t *body, size_t n)
{
    uint8_t head[14] = {'I', 'c', 'e', 'P', 1, 0, 1, 0, type, 0};

    wire_i32(head + 10, (int32_t)(n + sizeof(head)));
    return peer_send(fd, head, sizeof(head)) && peer_send(fd, body, n);
}
