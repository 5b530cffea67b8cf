/* Datasets that are taken into the ledger: by the files they hold, or by the map that says where they come from. */
#include <string.h>

#include "base/str.h"
#include "engine/adopt_inside.h"
#include "engine/target.h"
#include "omero/annotate.h"
#include "omero/origin.h"

/* One map of provenance. */
struct source {
    int64_t target, map, group;
    bool own;      /* dataset, link and map are the session's user's */
    bool of_owner; /* the dataset is, and somebody else has put the map there */
    const char *uuid, *ledger, *root, *path;
};
struct sources {
    struct source *at;
    size_t n;
};

static void set_pair(struct source *s, const struct om_source_pair *p)
{
    const struct {
        const char *key, **place;
    } places[] = {{"uuid", &s->uuid}, {"ledger", &s->ledger}, {"root", &s->root}, {"path", &s->path}};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (strcmp(places[i].key, p->key) == 0)
            *places[i].place = p->value;
}

static int find_sources(struct adopt *w, enum om_parent kind, int64_t target, struct sources *out, struct err *err)
{
    int64_t user = w->s->client->who.user_id;
    const struct om_source_pair *pairs;
    size_t n = 0;

    if (om_sources_find(w->s->client, kind, SOURCE_NS, target, w->a, &pairs, &n, err) < 0)
        return -1;
    *out = (struct sources){.at = arena_alloc(w->a, n + 1, sizeof(struct source))};
    for (size_t i = 0; i < n; i++) {
        const struct om_source_pair *p = &pairs[i];

        if (out->n == 0 || out->at[out->n - 1].target != p->target || out->at[out->n - 1].map != p->map)
            out->at[out->n++] = (struct source){
                .target = p->target, .map = p->map, .group = p->group, .uuid = "", .ledger = "", .root = "", .path = "",
                .own = p->target_owner == user && p->link_owner == user && p->map_owner == user,
                .of_owner = p->target_owner == user && (p->link_owner != user || p->map_owner != user)};
        set_pair(&out->at[out->n - 1], p);
    }
    return 0;
}

static void unclear(struct adopt *w, const char *root, const char *path, int64_t dataset, const struct err *why)
{
    w->counts->unclear++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_UNCLEAR, .root = root, .path = path, .dataset = dataset, .why = why});
}

static void taken(struct adopt *w, const struct ledger_dataset *d, int64_t dataset)
{
    w->counts->datasets++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_DATASET, .root = d->root_path, .path = d->dir, .dataset = dataset});
}

static const char *ours(const struct adopt *w)
{
    return ledger_uuid(w->job->ledger);
}

/* ---- the map ---- */

static int rewrite(struct adopt *w, const struct ledger_dataset *d, int64_t map, struct err *err)
{
    return target_source_rewrite(w->s->client, d, ours(w), map, w->a, err);
}

static int write_source(struct adopt *w, const struct ledger_dataset *d, int64_t dataset, struct err *err)
{
    struct om_pair pairs[SOURCE_PAIRS];
    int64_t map;

    target_source(d, ours(w), w->a, pairs);
    return om_maps_create(w->s->client, target_kind(d), &dataset, 1, SOURCE_NS, pairs, SOURCE_PAIRS, &map, err);
}

/* ---- the dataset of adopted files ---- */

/* The card's project where the dataset lies in it, or in none; else the first one that it lies in. */
static int made_of(struct adopt *w, const struct ledger_dataset *d, int64_t dataset, struct ledger_made *out, struct err *err)
{
    const struct om_who *who = &w->s->client->who;
    const struct om_in_project *projects;
    size_t n = 0;

    *out = (struct ledger_made){.server = w->s->server, .omero_id = dataset, .owner_id = who->user_id, .group_id = who->group_id,
                                .project = d->project, .user = d->user, .group = who->group_name,
                                .description = target_description(d, w->a)}; /* if it has another one, that one stays */
    if (d->kind == LEDGER_KIND_SCREEN)
        return 0;
    if (om_projects_of(w->s->client, dataset, w->a, &projects, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(projects[i].name, d->project) == 0) {
            out->project = projects[i].name;
            out->project_id = projects[i].id;
        }
    return 0;
}

/* The row of the directory that a map names, in this tree. */
static int row_of(struct adopt *w, const struct source *s, enum om_parent kind, const struct ledger_dataset **out,
                  struct err *err)
{
    const struct ledger_dataset *all;
    size_t n = 0;

    *out = NULL;
    if (ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct om_pair pairs[SOURCE_PAIRS];

        target_source(&all[i], ours(w), w->a, pairs);
        if (target_kind(&all[i]) == kind && strcmp(pairs[2].value, s->root) == 0 && strcmp(pairs[3].value, s->path) == 0)
            *out = &all[i];
    }
    return 0;
}

/* The ledger is a copy of before this dataset was made: it names this ledger and this directory, by an identity that no row has.
 * NULL: it is not so. */
static int forgotten(struct adopt *w, const struct ledger_dataset *d, const struct sources *sources, const char **uuid,
                     struct err *err)
{
    const struct source *s = sources->n == 1 ? &sources->at[0] : NULL;
    const struct ledger_dataset *all, *row;
    size_t n = 0;

    *uuid = NULL;
    if (!s || !s->own || strcmp(s->ledger, ours(w)) != 0)
        return 0;
    if (row_of(w, s, target_kind(d), &row, err) < 0 || ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    if (!row || row->id != d->id)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].uuid, s->uuid) == 0)
            return 0;
    *uuid = s->uuid;
    return 0;
}

