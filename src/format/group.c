#include "format/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"

/* The answer with what holds it. */
struct owned_groups {
    struct format_groups groups;
    struct format_group *at;
    struct arena *arena;
};

static void add_group(struct format_scene *scene, const struct tree_entry *const *members, size_t n,
                      const struct format_verdict *v, bool plate)
{
    scene->groups = mem_grow(scene->groups, scene->n_groups, &scene->cap_groups, sizeof(*scene->groups));
    scene->groups[scene->n_groups++] = (struct format_group){
        .members = members,
        .n_members = n,
        .format = v->format ? v->format : "",
        .reader = v->reader,
        .plate = plate,
        .why = v->why,
        .text = v->text ? v->text : "",
    };
}

void set_begin(struct format_set *set, struct format_scene *scene)
{
    *set = (struct format_set){.scene = scene};
}

static void put(struct format_set *set, struct format_file *file)
{
    file->taken = true;
    set->members = mem_grow(set->members, set->n, &set->cap, sizeof(struct format_file *));
    set->members[set->n++] = file;
}

void set_add(struct format_set *set, struct format_file *file)
{
    if (file && !file->taken)
        put(set, file);
}

void set_share(struct format_set *set, struct format_file *file)
{
    set->shared = file;
}

/* Bio-Formats takes options for reading `x.tif` from `x.tif.bfoptions`. */
static void add_options(struct format_set *set)
{
    AUTO(mem_freep) char *path = mem_printf("%s.bfoptions", set->members[0]->entry->path);

    set_add(set, scene_find(set->scene, path));
}

void set_end(struct format_set *set, const struct format_verdict *verdict, bool plate)
{
    if (verdict->why == REASON_NONE || verdict->why == REASON_DEFERRED)
        add_options(set);
    if (set->shared)
        put(set, set->shared);

    const struct tree_entry **members = arena_alloc(set->scene->arena, set->n, sizeof(struct tree_entry *));

    for (size_t i = 0; i < set->n; i++)
        members[i] = set->members[i]->entry;
    add_group(set->scene, members, set->n, verdict, plate);
    set->scene->groups[set->scene->n_groups - 1].last_shared = set->shared != NULL;
    free(set->members);
    *set = (struct format_set){.scene = set->scene};
}

void group_alone(struct format_scene *scene, struct format_file *file)
{
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    set_end(&set, &file->said, false);
}

static int by_entry(const void *key, const void *member)
{
    const struct tree_entry *e = key;
    const struct format_file *f = member;

    return e < f->entry ? -1 : e > f->entry;
}

struct format_file *scene_find(const struct format_scene *scene, const char *path)
{
    const struct tree_entry *e = tree_find(scene->tree, path);

    return e ? bsearch(e, scene->files, scene->n_files, sizeof(*scene->files), by_entry) : NULL;
}

/* Append the parts of a relative name to a path; false: it leads out. */
static bool walk_parts(struct buf *path, const char *name)
{
    for (size_t n; *name; name += n + (name[n] == '/')) {
        n = strcspn(name, "/");
        if (n == 0 || (n == 1 && name[0] == '.'))
            continue;
        if (n == 2 && name[0] == '.' && name[1] == '.') {
            if (path->len == 0)
                return false;
            while (path->len > 0 && path->data[--path->len] != '/')
                ;
            continue;
        }
        if (path->len > 0)
            buf_add_byte(path, '/');
        buf_add(path, name, n);
    }
    return !path->full;
}

struct format_file *scene_beside(const struct format_scene *scene, const struct format_file *beside, const char *name)
{
    struct buf path = BUF_INIT(4096);
    struct format_file *found = NULL;

    buf_add(&path, beside->entry->path, beside->entry->dir_len);
    if (name[0] != '/' && walk_parts(&path, name)) {
        buf_add_byte(&path, '\0');
        found = path.full ? NULL : scene_find(scene, (const char *)path.data);
    }
    buf_clear(&path);
    return found;
}

