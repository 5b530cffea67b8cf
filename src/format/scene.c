/* The scene: all files of a snapshot, and the sets that are made of them. */
#include "format/driver.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ceilings.h"

/* ---- sets ---- */

static unsigned slot_of(const struct format_verdict *v)
{
    unsigned format = v->format ? 7u * (unsigned char)v->format[0] + (unsigned)strlen(v->format) : 0;

    return ((unsigned)v->why + format) % FORMAT_SAID_SLOTS;
}

/* Texts are constants or, in the arena, one file's own: equal ones are the same. */
static bool same_said(const struct format_verdict *a, const struct format_verdict *b)
{
    return a->text == b->text && a->format == b->format && a->reader == b->reader && a->facts == b->facts && a->why == b->why &&
           a->plate == b->plate && a->unknown == b->unknown && a->by_name == b->by_name;
}

const struct format_verdict *verdict_keep(struct format_verdicts *verdicts, const struct format_verdict *v)
{
    const struct format_verdict **slot = &verdicts->slots[slot_of(v)];

    if (*slot && same_said(*slot, v))
        return *slot;

    struct format_verdict *kept = arena_alloc(verdicts->arena, 1, sizeof(*kept));

    *kept = *v;
    return *slot = kept;
}

void file_says(struct format_scene *scene, struct format_file *file, struct format_verdict said)
{
    file->said = verdict_keep(&scene->said, &said);
}

static struct format_group group_of(const struct format_verdict *v)
{
    return (struct format_group){.format = v->format ? v->format : "", .reader = v->reader, .plate = v->plate, .why = v->why,
                                 .text = v->text ? v->text : "", .unknown = v->unknown, .by_name = v->by_name};
}

struct format_group format_group_at(const struct format_groups *groups, size_t i)
{
    const struct format_kept *kept = &groups->at[i];

    if (kept->set)
        return *kept->set;

    struct format_group g = group_of(kept->said);

    g.members = &kept->target;
    g.n_members = 1;
    return g;
}

static const struct format_group *keep_set(const struct format_set *set, const struct format_verdict *v)
{
    struct arena *a = set->scene->arena;
    size_t n_missing = set->missing.n < FORMAT_MISSING_KEPT ? set->missing.n : FORMAT_MISSING_KEPT;
    struct format_group *g = arena_alloc(a, 1, sizeof(*g));
    const struct tree_entry **members = arena_alloc(a, set->n, sizeof(struct tree_entry *));
    struct format_name *missing = arena_alloc(a, n_missing, sizeof(*missing));

    for (size_t i = 0; i < set->n; i++)
        members[i] = set->members[i]->entry;
    for (size_t i = 0; i < n_missing; i++)
        missing[i] = (struct format_name){arena_str(a, set->missing.at[i].name), ""};
    *g = group_of(v);
    g->members = members;
    g->n_members = set->n;
    g->n_shared = (uint32_t)set->n_shared;
    g->missing = missing;
    g->n_missing = set->missing.n;
    g->tolerated = set->tolerated;
    return g;
}

static void add_group(struct format_set *set, const struct format_verdict *v)
{
    struct format_scene *scene = set->scene;
    bool lone = set->n == 1 && set->n_shared == 0 && set->missing.n == 0 && !set->tolerated;

    scene->groups = mem_grow(scene->groups, scene->n_groups, &scene->cap_groups, sizeof(*scene->groups));
    scene->groups[scene->n_groups++] = (struct format_kept){.target = set->members[0]->entry,
                                                            .said = lone ? verdict_keep(&scene->said, v) : NULL,
                                                            .set = lone ? NULL : keep_set(set, v)};
}

void set_begin(struct format_set *set, struct format_scene *scene)
{
    *set = (struct format_set){.scene = scene, .mark = ++scene->marks};
    names_begin(&set->missing);
}

static void put(struct format_set *set, struct format_file *file)
{
    file->taken = true;
    file->mark = set->mark;
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
    if (!file || file->mark == set->mark)
        return;
    file->mark = set->mark;
    set->shared = mem_grow(set->shared, set->n_shared, &set->cap_shared, sizeof(struct format_file *));
    set->shared[set->n_shared++] = file;
}

void set_miss(struct format_set *set, const char *name)
{
    names_add(&set->missing, name, "");
}

const char *set_missing_text(const struct format_set *set)
{
    struct buf text = BUF_INIT(4096);
    size_t n = set->missing.n, shown = n < 4 ? n : 3;

    for (size_t i = 0; i < shown; i++)
        buf_printf(&text, "%s%.200s", i ? ", " : "", set->missing.at[i].name);
    if (shown < n)
        buf_printf(&text, " and %zu more", n - shown);
    buf_printf(&text, n == 1 ? " is missing" : " are missing");

    AUTO(mem_freep) char *taken = buf_take_str(&text);
    return arena_str(set->scene->arena, taken);
}

/* Bio-Formats takes options for reading `x.tif` from `x.tif.bfoptions`: among the next files in the tree's order. */
static void add_options(struct format_set *set)
{
    const struct format_scene *scene = set->scene;
    struct format_file *first = set->members[0];
    size_t n = strlen(first->entry->path);

    for (struct format_file *f = first + 1; f < scene->files + scene->n_files; f++) {
        if (strncmp(f->entry->path, first->entry->path, n) != 0)
            return;
        if (strcmp(f->entry->path + n, ".bfoptions") == 0)
            set_add(set, f);
    }
}

