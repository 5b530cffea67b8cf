/* The loop: looks at the trees, hands work to the workers, ends when nothing is left or all work is blocked. */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/inside.h"
#include "engine/retry.h"
#include "engine/scan.h"

enum {
    TICK_MS = 500,
    TIDY_EVERY_MS = 5000,
    PATIENCE_MS = 15000, /* until idle: what is tried again within this time is waited for */
    LOOKS_AGAIN = 3,     /* until idle: how often files that change under way are looked at anew */
    PER_USER = 0,
};

struct worker {
    struct engine *e;
    pthread_t thread;
    pthread_cond_t given;
    struct arena *a; /* of the work below; NULL = free */
    const struct ledger_fileset *fileset;
    const struct ledger_dataset *card;
};

/* A root to look at, and which part of it is meant. */
struct root {
    struct engine_place place;
    int64_t id;   /* 0: it could not be looked at */
    int64_t next_ms; /* when to look again; 0 = no need */
};

/* The main thread's own. */
struct loop {
    struct engine *e;
    struct arena *a;
    struct root *roots;
    size_t n_roots;
    int64_t *aside, *aside_cards; /* rows that are none of ours: claimed, so that they are not handed out again */
    size_t n_aside, cap_aside, n_aside_cards, cap_aside_cards;
    int64_t due_ms, due_card_ms; /* the next fileset or changed card that waits; 0 = none */
    int64_t pause_until_ms;
    int64_t tidied_ms;
    int looks_again;
};

/* ---- what workers call ---- */

void engine_tell(struct engine *e, const struct engine_event *event)
{
    if (!e->job->tell)
        return;
    pthread_mutex_lock(&e->telling);
    e->job->tell(e->job->arg, event);
    pthread_mutex_unlock(&e->telling);
}

bool engine_is_stopped(const struct engine *e)
{
    return e->job->stop && atomic_load(e->job->stop);
}

int engine_keep_on(void *engine, struct err *err)
{
    return engine_is_stopped(engine) ? err_set(err, REASON_STOPPED, 0, "stopped") : 0;
}

void engine_trouble(struct engine *e, const struct err *err)
{
    pthread_mutex_lock(&e->mutex);
    e->trouble = *err;
    e->troubles++;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->mutex);
}

void engine_well(struct engine *e)
{
    pthread_mutex_lock(&e->mutex);
    e->troubles = 0;
    pthread_mutex_unlock(&e->mutex);
}

void engine_look_again(struct engine *e)
{
    pthread_mutex_lock(&e->mutex);
    e->look_again = true;
    pthread_mutex_unlock(&e->mutex);
}

char *engine_maker(const struct session *s)
{
    return mem_printf("%lld %lld", (long long)s->client->who.user_id, (long long)s->client->who.group_id);
}

/* ---- workers ---- */

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct engine *e = w->e;

    pthread_mutex_lock(&e->mutex);
    for (;;) {
        while (!w->a && !e->ending)
            pthread_cond_wait(&w->given, &e->mutex);
        if (!w->a)
            break;
        pthread_mutex_unlock(&e->mutex);
        if (w->fileset)
            work_fileset(e, w->fileset);
        else
            work_card(e, w->card);
        pthread_mutex_lock(&e->mutex);
        arena_free(STEAL(w->a));
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->mutex);
    return NULL;
}

static int start_workers(struct engine *e, struct err *err)
{
    size_t n = (size_t)e->job->settings->workers;

    e->workers = mem_new(n, sizeof(*e->workers));
    for (; e->n_workers < n; e->n_workers++) {
        struct worker *w = &e->workers[e->n_workers];
        int r;

        w->e = e;
        pthread_cond_init(&w->given, NULL);
        r = pthread_create(&w->thread, NULL, worker_main, w);
        if (r != 0)
            return err_set(err, REASON_BUG, r, "start a worker");
    }
    return 0;
}

