/* What keeps paths from being imported or cards from being followed, as the ledger has it: for `status` and the end of
 * `import`. */
#pragma once

#include "cli/shape.h"

struct problems {
    const struct shape_problem *at; /* cards, then datasets, then files */
    size_t n;
};

struct problems_ask {
    const char *const *paths; /* absolute: this file, or what lies below this directory */
    size_t n_paths;           /* 0: all */
    bool unfinished; /* files that are not done for whatever reason, but for those of which the card's own problem says enough */
    int64_t since_ms; /* ones that are gone are left out, but for those that were still worked on then */
};

/* In the arena. */
int problems_read(struct ledger *l, const struct problems_ask *ask, struct arena *a, struct problems *out, struct err *err);

/* "root/path" in a form that can be shown, with ":line" where there is one. */
char *problem_where(const struct shape_problem *p) ATTR_MUST_USE;
