/* One look at a root: snapshot, cards, groups and plan together. */
#pragma once

#include "engine/plan.h"

struct look {
    char *path; /* absolute and canonical */
    struct tree *tree;
    struct cards cards;
    struct format_groups *groups;
    struct plan plan;
};

/* -1: as tree_scan and format_group_tree. */
int look_at(const char *path, struct look **out, struct err *err);
void look_free(struct look *l); /* NULL is fine */
void look_freep(struct look **l);
