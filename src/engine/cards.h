/* The cards of a snapshot: every file that may be one, read and judged on its own, then against those beside it. */
#pragma once

#include "card/card.h"
#include "engine/policy.h"
#include "tree/tree.h"

/* One card file.  Files that are no cards after all are not in the list. */
struct found_card {
    const struct tree_entry *entry;
    char *dir;            /* its directory; "" is the root */
    struct card *card;    /* NULL when broken or unreadable */
    /* REASON_NONE: it may apply; else _BROKEN_CARD, _CONFLICT, _REFUSED, _TOO_LONG, _UNREADABLE, _GONE, _NOT_UTF8 ... */
    enum reason why;
    int line, column;     /* 0 = unknown */
    char *text, *hint;    /* what is wrong and how to mend it; "" */
    const struct found_card *other; /* the card that it contradicts */
    struct policy_owner owner; /* of the file that was read */
};

struct cards {
    struct found_card *at; /* sorted by directory, then by name */
    size_t n;
};

/* Read all cards of a snapshot.  Never fails for a card's sake. */
void cards_read(const struct tree *tree, struct policy *policy, struct cards *out);
void cards_clear(struct cards *c);

/* Judge what was read: cards that may not act for their user there (these contradict nobody), cards of one directory that
 * contradict each other, pairs that OMERO cannot store.  Pure but for the names of accounts; done by cards_read. */
void cards_judge(struct cards *c, const struct tree *tree, struct policy *policy);

/* The cards that decide about a directory: those of the nearest directory at or above it that has any.  `*n` is 0 without. */
const struct found_card *cards_near(const struct cards *c, const char *dir, size_t dir_len, size_t *n);

/* The one of them that applies, or NULL with the one that says why none does. */
const struct found_card *cards_apply(const struct found_card *near, size_t n, const struct found_card **blocked);

/* For format_group_tree: is this entry a card?  arg is a struct cards. */
bool cards_hold(void *arg, const struct tree_entry *e);
