/* Which files make a fileset: drivers, one a family, asked in one order of particularity.
 *
 * A driver looks at a file by what was read of it once (format_file below) and either claims it, with all members of its set,
 * or says why not.  Files that no driver claims come out with a reason; nothing is dropped without a word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "format/names.h"
#include "tree/tree.h"

/* What became of the files of one set, or of one file that is left out.  A set that is left out is one group too. */
struct format_group {
    const struct tree_entry *const *members; /* the target first; borrowed from the tree */
    size_t n_members;
    const char *format;  /* "TIFF", "OME-TIFF", "Leica LIF" ...; "" when unknown */
    const char *reader;  /* Bio-Formats' class name: loci.formats.in.OMETiffReader; NULL when unknown */
    const char *text;    /* the driver's words, for people; "" for none */
    const struct format_name *missing; /* names that belong to it and have no file, the first FORMAT_MISSING_KEPT */
    size_t n_missing;    /* all of them */
    uint32_t n_shared;   /* the last ones, small companions, may be in other groups too */
    enum reason why : 8; /* REASON_NONE: importable; else why it is left out (UNKNOWN_FORMAT, DEFERRED, BROKEN_FILE ...) */
    bool plate;
    bool tolerated;      /* INCOMPLETE, but Bio-Formats would import it and leave the missing planes black */
    bool unknown;        /* left out, and no error to the official importer either */
    bool helped;         /* by the word of the grouping helper (helper.h) */
    bool by_name;        /* DEFERRED because only its name says what it is */
};

enum { FORMAT_MISSING_KEPT = 20 };

struct format_verdict;

/* A group as it is kept: a tree of a hundred thousand files holds mostly lone ones, of which the same is said. */
struct format_kept {
    const struct tree_entry *target;
    const struct format_verdict *said; /* of a lone file to which nothing else belongs; else NULL */
    const struct format_group *set;    /* of all others */
};

struct format_groups {
    const struct format_kept *at; /* sorted by target path */
    size_t n;
};

/* One of them; it points into the groups. */
struct format_group format_group_at(const struct format_groups *groups, size_t i);

struct format_memory;

struct format_options {
    bool (*ignore)(void *arg, const struct tree_entry *e); /* cards, marker files; NULL: none */
    void *arg;
    bool official;  /* the official importer's outcome, where it has several the most complete one */
    unsigned depth; /* files deeper than this (1: those of the root) can only be members; 0: no limit */
    const struct format_memory *memory; /* what is known of files that have not changed; NULL: nothing */
};

/* Group all files of a snapshot: entries that are TREE_FILE with skip REASON_NONE, but for those that are ignored.  Opens each
 * file at most once.  Never fails for a file's sake: a file that cannot be read is a group with its reason.  options NULL:
 * none. */
int format_group_tree(const struct tree *tree, const struct format_options *options, struct format_groups **out, struct err *err);

/* What the official importer says of files that are left out: "unknown", "error", "dropped" ... */
const char *format_official_word(const struct format_group *g);

/* How a format is dealt with. */
enum format_way {
    FORMAT_NATIVE,  /* recognised and grouped here */
    FORMAT_HELPER,  /* left to Bio-Formats: deferred unless grouping.helper is set */
    FORMAT_BY_NAME, /* only its name says what it is: deferred unless the root's `formats` names it */
};

/* One format of a driver: the page of formats is made of these. */
struct format_about {
    const char *format, *reader; /* reader NULL: not decided here */
    const char *names;           /* suffixes or patterns of names; NULL: any name */
    const char *told;            /* what it is told by, or what belongs to it */
    enum format_way way;
};

/* Every format of every driver, in the order in which they are asked. */
void format_each(void (*take)(void *arg, const struct format_about *about), void *arg);

/* Who is asked about one file, in order, and what each says: the format for the one that has it and ends it, else why not. */
int format_ask(const struct tree *tree, const struct tree_entry *e,
               void (*take)(void *arg, const char *driver, bool has_it, const char *text), void *arg, struct err *err);

void format_groups_free(struct format_groups *g); /* NULL is fine */
void format_groups_freep(struct format_groups **g);
