#include "engine/adopt_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "engine/reach.h"
#include "engine/scan.h"
#include "omero/path.h"

void adopt_tell(struct adopt *w, const struct adopt_finding *f)
{
    if (w->job->tell)
        w->job->tell(w->job->arg, f);
}

int adopt_keep_on(void *adopt, struct err *err)
{
    const struct adopt *w = adopt;

    return w->job->stop && atomic_load(w->job->stop) ? err_set(err, REASON_STOPPED, 0, "stopped") : 0;
}

struct adopt_target *adopt_target_of(struct adopt *w, int64_t row)
{
    for (size_t i = 0; i < w->n_targets; i++)
        if (w->targets[i].row == row)
            return &w->targets[i];
    w->targets = mem_grow(w->targets, w->n_targets, &w->cap_targets, sizeof(*w->targets));
    w->targets[w->n_targets] = (struct adopt_target){.row = row};
    return &w->targets[w->n_targets++];
}

void adopt_target_add(struct adopt_target *t, int64_t fileset)
{
    t->filesets = mem_grow(t->filesets, t->n, &t->cap, sizeof(*t->filesets));
    t->filesets[t->n++] = fileset;
}

void adopt_unclear(struct adopt *w, const struct ledger_fileset *f, int64_t fileset, const struct err *why)
{
    w->counts->unclear++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_UNCLEAR, .root = f->root_path, .path = f->path, .fileset = fileset,
                                          .why = why});
}
static void count(struct adopt_chunk *c, const struct adopt_set *s)
{
    for (size_t i = 0; i < c->found.n; i++)
        if (strcmp(c->found.at[i].client_path, s->paths[0]) == 0) {
            c->w->counts->there++;
            adopt_tell(c->w, &(struct adopt_finding){.what = ADOPT_THERE, .root = s->f->root_path, .path = s->f->path,
                                                     .fileset = c->found.at[i].fileset});
            return;
        }
}

/* What lies below a dataset of ours and is not in OMERO was never imported, or was deleted there: only a person knows. */
static int doubt(struct adopt *w, struct adopt_set *s, struct err *err)
{
    if (s->taken || !adopt_target_of(w, s->f->dataset)->restored)
        return 0;
    if (adopt_keep_on(w, err) < 0 || adopt_moved(w, s, err) < 0)
        return -1;
    if (s->taken)
        return 0;
    w->counts->doubted++;
    return ledger_doubt(w->job->ledger, s->f->id,
                        "the ledger was rebuilt, and OMERO has no fileset of it: it may have been deleted there", err);
}

