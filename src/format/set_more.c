/* Members that no name tells: the files of a companion directory, a second level of masters, the table beside the pictures. */
#include "format/set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static char *dir_of(const struct tree_entry *e)
{
    return e->dir_len == 0 ? mem_str("") : mem_printf("%.*s/", (int)e->dir_len, e->path);
}

static const char *last_part(const char *path, size_t n)
{
    const char *slash = memrchr(path, '/', n);

    return slash ? slash + 1 : path;
}

static bool is_rule(const struct format_file *f, const char *format)
{
    const struct set_rule *rule = set_rule_of(f);

    return rule && strcmp(rule->format, format) == 0;
}

/* What belongs to it, though another set may have it already. */
static void add_or_share(struct format_set *set, struct format_file *f)
{
    if (f && f->taken)
        set_share(set, f);
    else
        set_add(set, f);
}

/* ---- Micro-Manager ---- */

static bool speaks_of_pos(const char *dir, size_t n)
{
    return memmem(dir, n, "Pos_", 4) != NULL;
}

/* Directories with Pos_ in their names, beside one another, are one acquisition. */
void set_more_micro_manager(struct format_set *set, struct format_file *master)
{
    const struct tree_entry *e = master->entry;
    const char *own = last_part(e->path, e->dir_len);

    if (!speaks_of_pos(own, (size_t)(e->path + e->dir_len - own)))
        return;

    AUTO(mem_freep) char *parent = mem_strn(e->path, (size_t)(own - e->path));
    size_t n = strlen(parent);

    for (size_t i = scene_from(set->scene, parent); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];
        const char *name = f->entry->path + n;

        if (strncmp(f->entry->path, parent, n) != 0)
            break;
        if (f == master || f->entry->dir_len <= n || memchr(name, '/', f->entry->dir_len - n) ||
            !speaks_of_pos(name, f->entry->dir_len - n) || strcmp(f->entry->name, "metadata.txt") != 0 ||
            !is_rule(f, "Micro-Manager"))
            continue;
        set_add(set, f);
        set_take_named(set, f);
    }
}

/* ---- Olympus OIF ---- */

static struct format_file *beside_in(const struct format_scene *scene, const struct format_file *master, const char *dir,
                                     const char *name)
{
    AUTO(mem_freep) char *path = mem_printf("%s%s", dir, name);

    return scene_beside(scene, master, path);
}

/* The TIFF of a plane: the one that its .pty names, or that has its name. */
static void take_plane(struct format_set *set, struct format_file *master, const char *dir, const char *pty_name, bool may)
{
    struct format_file *pty = beside_in(set->scene, master, dir, pty_name);
    const struct set_rule *rule = pty ? set_rule_of(pty) : NULL;
    const struct format_names *data = rule && rule->flags & SET_PART ? pty->said->facts->names : NULL;
    AUTO(mem_freep) char *tif = mem_printf("%.*s.tif", (int)stem_length(pty_name), pty_name);
    const char *name = data && data->n > 0 ? data->at[0].name : tif;
    struct format_file *plane = beside_in(set->scene, master, dir, name);

    set_add(set, pty);
    set_add(set, plane);
    if (!plane && !may) {
        AUTO(mem_freep) char *missing = mem_printf("%s%s", dir, name);

        set_miss(set, missing);
    }
}

/* All .pty, .roi and .lut of the directory. */
static void take_tables(struct format_set *set, const struct format_file *master, const char *dir)
{
    AUTO(mem_freep) char *beginning = dir_of(master->entry);
    AUTO(mem_freep) char *prefix = mem_printf("%s%s", beginning, dir);
    size_t n = strlen(prefix);

    for (size_t i = scene_from(set->scene, prefix); n > 0 && i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (f->entry->dir_len != n - 1 || strncmp(f->entry->path, prefix, n) != 0)
            break;
        if (suffix_is_one_of(f->entry->name, "pty roi lut"))
            set_add(set, f);
    }
}

