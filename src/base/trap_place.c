#include "base/trap_place.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { DEPTH = 96, PLACES = 1 << 15 };

static struct place {
    uint64_t id;
    enum trap_kind kind;
    unsigned long n;
} table[PLACES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long left_out;
static struct dl_find_object program;

void trap_place_start(void)
{
    (void)_dl_find_object(table, &program);
    (void)trap_place_here();
}

/* FNV-1a over the offsets of the return addresses. */
uint64_t trap_place_here(void)
{
    uint64_t id = UINT64_C(14695981039346656037);
    void *calls[DEPTH];
    int n = backtrace(calls, DEPTH);

    for (int i = 0; i < n; i++) {
        struct dl_find_object in;

        if (_dl_find_object(calls[i], &in) == 0 && in.dlfo_map_start == program.dlfo_map_start)
            id = (id ^ (uint64_t)((char *)calls[i] - (char *)in.dlfo_map_start)) * UINT64_C(1099511628211);
    }
    return id ? id : 1;
}

/* Its row or a free one, NULL: there is none. */
static struct place *find(enum trap_kind kind, uint64_t id)
{
    for (size_t tries = 0, i = (id ^ kind) % PLACES; tries < PLACES; tries++, i = (i + 1) % PLACES)
        if (table[i].n == 0 || (table[i].id == id && table[i].kind == kind))
            return &table[i];
    return NULL;
}

bool trap_place_count(enum trap_kind kind, uint64_t id)
{
    bool first = false;

    pthread_mutex_lock(&mutex);
    struct place *p = find(kind, id);
    if (p) {
        first = p->n == 0;
        *p = (struct place){.id = id, .kind = kind, .n = p->n + 1};
    } else {
        left_out++;
    }
    pthread_mutex_unlock(&mutex);
    return first;
}

void trap_place_say(const char *const *names)
{
    for (size_t i = 0; i < PLACES; i++)
        if (table[i].n)
            fprintf(stderr, "place %s %016" PRIx64 " %lu\n", names[table[i].kind], table[i].id, table[i].n);
    if (left_out)
        fprintf(stderr, "places: %lu more were passed than there is room for\n", left_out);
}
