#include "engine/roots.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/placing.h"
#include "engine/scan.h"

enum {
    DEBOUNCE_MS = 100, /* what is copied comes in many pieces: these are one look */
    AGAIN_MS = 500,    /* what should have settled and has not */
    LOOK_PART = 10,    /* looking takes at most this part of the time */
};

static int64_t mono_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

/* ---- which ---- */

int roots_find(struct roots *r, struct engine *e, struct arena *a, struct err *err)
{
    const struct engine_job *job = e->job;
    size_t n = job->n_dirs ? job->n_dirs : job->settings->n_roots;

    *r = (struct roots){.e = e, .at = arena_alloc(a, n, sizeof(*r->at)), .watch = job->until_idle ? NULL : watch_new()};
    for (; r->n < n; r->n++) {
        const char *dir = job->n_dirs ? job->dirs[r->n] : job->settings->roots[r->n].path;
        struct root *root = &r->at[r->n];

        if (engine_place(job->settings, e->ledger, dir, a, &root->place, err) < 0 ||
            placing_check(&root->place.set, root->place.path, err) < 0)
            return -1;
        root->first = true;
        for (size_t i = 0; i < r->n; i++)
            root->first &= strcmp(r->at[i].place.path, root->place.path) != 0;
        if (root->first && gate_begin(e, &root->place, !job->until_idle, &root->gate, err) < 0)
            return -1;
        if (r->watch && root->first)
            root->watch = watch_add(r->watch, root->place.path);
    }
    return 0;
}

void roots_clear(struct roots *r)
{
    watch_free(r->watch);
}

static bool is_let_through(const struct roots *r, int64_t root)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].first && r->at[i].id == root)
            return r->at[i].gate == GATE_OPEN;
    return true;
}

bool roots_mean(const struct roots *r, int64_t root, const char *path, bool card)
{
    for (size_t i = 0; i < r->n; i++) {
        const char *only = r->at[i].place.only;

        if (r->at[i].id == root && (str_below(path, only) || (card && str_below(only, path))))
            return is_let_through(r, root);
    }
    return false;
}

/* ---- looking ---- */

static void away(struct roots *r, struct root *root, const struct err *why)
{
    log_event(root->away ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "root.away", "nothing is concluded from that",
              LOG_FIELDS(LOG_STR("path", root->place.path), LOG_ERR(why)));
    root->away = true;
    root->id = 0;
    engine_tell(r->e, &(struct engine_event){.what = ENGINE_ROOT_AWAY, .path = root->place.path, .err = why});
}

static void looked(struct roots *r, struct root *root, const struct ledger_synced *counts, int64_t began_ms)
{
    bool news = root->away || counts->added + counts->changed + counts->gone + counts->ready + counts->moved > 0;

    root->away = false;
    root->looked = true;
    log_event(news ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "root.looked", NULL,
              LOG_FIELDS(LOG_STR("path", root->place.path), LOG_INT("new", (int64_t)counts->added),
                         LOG_INT("changed", (int64_t)counts->changed), LOG_INT("known", (int64_t)counts->unchanged),
                         LOG_INT("gone", (int64_t)counts->gone), LOG_INT("moved", (int64_t)counts->moved),
                         LOG_INT("ready", (int64_t)counts->ready)));
    engine_tell(r->e, &(struct engine_event){.what = ENGINE_LOOKED, .path = root->place.path, .counts = counts});
    if (counts->next_ms == 0)
        return;
    root->settle_ms = counts->next_ms > began_ms ? counts->next_ms : began_ms + AGAIN_MS;
    engine_tell(r->e, &(struct engine_event){.what = ENGINE_SETTLING, .path = root->place.path,
                                             .ms = root->settle_ms - began_ms});
}

static int look(struct roots *r, struct root *root, struct err *err)
{
    struct ledger_synced counts = {0};
    struct err why = ERR_INIT;
    int64_t now = clock_wall_ms();

    root->settle_ms = 0;
    int done = scan_place(r->e->ledger, &root->place, &root->id, &counts, &why);

    mem_give_back();
    if (done == 0) {
        looked(r, root, &counts, now);
        return 0;
    }
    if (why.why != REASON_ROOT_AWAY && why.why != REASON_UNREADABLE && why.why != REASON_TOO_LARGE &&
        !(r->renewed && why.why == REASON_CONFIG)) {
        *err = why;
        return -1;
    }
    away(r, root, &why);
    return 0;
}

