/* The drivers: one a family of formats.  Private to the room.
 *
 * First every file is looked at and belongs to the first driver of format_drivers[] that detects it.  Then the drivers, in the
 * same order, make groups of their files: masters before members, and whoever comes first takes the file. */
#pragma once

#include "format/format.h"
#include "format/look.h"

/* What a driver says of a file while it is open. */
struct format_verdict {
    enum reason why;    /* REASON_NONE: nothing speaks against an import */
    const char *text;   /* for people, NULL for none; in the arena or constant */
    const char *format; /* as in format_group */
    const char *reader; /* simple or full class names are both constant; NULL when unknown */
    const void *facts;  /* the driver's own, in the arena */
};

struct format_file {
    const struct tree_entry *entry;
    const struct format_driver *driver; /* NULL: nobody wants it */
    struct format_verdict said;
    bool taken; /* is in a group */
};

struct format_scene {
    const struct tree *tree;
    struct format_file *files; /* in the tree's order: files of a directory are neighbours */
    size_t n_files;
    struct arena *arena;
    struct format_group *groups;
    size_t n_groups, cap_groups;
};

struct format_driver {
    const char *name;
    /* Is this file mine?  On false `said->text` may say why not, when the file looks as if it ought to be. */
    bool (*detect)(struct format_look *look, struct format_verdict *said);
    /* Make the group of this file, which is not taken; NULL: the file alone.  May leave it for `leftover`. */
    void (*group)(struct format_scene *scene, struct format_file *file);
    /* Called for the files that are left when all groups of this driver were made; NULL: the file alone. */
    void (*leftover)(struct format_scene *scene, struct format_file *file);
};

extern const struct format_driver *const format_drivers[]; /* NULL at the end */

/* For drivers that need no open file: known by the name alone.  They are asked first, and their files stay closed. */
bool format_name_is_temporary(const char *name);

/* A group under way.  Members that are taken already are left out. */
struct format_set {
    struct format_scene *scene;
    struct format_file **members;
    size_t n, cap;
    struct format_file *shared;
};

void set_begin(struct format_set *set, struct format_scene *scene);
void set_add(struct format_set *set, struct format_file *file); /* once; NULL is fine */
void set_share(struct format_set *set, struct format_file *file); /* one, though another group has it; NULL is fine */
void set_end(struct format_set *set, const struct format_verdict *verdict, bool plate); /* frees; takes the members */
void group_alone(struct format_scene *scene, struct format_file *file);

/* The file at a path of the tree, or NULL: absent, ignored, or no file. */
struct format_file *scene_find(const struct format_scene *scene, const char *path);

/* The file of a name relative to the directory of `beside`, NULL when there is none.  Parts "." and ".." are resolved; a name
 * that is absolute, or that leads out of the root, is no file. */
struct format_file *scene_beside(const struct format_scene *scene, const struct format_file *beside, const char *name);

/* The index of the first file that does not stand before a path in the tree's order.  "dir/" gives the first file of a directory:
 * its files, and then those of its subdirectories, follow one another. */
size_t scene_from(const struct format_scene *scene, const char *path);

/* The name without its last suffix: bytes of it. */
size_t stem_length(const char *name);
