/* Inside the service: what its files share.  Not for other rooms. */
#pragma once

#include <pthread.h>
#include <signal.h>

#include "daemon/daemon.h"
#include "daemon/tell.h"
#include "web/web.h"

/* Settings that were read while it ran; they live as long as the engine. */
struct generation {
    struct generation *before;
    struct settings settings;
};

struct daemon {
    const struct daemon_job *job;
    struct engine_job engine;
    struct generation *read;
    struct teller *teller;
    struct web *web; /* NULL: no page */
    atomic_bool stop, renewed, ended;
    atomic_bool ready;
    atomic_llong alive_until_ns;            /* monotonic: the loop's promise */
    atomic_llong n_working, n_done, n_stuck; /* filesets, since the start */
    pthread_t keeper;
    sigset_t signals;
    /* Only the keeper's: */
    int64_t ping_every_ns, pinged_ns; /* 0: no watchdog */
    int64_t cut_ns;                   /* when a stop has taken too long; 0: none was asked for */
    long long said[3];                /* of the last status */
};

/* The keeper's thread; `arg` is the daemon. */
void *keeper_main(void *arg);

/* The page, when the settings want one; a page that cannot be served keeps nobody from importing. */
void shown_start(struct daemon *d);
void shown_event(struct daemon *d, const struct engine_event *event);
void shown_beat(struct daemon *d, int64_t within_s);

/* The messages to the service manager. */
void notify_ready(struct daemon *d);
void notify_reloading(void);
void notify_reloaded(const char *why_not); /* NULL: the new settings hold */
void notify_stopping(void);
void notify_status(struct daemon *d); /* when it is another than the last one */
void notify_watchdog(struct daemon *d);

/* To the journal instead of standard error, with structured fields, when that is where standard error goes. */
void journal_start(void);