/* The directory that the names lead to; when nothing is there, the one that is called as the .oif itself. */
void set_more_oif(struct format_set *set, struct format_file *master)
{
    const struct format_names *names = master->said->facts->names;
    const char *first = names && names->n > 0 ? names->at[0].name : "", *slash = strrchr(first, '/');
    AUTO(mem_freep) char *named = mem_strn(first, slash ? (size_t)(slash - first) + 1 : 0);
    AUTO(mem_freep) char *own = mem_printf("%s.files/", master->entry->name);
    bool there = false;

    for (size_t i = 0; names && i < names->n && !there; i++) {
        const char *name = strrchr(names->at[i].name, '/') ? strrchr(names->at[i].name, '/') + 1 : names->at[i].name;
        AUTO(mem_freep) char *tif = mem_printf("%.*s.tif", (int)stem_length(name), name);

        there = beside_in(set->scene, master, named, name) || beside_in(set->scene, master, named, tif);
    }
    for (size_t i = 0; names && i < names->n; i++) {
        const char *name = strrchr(names->at[i].name, '/') ? strrchr(names->at[i].name, '/') + 1 : names->at[i].name;

        take_plane(set, master, there ? named : own, name, names->at[i].more[0] != '\0');
    }
    take_tables(set, master, there ? named : own);
}

/* ---- Olympus VSI, tiles ---- */

/* Every file of the directories in _X_. */
void set_more_vsi(struct format_set *set, struct format_file *master)
{
    AUTO(mem_freep) char *dir = dir_of(master->entry);
    AUTO(mem_freep) char *prefix = mem_printf("%s_%.*s_/", dir, (int)stem_length(master->entry->name), master->entry->name);
    size_t n = strlen(prefix);

    for (size_t i = scene_from(set->scene, prefix); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (strncmp(f->entry->path, prefix, n) != 0)
            break;
        if (f->entry->dir_len > n && !memchr(f->entry->path + n, '/', f->entry->dir_len - n))
            add_or_share(set, f);
    }
}

/* Each tile comes with its own files. */
void set_more_omp2info(struct format_set *set, struct format_file *master)
{
    const struct format_names *names = master->said->facts->names;

    for (size_t i = 0; names && i < names->n; i++) {
        struct format_file *tile = scene_beside(set->scene, master, names->at[i].name);

        if (tile && suffix_is_one_of(tile->entry->name, "oir"))
            oir_take_parts(set, tile);
        else if (tile && suffix_is_one_of(tile->entry->name, "vsi"))
            set_more_vsi(set, tile);
    }
}

/* ---- PerkinElmer Operetta ---- */

/* All that is no .tiff of the base directory and of the directories in it, but for the one where the index lies.  The base is
 * that one, or, when it is called Images, the one above. */
void set_more_operetta(struct format_set *set, struct format_file *master)
{
    const struct tree_entry *e = master->entry;
    const char *own = last_part(e->path, e->dir_len);
    bool images = strncasecmp(own, "Images/", 7) == 0;
    AUTO(mem_freep) char *base = images ? mem_strn(e->path, (size_t)(own - e->path)) : dir_of(e);
    size_t n = strlen(base);

    for (size_t i = scene_from(set->scene, base); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];
        size_t below = f->entry->dir_len > n ? f->entry->dir_len - n : 0;

        if (strncmp(f->entry->path, base, n) != 0)
            break;
        if (suffix_is_one_of(f->entry->name, "tiff") || memchr(f->entry->path + n, '/', below) ||
            (images && f->entry->dir_len == e->dir_len && strncmp(f->entry->path, e->path, e->dir_len) == 0))
            continue;
        add_or_share(set, f);
    }
}

/* ---- Prairie, ScanR ---- */

void set_more_prairie(struct format_set *set, struct format_file *master)
{
    set_share(set, scene_first_of(set->scene, master, "cfg"));
    set_share(set, scene_first_of(set->scene, master, "env"));
}

static bool names_plane(const char *name, const struct format_names *names)
{
    bool well = false, channel = false, channels = false;

    for (size_t i = 0; names && i < names->n; i++) {
        bool is_channel = names->at[i].more[0] == 'c', fits = (is_channel ? !channel : !well) && strstr(name, names->at[i].name);

        channels |= is_channel;
        channel |= is_channel && fits;
        well |= !is_channel && fits;
    }
    return well && (channel || !channels);
}

/* TIFFs of a directory whose names have a well and a channel of the descriptor in them; false: there is no such file. */
static bool take_planes(struct format_set *set, const struct format_file *master, const char *dir)
{
    size_t n = strlen(dir);
    bool any = false;

    for (size_t i = scene_from(set->scene, dir); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (strncmp(f->entry->path, dir, n) != 0 || f->entry->dir_len + 1 != n + (n == 0))
            break;
        if (suffix_is_one_of(f->entry->name, "tif tiff") && names_plane(f->entry->name, master->said->facts->names)) {
            set_add(set, f);
            any = true;
        }
    }
    return any;
}

