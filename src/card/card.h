/* The annotation card: recognise, parse, check.  The rules are mapping rules 1, 2 and 12 (ARCHITECTURE.md, "Cards").
 *
 * Pure: bytes in, card out.  A card is text by a stranger: ceilings on size, depth and counts are in base/ceilings.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct card_pair {
    const char *key, *value; /* as text: see mapping rule 12 */
    int line;                /* of the key in the file, from 1 */
};

struct card {
    const char *project, *user; /* never blank */
    const char *title, *created, *group; /* NULL when absent; an empty group too */
    const char *comment;                 /* "" when absent */
    /* What of its directory is imported, as lists parted by semicolons (format/choice.h); NULL when absent. */
    const char *include, *exclude, *formats, *exclude_formats;
    const char *const *tags;             /* without empty and double ones, in the card's order */
    size_t n_tags;
    const struct card_pair *pairs; /* in the order of the file */
    size_t n_pairs;
    int project_line, user_line, group_line; /* 0 when absent */
    char sha256[65]; /* of what it means (all fields above but lines and choice): cards of equal content have equal ones */
};

/* What is wrong with a card, for people. */
struct card_fault {
    int line, column;   /* from 1, the column in characters; column 0 = unknown */
    char message[512];
    char hint[512];     /* how to mend it; may be empty */
    char source[256];   /* the offending line, made safe to show, cut; may be empty */
};

enum { CARD_NOT_A_CARD = 1, CARD_BROKEN = 2 };

/* Is this file name a card's?  ("*.toml", lower case, not beginning with a dot.) */
bool card_name_fits(const char *file_name);

/* 0 a card, owned by the caller · CARD_NOT_A_CARD · CARD_BROKEN with `*fault`.  Never fails otherwise. */
int card_parse(const void *bytes, size_t n, struct card **out, struct card_fault *fault);

void card_free(struct card *c); /* NULL is fine */
void card_freep(struct card **c);
