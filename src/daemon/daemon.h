/* The service: the engine's loop beside a thread that keeps it.
 *
 * The keeper takes the signals, speaks to the service manager and reads the settings anew:
 *   SIGTERM, SIGINT   stop in order; what is under way goes on at the next start.  After DAEMON_STOP_S the program ends anyway:
 *                     all that is known is in the ledger
 *   SIGHUP            read the settings again; wrong ones are logged and the old ones stay
 * To the service manager ($NOTIFY_SOCKET; without one all of it is silent) go READY=1 once the ledger is open and the roots are
 * known, STATUS=, RELOADING=1 with MONOTONIC_USEC= and READY=1 around a reload, STOPPING=1, and WATCHDOG=1 as often as
 * $WATCHDOG_USEC asks for, as long as the engine's loop keeps what it promised (engine_job.beat). */
#pragma once

#include "engine/engine.h"

#define DAEMON_STOP_S 60 /* below TimeoutStopSec of the unit */

struct daemon_job {
    const struct settings *settings; /* borrowed, to begin with */
    int (*load)(void *arg, struct settings *out, struct err *err); /* read them anew */
    void *arg;
    struct ledger *ledger; /* open for LEDGER_ENGINE */
    const char *const *dirs;
    size_t n_dirs; /* 0: all roots of the settings */
};

/* Keep the signals for daemon_run(), and log to the journal where standard error goes there; early, before threads. */
void daemon_prepare(void);

/* Work until a signal ends it.  -1: as engine_run(). */
int daemon_run(const struct daemon_job *job, struct err *err);