/* They finish what they have in hand, or drop it when the engine is stopped. */
static void end_workers(struct engine *e)
{
    pthread_mutex_lock(&e->mutex);
    e->ending = true;
    for (size_t i = 0; i < e->n_workers; i++)
        pthread_cond_signal(&e->workers[i].given);
    pthread_mutex_unlock(&e->mutex);
    for (size_t i = 0; i < e->n_workers; i++) {
        pthread_join(e->workers[i].thread, NULL);
        pthread_cond_destroy(&e->workers[i].given);
    }
    free(e->workers);
}

/* ---- handing out; the engine's mutex is held ---- */

static struct worker *free_worker(struct engine *e)
{
    for (size_t i = 0; i < e->n_workers; i++)
        if (!e->workers[i].a)
            return &e->workers[i];
    return NULL;
}

static bool all_free(const struct engine *e)
{
    for (size_t i = 0; i < e->n_workers; i++)
        if (e->workers[i].a)
            return false;
    return true;
}

static void give(struct worker *w, struct arena *a, const struct ledger_fileset *f, const struct ledger_dataset *d)
{
    w->fileset = f;
    w->card = d;
    w->a = a;
    pthread_cond_signal(&w->given);
}

static bool is_within(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return n == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

static bool is_ours(const struct loop *l, int64_t root, const char *path, bool card)
{
    for (size_t i = 0; i < l->n_roots; i++) {
        const char *only = l->roots[i].place.only;

        if (l->roots[i].id == root && (is_within(path, only) || (card && is_within(only, path))))
            return true;
    }
    return false;
}

static void put_aside(int64_t **list, size_t *n, size_t *cap, int64_t id)
{
    *list = mem_grow(*list, *n, cap, sizeof(**list));
    (*list)[(*n)++] = id;
}

/* 1 something was handed out, 0 nothing is due, -1. */
static int give_card(struct loop *l, struct worker *w, struct err *err)
{
    for (;;) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct ledger_dataset *d;
        int r = ledger_next_card(l->e->ledger, a, &d, &l->due_card_ms, err);

        if (r != 0)
            return r < 0 ? -1 : 0;
        l->due_card_ms = 0;
        if (is_ours(l, d->root, d->dir, true)) {
            give(w, STEAL(a), NULL, d);
            return 1;
        }
        put_aside(&l->aside_cards, &l->n_aside_cards, &l->cap_aside_cards, d->id);
    }
}

static int give_fileset(struct loop *l, struct worker *w, struct err *err)
{
    for (;;) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct ledger_fileset *f;
        int r = ledger_next(l->e->ledger, PER_USER, a, &f, &l->due_ms, err);

        if (r != 0)
            return r < 0 ? -1 : 0;
        l->due_ms = 0;
        if (is_ours(l, f->root, f->path, false)) {
            give(w, STEAL(a), f, NULL);
            return 1;
        }
        put_aside(&l->aside, &l->n_aside, &l->cap_aside, f->id);
    }
}

static int hand_out(struct loop *l, struct err *err)
{
    struct worker *w;

    while ((w = free_worker(l->e))) {
        int r = give_card(l, w, err);

        if (r == 0)
            r = give_fileset(l, w, err);
        if (r <= 0)
            return r;
    }
    return 0;
}

static void release_aside(struct loop *l)
{
    struct err ignored = ERR_INIT; /* an unreleased row is freed when the ledger is opened again */

    for (size_t i = 0; i < l->n_aside; i++)
        (void)ledger_release(l->e->ledger, l->aside[i], &ignored);
    for (size_t i = 0; i < l->n_aside_cards; i++)
        (void)ledger_dataset_release(l->e->ledger, l->aside_cards[i], &ignored);
    free(l->aside);
    free(l->aside_cards);
}

/* ---- looking; the mutex is not held ---- */

/* An earlier one that means the same root, or NULL: several directories may lie in one. */
static const struct root *same_root(const struct loop *l, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(l->roots[j].place.path, l->roots[i].place.path) == 0)
            return &l->roots[j];
    return NULL;
}

