#include "engine/adopt_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "engine/reach.h"
#include "engine/scan.h"
#include "engine/sums.h"
#include "omero/import.h"
#include "omero/origin.h"
#include "omero/path.h"

/* One fileset of the ledger, and its files' paths as an official client sends them. */
struct set {
    const struct ledger_fileset *f;
    const char **paths; /* NULL: one of them cannot be in OMERO */
    bool taken;
};

/* Sets of one user whose paths fit into one query. */
struct chunk {
    struct adopt *w;
    struct set *sets;
    size_t n;
    struct om_entries found; /* by path: fileset and path alone */
    struct om_entries all;   /* all files of these filesets, by fileset */
};

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

static void unclear(struct adopt *w, const struct ledger_fileset *f, int64_t fileset, const struct err *why)
{
    w->counts->unclear++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_UNCLEAR, .root = f->root_path, .path = f->path, .fileset = fileset,
                                          .why = why});
}

/* ---- which filesets may be it ---- */

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

static int ask_all(struct chunk *c, struct err *err)
{
    int64_t *ids = arena_alloc(c->w->a, c->found.n + 1, sizeof(*ids));
    size_t n = numbers_of(&c->found, ids);
    struct om_entry *all = NULL;
    size_t used = 0;

    for (size_t i = 0; i < n; i += OM_PATHS) {
        struct om_entries part;
        struct om_entry *grown;

        if (om_entries_of(c->w->s->client, ids + i, n - i < OM_PATHS ? n - i : OM_PATHS, c->w->a, &part, err) < 0)
            return -1;
        grown = arena_alloc(c->w->a, used + part.n + 1, sizeof(*grown));
        if (used > 0)
            memcpy(grown, all, used * sizeof(*grown));
        if (part.n > 0)
            memcpy(grown + used, part.at, part.n * sizeof(*grown));
        all = grown;
        used += part.n;
    }
    c->all = (struct om_entries){used, all};
    return 0;
}

static int ask(struct chunk *c, struct err *err)
{
    const char **paths;
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += c->sets[i].paths ? c->sets[i].f->n_members : 0;
    if (n == 0)
        return 0;
    paths = arena_alloc(c->w->a, n, sizeof(*paths));
    n = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; c->sets[i].paths && k < c->sets[i].f->n_members; k++)
            paths[n++] = c->sets[i].paths[k];
    for (size_t i = 0; i < n; i += OM_PATHS) {
        struct om_entries part;

        if (om_entries_by_path(c->w->s->client, paths + i, n - i < OM_PATHS ? n - i : OM_PATHS, c->w->a, &part, err) < 0)
            return -1;
        if (part.n > 0) {
            struct om_entry *grown = arena_alloc(c->w->a, c->found.n + part.n, sizeof(*grown));

            if (c->found.n > 0)
                memcpy(grown, c->found.at, c->found.n * sizeof(*grown));
            memcpy(grown + c->found.n, part.at, part.n * sizeof(*grown));
            c->found = (struct om_entries){c->found.n + part.n, grown};
        }
    }
    return c->w->job->mode == ADOPT_COUNT ? 0 : ask_all(c, err);
}

/* ---- is it the same? ---- */

static const struct om_entry *entry_of(const struct om_entries *all, int64_t fileset, const char *path)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].fileset == fileset && strcmp(all->at[i].client_path, path) == 0)
            return &all->at[i];
    return NULL;
}

static size_t entries_of(const struct om_entries *all, int64_t fileset)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->at[i].fileset == fileset;
    return n;
}

/* Reads the file, unless a rebuild believes the size. */
static int check_file(struct chunk *c, const struct set *s, size_t i, int root, const struct om_entry *e,
                      struct ledger_member *out, struct err *err)
{
    const struct sums_pause pause = {adopt_keep_on, c->w};
    const struct ledger_member *m = &s->f->members[i];
    bool believe = c->w->job->mode == ADOPT_REBUILD;