size_t scene_from(const struct format_scene *scene, const char *path)
{
    size_t low = 0, high = scene->n_files;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tree_order(scene->files[middle].entry->path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t stem_length(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

/* The first driver that wants an open file has it. */
static void ask_drivers(struct format_file *file, struct format_look *look)
{
    const char *why_not = NULL;

    for (size_t i = 0; format_drivers[i]; i++) {
        struct format_verdict said = {.why = REASON_NONE};

        if (format_drivers[i]->detect(look, &said)) {
            file->driver = format_drivers[i];
            file->said = said;
            return;
        }
        if (said.text)
            why_not = said.text;
    }
    file->said = (struct format_verdict){.why = why_not ? REASON_BROKEN_FILE : REASON_UNKNOWN_FORMAT, .text = why_not};
}

/* An empty file is only worth a word when its name says that it ought to be an image. */
static void ask(struct format_file *file, struct format_look *look)
{
    ask_drivers(file, look);
    if (look->size == 0 && file->said.why != REASON_UNKNOWN_FORMAT) {
        file->driver = NULL;
        file->said = (struct format_verdict){.why = REASON_EMPTY};
    }
}

static void cannot_read(struct format_scene *scene, struct format_file *file, const struct err *err)
{
    file->said = (struct format_verdict){.why = err->why, .text = arena_str(scene->arena, err->text)};
}

static void look_and_ask(struct format_scene *scene, struct format_file *file, struct format_look *look)
{
    struct err err = ERR_INIT;

    if (format_name_is_temporary(file->entry->name)) {
        file->said = (struct format_verdict){.why = REASON_TEMPORARY};
        return;
    }

    AUTO(io_closep) int fd = io_open_beneath(scene->tree->fd, file->entry->path, &err);

    if (fd < 0) {
        cannot_read(scene, file, &err);
        return;
    }
    look->entry = file->entry;
    look->fd = fd;
    look->arena = scene->arena;
    if (format_look_at(look, &err) < 0)
        cannot_read(scene, file, &err);
    else
        ask(file, look);
}

static void collect(struct format_scene *scene, bool (*ignore)(void *, const struct tree_entry *), void *arg)
{
    size_t n = 0;

    scene->files = mem_new(scene->tree->n, sizeof(*scene->files));
    for (size_t i = 0; i < scene->tree->n; i++) {
        const struct tree_entry *e = &scene->tree->entries[i];

        if (e->kind == TREE_FILE && e->skip == REASON_NONE && !(ignore && ignore(arg, e)))
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
    }
    for (size_t i = 0; i < scene->n_files; i++)
        if (!scene->files[i].taken)
            group_alone(scene, &scene->files[i]);
}

static int by_target(const void *a, const void *b)
{
    const struct format_group *x = a, *y = b;

    return strcmp(x->members[0]->path, y->members[0]->path);
}

int format_group_tree(const struct tree *tree, bool (*ignore)(void *arg, const struct tree_entry *e), void *arg,
                      struct format_groups **out, struct err *err)
{
    struct format_scene scene = {.tree = tree, .arena = arena_new()};
    struct format_look *look = mem_new(1, sizeof(*look));

    (void)err; /* nothing that a tree holds makes the whole fail */
    collect(&scene, ignore, arg);
    for (size_t i = 0; i < scene.n_files; i++)
        look_and_ask(&scene, &scene.files[i], look);
    free(look);
    make_groups(&scene);
    if (scene.n_groups > 0)
        qsort(scene.groups, scene.n_groups, sizeof(*scene.groups), by_target);
    free(scene.files);

    struct owned_groups *g = mem_new(1, sizeof(*g));

    *g = (struct owned_groups){.groups = {scene.groups, scene.n_groups}, .at = scene.groups, .arena = scene.arena};
    *out = &g->groups;
    return 0;
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
