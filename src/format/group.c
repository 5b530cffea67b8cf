/* From a snapshot to groups: every file is looked at and asked about once, then the drivers make their sets in turn. */
#include "format/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "format/group.h"
#include "format/memory.h"

/* The answer with what holds it. */
struct owned_groups {
    struct format_groups groups;
    struct format_kept *at;
    struct arena *arena;
};

/* What is under way while files are asked about. */
struct asking {
    struct format_scene *scene;
    struct format_look *look;
    struct recollection *known;
    const struct format_names *last; /* list of names that was counted */
};

/* Lists of names that nobody shares are counted against the ceiling. */
static void count_names(struct asking *a, const struct format_file *file)
{
    const struct format_names *names = file->said->facts ? file->said->facts->names : NULL;

    if (!names || names == a->last)
        return;
    a->last = names;
    a->look->names_left -= names->n < a->look->names_left ? names->n : a->look->names_left;
}

/* The first driver that wants an open file has it. */
static void ask_drivers(struct format_scene *scene, struct format_file *file, struct format_look *look)
{
    const char *why_not = NULL;
    bool unknown = true;

    for (size_t i = 0; format_drivers[i]; i++) {
        struct format_verdict said = {.why = REASON_NONE};

        if (format_drivers[i]->detect(look, &said)) {
            file->driver = format_drivers[i];
            file_says(scene, file, said);
            return;
        }
        if (said.text) {
            why_not = said.text;
            unknown = said.unknown;
        }
    }
    file_says(scene, file, (struct format_verdict){.why = why_not ? REASON_BROKEN_FILE : REASON_UNKNOWN_FORMAT, .text = why_not,
                                                   .unknown = unknown});
}

/* An empty file is only worth a word when its name says that it ought to be an image. */
static void ask(struct format_scene *scene, struct format_file *file, struct format_look *look)
{
    ask_drivers(scene, file, look);
    if (look->size == 0 && file->said->why != REASON_UNKNOWN_FORMAT) {
        file->driver = NULL;
        file_says(scene, file, (struct format_verdict){.why = REASON_EMPTY, .unknown = file->said->unknown});
    }
}

static void cannot_read(struct format_scene *scene, struct format_file *file, const struct err *err)
{
    file_says(scene, file, (struct format_verdict){.why = err->why, .text = arena_str(scene->arena, err->text)});
}

static void open_and_ask(struct asking *a, struct format_file *file)
{
    struct err err = ERR_INIT;
    AUTO(io_closep) int fd = tree_open(a->scene->tree, file->entry, &err);

    if (fd < 0) {
        cannot_read(a->scene, file, &err);
        return;
    }
    a->look->entry = file->entry;
    a->look->fd = fd;
    a->look->arena = a->scene->arena;
    a->look->official = a->scene->official;
    if (format_look_at(a->look, &err) < 0) {
        cannot_read(a->scene, file, &err);
        return;
    }
    ask(a->scene, file, a->look);
    count_names(a, file);
    recollection_keep(a->known, file);
}

static void look_and_ask(struct asking *a, struct format_file *file)
{
    const char *name = file->entry->name;

    if (a->scene->official ? str_ends_nocase(name, ".filepart") : format_name_is_temporary(name))
        file_says(a->scene, file, (struct format_verdict){.why = REASON_TEMPORARY, .unknown = true});
    else if (!recollection_find(a->known, file))
        open_and_ask(a, file);
}

static void collect(struct format_scene *scene, const struct format_options *o)
{
    size_t n = 0;

    scene->files = mem_new(scene->tree->n, sizeof(*scene->files));
    for (size_t i = 0; i < scene->tree->n; i++) {
        const struct tree_entry *e = &scene->tree->entries[i];

        if (e->kind == TREE_FILE && e->skip == REASON_NONE && !(o->ignore && o->ignore(o->arg, e)))
            scene->files[n++].entry = e;
    }
    scene->n_files = n;
}

static void ask_all(struct format_scene *scene, const struct format_memory *memory)
{
    struct asking a = {.scene = scene, .look = mem_new(1, sizeof(*a.look)), .known = recollection_new(memory, scene->arena)};

    a.look->names_left = NAMES_TREE_MAX + 4 * scene->n_files;
    for (size_t i = 0; i < scene->n_files; i++)
        look_and_ask(&a, &scene->files[i]);
    recollection_free(a.known);
    free(a.look);
}

static void make_groups(struct format_scene *scene)
{
    for (size_t d = 0; format_drivers[d]; d++) {
        const struct format_driver *driver = format_drivers[d];

        for (size_t i = 0; i < scene->n_files; i++)
            if (scene->files[i].driver == driver && !scene->files[i].taken)
                (driver->group ? driver->group : group_alone)(scene, &scene->files[i]);
        for (size_t i = 0; i < scene->n_files; i++)
            if (scene->files[i].driver == driver && !scene->files[i].taken)
                (driver->leftover ? driver->leftover : group_alone)(scene, &scene->files[i]);
        if (driver->finish)
            driver->finish(scene);
    }
    for (size_t i = 0; i < scene->n_files; i++)
        if (!scene->files[i].taken)
            group_alone(scene, &scene->files[i]);
}

