/* The scan with its ceilings as parameters, so that tests can reach them.  Private to the room. */
#pragma once

#include "tree/tree.h"

struct tree_limits {
    size_t entries;
    unsigned depth;
    size_t path; /* bytes */
    unsigned again; /* 0: links are not followed; else a directory on the way to itself is entered above this depth */
    const char *const *into; /* of tree_scan_into */
    bool names_only;         /* as tree_scan_names */
};

/* tree_scan_into() within other limits than those of ceilings.h; same contract. */
int tree_scan_within(const char *root, const struct tree_limits *limits, struct tree **out, struct err *err);

/* Open what the link `name` in `dir` leads to, with flags of open(2).  -1: errno; ELOOP when it leads elsewhere. */
int tree_follow(int dir, const char *name, const char *const *into, int flags);
