#include "daemon/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* only wakes the keeper */
}

void daemon_prepare(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    fill_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    journal_start();
}

/* ---- what the engine calls ---- */

static void on_event(void *arg, const struct engine_event *event)
{
    struct daemon *d = arg;

    teller_event(d->teller, event);
    shown_event(d, event);
    switch (event->what) {
    case ENGINE_BEGIN:
        atomic_fetch_add(&d->n_working, 1);
        break;
    case ENGINE_LEFT:
        atomic_fetch_sub(&d->n_working, 1);
        break;
    case ENGINE_DONE:
        atomic_fetch_add(&d->n_done, 1);
        break;
    case ENGINE_STUCK:
        atomic_fetch_add(&d->n_stuck, 1);
        break;
    default:
        break;
    }
}

static void on_beat(void *arg, int64_t within_s)
{
    struct daemon *d = arg;

    atomic_store(&d->alive_until_ns, clock_after_ns(within_s * NS_PER_S));
    shown_beat(d, within_s);
    notify_ready(d);
}

/* ---- beginning and end ---- */

static const struct settings *settings_now(void *arg)
{
    return ((struct daemon *)arg)->engine.settings;
}

static int64_t ping_every_ns(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)(us / 3) * 1000 : 0;
}

static void clear(struct daemon *d)
{
    while (d->read) {
        struct generation *g = d->read;

        d->read = g->before;
        settings_clear(&g->settings);
        free(g);
    }
}

int daemon_run(const struct daemon_job *job, struct err *err)
{
    struct daemon d = {.job = job, .ping_every_ns = ping_every_ns()};
    int r;

    d.engine = (struct engine_job){.settings = job->settings, .renewed = &d.renewed, .ledger = job->ledger, .dirs = job->dirs,
                                   .n_dirs = job->n_dirs, .stop = &d.stop, .tell = on_event, .beat = on_beat, .arg = &d};
    fill_signals(&d.signals);
    r = pthread_create(&d.keeper, NULL, keeper_main, &d);
    if (r != 0)
        return err_set(err, REASON_BUG, r, "start the thread that takes signals");
    d.teller = teller_new(settings_now, &d, job->ledger);
    shown_start(&d);
    r = engine_run(&d.engine, err);
    web_stop(d.web);
    teller_free(d.teller);
    atomic_store(&d.ended, true);
    pthread_kill(d.keeper, SIGUSR1);
    pthread_join(d.keeper, NULL);
    clear(&d);
    return r;
}