    *out = *m;
    out->algorithm = e->algorithm;
    out->hash = e->hash;
    if (believe && e->size != m->stamp.size)
        out->stamp = (struct ledger_stamp){.size = e->size}; /* it is another one now: the next look says so */
    if (believe)
        return 0;
    if (e->size != m->stamp.size)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld: '%s' has %lld bytes there, and %lld here", (long long)e->fileset,
                       e->client_path, (long long)e->size, (long long)m->stamp.size);
    if (!hash_is_proof(e->algorithm))
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld: OMERO has no checksum of '%s' that proves it (%s)",
                       (long long)e->fileset, e->client_path, *e->algorithm ? e->algorithm : "none");
    if (sums_of_member(root, m->path, e->algorithm, &pause, c->w->a, out, err) < 0)
        return -1;
    if (strcmp(out->hash, e->hash) != 0)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld: '%s' has the %s %s there, and %s here", (long long)e->fileset,
                       e->client_path, e->algorithm, e->hash, out->hash);
    return 0;
}

static int check_candidate(struct chunk *c, const struct set *s, int64_t fileset, int root, struct ledger_member *out,
                           struct err *err)
{
    if (entries_of(&c->all, fileset) != s->f->n_members)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld has %zu files, and here are %zu", (long long)fileset,
                       entries_of(&c->all, fileset), s->f->n_members);
    for (size_t i = 0; i < s->f->n_members; i++) {
        const struct om_entry *e = entry_of(&c->all, fileset, s->paths[i]);

        if (!e)
            return err_set(err, REASON_CHANGED, 0, "Fileset:%lld does not have the file '%s'", (long long)fileset, s->paths[i]);
        if (e->group != c->w->s->client->who.group_id)
            return err_set(err, REASON_CONFLICT, 0, "Fileset:%lld is in another group than the card's", (long long)fileset);
        if (check_file(c, s, i, root, e, &out[i], err) < 0)
            return -1;
    }
    return 0;
}

/* ---- taking ---- */

static const struct ledger_image *images_of(struct arena *a, const struct om_import_result *r)
{
    struct ledger_image *images = arena_alloc(a, r->n_images + r->n_plates + 1, sizeof(*images));

    for (size_t i = 0; i < r->n_images; i++)
        images[i] = (struct ledger_image){.omero_id = r->images[i].id, .name = r->images[i].name, .series = r->images[i].series};
    for (size_t i = 0; i < r->n_plates; i++)
        images[r->n_images + i] = (struct ledger_image){.omero_id = r->plates[i].id, .name = r->plates[i].name, .plate = true};
    return images;
}

static int take(struct adopt *w, struct set *s, int64_t fileset, const struct ledger_member *members, struct err *err)
{
    struct ledger_adopted found = {.server = w->s->server, .omero_id = fileset, .members = members};
    struct adopt_target *t = adopt_target_of(w, s->f->dataset);
    struct om_import_result r = {0};

    enum om_import_way way;

    if (om_fileset_look(w->s->client, fileset, w->a, &r, err) < 0 || om_import_way(w->s->client, fileset, &way, err) < 0)
        return -1;
    if (r.n_images + r.n_plates == 0)
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld has no images", (long long)fileset);
    if (way != OM_IMPORT_WHOLE)
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld has images without pixels: its import %s",
                       (long long)fileset, way == OM_IMPORT_GHOSTS ? "has failed" : "may still be running");
    found.images = images_of(w->a, &r);
    found.n_images = r.n_images + r.n_plates;
    if (w->job->mode != ADOPT_DRY && ledger_adopt(w->job->ledger, s->f->id, &found, err) < 0)
        return -1;
    t->filesets = mem_grow(t->filesets, t->n, &t->cap, sizeof(*t->filesets));
    t->filesets[t->n++] = fileset;
    s->taken = true;
    w->counts->taken++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_TAKEN, .root = s->f->root_path, .path = s->f->path, .fileset = fileset});
    return 0;
}

