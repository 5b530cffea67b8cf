#include "engine/target.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "engine/target_moved.h"
#include "omero/annotate.h"
#include "omero/origin.h"

static const char *dir_of(const struct ledger_dataset *d)
{
    return *d->dir ? d->dir : ".";
}

/* Text that OMERO can store, whatever the bytes of the path are. */
static const char *shown(struct arena *a, const char *text)
{
    AUTO(mem_freep) char *safe = str_show(text);

    return arena_str(a, safe);
}

void target_source(const struct ledger_dataset *d, const char *ledger_uuid, struct arena *a, struct om_pair out[SOURCE_PAIRS])
{
    out[0] = (struct om_pair){"uuid", d->uuid};
    out[1] = (struct om_pair){"ledger", ledger_uuid};
    out[2] = (struct om_pair){"root", shown(a, d->root_name)};
    out[3] = (struct om_pair){"path", shown(a, dir_of(d))};
}

static bool is_of(const struct om_pair pairs[SOURCE_PAIRS], const char *key)
{
    for (size_t i = 0; i < SOURCE_PAIRS; i++)
        if (strcmp(pairs[i].key, key) == 0)
            return true;
    return false;
}

int target_source_rewrite(struct om_client *c, const struct ledger_dataset *d, const char *ledger_uuid, int64_t map,
                          struct arena *a, struct err *err)
{
    struct om_pair ours[SOURCE_PAIRS], *all;
    struct om_note note;
    size_t n = SOURCE_PAIRS;
    int r = om_map_load(c, map, a, &note, err);

    if (r != 0)
        return r < 0 ? -1 : err_set(err, REASON_SERVER_BUSY, 0, "the provenance of '%s' went away meanwhile", dir_of(d));
    target_source(d, ledger_uuid, a, ours);
    all = arena_alloc(a, SOURCE_PAIRS + note.n_pairs, sizeof(*all));
    memcpy(all, ours, sizeof(ours));
    for (size_t i = 0; i < note.n_pairs; i++)
        if (!is_of(ours, note.pairs[i].key))
            all[n++] = note.pairs[i];
    r = om_map_save(c, &note, all, n, err);
    return r <= 0 ? r : err_set(err, REASON_SERVER_BUSY, 0, "the provenance of '%s' changed meanwhile", dir_of(d));
}

int target_source_follow(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a,
                         struct err *err)
{
    const struct om_source_pair *pairs;
    size_t n = 0;

