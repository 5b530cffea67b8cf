/* What keeps paths from being imported or cards from being followed, as the ledger has it: for `status`, the
 * API and the end of `import`. */
#pragma once

#include "shape/shape.h"

struct problems {
    const struct shape_problem *at; /* cards, then datasets, then files */
    size_t n;
    bool more; /* some lists were cut */
};

struct problems_ask {
    const char *const *paths; /* absolute: this file, or what lies below this directory */
    size_t n_paths;           /* 0: all */
    bool unfinished; /* files that are not done for whatever reason, but for those of which the card's own problem says enough */
    char *(*blocked_text)(const char *card); /* with it: the text of a file whose card cannot be used; owned by the caller */
    size_t max;       /* of each kind; 0: all */
    int64_t since_ms; /* ones that are gone are left out, but for those that were still worked on then */
};

/* In the arena. */
int problems_read(struct ledger *l, const struct problems_ask *ask, struct arena *a, struct problems *out, struct err *err);

/* A page of all of them, what needs a person first; `after` is the `*next` of the page before (NULL: the first page), and
 * `*next` NULL when nothing is left.  REASON_USAGE: `after` is none. */
int problems_page(struct ledger *l, const char *after, size_t max, struct arena *a, struct problems *out, const char **next,
                  struct err *err);

/* "root/path" in a form that can be shown, with ":line" where there is one. */
char *problem_where(const struct shape_problem *p) ATTR_MUST_USE;