/* Does another directory have it?  Then this one gets a dataset of its own for what comes later. */
static int is_free(struct adopt *w, int64_t dataset, const struct sources *sources, const struct ledger_dataset *d, bool *out,
                   struct err *err)
{
    const struct ledger_dataset *all;
    size_t n = 0;

    *out = true;
    if (ledger_datasets(w->job->ledger, false, w->a, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (all[i].omero_id == dataset && all[i].kind == d->kind)
            *out = false;
    for (size_t i = 0; i < sources->n; i++)
        if (sources->at[i].own && strcmp(sources->at[i].ledger, ours(w)) == 0 && strcmp(sources->at[i].uuid, d->uuid) != 0)
            *out = false;
    return 0;
}

static int put_source(struct adopt *w, const struct ledger_dataset *d, int64_t dataset, const struct sources *sources,
                      struct err *err)
{
    for (size_t i = 0; i < sources->n; i++)
        if (sources->at[i].own)
            return strcmp(sources->at[i].uuid, d->uuid) == 0 ? 0 : rewrite(w, d, sources->at[i].map, err);
    return write_source(w, d, dataset, err);
}

/* With the identity that it has there, or with ours written to it. */
static int keep_dataset(struct adopt *w, const struct ledger_dataset *d, int64_t dataset, const struct sources *sources,
                        const char *uuid, struct err *err)
{
    struct ledger_made made;

    if (w->job->mode != ADOPT_REALLY)
        return 0;
    if (made_of(w, d, dataset, &made, err) < 0)
        return -1;
    if (uuid ? ledger_dataset_identity(w->job->ledger, d->id, uuid, err) < 0 : put_source(w, d, dataset, sources, err) < 0)
        return -1;
    return ledger_dataset_made(w->job->ledger, d->id, &made, err);
}

static int take_dataset(struct adopt *w, const struct ledger_dataset *d, int64_t dataset, struct err *err)
{
    const struct om_who *who = &w->s->client->who;
    struct om_target_facts facts;
    struct sources sources;
    const char *uuid = NULL;
    bool is_ours = false;

    if (om_target_look(w->s->client, target_kind(d), dataset, w->a, &facts, err) != 0 || facts.owner != who->user_id ||
        facts.group != who->group_id)
        return err->why == REASON_NONE ? 0 : -1;
    if (find_sources(w, target_kind(d), dataset, &sources, err) < 0 || is_free(w, dataset, &sources, d, &is_ours, err) < 0 ||
        forgotten(w, d, &sources, &uuid, err) < 0)
        return -1;
    if (!is_ours && !uuid) {
        struct err why = ERR_INIT;

        err_set(&why, REASON_CONFLICT, 0, "Dataset:%lld belongs to another directory: later files get a dataset of their own",
                (long long)dataset);
        err_hint(&why, "to have both in one dataset, move the images there in OMERO, or write one card above both directories");
        unclear(w, d->root_path, d->dir, dataset, &why);
        return 0;
    }
    if (keep_dataset(w, d, dataset, &sources, uuid, err) < 0)
        return -1;
    taken(w, d, dataset);
    return 0;
}

/* The one dataset that has all of the files; 0: there is none, or several. */
static int only_dataset(struct adopt *w, const struct adopt_target *t, int64_t *out, size_t *n_all, struct err *err)
{
    *n_all = 0;
    for (size_t i = 0; i < t->n; i += OM_PATHS) {
        const struct om_in_dataset *part;
        size_t n = 0;

        if (om_datasets_of(w->s->client, t->filesets + i, t->n - i < OM_PATHS ? t->n - i : OM_PATHS, w->a, &part, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            if (*n_all == 0 || part[k].dataset != *out) {
                *out = part[k].dataset;
                ++*n_all;
            }
    }
    return 0;
}

/* With those that an adoption took which was cut short before it came to their dataset. */
static int add_taken(struct adopt *w, struct adopt_target *t, struct err *err)
{
    const struct ledger_filter done = {.dataset = t->row, .states = 1u << LEDGER_DONE};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_list(w->job->ledger, &done, w->a, &list, &n, err) < 0)
        return -1;
    if (w->job->mode == ADOPT_REALLY)
        t->n = 0; /* those of this time are among them */
    for (size_t i = 0; i < n; i++)
        adopt_target_add(t, list[i].omero_id);
    return 0;
}

static int dataset_of(struct adopt *w, struct adopt_target *t, struct err *err)
{
    const struct ledger_dataset *d;
    struct err why = ERR_INIT;
    int64_t dataset = 0;
    size_t n = 0, n_now = t->n;
    int r = ledger_dataset(w->job->ledger, t->row, w->a, &d, err);

    t->settled = true;
    if (r != 0 || d->omero_id || d->kind != LEDGER_KIND_DATASET)
        return r < 0 ? -1 : 0;
    if (add_taken(w, t, err) < 0 || only_dataset(w, t, &dataset, &n, err) < 0)
        return -1;
    if (n == 1)
        return take_dataset(w, d, dataset, err);
    if (n_now == 0) /* that was told when they were taken */
        return 0;
    err_set(&why, REASON_CONFLICT, 0, "its files lie in %s: they stay so, and get the card's annotations; later ones get a"
            " dataset of their own", n ? "several datasets" : "no dataset");
    unclear(w, d->root_path, d->dir, 0, &why);
    return 0;
}

int adopt_datasets(struct adopt *w, struct err *err)
{
    for (size_t i = 0; i < w->n_targets; i++) {
        if (w->targets[i].n > 0 && dataset_of(w, &w->targets[i], err) < 0)
            return -1;
        w->targets[i].n = 0;
    }
    return 0;
}

int adopt_rest(struct adopt *w, const struct ledger_dataset *d, struct err *err)
{
    struct adopt_target *t = adopt_target_of(w, d->id);

    return t->settled ? 0 : dataset_of(w, t, err);
}

int adopt_foreign(struct adopt *w, const struct ledger_dataset *d, struct err *err)
{
    struct sources sources;

    if (find_sources(w, target_kind(d), d->omero_id, &sources, err) < 0)
        return -1;
    for (size_t i = 0; i < sources.n; i++) {
        const struct source *s = &sources.at[i];

        if (!s->own || strcmp(s->ledger, ours(w)) == 0)
            continue;
        if (rewrite(w, d, s->map, err) < 0)
            return -1;
        taken(w, d, d->omero_id);
    }
    return 0;
}

/* ---- a lost ledger ---- */

static const enum om_parent kinds[] = {OM_DATASET, OM_SCREEN};

static int learn_of(struct adopt *w, enum om_parent kind, const char **lost, struct err *err)
{
    struct sources sources;

    if (find_sources(w, kind, 0, &sources, err) < 0)
        return -1;
    for (size_t i = 0; i < sources.n; i++) {
        const struct source *s = &sources.at[i];
        const struct ledger_dataset *d;

        if (!s->own)
            continue;
        if (row_of(w, s, kind, &d, err) < 0)
            return -1;
        if (!d || (*lost && strcmp(*lost, s->ledger) == 0))
            continue;
        if (*lost) {
            err_set(err, REASON_CONFLICT, 0, "OMERO knows datasets of this tree by two ledgers, %s and %s", *lost, s->ledger);
            return err_hint(err, "say which one was lost: --ledger=UUID");
        }
        *lost = s->ledger;
    }
    return 0;
}

int adopt_learn_ledger(struct adopt *w, const char **lost, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (learn_of(w, kinds[i], lost, err) < 0)
            return -1;
    return 0;
}

/* Why a map that names this ledger proves nothing; NULL: it does. */
static const char *doubt(const struct adopt *w, const struct sources *all, const struct source *s)
{
    if (!s->own)
        return "somebody else has put its provenance there";
    if (s->group != w->s->client->who.group_id)
        return "it is in another group than the card's";
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].target != s->target && strcmp(all->at[i].uuid, s->uuid) == 0)
            return "another one carries the same identity";
    return NULL;
}

static int restore_one(struct adopt *w, enum om_parent kind, const struct source *s, const char *why_not, struct err *err)
{
    const struct ledger_dataset *d = NULL;
    struct ledger_made made;
    struct err why = ERR_INIT;

    if (row_of(w, s, kind, &d, err) < 0)
        return -1;
    if (!why_not && !d)
        why_not = "no card is there now";
    if (why_not) {
        err_set(&why, REASON_UNKNOWN_OUTCOME, 0, "%s:%lld says that it comes from here, and %s", om_parent_name(kind),
                (long long)s->target, why_not);
        unclear(w, s->root, s->path, s->target, &why);
        return 0;
    }
    adopt_target_of(w, d->id)->restored = true;
    if (d->omero_id)
        return 0;
    if (ledger_dataset_identity(w->job->ledger, d->id, s->uuid, err) < 0 || made_of(w, d, s->target, &made, err) < 0 ||
        ledger_dataset_made(w->job->ledger, d->id, &made, err) < 0)
        return -1;
    taken(w, d, s->target);
    return 0;
}

static int restore_kind(struct adopt *w, enum om_parent kind, struct err *err)
{
    struct sources sources;

    if (find_sources(w, kind, 0, &sources, err) < 0)
        return -1;
    for (size_t i = 0; i < sources.n; i++) {
        const struct source *s = &sources.at[i];

        if (strcmp(s->ledger, ours(w)) != 0 || (!s->own && !s->of_owner))
            continue;
        if (restore_one(w, kind, s, doubt(w, &sources, s), err) < 0)
            return -1;
    }
    return 0;
}

int adopt_restore(struct adopt *w, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (restore_kind(w, kinds[i], err) < 0)
            return -1;
    return 0;
}
