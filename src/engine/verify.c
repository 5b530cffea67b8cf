#include "engine/verify_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"
#include "engine/reach.h"
#include "omero/repository.h"

void verify_tell(struct verify *v, const char *root, const char *path, const struct err *why)
{
    const struct verify_finding f = {.root = root, .path = path, .why = why};

    v->counts->problems++;
    v->job->tell(v->job->arg, &f);
}

void verify_say(struct verify *v, const char *root, const char *path, enum reason why, const char *fmt, ...)
{
    struct err err = ERR_INIT;
    char text[768];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(&err, why, 0, "%s", text);
    verify_tell(v, root, path, &err);
}

static int keep_on(const struct verify *v, struct err *err)
{
    return v->job->stop && atomic_load(v->job->stop) ? err_set(err, REASON_STOPPED, 0, "stopped") : 0;
}

/* ---- sets ---- */

/* The rows of one fileset among those of several, which come sorted. */
static size_t rows_of(const struct om_file_rows *all, int64_t fileset, size_t *first)
{
    size_t n = 0;

    while (*first < all->n && all->at[*first].fileset < fileset)
        ++*first;
    while (*first + n < all->n && all->at[*first + n].fileset == fileset)
        n++;
    return n;
}

static int by_omero_id(const void *x, const void *y)
{
    const struct ledger_fileset *a = x, *b = y;

    return a->omero_id < b->omero_id ? -1 : a->omero_id > b->omero_id;
}

static int verify_sets(struct verify *v, const struct ledger_fileset *sets, size_t n, const struct om_file_rows *files,
                       struct err *err)
{
    AUTO(io_closep) int root = -1;
    struct err away = ERR_INIT;
    size_t at = 0;

    root = io_open_dir(sets[0].root_path, &away);
    if (root < 0)
        verify_tell(v, sets[0].root_path, "", &away);
    for (size_t i = 0; i < n; i++) {
        size_t count = rows_of(files, sets[i].omero_id, &at);

        if (keep_on(v, err) < 0)
            return -1;
        v->counts->filesets++;
        verify_files(v, &sets[i], files->at + at, count, root);
        at += count;
    }
    return 0;
}

/* A batch of the sets of one dataset. */
static int verify_batch(struct verify *v, struct om_client *c, const struct ledger_dataset *d, struct ledger_fileset *sets,
                        size_t n,
                        struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    int64_t *ids = arena_alloc(a, n, sizeof(*ids));
    struct om_file_rows files;

    qsort(sets, n, sizeof(*sets), by_omero_id);
    for (size_t i = 0; i < n; i++)
        ids[i] = sets[i].omero_id;
    if (om_fileset_files(c, ids, n, a, &files, err) < 0 || verify_sets(v, sets, n, &files, err) < 0)
        return -1;
    return verify_images(v, c, d, sets, n, err);
}

/* ---- datasets ---- */

/* Where files are placed, as far as it is seen from here. */
static int learn_repository(struct verify *v, struct om_client *c, struct err *err)
{
    struct om_repository found;

    if (v->repository)
        return 0;
    if (om_repository_look(c, v->a, &found, err) < 0)
        return -1;

    const char *here = om_paths_to_host(&v->paths, found.path, v->a);

    v->repository = access(here, F_OK) == 0 ? here : "";
    return 0;
}

static int verify_as(struct verify *v, struct session *s, const struct ledger_dataset *d, struct ledger_fileset *sets, size_t n,
                     struct err *err)
{
    if (!d->server || strcmp(d->server, s->server) != 0) {
        verify_say(v, d->root_path, d->dir, REASON_CONFIG, "it was imported to another server than %s",
                   v->job->settings->server.host);
        return 0;
    }
    if (learn_repository(v, s->client, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i += OM_BATCH)
        if (verify_batch(v, s->client, d, sets + i, n - i < OM_BATCH ? n - i : OM_BATCH, err) < 0)
            return -1;
    return 0;
}

/* What concerns this user alone is told, and the others are looked at all the same. */
static int verify_dataset(struct verify *v, struct ledger_fileset *sets, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_dataset *d;
    struct session *s = NULL;
    bool for_all = false;
    int r = ledger_dataset(v->job->ledger, sets[0].dataset, a, &d, err);

    if (r != 0)
        return r < 0 ? -1 : 0;

    const char *user = d->made_user ? d->made_user : d->user, *group = d->made_user ? d->made_group : d->group;

    if (sessions_take(v->sessions, user, group, &s, &for_all, err) < 0) {
        if (for_all)
            return -1;
        verify_tell(v, d->root_path, d->dir, err);
        return 0;
    }
    r = verify_as(v, s, d, sets, n, err);
    sessions_give(v->sessions, s);
    return r;
}

static int by_dataset(const void *x, const void *y)
{
    const struct ledger_fileset *a = x, *b = y;

    return a->dataset != b->dataset ? (a->dataset < b->dataset ? -1 : 1) : a->id < b->id ? -1 : a->id > b->id;
}

static int verify_all(struct verify *v, struct err *err)
{
    const struct ledger_filter done = {.path = v->job->path, .omero_dataset = v->job->dataset, .states = 1u << LEDGER_DONE,
                                       .members = true};
    const struct ledger_fileset *list;
    size_t n = 0, from = 0;

    if (ledger_list(v->job->ledger, &done, v->a, &list, &n, err) < 0)
        return -1;

    struct ledger_fileset *sets = arena_alloc(v->a, n, sizeof(*sets));

    if (n > 0)
        memcpy(sets, list, n * sizeof(*sets));
    qsort(sets, n, sizeof(*sets), by_dataset);
    for (size_t to = 1; to <= n; to++) {
        if (to < n && sets[to].dataset == sets[from].dataset)
            continue;
        if (sets[from].dataset && verify_dataset(v, sets + from, to - from, err) < 0)
            return -1;
        from = to;
    }
    return 0;
}

int verify_run(const struct verify_job *job, struct verify_counts *out, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct om_trust trust = OM_TRUST_INIT;
    struct verify v = {.job = job, .counts = out, .a = a};

    *out = (struct verify_counts){0};
    if (om_paths_parse(job->settings->in_place_paths, a, &v.paths, err) < 0)
        return -1;
    reach_trust(job->settings, arena_printf(a, "%s/known_servers", job->settings->state_dir), &trust);
    v.sessions = sessions_new(job->settings, &trust, job->stop);

    int r = verify_all(&v, err);

    sessions_close(v.sessions);
    return r;
}