static int look_one(struct loop *l, struct root *r, struct err *err)
{
    struct ledger_synced counts = {0};
    struct err why = ERR_INIT;
    int64_t now = clock_wall_ms();

    r->next_ms = 0;
    if (scan_place(l->e->ledger, &r->place, &r->id, &counts, &why) < 0) {
        if (why.why != REASON_ROOT_AWAY && why.why != REASON_UNREADABLE && why.why != REASON_TOO_LARGE) {
            *err = why;
            return -1;
        }
        r->id = 0;
        log_warn("root.away", "nothing is concluded from that", LOG_STR("path", r->place.path), LOG_ERR(&why));
        engine_tell(l->e, &(struct engine_event){.what = ENGINE_ROOT_AWAY, .path = r->place.path, .err = &why});
        return 0;
    }
    log_info("root.looked", NULL, LOG_STR("path", r->place.path), LOG_INT("new", (int64_t)counts.added),
             LOG_INT("changed", (int64_t)counts.changed), LOG_INT("known", (int64_t)counts.unchanged),
             LOG_INT("gone", (int64_t)counts.gone), LOG_INT("ready", (int64_t)counts.ready));
    engine_tell(l->e, &(struct engine_event){.what = ENGINE_LOOKED, .path = r->place.path, .counts = &counts});
    if (counts.next_ms == 0)
        return 0;
    r->next_ms = counts.next_ms > now ? counts.next_ms : now + TICK_MS;
    engine_tell(l->e, &(struct engine_event){.what = ENGINE_SETTLING, .path = r->place.path, .ms = r->next_ms - now});
    return 0;
}

static int look(struct loop *l, bool all, struct err *err)
{
    for (size_t i = 0; i < l->n_roots; i++) {
        struct root *r = &l->roots[i];
        const struct root *same = same_root(l, i);

        if (!all && (r->next_ms == 0 || r->next_ms > clock_wall_ms()))
            continue;
        if (same)
            r->id = same->id;
        else if (look_one(l, r, err) < 0)
            return -1;
    }
    return 0;
}

static bool look_is_due(struct loop *l, bool *all)
{
    bool due = false;

    *all = l->e->look_again && (!l->e->job->until_idle || l->looks_again < LOOKS_AGAIN);
    l->looks_again += *all;
    l->e->look_again = false;
    for (size_t i = 0; i < l->n_roots; i++)
        due |= l->roots[i].next_ms != 0 && l->roots[i].next_ms <= clock_wall_ms();
    return due || *all;
}

/* ---- the loop ---- */

static bool is_settling(const struct loop *l)
{
    for (size_t i = 0; i < l->n_roots; i++)
        if (l->roots[i].next_ms != 0)
            return true;
    return false;
}

static bool is_soon(int64_t due_ms)
{
    return due_ms != 0 && due_ms - clock_wall_ms() < PATIENCE_MS;
}

static bool is_idle(const struct loop *l)
{
    return all_free(l->e) && !is_settling(l) && !is_soon(l->due_ms) && !is_soon(l->due_card_ms) && !l->e->look_again;
}

/* What concerns all work: it ends a run that is to end when idle, and is waited out by one that is not.  True: end. */
static bool is_blocked(struct loop *l, struct err *err)
{
    struct engine *e = l->e;

    if (e->trouble.why == REASON_NONE)
        return false;
    if (e->job->until_idle || e->trouble.why == REASON_LEDGER || e->trouble.why == REASON_BUG) {
        *err = e->trouble;
        return true;
    }
    l->pause_until_ms = clock_wall_ms() + retry_delay_ms(e->trouble.why, ERR_WAIT, e->troubles, retry_random());
    log_warn("engine.paused", "all work waits", LOG_ERR(&e->trouble), LOG_INT("s", (l->pause_until_ms - clock_wall_ms()) / 1000));
    e->trouble.why = REASON_NONE;
    return false;
}