static bool concerns_all(const struct err *err)
{
    return err->why == REASON_STOPPED || err->why == REASON_LEDGER || err->why == REASON_LOST || err->why == REASON_NO_SERVER ||
           err->why == REASON_SESSION || err->why == REASON_BUG || err->why == REASON_PROTOCOL;
}

/* The candidates are those that have the first file at its place. */
static int judge(struct chunk *c, struct set *s, struct err *err)
{
    AUTO(io_closep) int root = io_open_dir(s->f->root_path, err);
    struct ledger_member *members = arena_alloc(c->w->a, s->f->n_members, sizeof(*members));
    struct ledger_member *kept = arena_alloc(c->w->a, s->f->n_members, sizeof(*kept));
    int64_t good = 0, any = 0, last = 0;
    size_t n_good = 0;
    struct err why = ERR_INIT;

    for (size_t i = 0; root >= 0 && i < c->found.n; i++) {
        const struct om_entry *e = &c->found.at[i];
        struct err no = ERR_INIT;

        if (strcmp(e->client_path, s->paths[0]) != 0 || e->fileset == last)
            continue;
        any = last = e->fileset;
        if (check_candidate(c, s, e->fileset, root, members, &no) == 0) {
            if (n_good++ == 0)
                memcpy(kept, members, s->f->n_members * sizeof(*kept));
            good = n_good == 1 ? e->fileset : good;
        } else if (concerns_all(&no)) {
            *err = no;
            return -1;
        } else {
            why = no;
        }
    }
    if (root < 0)
        return -1;
    if (any == 0)
        return 0;
    c->w->counts->there++;
    if (n_good > 1)
        err_set(&why, REASON_DUPLICATE, 0, "%zu filesets in OMERO have the same files, Fileset:%lld among them", n_good,
                (long long)good);
    if (n_good == 1 && take(c->w, s, good, kept, &why) == 0)
        return 0;
    if (concerns_all(&why)) {
        *err = why;
        return -1;
    }
    unclear(c->w, s->f, good ? good : any, &why);
    return 0;
}

static void count(struct chunk *c, const struct set *s)
{
    for (size_t i = 0; i < c->found.n; i++)
        if (strcmp(c->found.at[i].client_path, s->paths[0]) == 0) {
            c->w->counts->there++;
            adopt_tell(c->w, &(struct adopt_finding){.what = ADOPT_THERE, .root = s->f->root_path, .path = s->f->path,
                                                     .fileset = c->found.at[i].fileset});
            return;
        }
}

/* What lay below a dataset of ours and is not in OMERO was never imported, or was deleted there: only a person knows. */
static int doubt(struct adopt *w, const struct set *s, struct err *err)
{
    if (w->job->mode != ADOPT_REBUILD || s->taken || !adopt_target_of(w, s->f->dataset)->restored)
        return 0;
    w->counts->doubted++;
    return ledger_doubt(w->job->ledger, s->f->id,
                        "the ledger was rebuilt, and OMERO has no fileset of it: it may have been deleted there", err);
}

