/* The thread that keeps the engine: signals, reloads, the watchdog, the end. */
#include "daemon/inside.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { TICK_MS = 250 };

/* ---- reload ---- */

/* What needs a restart is told apart by what the program began with. */
static void say_taken(const struct settings *first, const struct settings *now)
{
    AUTO(mem_freep) char *restart = settings_need_restart(first, now);

    log_most((enum log_level)log_level_named(now->log_level));
    if (restart)
        log_warn("daemon.restart-needed", "the rest holds now; these are taken at the next start", LOG_STR("keys", restart));
    log_info("daemon.reloaded", NULL, LOG_INT("roots", (int64_t)now->n_roots));
}

static void reload(struct daemon *d)
{
    struct generation *g = mem_new(1, sizeof(*g));
    struct err err = ERR_INIT;

    notify_reloading();
    if (d->job->load(d->job->arg, &g->settings, &err) < 0) {
        log_error("daemon.reload-refused", "the old configuration holds", LOG_ERR(&err), LOG_STR("hint", err_hint_text(&err)));
        free(g);
        notify_reloaded(err.text);
        return;
    }
    g->before = d->read;
    d->read = g;
    say_taken(d->job->settings, &g->settings);
    d->engine.settings = &g->settings;
    atomic_store(&d->renewed, true);
    notify_reloaded(NULL);
}

/* ---- stop ---- */

static void stop(struct daemon *d, int number)
{
    if (d->cut_ns != 0)
        return;
    notify_stopping();
    log_info("daemon.stopping", "what is under way goes on at the next start", LOG_INT("signal", number));
    d->cut_ns = clock_after_ns(DAEMON_STOP_S * NS_PER_S);
    atomic_store(&d->stop, true);
}

/* All that is known is in the ledger: an end without the rest loses nothing. */
static void cut(const struct daemon *d)
{
    if (d->cut_ns == 0 || clock_mono_ns() < d->cut_ns)
        return;
    log_warn("daemon.cut", "what still runs is left, and goes on at the next start", LOG_INT("after_s", DAEMON_STOP_S));
    _exit(0);
}

/* ---- the thread ---- */

static int next_signal(const struct daemon *d)
{
    static const struct timespec tick = {.tv_nsec = TICK_MS * NS_PER_MS};

    return sigtimedwait(&d->signals, NULL, &tick);
}

void *keeper_main(void *arg)
{
    struct daemon *d = arg;

    while (!atomic_load(&d->ended)) {
        int number = next_signal(d);

        if (number == SIGHUP)
            reload(d);
        else if (number == SIGTERM || number == SIGINT)
            stop(d, number);
        notify_watchdog(d);
        if (d->cut_ns == 0)
            notify_status(d);
        cut(d);
    }
    return NULL;
}
