#include "engine/alive.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/target.h"

/* Rows of the ledger's images, by number in OMERO. */
struct some {
    const struct ledger_image **at;
    size_t n;
};

static int by_omero_id(const void *x, const void *y)
{
    int64_t a = (*(const struct ledger_image *const *)x)->omero_id, b = (*(const struct ledger_image *const *)y)->omero_id;

    return a < b ? -1 : a > b;
}

static struct some choose(const struct ledger_image *all, size_t n, bool plates, struct arena *a)
{
    struct some s = {.at = arena_alloc(a, n, sizeof(*s.at))};

    for (size_t i = 0; i < n; i++)
        if (all[i].plate == plates && all[i].deleted_ms == 0)
            s.at[s.n++] = &all[i];
    qsort(s.at, s.n, sizeof(*s.at), by_omero_id);
    return s;
}

static int ask(struct om_client *c, const struct some *s, enum om_parent kind, struct arena *a, struct some *there,
               struct some *missing, struct err *err)
{
    int64_t *ids = arena_alloc(a, s->n, sizeof(*ids));
    bool *alive = arena_alloc(a, s->n, sizeof(*alive));

    there->at = arena_alloc(a, s->n, sizeof(*there->at));
    missing->at = arena_alloc(a, s->n, sizeof(*missing->at));
    for (size_t i = 0; i < s->n; i++)
        ids[i] = s->at[i]->omero_id;
    if (om_alive(c, kind, ids, s->n, alive, err) < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        struct some *to = alive[i] ? there : missing;

        to->at[to->n++] = s->at[i];
    }
    return 0;
}

/* What its group does not hold may have been moved to another one. */
static int mark_deleted(struct engine *e, struct om_client *c, const struct some *s, enum om_parent kind, struct arena *a,
                        struct err *err)
{
    struct some moved = {0}, gone = {0};
    int64_t before = om_client_group(c, OM_GROUP_ALL);
    int r = ask(c, s, kind, a, &moved, &gone, err);

    om_client_group(c, before);
    for (size_t i = 0; r == 0 && i < gone.n; i++)
        r = ledger_image_deleted(e->ledger, gone.at[i]->row, err);
    return r;
}

static int find_kind(struct engine *e, struct om_client *c, const struct some *s, enum om_parent kind, struct arena *a,
                     struct some *there, struct err *err)
{
    struct some missing = {0};

    return ask(c, s, kind, a, there, &missing, err) < 0 ? -1 : mark_deleted(e, c, &missing, kind, a, err);
}

/* Those that share the map of the card come first. */
static struct alive sorted_out(const struct some *s, struct arena *a)
{
    int64_t *ids = arena_alloc(a, s->n, sizeof(*ids));
    struct alive out = {.images = {.ids = ids}, .own = arena_alloc(a, s->n, sizeof(*out.own))};
    size_t n_own = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->at[i]->own)
            out.own[n_own++] = *s->at[i];
        else
            ids[out.images.n_sharing++] = s->at[i]->omero_id;
    out.images.n = s->n;
    for (size_t i = 0; i < n_own; i++)
        ids[out.images.n_sharing + i] = out.own[i].omero_id;
    return out;
}

int alive_find(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct alive *out,
               struct err *err)
{
    const struct ledger_image *all;
    struct some images = {0}, plates = {0}, there = {0}, there_plates = {0};
    size_t n = 0;

    if (ledger_images(e->ledger, d->id, 0, 0, a, &all, &n, err) < 0)
        return -1;
    images = choose(all, n, false, a);
    plates = choose(all, n, true, a);
    if (find_kind(e, c, &images, OM_IMAGE, a, &there, err) < 0 ||
        find_kind(e, c, &plates, OM_PLATE, a, &there_plates, err) < 0)
        return -1;

    const struct some *follow = d->kind == LEDGER_KIND_SCREEN ? &there_plates : &there;

    *out = sorted_out(follow, a);
    out->last_row = n > 0 ? all[n - 1].row : 0;
    return 0;
}

/* ---- all of a path ---- */

/* A dataset that was deleted or moved: what is tried again goes to a new one. */
static int look_target(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct err *err)
{
    if (om_target_check(c, target_kind(d), d->omero_id, d->owner_id, d->group_id, err) == 0)
        return 0;
    if (err->why != REASON_TARGET_GONE)
        return -1;
    log_info("dataset.gone", "another one is made for what is tried again", LOG_STR("dir", d->dir), LOG_ERR(err));
    return ledger_dataset_unmade(e->ledger, d->id, err);
}

static int look_dataset(struct engine *e, int64_t id, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_dataset *d;
    struct session *s = NULL;
    struct alive found;
    bool for_all = false;
    int r = ledger_dataset(e->ledger, id, a, &d, err);

    if (r != 0)
        return r < 0 ? -1 : 0;
    if (sessions_take(e->sessions, d->made_user ? d->made_user : d->user, d->made_user ? d->made_group : d->group, &s, &for_all,
                      err) < 0) {
        log_warn("dataset.unseen", "what was deleted of it is not known", LOG_STR("dir", d->dir), LOG_ERR(err));
        return for_all ? -1 : 0;
    }
    /* Another server knows nothing of these numbers. */
    if (d->server && strcmp(d->server, s->server) == 0) {
        r = alive_find(e, s->client, d, a, &found, err);
        r = r < 0 ? r : look_target(e, s->client, d, err);
    }
    sessions_give(e->sessions, s);
    return r;
}

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

int alive_look(struct engine *e, const char *path, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_filter known = {.path = path, .states = 1u << LEDGER_DONE | 1u << LEDGER_HELD | 1u << LEDGER_WAITING};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_list(e->ledger, &known, a, &list, &n, err) < 0)
        return -1;

    int64_t *ids = arena_alloc(a, n, sizeof(*ids));

    for (size_t i = 0; i < n; i++)
        ids[i] = list[i].dataset;
    qsort(ids, n, sizeof(*ids), by_number);
    for (size_t i = 0; i < n; i++)
        if (ids[i] != 0 && (i == 0 || ids[i] != ids[i - 1]) && look_dataset(e, ids[i], err) < 0)
            return -1;
    return 0;
}
