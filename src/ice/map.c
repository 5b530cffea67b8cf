#include "ice/encode.h"

#include <stdlib.h>

enum { FIRST_CAP = 64 };

void ice_map_clear(struct ice_map *m)
{
    free((void *)m->keys);
    free(m->numbers);
    *m = (struct ice_map){0};
}

/* Where a key is or belongs; cap is a power of two and never full. */
static size_t place(const struct ice_map *m, const void *key)
{
    size_t i = (size_t)(((uintptr_t)key >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (m->cap - 1);

    while (m->keys[i] && m->keys[i] != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void grow(struct ice_map *m)
{
    size_t cap = m->cap ? 2 * m->cap : FIRST_CAP;
    struct ice_map larger = {.keys = mem_new(cap, sizeof(*m->keys)), .numbers = mem_new(cap, sizeof(*m->numbers)), .cap = cap};

    for (size_t i = 0; i < m->cap; i++)
        if (m->keys[i])
            ice_map_number(&larger, m->keys[i], m->numbers[i]);
    ice_map_clear(m);
    *m = larger;
}

uint32_t ice_map_number(struct ice_map *m, const void *key, uint32_t next)
{
    if (2 * (m->n + 1) > m->cap)
        grow(m);

    size_t i = place(m, key);
    if (!m->keys[i]) {
        m->keys[i] = key;
        m->numbers[i] = next;
        m->n++;
    }
    return m->numbers[i];
}
