/* What keeps paths from being imported or cards from being followed, as the ledger has it: for `status` and the end of `import`. */
#pragma once

#include "cli/shape.h"

struct problems {
    const struct shape_problem *at; /* cards, then datasets, then files */
    size_t n;
};

/* All of them, or those of an absolute path: this file, or what lies below this directory.  In the arena. */
int problems_read(struct ledger *l, const char *path, struct arena *a, struct problems *out, struct err *err);

/* "root/path" in a form that can be shown, with ":line" where there is one. */
char *problem_where(const struct shape_problem *p) ATTR_MUST_USE;
