#include "ice/conn_inside.h"

#include <stdlib.h>

struct slot *slots_find(struct slots *s, int32_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].id == id)
            return &s->at[i];
    return NULL;
}

/* 1, 2, 3 ...; after the largest number again from 1, without those that are still in use. */
static int32_t fresh_id(struct slots *s)
{
    do
        s->last_id = s->last_id == INT32_MAX ? 1 : s->last_id + 1;
    while (slots_find(s, s->last_id));
    return s->last_id;
}

struct slot *slots_add(struct slots *s, const struct ice_op *op)
{
    int32_t id = fresh_id(s);

    s->at = mem_grow(s->at, s->n, &s->cap, sizeof(*s->at));
    s->at[s->n] = (struct slot){.id = id, .op = op};
    return &s->at[s->n++];
}

void slots_remove(struct slots *s, struct slot *slot)
{
    arena_free(slot->mem);
    *slot = s->at[--s->n];
}

void slots_clear(struct slots *s)
{
    while (s->n)
        slots_remove(s, &s->at[s->n - 1]);
    free(s->at);
    *s = (struct slots){0};
}
