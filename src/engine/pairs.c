#include "engine/pairs.h"

#include <string.h>

static bool same_row(const struct om_pair *a, const struct om_pair *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0;
}

bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_row(&a->at[i], &b->at[i]))
            return false;
    return true;
}

struct pairs pairs_of(const struct ledger_revision *r, struct arena *a)
{
    struct om_pair *rows = arena_alloc(a, r ? r->n_pairs : 0, sizeof(*rows));

    for (size_t i = 0; r && i < r->n_pairs; i++)
        rows[i] = (struct om_pair){.key = r->pairs[i].key, .value = r->pairs[i].value};
    return (struct pairs){.at = rows, .n = r ? r->n_pairs : 0};
}

static bool has_row(const struct pairs *p, const struct om_pair *row)
{
    for (size_t i = 0; i < p->n; i++)
        if (same_row(&p->at[i], row))
            return true;
    return false;
}

/* Was a row of this key that we wrote changed or removed since? */
static bool was_touched(const struct pairs *applied, const struct pairs *now, const char *key)
{
    for (size_t i = 0; i < applied->n; i++)
        if (strcmp(applied->at[i].key, key) == 0 && !has_row(now, &applied->at[i]))
            return true;
    return false;
}

struct pairs pairs_merge(const struct pairs *applied, const struct pairs *now, const struct pairs *wanted, struct arena *a,
                         size_t *kept)
{
    struct om_pair *out = arena_alloc(a, now->n + wanted->n, sizeof(*out));
    size_t n = 0;

    *kept = 0;
    for (size_t i = 0; i < wanted->n; i++) {
        if (was_touched(applied, now, wanted->at[i].key) && !has_row(now, &wanted->at[i]))
            ++*kept;
        else
            out[n++] = wanted->at[i];
    }
    for (size_t i = 0; i < now->n; i++)
        if (!has_row(applied, &now->at[i]) && !has_row(wanted, &now->at[i]))
            out[n++] = now->at[i];
    return (struct pairs){.at = out, .n = n};
}
