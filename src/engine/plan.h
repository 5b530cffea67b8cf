/* The planner: a snapshot, its groups of files and its cards -> what should be in OMERO.  Pure: no network, no clock, no file is
 * opened; the same three always give the same plan.  The rules are the mapping rules (ARCHITECTURE.md, "From files to OMERO").
 *
 * Everything points into the tree, the groups and the cards, which must outlive the plan. */
#pragma once

#include "engine/cards.h"
#include "engine/naming.h"
#include "format/choice.h"

/* What a card's directory becomes: a dataset for its images, a screen for its plates. */
struct plan_target {
    const char *dir;  /* of the card; "" is the root */
    bool screen;
    const char *name; /* as shown in OMERO; not the identity, which is the directory */
    const struct found_card *card;
    size_t n_filesets; /* that may be imported */
};

struct plan_fileset {
    struct format_group group;
    const char *path; /* of the target file */
    const char *name; /* of the image; NULL when held before it was known */
    size_t target;    /* index into targets; SIZE_MAX = none */
    const struct found_card *card; /* the one that applies, or keeps it from being imported; NULL never */
    enum reason why;  /* REASON_NONE: to be imported; else held, or waiting where the reason's class says so */
    const char *text; /* "" or why, for people */
};

/* What is kept of one: a hundred thousand of them are to be held at once. */
struct plan_kept {
    uint32_t group;      /* index into the groups */
    uint32_t of;         /* index into targets, of one that is held into held_texts */
    enum reason why : 8;
};

/* What is left out: no image, no card, hidden, a link ... */
struct plan_skip {
    const char *path;
    enum reason why;
    const char *text;
};

struct plan {
    const char *root_name; /* the name of the root directory */
    struct naming names;
    struct plan_target *targets; /* by directory, dataset before screen */
    size_t n_targets;
    struct plan_kept *filesets; /* by path of the target, those that are held too: see plan_fileset_at */
    size_t n_filesets;
    const char **held_texts;
    size_t n_held;
    struct plan_skip *skips; /* by path */
    size_t n_skips;
    const struct format_groups *groups;
    const struct cards *cards;
    const struct format_choice *choice; /* of the root */
    const struct tree *tree;
    struct arena *arena;
};

/* `root_name`: the last part of the root's absolute path; the name of the dataset of a card in the root itself.  `choice` is the
 * root's; a card makes its own for its directory on top.  `names` NULL: the seed's. */
void plan_make(const struct tree *tree, const struct format_groups *groups, const struct cards *cards,
               const struct format_choice *choice, const char *root_name, const struct naming *names,
               struct policy *policy, struct plan *out);
void plan_clear(struct plan *p);

/* Fileset number i, whose name is made in the arena. */
void plan_fileset_at(const struct plan *p, size_t i, struct arena *a, struct plan_fileset *out);

/* Is a file of that name in the directory of a path, or further up? */
bool plan_is_ready(const struct tree *tree, const char *name, const char *path);

/* Of all its members. */
int64_t plan_fileset_bytes(const struct plan_fileset *f);

/* What is said of files that no card applies to because of this one: "the card 'x' cannot be used". */
char *plan_blocked_text(const char *card_path) ATTR_MUST_USE;
