#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/trap.h"

enum { EXIT_NO_MEMORY = 71, CHUNK_BYTES = 16 * 1024, LARGE_BYTES = 128 * 1024, ARENAS_MAX = 2, ALIGN = _Alignof(max_align_t) };

void mem_exhausted(void)
{
    static const char text[] = "impomero: out of memory; nothing is half done, start it again\n";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* nothing can be done if this fails too */
    _exit(EXIT_NO_MEMORY);
}

void mem_start(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* without a word the threshold rises with each large block that is freed */
    (void)mallopt(M_ARENA_MAX, ARENAS_MAX); /* else nearly each thread has a pool, which keeps what the thread needed at most */
}

void mem_give_back(void)
{
    (void)malloc_trim(0);
}

static void *must(void *p)
{
    if (!p || trap_fails(TRAP_ALLOC))
        mem_exhausted();
    return p;
}

void *mem_new(size_t n, size_t size)
{
    return must(calloc(n ? n : 1, size ? size : 1));
}

void *mem_resize(void *p, size_t n, size_t size)
{
    return must(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mem_str(const char *s)
{
    return s ? must(strdup(s)) : NULL;
}

char *mem_strn(const char *s, size_t n)
{
    char *copy = must(malloc(n + 1));

    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *mem_vprintf(const char *fmt, va_list args)
{
    char *text = NULL;
    int n = vasprintf(&text, fmt, args);

    return n < 0 ? must(NULL) : text;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = mem_vprintf(fmt, args);
    va_end(args);
    return text;
}

void mem_freep(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof(p));
    free(p);
}

void *mem_grow(void *array, size_t n, size_t *cap, size_t item_size)
{
    if (n < *cap)
        return array;
    *cap = *cap ? 2 * *cap : 8;
    return mem_resize(array, *cap, item_size);
}

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *chunks;
    size_t bytes;
};

struct arena *arena_new(void)
{
    return mem_new(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
}

void arena_join(struct arena *into, struct arena *other)
{
    struct chunk **end = into->chunks ? &into->chunks->next : &into->chunks, *rest = *end;

    *end = other->chunks;
    while (*end)
        end = &(*end)->next;
    *end = rest;
    into->bytes += other->bytes;
    free(other);
}

static struct chunk *chunk_for(struct arena *a, size_t bytes)
{
    if (a->chunks && bytes <= a->chunks->size - a->chunks->used)
        return a->chunks;

    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct chunk *c = must(malloc(sizeof(*c) + size));
    *c = (struct chunk){.next = a->chunks, .size = size};
    a->chunks = c;
    return c;
}

/* `bytes` from a place that is a multiple of `align`, a power of two. */
static void *take(struct arena *a, size_t bytes, size_t align)
{
    if (bytes > SIZE_MAX / 2)
        mem_exhausted();

    size_t before = a->chunks ? (align - a->chunks->used % align) % align : 0;
    struct chunk *c = chunk_for(a, before + bytes);
    if (c->used == 0)
        before = 0;
    void *p = c->bytes + c->used + before;
    c->used += before + bytes;
    a->bytes += before + bytes;
    return p;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        mem_exhausted();
    return memset(take(a, bytes, size == sizeof(void *) ? sizeof(void *) : ALIGN), 0, bytes);
}

char *arena_room(struct arena *a, size_t n)
{
    return take(a, n + 1, 1);
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_room(a, n);

    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *arena_str(struct arena *a, const char *s)
{
    return s ? arena_strn(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    AUTO(mem_freep) char *text = mem_vprintf(fmt, args);
    va_end(args);
    return arena_str(a, text);
}

size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}
