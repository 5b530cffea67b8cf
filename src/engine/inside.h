/* Inside the engine: what its files share.  Not for other rooms. */
#pragma once

#include <pthread.h>

#include "engine/engine.h"
#include "engine/keylock.h"
#include "engine/sessions.h"

struct worker;

/* What is known of the trials of a run (placing.h). */
struct trials {
    struct trial *at;
    size_t n, cap;
};

struct engine {
    const struct engine_job *job;
    struct ledger *ledger;
    struct sessions *sessions;
    struct keylocks makers; /* of projects, datasets and annotations, by user and group; of trials */
    struct trials trials;   /* of imports in place; held by makers' "trial" */
    pthread_mutex_t mutex;  /* of all below */
    int64_t began_ms;       /* wall time: what was sent before is of an earlier run */
    struct worker *workers;
    size_t n_workers;
    int64_t *vouched;       /* rows of datasets whose provenance was seen to name this ledger, in this run */
    size_t n_vouched, cap_vouched;
    bool ending;
    bool look_again;        /* a file changed under way: its stamps in the ledger are old */
    struct err trouble;     /* what concerns all work; REASON_NONE = nothing */
    int troubles;           /* in a row */
    int64_t worked_ns;      /* when more than a question about an earlier try was last done */
    pthread_mutex_t telling;
    int wake;               /* eventfd of the main thread: a worker is free, or something is wrong */
};

void engine_tell(struct engine *e, const struct engine_event *event);
bool engine_is_stopped(const struct engine *e);
/* For keep_on and progress: -1 with REASON_STOPPED when the engine is to end. */
int engine_keep_on(void *engine, struct err *err);
/* Something that concerns all work: the main thread decides. */
void engine_trouble(struct engine *e, const struct err *err);
void engine_well(struct engine *e); /* the server was there */
void engine_worked(struct engine *e); /* a fileset or card was worked on, well or not */
void engine_look_again(struct engine *e);

/* The two kinds of work; both run on a worker and leave the row in a state in the ledger. */
void work_fileset(struct engine *e, const struct ledger_fileset *f);
void work_card(struct engine *e, const struct ledger_dataset *d);

/* The name under which makers are locked. */
char *engine_maker(const struct session *s) ATTR_MUST_USE;