    if (om_sources_find(c, target_kind(d), SOURCE_NS, d->omero_id, a, &pairs, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (pairs[i].map_owner == d->owner_id && pairs[i].link_owner == d->owner_id && strcmp(pairs[i].key, "uuid") == 0 &&
            strcmp(pairs[i].value, d->uuid) == 0 &&
            target_source_rewrite(c, d, ledger_uuid(e->ledger), pairs[i].map, a, err) < 0)
            return -1;
    log_info("dataset.sourced", NULL, LOG_STR("dir", d->dir), LOG_INT("dataset", d->omero_id));
    return ledger_dataset_sourced(e->ledger, d->id, err);
}

char *target_description(const struct ledger_dataset *d, struct arena *a)
{
    const char *title = d->wanted->title;
    char *from = arena_printf(a, "Imported by impomero from %s%s%s", shown(a, d->root_path), *d->dir ? "/" : "",
                              shown(a, d->dir));

    return title && *title ? arena_printf(a, "%s\nCard: %s", from, title) : from;
}

/* ---- made before ---- */

enum om_parent target_kind(const struct ledger_dataset *d)
{
    return d->kind == LEDGER_KIND_SCREEN ? OM_SCREEN : OM_DATASET;
}

/* Known of this run? */
static bool is_vouched(struct engine *e, int64_t row)
{
    bool found = false;

    pthread_mutex_lock(&e->mutex);
    for (size_t i = 0; i < e->n_vouched && !found; i++)
        found = e->vouched[i] == row;
    pthread_mutex_unlock(&e->mutex);
    return found;
}

static void remember_vouched(struct engine *e, int64_t row)
{
    pthread_mutex_lock(&e->mutex);
    e->vouched = mem_grow(e->vouched, e->n_vouched, &e->cap_vouched, sizeof(*e->vouched));
    e->vouched[e->n_vouched++] = row;
    pthread_mutex_unlock(&e->mutex);
}

/* Two ledgers must not both put images into one dataset.  A map that somebody else made or linked says nothing; one that was
 * removed by hand is not missed. */
static int vouch(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct om_source_pair *pairs;
    size_t n = 0;

    if (is_vouched(e, d->id))
        return 0;
    if (om_sources_find(c, target_kind(d), SOURCE_NS, d->omero_id, a, &pairs, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (pairs[i].map_owner == d->owner_id && pairs[i].link_owner == d->owner_id && strcmp(pairs[i].key, "ledger") == 0 &&
            strcmp(pairs[i].value, ledger_uuid(e->ledger)) != 0)
            return err_set(err, REASON_OTHER_LEDGER, 0, "%s:%lld of '%s' is said to be of the ledger %s",
                           om_parent_name(target_kind(d)), (long long)d->omero_id, dir_of(d), pairs[i].value);
    remember_vouched(e, d->id);
    return 0;
}

int target_describe(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct err *err)
{
    const char *text = target_description(d, a);
    int r;

    if (!d->described || strcmp(d->described, text) == 0)
        return 0;
    r = om_target_describe(c, target_kind(d), d->omero_id, d->described, text, err);
    if (r < 0)
        return -1;
    log_info("dataset.described", r == OM_STALE ? "people wrote another description, which stays" : NULL,
             LOG_STR("dir", dir_of(d)), LOG_INT(ledger_kind_name(d->kind), d->omero_id));
    return ledger_dataset_described(e->ledger, d->id, r == OM_STALE ? NULL : text, err);
}

enum { MADE_ANEW = 1 }; /* the row was changed: it is to be read again */

static int check_made(struct engine *e, const struct session *s, const struct ledger_dataset *d, struct arena *a, struct err *err)
{
    struct om_client *c = s->client;

    if (strcmp(d->server, s->server) != 0)
        return err_set(err, REASON_TARGET_GONE, 0, "the %s of '%s' was made on another OMERO server",
                       ledger_kind_name(d->kind), dir_of(d));
    if (!target_is_meant(c, d))
        return target_moved(e, s, d, a, err) < 0 ? -1 : MADE_ANEW;
    if (om_target_check(c, target_kind(d), d->omero_id, d->owner_id, d->group_id, err) < 0)
        return -1;
    return vouch(e, c, d, err);
}

/* ---- made now ---- */

static int make(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct ledger_made *made,
                struct err *err)
{
    struct om_pair pairs[SOURCE_PAIRS];
    const struct om_target_new spec = {.project = made->project_id, .name = d->name, .description = made->description,
                                       .ns = SOURCE_NS, .n_pairs = SOURCE_PAIRS, .pairs = pairs};

    target_source(d, ledger_uuid(e->ledger), a, pairs);
    if (om_target_create(c, target_kind(d), &spec, &made->omero_id, err) < 0)
        return -1;
    log_info("dataset.made", NULL, LOG_STR("dir", dir_of(d)), LOG_STR("project", d->project), LOG_STR("name", d->name),
             LOG_INT(ledger_kind_name(d->kind), made->omero_id));
    return 0;
}

static int find_or_make(struct engine *e, const struct session *s, const struct ledger_dataset *d, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct om_client *c = s->client;
    struct ledger_made made = {.server = s->server, .owner_id = c->who.user_id, .group_id = c->who.group_id,
                               .project = d->project, .user = d->user, .group = c->who.group_name,
                               .description = target_description(d, a)};
    int r;

    /* A screen lies in no project: its name says which one it belongs to. */
    if (d->kind == LEDGER_KIND_DATASET && om_project_need(c, d->project, &made.project_id, NULL, err) < 0)
        return -1;
    r = om_target_find(c, target_kind(d), SOURCE_NS, "uuid", d->uuid, &made.omero_id, err);
    if (r < 0 || (r == OM_ABSENT && make(e, c, d, a, &made, err) < 0))
        return -1;
    return ledger_dataset_made(e->ledger, d->id, &made, err);
}

static int read_row(struct engine *e, int64_t id, struct arena *a, const struct ledger_dataset **d, struct err *err)
{
    int r = ledger_dataset(e->ledger, id, a, d, err);

    return r == LEDGER_NOTHING ? err_set(err, REASON_BUG, 0, "the ledger has no dataset %lld", (long long)id) : r;
}

int target_need(struct engine *e, struct session *s, int64_t dataset, struct arena *a, const struct ledger_dataset **d,
                struct err *err)
{
    if (read_row(e, dataset, a, d, err) < 0)
        return -1;
    if ((*d)->omero_id) {
        int r = check_made(e, s, *d, a, err);

        if (r == MADE_ANEW)
            r = read_row(e, dataset, a, d, err) < 0 ? -1 : check_made(e, s, *d, a, err);
        return r == 0 ? 0 : -1;
    }
    return find_or_make(e, s, *d, err) < 0 ? -1 : read_row(e, dataset, a, d, err);
}