static void rest(struct loop *l)
{
    struct timespec until;
    int64_t now = clock_wall_ms();

    if (now - l->tidied_ms > TIDY_EVERY_MS) {
        l->tidied_ms = now;
        pthread_mutex_unlock(&l->e->mutex);
        sessions_tidy(l->e->sessions);
        pthread_mutex_lock(&l->e->mutex);
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    pthread_cond_timedwait(&l->e->changed, &l->e->mutex, &until);
}

static int turn(struct loop *l, bool *over, struct err *err)
{
    struct engine *e = l->e;
    bool all;
    int r = 0;

    *over = engine_is_stopped(e);
    if (*over)
        return 0;
    if (is_blocked(l, err))
        return -1;
    if (look_is_due(l, &all)) {
        pthread_mutex_unlock(&e->mutex);
        r = look(l, all, err);
        pthread_mutex_lock(&e->mutex);
    }
    if (r == 0 && clock_wall_ms() >= l->pause_until_ms)
        r = hand_out(l, err);
    *over = r == 0 && e->job->until_idle && is_idle(l) && e->trouble.why == REASON_NONE;
    if (r == 0 && !*over)
        rest(l);
    return r;
}

static int run_loop(struct loop *l, struct err *err)
{
    bool over = false;
    int r;

    pthread_mutex_lock(&l->e->mutex);
    while ((r = turn(l, &over, err)) == 0 && !over)
        ;
    pthread_mutex_unlock(&l->e->mutex);
    return r;
}

/* ---- beginning and end ---- */

static int find_places(struct loop *l, struct err *err)
{
    const struct engine_job *job = l->e->job;
    size_t n = job->n_dirs ? job->n_dirs : job->settings->n_roots;

    l->roots = arena_alloc(l->a, n, sizeof(*l->roots));
    for (; l->n_roots < n; l->n_roots++) {
        const char *dir = job->n_dirs ? job->dirs[l->n_roots] : job->settings->roots[l->n_roots].path;

        if (engine_place(job->settings, l->e->ledger, dir, l->a, &l->roots[l->n_roots].place, err) < 0)
            return -1;
    }
    return 0;
}

/* A person who says `import` again does not want to wait for what failed before: it is due now. */
static int hurry(struct loop *l, struct err *err)
{
    for (size_t i = 0; i < l->n_roots; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct engine_place *p = &l->roots[i].place;
        const struct ledger_filter f = {.states = 1u << LEDGER_WAITING,
                                        .path = arena_printf(a, "%s%s%s", p->path, *p->only ? "/" : "", p->only)};
        const struct ledger_fileset *list;
        size_t n = 0;

        if (ledger_list(l->e->ledger, &f, a, &list, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++) {
            struct err why = ERR_INIT;

            if (list[k].retry_ms == CLOCK_NEVER)
                continue;
            err_set(&why, list[k].why, 0, "%s", list[k].text);
            if (ledger_move(l->e->ledger, list[k].id, LEDGER_WAITING, &why, clock_wall_ms(), err) < 0)
                return -1;
        }
    }
    return 0;
}

static int run_all(struct loop *l, struct err *err)
{
    if (find_places(l, err) < 0 || (l->e->job->until_idle && hurry(l, err) < 0) || look(l, true, err) < 0 ||
        start_workers(l->e, err) < 0)
        return -1;
    return run_loop(l, err);
}

int engine_run(const struct engine_job *job, struct err *err)
{
    AUTO(mem_freep) char *known = mem_printf("%s/known_servers", job->settings->state_dir);
    struct om_trust trust = OM_TRUST_INIT;
    struct engine e = {.job = job, .ledger = job->ledger, .makers = KEYLOCKS_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER,
                       .changed = PTHREAD_COND_INITIALIZER, .telling = PTHREAD_MUTEX_INITIALIZER};
    struct loop l = {.e = &e, .a = arena_new()};

    trust.known_servers = known;
    trust.ca_file = job->settings->server.ca_file;
    trust.allow_anonymous = job->settings->server.allow_anonymous;
    trust.ask = job->ask;
    trust.ask_arg = job->arg;
    e.sessions = sessions_new(job->settings, &trust);
    int r = run_all(&l, err);

    end_workers(&e);
    release_aside(&l);
    sessions_close(e.sessions);
    arena_free(l.a);
    return r;
}
