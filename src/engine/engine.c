/* The loop: looks at the trees, hands work to the workers, ends when nothing is left or all work is blocked. */
#include "engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "engine/alive.h"
#include "engine/placing.h"
#include "engine/reach.h"
#include "engine/retry.h"
#include "engine/roots.h"

enum {
    TICK_MS = 500,
    TIDY_EVERY_MS = 5000,
    PATIENCE_MS = 15000, /* until idle: what is tried again within this time is waited for */
    CALM_S = 60,         /* until idle: but not for longer than this when there is nothing to do but to wait */
    LOOKS_AGAIN = 3,     /* until idle: how often files that change under way are looked at anew */
    PER_USER = 0,
    TURN_WITHIN_S = 3600, /* a turn may ask the server about all images of a dataset */
    LOOK_WITHIN_S = 6 * 3600, /* looking at some millions of files on a slow share */
};

struct worker {
    struct engine *e;
    pthread_t thread;
    pthread_cond_t given;
    struct arena *a; /* of the work below; NULL = free */
    const struct ledger_fileset *fileset;
    const struct ledger_dataset *card;
};

/* The main thread's own. */
struct loop {
    struct engine *e;
    struct arena *a;
    struct roots roots;
    int64_t *aside, *aside_cards; /* rows that are none of ours: claimed, so that they are not handed out again */
    size_t n_aside, cap_aside, n_aside_cards, cap_aside_cards;
    int64_t due_ms, due_card_ms; /* the next fileset or changed card that waits; 0 = none */
    int64_t pause_until_ms;   /* no work before */
    int64_t ledger_until_ms;  /* and the ledger is left alone */
    bool unreleased;          /* it could not be written: claims of rows may not have been given back */
    int64_t tidied_ms;
    int looks_again;
    int64_t asked; /* the request for which the server was asked last */
    bool in_trouble;    /* the ledger says so */
    int64_t n_sessions; /* as told last */
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

static void wake(struct engine *e)
{
    const uint64_t one = 1;

    (void)!write(e->wake, &one, sizeof(one)); /* full: it is awake anyway */
}

void engine_trouble(struct engine *e, const struct err *err)
{
    pthread_mutex_lock(&e->mutex);
    e->trouble = *err;
    e->troubles++;
    pthread_mutex_unlock(&e->mutex);
    wake(e);
}

void engine_well(struct engine *e)
{
    pthread_mutex_lock(&e->mutex);
    e->troubles = 0;
    pthread_mutex_unlock(&e->mutex);
}

void engine_worked(struct engine *e)
{
    pthread_mutex_lock(&e->mutex);
    e->worked_ns = clock_mono_ns();
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
        wake(e);
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
        if (roots_mean(&l->roots, d->root, d->dir, true)) {
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
        if (roots_mean(&l->roots, f->root, f->path, false)) {
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
    l->n_aside = l->n_aside_cards = 0;
}

/* ---- what people asked for; the mutex is not held ---- */

/* Before it is tried again, it has to be known what was deleted in OMERO.  False: later, when the server is back. */
static bool ask_deleted(struct loop *l, const struct ledger_request *q)
{
    struct err err = ERR_INIT;

    if (q->verb != LEDGER_VERB_RETRY)
        return true;
    if (q->id == l->asked && clock_wall_ms() < l->pause_until_ms)
        return false;
    l->asked = q->id;
    l->pause_until_ms = 0;
    if (alive_look(l->e, q->path, &err) == 0)
        return true;
    if (retry_is_for_all(err.why)) {
        engine_trouble(l->e, &err);
        return false;
    }
    log_warn("request.unsure", "what was deleted in OMERO is not tried again", LOG_STR("path", q->path), LOG_ERR(&err));
    return true;
}

static int take_requests(struct loop *l, struct err *err)
{
    for (;;) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct ledger_request *q;
        int r = ledger_request_next(l->e->ledger, a, &q, err);

        if (r != 0)
            return r < 0 ? -1 : 0;
        if (!ask_deleted(l, q))
            return 0;
        if (ledger_request_take(l->e->ledger, a, &q, err) < 0)
            return -1;
        if (q->verb == LEDGER_VERB_RETRY)
            roots_open(&l->roots, q->path);
        log_info("request.taken", q->answer, LOG_STR("verb", ledger_verb_name(q->verb)),
                 LOG_STR("path", q->path ? q->path : "all"));
        engine_look_again(l->e);
    }
}

/* ---- the loop ---- */

static bool look_is_due(struct loop *l, bool *all)
{
    *all = l->e->look_again && (!l->e->job->until_idle || l->looks_again < LOOKS_AGAIN);
    l->looks_again += *all;
    l->e->look_again = false;
    return *all || roots_due(&l->roots);
}

static bool is_soon(const struct loop *l, int64_t due_ms)
{
    return due_ms != 0 && due_ms - clock_wall_ms() < PATIENCE_MS && clock_mono_ns() - l->e->worked_ns < CALM_S * NS_PER_S;
}

static bool is_idle(const struct loop *l)
{
    return all_free(l->e) && !roots_settling(&l->roots) && !is_soon(l, l->due_ms) && !is_soon(l, l->due_card_ms) &&
           !l->e->look_again;
}

/* A ledger that takes nothing just now: a service waits that out as it does a server that is away. */
static bool is_passing(enum reason why)
{
    return why == REASON_DISK_FULL || why == REASON_BUSY;
}

/* For those who look at the ledger; when it cannot be written, they see that. */
static void show_trouble(struct loop *l, const struct err *why)
{
    struct err ignored = ERR_INIT;

    if (ledger_trouble_set(l->e->ledger, why, &ignored) == 0)
        l->in_trouble = why != NULL;
}

/* After handing out: it worked again, or nothing is left that would show whether it does. */
static void look_past_trouble(struct loop *l)
{
    bool over = l->e->troubles == 0 || (all_free(l->e) && l->due_ms == 0 && l->due_card_ms == 0);

    if (l->in_trouble && over)
        show_trouble(l, NULL);
}

static int endure(struct loop *l, struct err *err)
{
    struct engine *e = l->e;

    if (e->job->until_idle || !is_passing(err->why))
        return -1;
    e->trouble = *err;
    e->troubles++;
    return 0;
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
    if (is_passing(e->trouble.why)) {
        l->ledger_until_ms = l->pause_until_ms;
        l->unreleased = true;
    }
    log_warn("engine.paused", "all work waits", LOG_ERR(&e->trouble), LOG_INT("s", (l->pause_until_ms - clock_wall_ms()) / 1000));
    show_trouble(l, &e->trouble);
    e->trouble.why = REASON_NONE;
    return false;
}

/* Rows that stayed claimed are handed out again once nobody works. */
static int reclaim(struct loop *l, struct err *err)
{
    if (!l->unreleased || !all_free(l->e))
        return 0;
    if (ledger_unclaim(l->e->ledger, err) < 0)
        return -1;
    l->unreleased = false;
    l->n_aside = l->n_aside_cards = 0;
    return 0;
}

static void tell_sessions(struct loop *l)
{
    int64_t n = sessions_open(l->e->sessions);

    if (n != l->n_sessions)
        engine_tell(l->e, &(struct engine_event){.what = ENGINE_SESSIONS, .n = n});
    l->n_sessions = n;
}

static void rest(struct loop *l)
{
    struct engine *e = l->e;
    int64_t now = clock_wall_ms();
    bool deaf = now < l->ledger_until_ms; /* news cannot be taken in */
    struct pollfd fds[] = {{.fd = e->wake, .events = POLLIN}, {.fd = deaf ? -1 : roots_fd(&l->roots), .events = POLLIN}};
    uint64_t ignored;

    pthread_mutex_unlock(&e->mutex);
    if (now - l->tidied_ms > TIDY_EVERY_MS) {
        l->tidied_ms = now;
        sessions_tidy(e->sessions);
    }
    tell_sessions(l);
    if (poll(fds, ARRAY_LEN(fds), (int)clock_real_ms(deaf ? TICK_MS : roots_rest_ms(&l->roots, TICK_MS))) > 0)
        (void)!read(e->wake, &ignored, sizeof(ignored));
    pthread_mutex_lock(&e->mutex);
}

/* Other settings than a moment ago: other roots, perhaps.  What is under way goes on. */
static void renew(struct loop *l)
{
    struct engine *e = l->e;
    struct roots found;
    struct err err = ERR_INIT;

    if (!e->job->renewed || !atomic_exchange(e->job->renewed, false))
        return;
    sessions_renew(e->sessions, e->job->settings);
    placing_renew(e);
    l->pause_until_ms = 0; /* a new password is tried at once */
    if (roots_find(&found, e, l->a, &err) < 0) {
        roots_clear(&found);
        log_warn("roots.kept", "the directory trees stay those of before", LOG_ERR(&err));
        return;
    }
    roots_clear(&l->roots);
    l->roots = found;
    l->roots.renewed = true;
    release_aside(l); /* some may be meant now */
    engine_look_again(e);
}

static void beat(struct loop *l, int64_t within_s)
{
    if (l->e->job->beat)
        l->e->job->beat(l->e->job->arg, within_s);
}

/* Before the first file of a root goes out.  A server that is away is waited for. */
static int judge(struct loop *l, struct err *err)
{
    struct err why = ERR_INIT;

    if (clock_wall_ms() < l->pause_until_ms || roots_judge(&l->roots, &why) == 0 || engine_is_stopped(l->e))
        return 0;
    if (why.why == REASON_LEDGER || is_passing(why.why)) {
        *err = why;
        return -1;
    }
    engine_trouble(l->e, &why);
    return 0;
}

/* What is done without the mutex: nothing of it is the workers'. */
static int take_news(struct loop *l, struct err *err)
{
    bool all, due;

    renew(l);
    roots_hear(&l->roots);
    if (take_requests(l, err) < 0)
        return -1;
    pthread_mutex_lock(&l->e->mutex);
    due = look_is_due(l, &all);
    pthread_mutex_unlock(&l->e->mutex);
    if (due)
        beat(l, LOOK_WITHIN_S);
    return due && roots_look(&l->roots, all, err) < 0 ? -1 : judge(l, err);
}

static int turn(struct loop *l, bool *over, struct err *err)
{
    struct engine *e = l->e;
    int r = 0;

    *over = engine_is_stopped(e);
    if (*over)
        return 0;
    if (is_blocked(l, err))
        return -1;
    pthread_mutex_unlock(&e->mutex);
    beat(l, TURN_WITHIN_S);
    if (clock_wall_ms() >= l->ledger_until_ms)
        r = take_news(l, err);
    pthread_mutex_lock(&e->mutex);
    if (r == 0 && e->trouble.why == REASON_NONE && clock_wall_ms() >= l->pause_until_ms && (r = reclaim(l, err)) == 0 &&
        (r = hand_out(l, err)) == 0)
        look_past_trouble(l);
    if (r < 0)
        r = endure(l, err);
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

static int hurry_cards(struct loop *l, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_dataset *list;
    size_t n = 0;

    if (ledger_datasets(l->e->ledger, true, a, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct err why = ERR_INIT;

        if (list[i].retry_ms == CLOCK_NEVER)
            continue;
        err_set(&why, list[i].why, 0, "%s", list[i].text);
        if (ledger_dataset_wait(l->e->ledger, list[i].id, &why, clock_wall_ms(), err) < 0)
            return -1;
    }
    return 0;
}

/* A person who says `import` again does not want to wait for what failed before: it is due now. */
static int hurry(struct loop *l, struct err *err)
{
    for (size_t i = 0; i < l->roots.n; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct engine_place *p = &l->roots.at[i].place;
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
    return hurry_cards(l, err);
}

static int run_all(struct loop *l, struct err *err)
{
    if (roots_find(&l->roots, l->e, l->a, err) < 0 || (l->e->job->until_idle && hurry(l, err) < 0))
        return -1;
    show_trouble(l, NULL);
    beat(l, LOOK_WITHIN_S);
    if ((roots_look(&l->roots, true, err) < 0 && endure(l, err) < 0) || start_workers(l->e, err) < 0)
        return -1;
    return run_loop(l, err);
}

int engine_run(const struct engine_job *job, struct err *err)
{
    AUTO(mem_freep) char *known = mem_printf("%s/known_servers", job->settings->state_dir);
    struct om_trust trust = OM_TRUST_INIT;
    struct engine e = {.job = job, .ledger = job->ledger, .makers = KEYLOCKS_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER,
                       .telling = PTHREAD_MUTEX_INITIALIZER, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct loop l = {.e = &e, .a = arena_new()};

    e.worked_ns = clock_mono_ns();
    e.began_ms = clock_wall_ms();
    reach_trust(job->settings, known, &trust);
    trust.ask = job->ask;
    trust.ask_arg = job->arg;
    e.sessions = sessions_new(job->settings, &trust, job->stop);
    int r = e.wake < 0 ? err_set(err, REASON_BUG, errno, "make an eventfd") : run_all(&l, err);

    end_workers(&e);
    trials_clear(&e.trials);
    free(e.vouched);
    release_aside(&l);
    free(l.aside);
    free(l.aside_cards);
    sessions_close(e.sessions);
    roots_clear(&l.roots);
    io_closep(&e.wake);
    arena_free(l.a);
    return r;
}
