/* The engine: what carries the files of directory trees into OMERO, and keeps doing so.
 *
 * One engine per ledger.  The calling thread looks at the trees, hands out work and closes idle sessions; N workers
 * (settings.workers) each take one fileset or one changed card at a time, on a connection of their own.  All that is known is in
 * the ledger, so the engine may end at any moment and go on at its next start. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/settings.h"
#include "ledger/ledger.h"
#include "omero/trust.h"

enum engine_what {
    ENGINE_LOOKED,    /* a root was looked at; `counts` */
    ENGINE_ROOT_AWAY, /* it could not be: `path`, `err`; nothing is concluded from that */
    ENGINE_SETTLING,  /* some files have not been quiet for long enough: `ms` to wait */
    ENGINE_BEGIN,     /* a worker took a fileset, and has the session for it */
    ENGINE_LEFT,      /* it let go of it, whatever came of it */
    ENGINE_BYTES,     /* `bytes` of it have been sent since the last word */
    ENGINE_RUNNING,   /* all was sent; the server imports */
    ENGINE_DONE,      /* `images` are in OMERO, in `dataset` */
    ENGINE_STUCK,     /* it waits or is held: `err` */
    ENGINE_FOLLOWED,  /* `dataset` and its images carry what the card says now */
    ENGINE_BEHIND,    /* they do not: `err` */
    ENGINE_WATCHED,   /* changes of a root are told (`text` NULL), or it is looked at now and then, for that reason */
    ENGINE_SESSIONS,  /* `n` sessions of users are open */
};

/* Only the members that the word needs are set.  All of it is borrowed. */
struct engine_event {
    enum engine_what what;
    const char *path, *text;
    const struct ledger_synced *counts;
    int64_t ms, bytes, n;
    const struct ledger_fileset *fileset;
    const struct ledger_dataset *dataset;
    const struct ledger_image *images;
    size_t n_images;
    const struct err *err;
};

struct engine_job {
    const struct settings *_Atomic settings; /* may be replaced; what was there before must outlive the run */
    atomic_bool *renewed;                    /* NULL, or set by whoever replaced them: the loop takes the new roots */
    struct ledger *ledger; /* open for LEDGER_ENGINE */
    const char *const *dirs; /* to look at; one that lies in a known root is part of it, else it becomes a root */
    size_t n_dirs;           /* 0: all roots of the settings */
    bool until_idle;         /* end when nothing is left to do now (`import`); else go on for ever (the service) */
    atomic_bool *stop;       /* set by a signal handler: end soon, leave all as it is */
    void (*tell)(void *arg, const struct engine_event *event); /* NULL, or called by one thread at a time */
    void (*beat)(void *arg, int64_t within_s); /* NULL, or: the loop lives; it beats again within so many seconds */
    bool (*ask)(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known); /* om_trust.ask */
    void *arg;
};

/* Work.  0: until idle, or stopped.  -1: the server or the ledger stands in the way of all work (REASON_NO_SERVER, _CERTIFICATE,
 * _LOGIN, _LEDGER, _CONFIG for roots within one another ...); what was not done is in the ledger, as it was.
 * With until_idle a server that is away ends the run; the service tries again. */
int engine_run(const struct engine_job *job, struct err *err);

/* The root that a directory belongs to (canonical absolute path): a configured one, one that the ledger knows, or itself.
 * `path` and `name` are in the arena; `only` is the part below the root, "" for all of it. */
struct engine_place {
    const char *name, *path, *only;
    struct root_settings set;
    const struct settings *settings; /* borrowed */
};
int engine_place(const struct settings *s, struct ledger *l, const char *dir, struct arena *a, struct engine_place *out,
                 struct err *err);
