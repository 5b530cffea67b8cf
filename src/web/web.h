/* The page: what impomero does, for people, for programs and for monitors.  Read-only.
 *
 *   /                    all well? what is under way, waits, is held, and who can do something about it
 *   /problems /cards /history /search /fileset?id=   the rest of it, in pages
 *   /api/v1/...          the same as JSON (doc/schema, served below /schema/)
 *   /metrics             OpenMetrics text
 *   /healthz /readyz     does work proceed; can it (200, or 503 with the reason)
 *
 * A thread of its own serves it, on a read-only connection to the ledger.  Only GET and HEAD; a `Host` that is none of ours is
 * refused, so is what another page's script asks for; where there is a token it is asked for everything.  Ceilings for
 * connections, sizes and times are in base/ceilings.h. */
#pragma once

#include "shape/health.h"

struct web;

struct web_job {
    const char *listen;             /* listen_parse */
    const char *token;              /* NULL: none is asked for */
    const char *const *hosts;       /* more names for `Host`; NULL: none */
    const char *omero_web;          /* NULL: no links into OMERO.web */
    const char *state_dir;
    const struct health_root *roots; /* that ought to be there and looked at in time */
    size_t n_roots;
};

/* All of the job is copied.  -1: REASON_CONFIG (the address is taken, or not ours), or the ledger's reasons. */
int web_start(const struct web_job *job, struct web **out, struct err *err);
void web_stop(struct web *w); /* NULL is fine */
int web_port(const struct web *w); /* that it listens on */

/* What the engine says, for progress, metrics and health.  From any thread; never waits for long. */
enum web_what {
    WEB_BEAT,     /* the loop comes round again within `n` seconds */
    WEB_LOOKED,   /* a root was looked at */
    WEB_WATCHED,  /* changes of the root `path` are told (`text` NULL), or why not */
    WEB_SESSIONS, /* `n` are open */
    WEB_BEGIN,    /* a worker took `fileset` */
    WEB_BYTES,    /* `n` bytes of it went out */
    WEB_RUNNING,  /* all of it did */
    WEB_DONE,     /* it is in OMERO, as `n` images */
    WEB_STUCK,    /* it is not: `why` */
    WEB_LEFT,     /* the worker let go of it */
};

struct web_news {
    enum web_what what;
    const char *path, *text;
    const struct ledger_fileset *fileset;
    enum reason why;
    int64_t n;
};
void web_tell(struct web *w, const struct web_news *news); /* w NULL: nobody listens */