static int look(struct adopt_chunk *c, struct err *err)
{
    if (adopt_ask(c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->n; i++) {
        struct adopt_set *s = &c->sets[i];

        c->w->counts->looked++;
        if (adopt_keep_on(c->w, err) < 0)
            return -1;
        if (s->paths && c->w->job->mode == ADOPT_COUNT)
            count(c, s);
        else if (s->paths && adopt_judge(c, s, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- user by user ---- */

static int compare_set(const void *x, const void *y)
{
    const struct adopt_set *a = x, *b = y;
    int r = strcmp(a->f->user, b->f->user);

    if (r == 0)
        r = strcmp(a->f->group ? a->f->group : "", b->f->group ? b->f->group : "");
    return r != 0 ? r : (a->f->id > b->f->id) - (a->f->id < b->f->id);
}

static bool same_user(const struct adopt_set *a, const struct adopt_set *b)
{
    return strcmp(a->f->user, b->f->user) == 0 && strcmp(a->f->group ? a->f->group : "", b->f->group ? b->f->group : "") == 0;
}

static const char **client_paths(struct adopt *w, const struct ledger_fileset *f)
{
    const char **paths = arena_alloc(w->a, f->n_members, sizeof(*paths));

    for (size_t i = 0; i < f->n_members; i++) {
        AUTO(mem_freep) char *full = mem_printf("%s/%s", strcmp(f->root_path, "/") == 0 ? "" : f->root_path, f->members[i].path);
        AUTO(mem_freep) char *clean = NULL;
        struct err no = ERR_INIT;

        if (om_path_clean(full, &clean, &no) < 0)
            return NULL;
        paths[i] = arena_str(w->a, clean);
    }
    return paths;
}

/* As many sets as fit; one of more files than that is asked for in pieces. */
static size_t chunk_of(const struct adopt_set *sets, size_t n)
{
    size_t paths = 0, i = 0;

    while (i < n && (i == 0 || paths + sets[i].f->n_members <= OM_PATHS))
        paths += sets[i++].f->n_members;
    return i;
}

/* Only sets that are planned for a dataset, and were never sent.  At most `max` rows behind `*after` are looked at, 0: all; the
 * last of them is `*after` then, 0 when there are no more. */
static int find_sets(struct adopt *w, size_t max, int64_t *after, struct adopt_set **out, size_t *n, struct err *err)
{
    const struct ledger_filter open = {.path = w->job->dir, .states = ((1u << N_LEDGER_STATES) - 1) & ~(1u << LEDGER_DONE),
                                       .members = true, .after = *after, .max = max};
    const struct ledger_fileset *list;
    size_t found = 0;

    if (ledger_list(w->job->ledger, &open, w->a, &list, &found, err) < 0)
        return -1;
    *after = max > 0 && found == max ? list[found - 1].id : 0;
    *n = 0;
    *out = arena_alloc(w->a, found + 1, sizeof(**out));
    for (size_t i = 0; i < found; i++)
        if (list[i].call == LEDGER_CALL_NONE && list[i].dataset != 0 && list[i].gone_ms == 0)
            (*out)[(*n)++] = (struct adopt_set){.f = &list[i], .paths = client_paths(w, &list[i])};
    qsort(*out, *n, sizeof(**out), compare_set);
    return 0;
}

typedef int for_user(struct adopt *w, struct adopt_set *sets, size_t n, struct err *err);

/* Users who cannot be acted for now are told and left out. */
static int each_user(struct adopt *w, struct adopt_set *sets, size_t n, for_user *run, struct err *err)
{
    for (size_t from = 0, to; from < n; from = to) {
        bool for_all = false;
        struct err why = ERR_INIT;
        int r = 0;

        for (to = from + 1; to < n && same_user(&sets[from], &sets[to]); to++)
            ;
        if (sessions_take(w->sessions, sets[from].f->user, sets[from].f->group, &w->s, &for_all, &why) < 0) {
            if (for_all) {
                *err = why;
                return -1;
            }
            if (run != NULL && w->job->mode != ADOPT_COUNT)
                adopt_unclear(w, sets[from].f, 0, &why);
            w->counts->unasked += to - from;
            continue;
        }
        r = run(w, sets + from, to - from, err);
        sessions_give(w->sessions, STEAL(w->s));
        if (r < 0)
            return -1;
    }
    return 0;
}

static int look_at_user(struct adopt *w, struct adopt_set *sets, size_t n, struct err *err)
{
    if (w->job->mode == ADOPT_REBUILD && adopt_restore(w, err) < 0)
        return -1;
    for (size_t i = 0, part; i < n; i += part) {
        struct adopt_chunk c = {.w = w, .sets = sets + i, .n = part = chunk_of(sets + i, n - i)};

        if (look(&c, err) < 0)
            return -1;
    }
    for (size_t i = 0; w->job->mode == ADOPT_REBUILD && i < n; i++)
        if (doubt(w, &sets[i], err) < 0)
            return -1;
    return w->job->mode == ADOPT_REALLY || w->job->mode == ADOPT_DRY ? adopt_datasets(w, err) : 0;
}

static int learn(struct adopt *w, struct adopt_set *sets, size_t n, struct err *err)
{
    (void)sets;
    (void)n;
    if (!w->job->lost && adopt_learn_ledger(w, &w->lost, err) < 0)
        return -1;
    return w->lost ? ledger_become(w->job->ledger, w->lost, err) : 0;
}

/* ---- all of it ---- */

/* What was refused for the sake of the other ledger is free. */
static int release(struct adopt *w, const struct ledger_dataset *d, struct err *err)
{
    const struct ledger_made made = {.server = d->server, .omero_id = d->omero_id, .project_id = d->project_id,
                                     .owner_id = d->owner_id, .group_id = d->group_id, .project = d->made_project,
                                     .user = d->made_user, .group = d->made_group};
    const struct ledger_filter held = {.path = w->job->dir, .states = 1u << LEDGER_HELD};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_dataset_made(w->job->ledger, d->id, &made, err) < 0 ||
        ledger_list(w->job->ledger, &held, w->a, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (list[i].dataset == d->id && list[i].why == REASON_OTHER_LEDGER && list[i].call == LEDGER_CALL_NONE &&
            ledger_move(w->job->ledger, list[i].id, LEDGER_READY, NULL, 0, err) < 0)
            return -1;
    return 0;
}

static bool is_asked_for(const struct adopt *w, const struct ledger_dataset *d)
{
    AUTO(mem_freep) char *dir = mem_printf("%s%s%s", d->root_path, *d->dir ? "/" : "", d->dir);

    return str_below(dir, w->job->dir);
}

typedef int for_dataset(struct adopt *w, const struct ledger_dataset *d, struct err *err);

/* By a session of its user; those who cannot be acted for now are left out. */
static int with_session(struct adopt *w, const struct ledger_dataset *d, for_dataset *run, struct err *err)
{
    struct err why = ERR_INIT;
    bool for_all = false;

    if (sessions_take(w->sessions, d->omero_id ? d->made_user : d->user, d->omero_id ? d->made_group : d->group, &w->s, &for_all,
                      &why) < 0) {
        if (for_all)
            *err = why;
        return for_all ? -1 : 0;
    }
    int r = run(w, d, err);

    sessions_give(w->sessions, STEAL(w->s));
    return r;
}

static int note(struct adopt *w, const struct ledger_dataset *d, struct err *err)
{
    return adopt_notes(w, d->id, err);
}

/* What an earlier run that was cut short had not come to, and whose files are none of this one's any more: the annotations of
 * what a rebuild restored, the datasets of files that were adopted. */
static int finish(struct adopt *w, struct err *err)
{
    bool rebuilds = w->job->mode == ADOPT_REBUILD;
    const struct ledger_dataset *all;
    size_t n = 0;

    if (ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!all[i].applied && (all[i].omero_id != 0) == rebuilds && is_asked_for(w, &all[i]) &&
            with_session(w, &all[i], rebuilds ? note : adopt_rest, err) < 0)
            return -1;
    return 0;
}

static int take_over(struct adopt *w, struct err *err)
{
    const struct ledger_dataset *all;
    size_t n = 0;

    if (ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool for_all = false;
        int r;

        if (!all[i].omero_id || !is_asked_for(w, &all[i]))
            continue;
        if (sessions_take(w->sessions, all[i].made_user, all[i].made_group, &w->s, &for_all, err) < 0)
            return -1;
        size_t before = w->counts->datasets;

        r = adopt_foreign(w, &all[i], err);
        if (r == 0 && w->counts->datasets > before)
            r = release(w, &all[i], err);
        sessions_give(w->sessions, STEAL(w->s));
        if (r < 0)
            return -1;
    }
    return 0;
}

static int run(struct adopt *w, struct err *err)
{
    struct engine_place place;
    struct ledger_synced counts;
    struct adopt_set *sets = NULL;
    size_t n = 0;
    int64_t root, all = 0;

    if (engine_place(w->job->settings, w->job->ledger, w->job->dir, w->a, &place, err) < 0 ||
        scan_place(w->job->ledger, &place, &root, &counts, err) < 0 || find_sets(w, 0, &all, &sets, &n, err) < 0)
        return -1;
    if (w->job->mode == ADOPT_REBUILD && each_user(w, sets, n, learn, err) < 0)
        return -1;
    if (w->job->mode == ADOPT_REALLY && take_over(w, err) < 0)
        return -1;
    if (each_user(w, sets, n, look_at_user, err) < 0)
        return -1;
    return w->job->mode == ADOPT_COUNT ? 0 : finish(w, err);
}

int adopt_run(const struct adopt_job *job, struct adopt_counts *out, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct om_trust trust = OM_TRUST_INIT;
    struct adopt w = {.job = job, .counts = out, .a = a, .lost = job->lost};

    *out = (struct adopt_counts){0};
    reach_trust(job->settings, arena_printf(a, "%s/known_servers", job->settings->state_dir), &trust);
    trust.ask = job->ask;
    trust.ask_arg = job->arg;
    w.sessions = sessions_new(job->settings, &trust, job->stop);

    int r = run(&w, err);

    sessions_close(w.sessions);
    for (size_t i = 0; i < w.n_targets; i++)
        free(w.targets[i].filesets);
    free(w.targets);
    return r;
}

/* A part at a time, for a service holds on to all the memory that it ever needed at once. */
static int count_part(const struct adopt_job *job, struct sessions *sessions, int64_t *after, struct adopt_counts *out,
                      struct err *err)
{
    enum { PART = 1000 };
    AUTO(arena_freep) struct arena *a = arena_new();
    struct adopt w = {.job = job, .counts = out, .a = a, .sessions = sessions};
    struct adopt_set *sets = NULL;
    size_t n = 0;

    return find_sets(&w, PART, after, &sets, &n, err) < 0 ? -1 : each_user(&w, sets, n, look_at_user, err);
}

int adopt_count(const struct adopt_job *job, struct sessions *sessions, struct adopt_counts *out, struct err *err)
{
    int64_t after = 0;

    *out = (struct adopt_counts){0};
    do {
        if (count_part(job, sessions, &after, out, err) < 0)
            return -1;
    } while (after > 0);
    return 0;
}

bool adopt_is_little(const struct adopt_counts *counts, const char *dir, struct err *why)
{
    enum { ONE_IN = 100 };

    if (counts->there * ONE_IN <= counts->looked)
        return true;
    err_set(why, REASON_THERE, 0, "'%s': %zu of its %zu filesets have been imported by somebody already", dir, counts->there,
            counts->looked);
    return false;
}
