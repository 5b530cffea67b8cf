/* Families of sets: a master file that names, or stands for, the others.  One row each in set_rules.c.  Private to the room.
 *
 * The rows are Bio-Formats' readers, their order and what they take.  Where a row has no reader, the set is left to Bio-Formats:
 * all that may belong to it is deferred together, rather a file too many than one too few. */
#pragma once

#include "format/driver.h"

enum reach {
    NOWHERE,
    SAME_STEM,   /* x.ext beside x.master */
    STEM,        /* x_*.ext and x.ext beside x.master */
    PREFIX,      /* x*.ext beside x.anything */
    HERE,        /* its directory */
    BELOW,       /* its directory and all below */
    SUBDIR,      /* all below one subdirectory */
};

enum set_flags {
    SET_PLATE = 1,     /* makes a plate */
    SET_GAPS = 2,      /* named files may be missing: Bio-Formats leaves their planes black */
    SET_LEADS = 4,     /* any file of the reach leads the official importer to the master, named or not */
    SET_ONE = 8,       /* at least one of the named files must be there */
    SET_ANY_CASE = 16, /* names may differ in the case of letters */
    SET_ALL = 32,      /* everything in the reach belongs to it */
    SET_COMMON = 64,   /* such files are mostly something else: not worth a word without members */
    SET_PART = 256,      /* no master: only for what it names */
    SET_TIFF = 512,      /* a name that is not there may stand for one with another suffix of MetaMorph's */
    SET_FREE = 128,    /* when it cannot be, its members are images of their own to the official importer */
};

struct set_rule {
    const char *format, *reader; /* reader NULL: left to Bio-Formats */
    const char *name;     /* of the master, letters in any case; "*" only as its beginning */
    const char *content;  /* what the master's beginning must contain, letters in any case; NULL: nothing */
    size_t within;        /* so many bytes */
    /* The files that it names.  1: fine; 0: no such master after all; -1: it is broken, `*text` says how.  NULL: names none. */
    int (*read)(struct format_look *look, struct names *names, const char **text);
    unsigned flags;
    enum reach reach;     /* where its files lie, whether it names them or not */
    const char *suffixes; /* of those, "tif tiff"; NULL: all */
    const char *subdir;   /* for SUBDIR; "*" stands for the master's stem, "%" for its name */
    const char *openers;  /* suffixes of the members of which the first is the target; NULL: the master */
    void (*more)(struct format_set *set, struct format_file *master); /* members that no name tells; NULL: none */
    const char *told;     /* for people: what belongs to it */
};

extern const struct set_rule set_rules[];
extern const size_t n_set_rules;

/* The rule of a file that is a master of these, or NULL. */
const struct set_rule *set_rule_of(const struct format_file *file);
/* Take the files that a master names; what is not there is missing. */
void set_take_named(struct format_set *set, struct format_file *master);

/* set_text.c, set_xml.c, set_binary.c: readers of masters. */
int set_read_nd(struct format_look *look, struct names *names, const char **text);
int set_read_micro_manager(struct format_look *look, struct names *names, const char **text);
int set_read_vms(struct format_look *look, struct names *names, const char **text);
int set_read_ndpis(struct format_look *look, struct names *names, const char **text);
int set_read_pattern(struct format_look *look, struct names *names, const char **text);
int set_read_oif(struct format_look *look, struct names *names, const char **text);
int set_read_afi(struct format_look *look, struct names *names, const char **text);
int set_read_incell(struct format_look *look, struct names *names, const char **text);
int set_read_operetta(struct format_look *look, struct names *names, const char **text);
int set_read_prairie(struct format_look *look, struct names *names, const char **text);
int set_read_scanr(struct format_look *look, struct names *names, const char **text);
int set_read_xlef(struct format_look *look, struct names *names, const char **text);
int set_read_omp2info(struct format_look *look, struct names *names, const char **text);
int set_read_bdv(struct format_look *look, struct names *names, const char **text);
int set_read_pty(struct format_look *look, struct names *names, const char **text);
int set_read_lei(struct format_look *look, struct names *names, const char **text);
int set_read_zeiss(struct format_look *look, struct names *names, const char **text);
int set_read_hitachi(struct format_look *look, struct names *names, const char **text);
int set_read_mdb(struct format_look *look, struct names *names, const char **text);
int set_read_ultraview(struct format_look *look, struct names *names, const char **text);

/* oir.c: the files X_NNNNN of X.oir. */
void oir_take_parts(struct format_set *set, struct format_file *master);

/* set_more.c: members that no name tells. */
void set_more_micro_manager(struct format_set *set, struct format_file *master);
void set_more_oif(struct format_set *set, struct format_file *master);
void set_more_vsi(struct format_set *set, struct format_file *master);
void set_more_operetta(struct format_set *set, struct format_file *master);
void set_more_prairie(struct format_set *set, struct format_file *master);
void set_more_scanr(struct format_set *set, struct format_file *master);
void set_more_xlef(struct format_set *set, struct format_file *master);
void set_more_omp2info(struct format_set *set, struct format_file *master);
void set_more_pic(struct format_set *set, struct format_file *master);
void set_more_hitachi(struct format_set *set, struct format_file *master);
void set_more_visitech(struct format_set *set, struct format_file *master);
void set_more_mdb(struct format_set *set, struct format_file *master);
void set_more_zeiss(struct format_set *set, struct format_file *master);
