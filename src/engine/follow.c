/* A card that changed: its dataset and the images that were imported for it follow. */
#include "base/clock.h"
#include "base/log.h"
#include "engine/alive.h"
#include "engine/notes.h"
#include "engine/own.h"
#include "engine/retry.h"
#include "engine/target.h"

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

/* Its description and its provenance say where its directory is now. */
static int follow_move(struct engine *e, struct session *s, struct arena *a, const struct ledger_dataset **d, struct err *err)
{
    if (target_describe(e, s->client, *d, a, err) < 0)
        return -1;
    if (!(*d)->moved)
        return 0;
    return target_source_follow(e, s->client, *d, a, err) < 0 || ledger_dataset(e->ledger, (*d)->id, a, d, err) != 0 ? -1 : 0;
}

/* 0, FOLLOW_DONE when an import has brought everything up to date meanwhile, -1. */
static int follow(struct engine *e, struct session *s, const struct ledger_dataset *old, struct arena *a,
                  const struct ledger_dataset **d, struct err *err)
{
    const struct ledger_note *notes;
    struct alive f = {0};
    size_t n = 0;
    bool touched;

    if (target_need(e, s, old->id, a, d, err) < 0 || follow_move(e, s, a, d, err) < 0)
        return -1;
    if (!(*d)->stale)
        return ledger_dataset_release(e->ledger, old->id, err) < 0 ? -1 : FOLLOW_DONE;
    if (check_quiet(e, *d, a, err) < 0 || alive_find(e, s->client, *d, a, &f, err) < 0 ||
        notes_apply(e, s, *d, &f.images, a, &notes, &n, &touched, err) < 0)
        return -1;

    const struct own own = {.settings = e->job->settings, .ledger = e->ledger, .c = s->client,
                            .d = *d, .notes = notes, .n_notes = n};

    if (own_follow(&own, f.own, f.images.n - f.images.n_sharing, err) < 0)
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
                    : ledger_dataset_wait(e->ledger, d->id, why,
                                          delay == CLOCK_NEVER ? CLOCK_NEVER : clock_wall_ms() + delay, &err);

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
    engine_worked(e);
    sessions_give(e->sessions, s);
    if (r < 0)
        behind(e, d, &err);
}
