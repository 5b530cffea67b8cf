/* The drivers: one a family of formats.  Private to the room.
 *
 * First every file is looked at and belongs to the first driver of format_drivers[] that detects it.  Then the drivers, in the
 * same order, make groups of their files: masters before members, and whoever comes first takes the file. */
#pragma once

#include "format/format.h"
#include "format/look.h"
#include "format/names.h"

/* What a driver keeps of a file for the making of groups.  It must not point to anything but the arena and constants, and depend
 * on nothing but the file itself, its path and its bytes: a look at the same file may find it in the memory (memory.h). */
struct format_facts {
    uint16_t row;   /* of the driver's own table */
    uint16_t flags; /* the driver's own */
    uint64_t number;
    const char *text[2];              /* NULL: none */
    const struct format_names *names; /* NULL: none */
};

/* What a driver says of a file while it is open. */
struct format_verdict {
    const char *text;   /* for people, NULL for none; in the arena or constant */
    const char *format; /* as in format_group */
    const char *reader; /* the full class name; NULL when unknown */
    const struct format_facts *facts; /* in the arena */
    enum reason why : 8; /* REASON_NONE: nothing speaks against an import */
    bool plate;
    bool unknown;       /* left out, and the official importer would not call it an error either */
    bool by_name;       /* as in format_group */
};

struct format_file {
    const struct tree_entry *entry;
    const struct format_driver *driver; /* NULL: nobody wants it */
    const struct format_verdict *said;  /* one for all files of which the same is said; see file_says */
    bool taken;      /* is in a group */
    unsigned mark;   /* of the set that has it */
    unsigned number; /* of the set that has followed its names */
};

enum { FORMAT_SAID_SLOTS = 16 };

/* What was said of files, kept once for all of which the same is said; one for each thread. */
struct format_verdicts {
    struct arena *arena;
    const struct format_verdict *slots[FORMAT_SAID_SLOTS]; /* some of those that were kept; NULL: none yet */
};

struct format_scene {
    const struct tree *tree;
    struct format_file *files; /* in the tree's order: files of a directory are neighbours */
    size_t n_files;
    bool official;  /* as the official importer does it, also where that loses something */
    unsigned depth; /* files deeper than this can only be members; 0: no limit */
    struct arena *arena;
    uint32_t *folded; /* see scene_beside_any_case */
    size_t n_folded;
    struct first_of {
        size_t from;
        const char *suffixes;
        struct format_file *file;
    } first; /* the last answer of scene_first_of */
    struct format_kept *groups;
    size_t n_groups, cap_groups;
    unsigned marks;
    struct format_verdicts said;
};

struct format_driver {
    const char *name;
    const char *wants; /* what a file must have to be this driver's, for people */
    /* Is this file mine?  On false `said->text` may say why not, when the file looks as if it ought to be. */
    bool (*detect)(struct format_look *look, struct format_verdict *said);
    /* Make the group of this file, which is not taken; NULL: the file alone.  May leave it for `leftover`. */
    void (*group)(struct format_scene *scene, struct format_file *file);
    /* Called for the files that are left when all groups of this driver were made; NULL: the file alone. */
    void (*leftover)(struct format_scene *scene, struct format_file *file);
    /* Called when all groups of this driver were made; NULL: nothing to do. */
    void (*finish)(struct format_scene *scene);
    /* Its formats, i from 0 on; false: there are no more. */
    bool (*about)(size_t i, struct format_about *out);
};

extern const struct format_driver *const format_drivers[]; /* NULL at the end */

/* For drivers that need no open file: known by the name alone.  They are asked first, and their files stay closed. */
bool format_name_is_temporary(const char *name);

/* A group under way.  Members that are taken already are left out. */
struct format_set {
    struct format_scene *scene;
    struct format_file **members;
    size_t n, cap;
    struct format_file **shared;
    size_t n_shared, cap_shared;
    unsigned mark;
    struct names missing;  /* names without a file */
    bool tolerated;        /* the format can do without them */
    const char *doubt;     /* why only Bio-Formats can tell; NULL: there is none */
    const char *openers;   /* suffixes of the members of which the first is the target; NULL: the member that came first */
};

void set_begin(struct format_set *set, struct format_scene *scene);
void set_add(struct format_set *set, struct format_file *file); /* once; NULL is fine */
void set_share(struct format_set *set, struct format_file *file); /* though other groups have it; NULL is fine */
void set_miss(struct format_set *set, const char *name);
void set_end(struct format_set *set, const struct format_verdict *verdict); /* frees; takes the members */
void group_alone(struct format_scene *scene, struct format_file *file);

/* "a.tif, b.tif and 7 more are missing"; in the arena. */
const char *set_missing_text(const struct format_set *set);

/* The kept copy of a verdict. */
const struct format_verdict *verdict_keep(struct format_verdicts *verdicts, const struct format_verdict *v);

/* What is said of a file is changed; its facts stay where `said` has them. */
void file_says(struct format_scene *scene, struct format_file *file, struct format_verdict said);

/* The file at a path of the tree, or NULL: absent, ignored, or no file. */
struct format_file *scene_find(const struct format_scene *scene, const char *path);

/* The file of a name relative to the directory of `beside`, NULL when there is none.  Parts "." and ".." are resolved; a name
 * that is absolute, or that leads out of the root, is no file. */
struct format_file *scene_beside(const struct format_scene *scene, const struct format_file *beside, const char *name);

/* The same, but letters in any case where nothing has the name exactly. */
struct format_file *scene_beside_any_case(struct format_scene *scene, const struct format_file *beside, const char *name);

/* The first file, by name, of the directory of `beside` that has one of the suffixes "cfg env"; NULL: none. */
struct format_file *scene_first_of(struct format_scene *scene, const struct format_file *beside, const char *suffixes);

/* The index of the first file that does not stand before a path in the tree's order.  "dir/" gives the first file of a directory:
 * its files, and then those of its subdirectories, follow one another. */
size_t scene_from(const struct format_scene *scene, const char *path);

/* The files of the directory of `beside`: [*from, *to). */
void scene_directory(const struct format_scene *scene, const struct tree_entry *beside, size_t *from, size_t *to);

/* The name without its last suffix: bytes of it. */
size_t stem_length(const char *name);
/* Is the last suffix of a name one of "tif tiff"?  NULL: any name is. */
bool suffix_is_one_of(const char *name, const char *suffixes);
