/* From a snapshot to groups: every file is looked at and asked about once, then the drivers make their sets in turn. */
#include "format/driver.h"

#include <stdlib.h>
#include <string.h>

#include "format/ask.h"
#include "format/group.h"

/* The answer with what holds it. */
struct owned_groups {
    struct format_groups groups;
    struct format_kept *at;
    struct arena *arena;
};

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

    scene.said.arena = scene.arena;
    (void)err; /* nothing that a tree holds makes the whole fail */
    collect(&scene, o);
    scene_ask(&scene, o->memory);
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
