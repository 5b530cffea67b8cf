/* One look at a root: snapshot, cards, groups and plan together. */
#pragma once

#include "engine/plan.h"
#include "engine/settings.h"
#include "format/helper.h"
#include "format/memory.h"

/* How to look; zeros are fine. */
struct look_rules {
    struct naming names; /* templates */
    const struct root_settings *set; /* of it, the policy and where links may lead; NULL: any, nowhere */
    struct format_choice choice;
    struct format_helper helper;
    const struct format_memory *memory;
};

struct look {
    char *path; /* absolute and canonical */
    struct tree *tree;
    struct cards cards;
    struct format_groups *groups;
    struct plan plan;
    char *helper_text; /* why the grouping helper could not be asked; NULL: it was, or there is none */
    struct look_rules rules;
};

void look_rules_of(const struct root_settings *set, const struct settings *s, struct look_rules *out);

/* -1: as tree_scan_into, policy_of and format_group_tree.  rules NULL: none. */
int look_at(const char *path, const struct look_rules *rules, struct look **out, struct err *err);
void look_free(struct look *l); /* NULL is fine */
void look_freep(struct look **l);