static int look(struct chunk *c, struct err *err)
{
    if (ask(c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->n; i++) {
        struct set *s = &c->sets[i];

        c->w->counts->looked++;
        if (adopt_keep_on(c->w, err) < 0)
            return -1;
        if (s->paths && c->w->job->mode == ADOPT_COUNT)
            count(c, s);
        else if (s->paths && judge(c, s, err) < 0)
            return -1;
        if (doubt(c->w, s, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- user by user ---- */

static int compare_set(const void *x, const void *y)
{
    const struct set *a = x, *b = y;
    int r = strcmp(a->f->user, b->f->user);

    if (r == 0)
        r = strcmp(a->f->group ? a->f->group : "", b->f->group ? b->f->group : "");
    return r != 0 ? r : (a->f->id > b->f->id) - (a->f->id < b->f->id);
}

static bool same_user(const struct set *a, const struct set *b)
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
static size_t chunk_of(const struct set *sets, size_t n)
{
    size_t paths = 0, i = 0;

    while (i < n && (i == 0 || paths + sets[i].f->n_members <= OM_PATHS))
        paths += sets[i++].f->n_members;
    return i;
}

/* Only sets that are planned for a dataset, and were never sent. */
static int find_sets(struct adopt *w, struct set **out, size_t *n, struct err *err)
{
    const struct ledger_filter open = {.path = w->job->dir, .states = ((1u << N_LEDGER_STATES) - 1) & ~(1u << LEDGER_DONE),
                                       .members = true};
    const struct ledger_fileset *list;
    size_t found = 0;

    if (ledger_list(w->job->ledger, &open, w->a, &list, &found, err) < 0)
        return -1;
    *out = arena_alloc(w->a, found + 1, sizeof(**out));
    for (size_t i = 0; i < found; i++)
        if (list[i].call == LEDGER_CALL_NONE && list[i].dataset != 0 && list[i].gone_ms == 0)
            (*out)[(*n)++] = (struct set){.f = &list[i], .paths = client_paths(w, &list[i])};
    qsort(*out, *n, sizeof(**out), compare_set);
    return 0;
}

typedef int for_user(struct adopt *w, struct set *sets, size_t n, struct err *err);

/* Users who cannot be acted for now are told and left out. */
static int each_user(struct adopt *w, struct set *sets, size_t n, for_user *run, struct err *err)
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
                unclear(w, sets[from].f, 0, &why);
            continue;
        }
        r = run(w, sets + from, to - from, err);
        sessions_give(w->sessions, STEAL(w->s));
        if (r < 0)
            return -1;
    }
    return 0;
}

static int note_restored(struct adopt *w, struct err *err)
{
    for (size_t i = 0; i < w->n_targets; i++) {
        if (w->targets[i].to_note && adopt_notes(w, w->targets[i].row, err) < 0)
            return -1;
        w->targets[i].to_note = false;
    }
    return 0;
}

static int look_at_user(struct adopt *w, struct set *sets, size_t n, struct err *err)
{
    if (w->job->mode == ADOPT_REBUILD && adopt_restore(w, err) < 0)
        return -1;
    for (size_t i = 0, part; i < n; i += part) {
        struct chunk c = {.w = w, .sets = sets + i, .n = part = chunk_of(sets + i, n - i)};

        if (look(&c, err) < 0)
            return -1;
    }
    if (w->job->mode == ADOPT_REBUILD)
        return note_restored(w, err);
    return w->job->mode == ADOPT_COUNT ? 0 : adopt_datasets(w, err);
}

static int learn(struct adopt *w, struct set *sets, size_t n, struct err *err)
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

static int take_over(struct adopt *w, struct err *err)
{
    const struct ledger_dataset *all;
    size_t n = 0;

    if (ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const char *dir = arena_printf(w->a, "%s%s%s", all[i].root_path, *all[i].dir ? "/" : "", all[i].dir);
        bool for_all = false;
        int r;

        if (!all[i].omero_id || !str_below(dir, w->job->dir))
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
    struct set *sets = NULL;
    size_t n = 0;
    int64_t root;

    if (engine_place(w->job->settings, w->job->ledger, w->job->dir, w->a, &place, err) < 0 ||
        scan_place(w->job->ledger, &place, &root, &counts, err) < 0 || find_sets(w, &sets, &n, err) < 0)
        return -1;
    if (w->job->mode == ADOPT_REBUILD && each_user(w, sets, n, learn, err) < 0)
        return -1;
    if (w->job->mode == ADOPT_REALLY && take_over(w, err) < 0)
        return -1;
    return each_user(w, sets, n, look_at_user, err);
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
