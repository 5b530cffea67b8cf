/* All that `impomero status` and the API's status show, read at one go. */
#pragma once

#include "shape/problems.h"

struct status {
    const char *state_dir;
    bool there;    /* false: there is no ledger */
    char who[128]; /* "" = no engine works on it */
    char uuid[UUID_TEXT];
    const struct ledger_root *roots;
    size_t n_roots;
    const struct ledger_count *counts;
    size_t n_counts;
    const struct ledger_fileset *busy, *stuck; /* under way (with a path: all others); waiting and held */
    size_t n_busy, n_stuck;
    struct problems problems;
    bool more; /* some lists were cut */
};

struct status_ask {
    const char *state_dir;
    const char *path; /* absolute: this file, or what lies below this directory; NULL: all */
    size_t max;       /* items of each list; 0: all */
    size_t members_max; /* files of each fileset; 0: all */
};

/* Of an open ledger; NULL: there is none.  In the arena. */
int status_read(struct ledger *l, const struct status_ask *ask, struct arena *a, struct status *out, struct err *err);

/* The object of doc/schema/status.json. */
json_t *status_json(const struct status *s) ATTR_MUST_USE;
