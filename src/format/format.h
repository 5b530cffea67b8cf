/* Which files make a fileset: drivers, one a family, asked in one order of particularity.
 *
 * A driver looks at a file by what was read of it once (format_file below) and either claims it, with all members of its set,
 * or says why not.  Files that no driver claims come out with a reason; nothing is dropped without a word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tree/tree.h"

/* What became of the files of one set, or of one file that is left out.  A set that is left out is one group too. */
struct format_group {
    const struct tree_entry *const *members; /* the target first; borrowed from the tree */
    size_t n_members;
    bool last_shared;    /* the last one, a small companion, may be in other groups too */
    const char *format;  /* "TIFF", "OME-TIFF", "Leica LIF" ...; "" when unknown */
    const char *reader;  /* Bio-Formats' class name: loci.formats.in.OMETiffReader; NULL when unknown */
    bool plate;
    enum reason why;     /* REASON_NONE: importable; else why it is left out (UNKNOWN_FORMAT, DEFERRED, BROKEN_FILE ...) */
    const char *text;    /* the driver's words, for people; "" for none */
};

struct format_groups {
    const struct format_group *at; /* sorted by target path */
    size_t n;
};

/* Group all files of a snapshot (entries that are TREE_FILE with skip REASON_NONE, but for those that `ignore` names: cards,
 * marker files).  Opens each file at most once.  Never fails for a file's sake: a file that cannot be read is a group with its
 * reason. */
int format_group_tree(const struct tree *tree, bool (*ignore)(void *arg, const struct tree_entry *e), void *arg,
                      struct format_groups **out, struct err *err);

void format_groups_free(struct format_groups *g); /* NULL is fine */
void format_groups_freep(struct format_groups **g);