/* What happened until now is seen by the look; what happens from now on is told after it. */
static void refresh(struct roots *r, struct root *root)
{
    const char *blind;

    watch_read(r->watch);
    watch_take(r->watch, root->watch);
    root->event_ms = 0;
    blind = watch_refresh(r->watch, root->watch);
    if (!blind && root->place.set.follow_into)
        blind = "links of it are followed, and what they lead to is not watched";
    if (root->judged && !blind == !root->blind)
        return;
    root->judged = true;
    root->blind = blind;
    engine_tell(r->e, &(struct engine_event){.what = ENGINE_WATCHED, .path = root->place.path, .text = blind});
    if (blind)
        log_warn("root.polled", blind, LOG_STR("path", root->place.path), LOG_INT("poll_s", root->place.set.poll_s));
    else
        log_info("root.watched", NULL, LOG_STR("path", root->place.path), LOG_INT("rescan_s", root->place.set.rescan_s));
}

static int look_watched(struct roots *r, struct root *root, struct err *err)
{
    int64_t began = mono_ms(), ended;

    refresh(r, root);
    if (look(r, root, err) < 0)
        return -1;
    ended = mono_ms();
    root->rest_ms = ended + LOOK_PART * (ended - began);
    root->rescan_ms = ended + 1000 * (root->blind || root->id == 0 ? root->place.set.poll_s : root->place.set.rescan_s);
    return 0;
}

/* ---- when ---- */

/* Milliseconds until it is due: 0 or less, now; INT64_MAX never. */
static int64_t due_in(const struct roots *r, const struct root *root)
{
    int64_t in = root->settle_ms ? root->settle_ms - clock_wall_ms() : INT64_MAX, now = mono_ms();

    if (!root->first)
        return INT64_MAX;
    if (!r->watch)
        return in;
    if (root->event_ms && root->event_ms - now < in)
        in = root->event_ms - now;
    if (root->rescan_ms - now < in)
        in = root->rescan_ms - now;
    return in > root->rest_ms - now ? in : root->rest_ms - now;
}

int64_t roots_rest_ms(const struct roots *r, int64_t most)
{
    for (size_t i = 0; i < r->n; i++) {
        int64_t in = due_in(r, &r->at[i]);

        most = in < most ? in : most;
    }
    return most > 0 ? most : 0;
}

bool roots_due(const struct roots *r)
{
    return roots_rest_ms(r, 1) == 0;
}

bool roots_settling(const struct roots *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].settle_ms != 0)
            return true;
    return false;
}

int roots_look(struct roots *r, bool all, struct err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        struct root *root = &r->at[i];

        if (engine_is_stopped(r->e))
            return 0;
        if (!root->first || (!all && due_in(r, root) > 0))
            continue;
        if ((r->watch ? look_watched(r, root, err) : look(r, root, err)) < 0)
            return -1;
        for (size_t j = i + 1; j < r->n; j++)
            if (strcmp(r->at[j].place.path, root->place.path) == 0)
                r->at[j].id = root->id;
    }
    return 0;
}

/* ---- what OMERO has already ---- */

int roots_judge(struct roots *r, struct err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        struct root *root = &r->at[i];

        if (!root->first || !root->looked || root->id == 0)
            continue;
        if (gate_look(r->e, &root->place, root->id, &root->gate, err) < 0)
            return -1;
        root->looked = false;
    }
    return 0;
}

void roots_open(struct roots *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++)
        if (!path || str_below(path, r->at[i].place.path) || str_below(r->at[i].place.path, path))
            r->at[i].gate = GATE_OPEN;
}

/* ---- hearing ---- */

void roots_hear(struct roots *r)
{
    if (!r->watch)
        return;
    watch_read(r->watch);
    for (size_t i = 0; i < r->n; i++) {
        struct root *root = &r->at[i];

        if (root->first && watch_take(r->watch, root->watch) && root->event_ms == 0)
            root->event_ms = mono_ms() + DEBOUNCE_MS;
    }
}

/* Once there is something to look at, more of it changes nothing. */
int roots_fd(const struct roots *r)
{
    if (!r->watch)
        return -1;
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].event_ms != 0)
            return -1;
    return watch_fd(r->watch);
}