static bool is_deep(const struct format_scene *scene, const struct format_file *file)
{
    unsigned depth = 1;

    for (const char *at = file->entry->path; scene->depth > 0 && *at; at++)
        depth += *at == '/';
    return scene->depth > 0 && depth > scene->depth;
}

/* The first opener that the importer meets becomes the target; false: it meets none. */
static bool choose_target(struct format_set *set)
{
    size_t best = SIZE_MAX;
    bool met = false;

    for (size_t i = 0; i < set->n; i++) {
        if (is_deep(set->scene, set->members[i]))
            continue;
        met = true;
        if (!set->openers || !suffix_is_one_of(set->members[i]->entry->name, set->openers))
            continue;
        if (best == SIZE_MAX || tree_walk_order(set->members[i]->entry->path, set->members[best]->entry->path) < 0)
            best = i;
    }
    if (best != SIZE_MAX) {
        struct format_file *first = set->members[best];

        memmove(set->members + 1, set->members, best * sizeof(struct format_file *));
        set->members[0] = first;
    }
    return met;
}

void set_end(struct format_set *set, const struct format_verdict *verdict)
{
    struct format_verdict said = *verdict;

    if (!choose_target(set))
        said = (struct format_verdict){.why = REASON_TOO_DEEP, .format = said.format, .reader = said.reader};
    if (said.why == REASON_NONE || said.why == REASON_DEFERRED)
        add_options(set);
    for (size_t i = 0; i < set->n_shared; i++)
        put(set, set->shared[i]);

    add_group(set, &said);
    free(set->members);
    free(set->shared);
    names_clear(&set->missing);
    *set = (struct format_set){.scene = set->scene};
}

void group_alone(struct format_scene *scene, struct format_file *file)
{
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    set_end(&set, file->said);
}

/* ---- finding files ---- */

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

/* The path in the tree of a name relative to a file, or NULL; owned by the caller. */
static char *path_beside(const struct format_file *beside, const char *name)
{
    AUTO(buf_clear) struct buf path = BUF_INIT(TREE_PATH_MAX);

    buf_add(&path, beside->entry->path, beside->entry->dir_len);
    return name[0] == '/' || !walk_parts(&path, name) || path.len == 0 ? NULL : buf_take_str(&path);
}

struct format_file *scene_beside(const struct format_scene *scene, const struct format_file *beside, const char *name)
{
    AUTO(mem_freep) char *path = path_beside(beside, name);

    return path ? scene_find(scene, path) : NULL;
}

static size_t fold_hash(const char *path)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *path; path++)
        h = (h ^ (unsigned char)(*path >= 'A' && *path <= 'Z' ? *path + 32 : *path)) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static void fold(struct format_scene *scene)
{
    scene->n_folded = 64;
    while (scene->n_folded < 2 * scene->n_files)
        scene->n_folded *= 2;
    scene->folded = mem_new(scene->n_folded, sizeof(*scene->folded));
    for (size_t i = 0; i < scene->n_files; i++) {
        size_t at = fold_hash(scene->files[i].entry->path) & (scene->n_folded - 1);

        while (scene->folded[at])
            at = (at + 1) & (scene->n_folded - 1);
        scene->folded[at] = (uint32_t)i + 1;
    }
}

struct format_file *scene_beside_any_case(struct format_scene *scene, const struct format_file *beside, const char *name)
{
    AUTO(mem_freep) char *path = path_beside(beside, name);
    struct format_file *exact = path ? scene_find(scene, path) : NULL;

    if (!path || exact)
        return exact;
    if (!scene->folded)
        fold(scene);
    for (size_t at = fold_hash(path) & (scene->n_folded - 1); scene->folded[at]; at = (at + 1) & (scene->n_folded - 1)) {
        struct format_file *f = &scene->files[scene->folded[at] - 1];

        if (strcasecmp(f->entry->path, path) == 0)
            return f;
    }
    return NULL;
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

bool suffix_is_one_of(const char *name, const char *suffixes)
{
    const char *dot = strrchr(name, '.');

    if (!suffixes)
        return true;
    for (size_t n; dot && *suffixes; suffixes += n + (suffixes[n] == ' ')) {
        n = strcspn(suffixes, " ");
        if (strlen(dot + 1) == n && strncasecmp(dot + 1, suffixes, n) == 0)
            return true;
    }
    return false;
}

void scene_directory(const struct format_scene *scene, const struct tree_entry *beside, size_t *from, size_t *to)
{
    AUTO(mem_freep) char *prefix = mem_printf("%.*s%s", (int)beside->dir_len, beside->path, beside->dir_len ? "/" : "");
    size_t n = strlen(prefix);

    *to = *from = scene_from(scene, prefix);
    while (*to < scene->n_files && scene->files[*to].entry->dir_len == beside->dir_len &&
           strncmp(scene->files[*to].entry->path, prefix, n) == 0)
        (*to)++;
}

struct format_file *scene_first_of(struct format_scene *scene, const struct format_file *beside, const char *suffixes)
{
    struct first_of *last = &scene->first;
    size_t from, to;

    scene_directory(scene, beside->entry, &from, &to);
    if (last->suffixes == suffixes && last->from == from)
        return last->file;
    *last = (struct first_of){from, suffixes, NULL};
    for (size_t i = from; i < to && !last->file; i++)
        if (suffix_is_one_of(scene->files[i].entry->name, suffixes))
            last->file = &scene->files[i];
    return last->file;
}