void set_more_scanr(struct format_set *set, struct format_file *master)
{
    AUTO(mem_freep) char *dir = dir_of(master->entry);
    AUTO(mem_freep) char *data = mem_printf("%sdata/", dir);
    size_t from, to;

    scene_directory(set->scene, master->entry, &from, &to);
    for (size_t i = from; i < to; i++)
        if (suffix_is_one_of(set->scene->files[i].entry->name, "dat xml"))
            set_add(set, &set->scene->files[i]);
    if (!take_planes(set, master, data) && !take_planes(set, master, dir))
        set_miss(set, "every TIFF of data");
}

/* ---- Leica XLEF ---- */

/* The images of an .xlif, and what an .xlcf leads to. */
void set_more_xlef(struct format_set *set, struct format_file *master)
{
    const struct format_names *names = master->said->facts->names;

    for (size_t i = 0; names && i < names->n; i++) {
        struct format_file *f = scene_beside_any_case(set->scene, master, names->at[i].name);
        const struct set_rule *rule = f ? set_rule_of(f) : NULL;

        if (!rule || !(rule->flags & SET_PART) || f->number == set->mark)
            continue;
        f->number = set->mark; /* once: they may lead to one another */
        set_take_named(set, f);
        set_more_xlef(set, f);
    }
}

/* ---- one picture and its table ---- */

void set_more_pic(struct format_set *set, struct format_file *master)
{
    set_add(set, scene_beside(set->scene, master, "data.raw"));
}

void set_more_hitachi(struct format_set *set, struct format_file *master)
{
    static const char *const suffixes[] = {"tif", "jpg", "bmp"};

    for (size_t i = 0; set->n == 1 && i < ARRAY_LEN(suffixes); i++) {
        size_t stem = stem_length(master->entry->name);
        AUTO(mem_freep) char *name = mem_printf("%.*s.%s", (int)stem, master->entry->name, suffixes[i]);

        set_add(set, scene_beside(set->scene, master, name));
    }
}

/* ---- Visitech ---- */

/* The number of `X 12.xys` for `X `; 0: it is no such name. */
static size_t visitech_number(const char *name, const char *prefix, size_t n)
{
    size_t digits = strncmp(name, prefix, n) == 0 ? strspn(name + n, "0123456789") : 0;

    return digits > 0 && digits < 6 && strcmp(name + n + digits, ".xys") == 0 ? strtoul(name + n, NULL, 10) : 0;
}

/* A file a channel and position.  How many there are stands in the report, but who takes all that are there misses none. */
void set_more_visitech(struct format_set *set, struct format_file *master)
{
    const char *name = master->entry->name;
    size_t from, to, n = strlen(name) - strlen("Report.html"), last = 0;

    scene_directory(set->scene, master->entry, &from, &to);
    for (size_t i = from; i < to; i++) {
        size_t number = visitech_number(set->scene->files[i].entry->name, name, n);

        last = number > last ? number : last;
        if (number > 0)
            set_add(set, &set->scene->files[i]);
    }
    for (size_t i = 1; i < last; i++) {
        AUTO(mem_freep) char *member = mem_printf("%.*s%zu.xys", (int)n, name, i);

        if (!scene_beside(set->scene, master, member))
            set_miss(set, member);
    }
}

/* X.tif_meta.xml goes with X.tif; X.tif_files/_meta.xml with the TIFFs around it and with X.tif. */
void set_more_zeiss(struct format_set *set, struct format_file *master)
{
    const struct tree_entry *e = master->entry;
    size_t from, to, name = strlen(e->name) - strlen("_meta.xml");

    if (name > 0) {
        AUTO(mem_freep) char *tif = mem_strn(e->name, name);

        set_add(set, str_ends(tif, ".tif") ? scene_beside(set->scene, master, tif) : NULL);
        return;
    }
    if (!str_ends_nocase(last_part(e->path, e->dir_len), "_files/_meta.xml"))
        return;

    AUTO(mem_freep) char *own = mem_strn(e->path, e->dir_len - strlen("_files"));

    set_add(set, scene_find(set->scene, own));
    scene_directory(set->scene, e, &from, &to);
    for (size_t i = from; i < to; i++)
        if (suffix_is_one_of(set->scene->files[i].entry->name, "tif"))
            set_add(set, &set->scene->files[i]);
}