static int by_target(const void *a, const void *b)
{
    const struct format_kept *x = a, *y = b;

    return strcmp(x->target->path, y->target->path);
}

int format_group_tree(const struct tree *tree, const struct format_options *options, struct format_groups **out, struct err *err)
{
    static const struct format_options none;
    const struct format_options *o = options ? options : &none;
    struct format_scene scene = {.tree = tree, .arena = arena_new(), .official = o->official, .depth = o->depth};

    (void)err; /* nothing that a tree holds makes the whole fail */
    collect(&scene, o);
    ask_all(&scene, o->memory);
    make_groups(&scene);
    if (scene.n_groups > 0)
        qsort(scene.groups, scene.n_groups, sizeof(*scene.groups), by_target);
    free(scene.files);
    free(scene.folded);

    struct owned_groups *g = mem_new(1, sizeof(*g));

    *g = (struct owned_groups){.groups = {scene.groups, scene.n_groups}, .at = scene.groups, .arena = scene.arena};
    *out = &g->groups;
    return 0;
}

struct arena *groups_arena(struct format_groups *groups)
{
    return ((struct owned_groups *)groups)->arena;
}

enum { FREE = 1, TAKEN }; /* a file of a deferred group; one that is in a new group already */

static bool is_open(const struct format_group *g)
{
    return g->why == REASON_DEFERRED && !g->by_name;
}

static bool may_replace(const struct tree_entry *first, const uint8_t *state, const struct format_group *g)
{
    for (size_t i = 0; i < g->n_members; i++)
        if (state[g->members[i] - first] != FREE)
            return false;
    return true;
}

static void mark(const struct tree_entry *first, uint8_t *state, const struct format_group *g, uint8_t as)
{
    for (size_t i = 0; i < g->n_members; i++)
        state[g->members[i] - first] = as;
}

static struct format_kept keep(const struct format_group *g, struct arena *arena)
{
    struct format_group *set = arena_alloc(arena, 1, sizeof(*set));

    *set = *g;
    return (struct format_kept){.target = g->members[0], .set = set};
}

/* A deferred group without the files that found a group of their own. */
static void keep_rest(struct format_group *g, const struct tree_entry *first, const uint8_t *state, struct arena *arena)
{
    const struct tree_entry **rest = arena_alloc(arena, g->n_members, sizeof(*rest));
    size_t n = 0;

    for (size_t i = 0; i < g->n_members; i++)
        if (state[g->members[i] - first] == FREE)
            rest[n++] = g->members[i];
    g->members = rest;
    g->n_members = n;
}

void groups_replace(struct format_groups *groups, const struct tree *tree, const struct format_group *by, size_t n)
{
    struct owned_groups *owned = (struct owned_groups *)groups; /* its first member */
    AUTO(mem_freep) uint8_t *state = mem_new(tree->n + 1, 1);
    struct format_kept *at = mem_new(groups->n + n, sizeof(*at));
    size_t kept = 0;

    for (size_t i = 0; i < groups->n; i++) {
        struct format_group g = format_group_at(groups, i);

        if (is_open(&g))
            mark(tree->entries, state, &g, FREE);
    }
    for (size_t i = 0; i < n; i++)
        if (may_replace(tree->entries, state, &by[i])) {
            mark(tree->entries, state, &by[i], TAKEN);
            at[kept++] = keep(&by[i], owned->arena);
        }
    for (size_t i = 0; i < groups->n; i++) {
        struct format_group g = format_group_at(groups, i);

        if (!is_open(&g)) {
            at[kept++] = groups->at[i];
            continue;
        }
        keep_rest(&g, tree->entries, state, owned->arena);
        if (g.n_members > 0)
            at[kept++] = keep(&g, owned->arena);
    }
    if (kept > 0)
        qsort(at, kept, sizeof(*at), by_target);
    free(owned->at);
    owned->at = at;
    owned->groups = (struct format_groups){at, kept};
}

void format_groups_free(struct format_groups *g)
{
    if (!g)
        return;

    struct owned_groups *owned = (struct owned_groups *)g; /* its first member */

    free(owned->at);
    arena_free(owned->arena);
    free(owned);
}

void format_groups_freep(struct format_groups **g)
{
    format_groups_free(*g);
}

const char *format_official_word(const struct format_group *g)
{
    switch (g->why) {
    case REASON_UNKNOWN_FORMAT:
        return "unknown";
    case REASON_FOREIGN:
        return "dropped";
    case REASON_TOO_DEEP:
        return "too-deep";
    case REASON_UNREADABLE:
    case REASON_GONE:
        return "unreadable";
    default:
        return g->unknown ? "unknown" : "error";
    }
}
