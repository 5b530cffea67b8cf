/* A growing byte buffer that cannot be made without a ceiling.
 *
 * Invariants: len <= cap <= max; data is NULL only while cap is 0.  Going over the ceiling sets `full`, which sticks: later
 * appends do nothing, and the caller looks once at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct buf {
    uint8_t *data;
    size_t len, cap, max;
    bool full;
};

#define BUF_INIT(ceiling) {.max = (ceiling)}

void buf_clear(struct buf *b);                                /* frees; the ceiling stays */
void buf_reset(struct buf *b);                                /* forgets the content, keeps the memory */
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, const char *s);               /* without the terminator */
void buf_add_byte(struct buf *b, uint8_t byte);
void buf_printf(struct buf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
uint8_t *buf_reserve(struct buf *b, size_t n);                /* n bytes at the end, counted; NULL when full */
void buf_drop_front(struct buf *b, size_t n);                 /* removes the first n bytes; n <= len */
char *buf_take_str(struct buf *b) ATTR_MUST_USE;              /* the content with a terminator; owned by the caller */
