/* The roots of a run: looked at when somebody says so, when files may have settled, when something happened, and now and then. */
#pragma once

#include "engine/gate.h"
#include "tree/watch.h"

/* A root to look at, and which part of it is meant. */
struct root {
    struct engine_place place;
    int64_t id;        /* 0: it could not be looked at */
    bool first;        /* not the same root as one before it: several directories may lie in one */
    enum gate gate;    /* of the first one */
    bool looked;       /* since the gate was last asked */
    bool away;         /* it was not there at the last look, and that was said */
    int64_t settle_ms; /* wall: when what is settling may be ready; 0 = nothing is */
    /* Only of a run that goes on for ever; monotonic: */
    size_t watch;
    int64_t event_ms;  /* when to look because of what happened; 0 = nothing did */
    int64_t rescan_ms; /* when to look without a cause */
    int64_t rest_ms;   /* not before: looking is to take a small part of the time */
    const char *blind; /* why changes are not told; NULL */
    bool judged;       /* it was said whether they are */
};

struct roots {
    struct engine *e;
    struct watch *watch; /* NULL: the run ends when idle */
    struct root *at;
    size_t n;
    bool renewed; /* of settings that came while it ran: one that does not fit the ledger is away, and ends nothing */
};

/* The job's directories, or the configured roots; in the arena. */
int roots_find(struct roots *r, struct engine *e, struct arena *a, struct err *err);
void roots_clear(struct roots *r);

/* Look at those that are due, or at `all`.  A root that is away is told and not an error; -1 is the ledger's. */
int roots_look(struct roots *r, bool all, struct err *err);

/* What was looked at is let through, or held.  -1: OMERO cannot be asked, or the ledger does not answer. */
int roots_judge(struct roots *r, struct err *err);
/* A person said that what is below (or above) this path is to be imported, NULL: all; whatever OMERO has of it. */
void roots_open(struct roots *r, const char *path);

/* Take what the watcher has to say. */
void roots_hear(struct roots *r);
bool roots_due(const struct roots *r);
bool roots_settling(const struct roots *r);

/* How long nothing is due, at most `most` milliseconds. */
int64_t roots_rest_ms(const struct roots *r, int64_t most);
/* For poll(2) beside other things; -1 when what happens need not be heard now. */
int roots_fd(const struct roots *r);

/* Is this path of a root (by its row) meant, and let through?  A card also where only something below it is. */
bool roots_mean(const struct roots *r, int64_t root, const char *path, bool card);
