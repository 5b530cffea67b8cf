/* A card that changed: its dataset and the images that were imported for it follow. */
#include <stdlib.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/notes.h"
#include "engine/retry.h"
#include "engine/target.h"

/* The images of a dataset that are still in OMERO. */
struct followed {
    struct notes_images images;
    int64_t last_row;
};

static int mark_deleted(struct engine *e, const struct ledger_image *rows, size_t n, const struct om_rows *alive, int64_t *ids,
                        size_t *n_ids, struct err *err)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        while (at < alive->n && om_long(alive, at, 0) < rows[i].omero_id)
            at++;
        if (at < alive->n && om_long(alive, at, 0) == rows[i].omero_id)
            ids[(*n_ids)++] = rows[i].omero_id;
        else if (ledger_image_deleted(e->ledger, rows[i].row, err) < 0)
            return -1;
    }
    return 0;
}

/* Rows of one question: images in the order in which they were made have rising numbers, so both lists are sorted alike. */
static int ask_alive(struct engine *e, struct om_client *c, const struct ledger_image *rows, size_t n, struct arena *a, int64_t *ids,
                     size_t *n_ids, struct err *err)
{
    int64_t *asked = arena_alloc(a, n, sizeof(*asked));
    const struct om_arg args[] = {om_arg_longs("ids", asked, n)};
    const struct om_query q = {.hql = "select i.id from Image i where i.id in (:ids) order by i.id",
                               .cols = "l",
                               .n_args = 1,
                               .args = args};
    struct om_rows alive;

    for (size_t i = 0; i < n; i++)
        asked[i] = rows[i].omero_id;
    if (om_query(c, &q, a, &alive, err) < 0)
        return -1;
    return mark_deleted(e, rows, n, &alive, ids, n_ids, err);
}

static int by_omero_id(const void *x, const void *y)
{
    int64_t a = ((const struct ledger_image *)x)->omero_id, b = ((const struct ledger_image *)y)->omero_id;

    return a < b ? -1 : a > b;
}

static int find_images(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct followed *out,
                       struct err *err)
{
    const struct ledger_image *all;
    struct ledger_image *there;
    size_t n = 0, n_there = 0, n_ids = 0;

    if (ledger_images(e->ledger, d->id, 0, 0, a, &all, &n, err) < 0)
        return -1;
    out->last_row = n > 0 ? all[n - 1].row : 0;
    there = arena_alloc(a, n, sizeof(*there));
    for (size_t i = 0; i < n; i++)
        if (!all[i].plate && all[i].deleted_ms == 0)
            there[n_there++] = all[i];
    qsort(there, n_there, sizeof(*there), by_omero_id);

    int64_t *ids = arena_alloc(a, n_there, sizeof(*ids));

    for (size_t i = 0; i < n_there; i += OM_BATCH)
        if (ask_alive(e, c, there + i, n_there - i < OM_BATCH ? n_there - i : OM_BATCH, a, ids, &n_ids, err) < 0)
            return -1;
    out->images = (struct notes_images){.ids = ids, .n = n_ids};
    return 0;
}

enum { FOLLOW_DONE = 1 };

/* What is under way carries the card as it was when it was sent: it comes first. */
static int check_quiet(struct engine *e, const struct ledger_dataset *d, struct arena *a, struct err *err)
{
    const char *path = arena_printf(a, "%s%s%s", d->root_path, *d->dir ? "/" : "", d->dir);
    const struct ledger_filter f = {.path = path,
                                    .states = 1u << LEDGER_SENT | 1u << LEDGER_STARTED | 1u << LEDGER_WAITING};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_list(e->ledger, &f, a, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (list[i].dataset == d->id && list[i].call != LEDGER_CALL_NONE && list[i].call != LEDGER_CALL_FINISHED)
            return err_set(err, REASON_SETTLING, 0, "'%s' is being imported with the card as it was", list[i].path);
    return 0;
}

/* 0, FOLLOW_DONE when an import has brought everything up to date meanwhile, -1. */
static int follow(struct engine *e, struct session *s, const struct ledger_dataset *old, struct arena *a,
                  const struct ledger_dataset **d, struct err *err)
{
    const struct ledger_note *notes;
    struct followed f = {0};
    size_t n = 0;
    bool touched;

    if (target_need(e, s, old->id, a, d, err) < 0)
        return -1;
    if (!(*d)->stale)
        return ledger_dataset_release(e->ledger, old->id, err) < 0 ? -1 : FOLLOW_DONE;
    if (check_quiet(e, *d, a, err) < 0 ||
        find_images(e, s->client, *d, a, &f, err) < 0 || notes_apply(e, s, *d, &f.images, a, &notes, &n, &touched, err) < 0)
        return -1;
    if (ledger_applied(e->ledger, (*d)->id, (*d)->wanted->id, f.last_row, notes, n, err) < 0)
        return -1;
    log_info("card.followed", NULL, LOG_STR("dir", (*d)->dir), LOG_INT("dataset", (*d)->omero_id),
             LOG_INT("images", (int64_t)f.images.n));
    return 0;
}

static void behind(struct engine *e, const struct ledger_dataset *d, const struct err *why)
{
    struct err err = ERR_INIT;
    int64_t delay = retry_delay_ms(why->why, why->cls, 0, retry_random());
    bool for_all = retry_is_for_all(why->why) || why->why == REASON_STOPPED;

    if (retry_is_for_all(why->why))
        engine_trouble(e, why);
    int r = for_all ? ledger_dataset_release(e->ledger, d->id, &err)
                    : ledger_dataset_wait(e->ledger, d->id, why, delay == CLOCK_NEVER ? CLOCK_NEVER : clock_wall_ms() + delay, &err);

    if (r < 0)
        engine_trouble(e, &err);
    if (for_all)
        return;
    log_warn("card.behind", delay == CLOCK_NEVER ? "until the card changes" : NULL, LOG_STR("dir", d->dir), LOG_ERR(why));
    engine_tell(e, &(struct engine_event){.what = ENGINE_BEHIND, .dataset = d, .err = why});
}

static int follow_locked(struct engine *e, struct session *s, const struct ledger_dataset *old, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    AUTO(mem_freep) char *maker = engine_maker(s);
    const struct ledger_dataset *d = old;

    keylock_take(&e->makers, maker);
    int r = follow(e, s, old, a, &d, err);
    keylock_give(&e->makers, maker);
    if (r == 0)
        engine_tell(e, &(struct engine_event){.what = ENGINE_FOLLOWED, .dataset = d});
    return r < 0 ? -1 : 0;
}

void work_card(struct engine *e, const struct ledger_dataset *d)
{
    struct session *s = NULL;
    struct err err = ERR_INIT;
    bool for_all = false;

    if (sessions_take(e->sessions, d->user, d->group, &s, &for_all, &err) < 0) {
        if (for_all)
            engine_trouble(e, &err);
        if (for_all && ledger_dataset_release(e->ledger, d->id, &err) < 0)
            engine_trouble(e, &err);
        if (!for_all)
            behind(e, d, &err);
        return;
    }
    engine_well(e);
    int r = follow_locked(e, s, d, &err);
    sessions_give(e->sessions, s);
    if (r < 0)
        behind(e, d, &err);
}
