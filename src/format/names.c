#include "format/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"

void names_begin(struct names *list)
{
    *list = (struct names){0};
}

void names_clear(struct names *list)
{
    arena_free(list->strings);
    free(list->at);
    free(list->slots);
    *list = (struct names){0};
}

const char *names_str(struct names *list, const char *text)
{
    if (!list->strings)
        list->strings = arena_new(); /* most lists stay empty */
    return arena_str(list->strings, text);
}

static size_t hash_of(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

/* The slot of a name: its own, or the free one where it belongs. */
static size_t *slot_of(struct names *list, const char *name)
{
    size_t at = hash_of(name) & (list->n_slots - 1);

    while (list->slots[at] && strcmp(list->at[list->slots[at] - 1].name, name) != 0)
        at = (at + 1) & (list->n_slots - 1);
    return &list->slots[at];
}

static void grow_slots(struct names *list)
{
    if (2 * (list->n + 1) <= list->n_slots)
        return;
    free(list->slots);
    list->n_slots = list->n_slots ? 2 * list->n_slots : 64;
    list->slots = mem_new(list->n_slots, sizeof(*list->slots));
    for (size_t i = 0; i < list->n; i++)
        *slot_of(list, list->at[i].name) = i + 1;
}

const char *names_find(struct names *list, const char *name)
{
    size_t slot = list->n_slots ? *slot_of(list, name) : 0;

    return slot ? list->at[slot - 1].name : NULL;
}

void names_add(struct names *list, const char *name, const char *more)
{
    if (name[0] == '\0' || names_find(list, name))
        return;
    if (list->n >= NAMES_MAX) {
        list->full = true;
        return;
    }
    grow_slots(list);
    list->at = mem_grow(list->at, list->n, &list->cap, sizeof(*list->at));
    list->at[list->n++] = (struct format_name){names_str(list, name), names_str(list, more)};
    *slot_of(list, name) = list->n;
}

static bool says_the_same(const struct names *list, const struct format_names *other)
{
    if (!other || other->n != list->n)
        return false;
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->at[i].name, other->at[i].name) != 0 || strcmp(list->at[i].more, other->at[i].more) != 0)
            return false;
    return true;
}

const struct format_names *names_keep(const struct names *list, const struct format_names *last, struct arena *arena)
{
    if (says_the_same(list, last))
        return last;

    struct format_names *kept = arena_alloc(arena, 1, sizeof(*kept));
    struct format_name *at = arena_alloc(arena, list->n, sizeof(*at));

    for (size_t i = 0; i < list->n; i++)
        at[i] = (struct format_name){arena_str(arena, list->at[i].name), arena_str(arena, list->at[i].more)};
    *kept = (struct format_names){at, list->n};
    return kept;
}
