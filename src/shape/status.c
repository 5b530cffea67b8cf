#include "shape/status.h"

#include <string.h>

#define BIT(x) (1u << LEDGER_##x)

static int read_lists(struct ledger *l, const struct status_ask *ask, struct arena *a, struct status *s, struct err *err)
{
    struct ledger_filter busy = {.path = ask->path, .members = true, .members_max = ask->members_max, .max = ask->max,
                                 .states = BIT(SENT) | BIT(STARTED)};
    struct ledger_filter stuck = {.path = ask->path, .members = true, .members_max = ask->members_max, .max = ask->max,
                                  .states = BIT(WAITING) | BIT(HELD)};
    const struct problems_ask problems = {.paths = &ask->path, .n_paths = ask->path ? 1 : 0, .max = ask->max};

    if (ask->path)
        busy.states |= BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(DONE);
    if (ledger_list(l, &busy, a, &s->busy, &s->n_busy, err) < 0 || ledger_list(l, &stuck, a, &s->stuck, &s->n_stuck, err) < 0 ||
        problems_read(l, &problems, a, &s->problems, err) < 0)
        return -1;
    s->more = ask->max > 0 && (s->n_busy >= ask->max || s->n_stuck >= ask->max || s->problems.more);
    return 0;
}

int status_read(struct ledger *l, const struct status_ask *ask, struct arena *a, struct status *out, struct err *err)
{
    struct status s = {.state_dir = ask->state_dir, .there = l != NULL};

    if (l) {
        memcpy(s.uuid, ledger_uuid(l), UUID_TEXT);
        if (ledger_who(ask->state_dir, s.who, err) < 0 || ledger_roots(l, a, &s.roots, &s.n_roots, err) < 0 ||
            ledger_counts(l, a, &s.counts, &s.n_counts, err) < 0 || read_lists(l, ask, a, &s, err) < 0)
            return -1;
    }
    *out = s;
    return 0;
}

static void add_filesets(json_t *list, const struct ledger_fileset *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, shape_fileset(&f[i]));
}

json_t *status_json(const struct status *s)
{
    json_t *o = json_object(), *roots = json_array(), *counts = json_array(), *filesets = json_array(), *problems = json_array();

    js_add_path(o, "state_dir", s->state_dir);
    json_object_set_new(o, "ledger", s->there ? json_string(s->uuid) : json_null());
    json_object_set_new(o, "engine", s->who[0] ? js_text(s->who) : json_null());
    for (size_t i = 0; i < s->n_roots; i++)
        json_array_append_new(roots, shape_root(&s->roots[i]));
    for (size_t i = 0; i < s->n_counts; i++)
        json_array_append_new(counts, shape_count(&s->counts[i]));
    add_filesets(filesets, s->busy, s->n_busy);
    add_filesets(filesets, s->stuck, s->n_stuck);
    for (size_t i = 0; i < s->problems.n; i++)
        json_array_append_new(problems, shape_problem(&s->problems.at[i]));
    json_object_set_new(o, "roots", roots);
    json_object_set_new(o, "counts", counts);
    json_object_set_new(o, "filesets", filesets);
    json_object_set_new(o, "problems", problems);
    json_object_set_new(o, "more", json_boolean(s->more));
    return o;
}
