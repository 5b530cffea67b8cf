/* What OMERO has at the paths of files, in questions that are not too long. */
#include "engine/adopt_inside.h"

#include <stdlib.h>
#include <string.h>

static int compare_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return (a > b) - (a < b);
}

static size_t numbers_of(const struct om_entries *found, int64_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < found->n; i++)
        out[i] = found->at[i].fileset;
    qsort(out, found->n, sizeof(*out), compare_number);
    for (size_t i = 0; i < found->n; i++)
        if (n == 0 || out[n - 1] != out[i])
            out[n++] = out[i];
    return n;
}
/* `all` with `part` behind it. */
static struct om_entries joined(struct arena *a, const struct om_entries *all, const struct om_entries *part)
{
    struct om_entry *at = arena_alloc(a, all->n + part->n, sizeof(*at));

    if (all->n > 0)
        memcpy(at, all->at, all->n * sizeof(*at));
    if (part->n > 0)
        memcpy(at + all->n, part->at, part->n * sizeof(*at));
    return (struct om_entries){all->n + part->n, at};
}

int adopt_ask_entries(struct adopt *w, const int64_t *filesets, size_t n, struct om_entries *out, struct err *err)
{
    struct om_entries all = {0}, part;

    for (size_t i = 0; i < n; i += OM_PATHS) {
        if (om_entries_of(w->s->client, filesets + i, n - i < OM_PATHS ? n - i : OM_PATHS, w->a, &part, err) < 0)
            return -1;
        all = joined(w->a, &all, &part);
    }
    *out = all;
    return 0;
}

static const char **all_paths(const struct adopt_chunk *c, size_t *n)
{
    const char **paths;
    size_t most = 0;

    for (size_t i = 0; i < c->n; i++)
        most += c->sets[i].paths ? c->sets[i].f->n_members : 0;
    paths = arena_alloc(c->w->a, most, sizeof(*paths));
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; c->sets[i].paths && k < c->sets[i].f->n_members; k++)
            paths[(*n)++] = c->sets[i].paths[k];
    return paths;
}

int adopt_ask(struct adopt_chunk *c, struct err *err)
{
    size_t n = 0;
    const char **paths = all_paths(c, &n);

    for (size_t i = 0; i < n; i += OM_PATHS) {
        struct om_entries part;

        if (om_entries_by_path(c->w->s->client, paths + i, n - i < OM_PATHS ? n - i : OM_PATHS, c->w->a, &part, err) < 0)
            return -1;
        c->found = joined(c->w->a, &c->found, &part);
    }
    if (c->w->job->mode == ADOPT_COUNT)
        return 0;

    int64_t *ids = arena_alloc(c->w->a, c->found.n, sizeof(*ids));

    n = numbers_of(&c->found, ids);
    return adopt_ask_entries(c->w, ids, n, &c->all, err);
}
