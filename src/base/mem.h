/* Memory: allocations that never return NULL, and arenas.
 *
 * Running out of memory ends the program with one line and exit status 71: every durable step is a transaction, so nothing is
 * half done, and no caller needs a path that nobody can test.  Sizes that come from outside are compared with a ceiling of
 * ceilings.h before they reach this file. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/auto.h"

/* End the program in that way: for a library that reports it. */
void mem_exhausted(void) __attribute__((noreturn));

/* At the start: large blocks go back to the system one by one, however many there have been, and what a thread frees is for all
 * threads (after 2,500 imports by 8 workers 2.8 MB were free in 11 pools, and rising; 0.7 MB with this). */
void mem_start(void);

/* Zeroed memory; n * size is checked for overflow. */
void *mem_new(size_t n, size_t size) ATTR_MUST_USE;
/* After something that took much: what was freed goes back to the system. */
void mem_give_back(void);
/* Grow or shrink to n * size bytes; new bytes are not zeroed. */
void *mem_resize(void *p, size_t n, size_t size) ATTR_MUST_USE;
char *mem_str(const char *s) ATTR_MUST_USE;                /* copy; NULL gives NULL */
char *mem_strn(const char *s, size_t n) ATTR_MUST_USE;     /* copy of n bytes with a terminator */
char *mem_vprintf(const char *fmt, va_list args) ATTR_PRINTF(1, 0) ATTR_MUST_USE;
char *mem_printf(const char *fmt, ...) ATTR_PRINTF(1, 2) ATTR_MUST_USE;

/* free() for AUTO on any pointer variable. */
void mem_freep(void *pointer_to_pointer);

/* Make room for one more item in `array` of `*cap` items of which `n` are used; returns the array. */
void *mem_grow(void *array, size_t n, size_t *cap, size_t item_size) ATTR_MUST_USE;

/* An arena: many small values that die together.  Not for several threads at once. */
struct arena;

struct arena *arena_new(void) ATTR_MUST_USE;
void arena_free(struct arena *a); /* NULL is fine */
void arena_freep(struct arena **a);
void *arena_alloc(struct arena *a, size_t n, size_t size) ATTR_MUST_USE; /* zeroed, aligned for any type */
char *arena_str(struct arena *a, const char *s) ATTR_MUST_USE;
/* Room for a text of n bytes and its end, not aligned and not cleared: texts lie side by side. */
char *arena_room(struct arena *a, size_t n) ATTR_MUST_USE;
char *arena_strn(struct arena *a, const char *s, size_t n) ATTR_MUST_USE;
char *arena_printf(struct arena *a, const char *fmt, ...) ATTR_PRINTF(2, 3) ATTR_MUST_USE;
/* What was taken from `other` belongs to `into`; frees the rest of it. */
void arena_join(struct arena *into, struct arena *other);
size_t arena_bytes(const struct arena *a); /* handed out so far: the decoder's ceiling is held against this */
