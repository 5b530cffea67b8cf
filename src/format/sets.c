/* Sets by their masters: a MetaMorph .nd, an .oif, a Micro-Manager metadata.txt ...  The families are the rows of set_rules.c;
 * here is what they share.
 *
 * A set whose master is damaged, or is left to Bio-Formats, keeps all that may belong to it: a plane that went in as an image of
 * its own could never be put right again.  So these rules take rather a file too many than one too few. */
#include "format/set.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "base/str.h"
#include "format/drivers.h"

/* Directories whose content is one set, or has lost its master. */
struct place_rule {
    const char *format;
    const char *directory; /* a glob for one part of the path; "*" is the last one */
    const char *name;      /* a glob for the file's name */
    enum reason why;
    const char *text;
    const char *master;    /* what the directory's name has more than its master's; NULL: there is none */
    bool mine_only;        /* the official importer knows nothing of it */
    unsigned up;           /* the set begins so many directories further up */
    const char *needs;     /* stands in every path that fits, letters in any case: tells the others apart quickly */
};

static const struct place_rule places[] = {
    {"OME-Zarr", "*.zarr", "*", REASON_DEFERRED, "a Zarr directory is one image, which this version does not import", NULL, true,
     .needs = ".zarr/"},
    {"Olympus OIF", "*.oif.files", "*", REASON_INCOMPLETE, "the .oif that these files belong to is not there", ".files", true,
     .needs = ".oif.files/"},
    {"MIAS", "Well[0-9]*", "mode*.tif*", REASON_DEFERRED, "", .up = 2, .needs = "/mode"},
    {"MIAS", "results", "Well[0-9]*_detail.txt", REASON_DEFERRED, "", .up = 2, .needs = "_detail.txt"},
    {"MIAS", "Batchresults", "*_Results.txt", REASON_DEFERRED, "", .up = 1, .needs = "_results.txt"},
    {"MIAS", "*", "Nugenesistemplate.txt", REASON_DEFERRED, "", .up = 1, .needs = "nugenesis"},
};

enum { NO_ROW = UINT16_MAX };

const struct set_rule *set_rule_of(const struct format_file *file)
{
    const struct format_facts *facts = file->driver == &format_sets ? file->said->facts : NULL;

    return facts && facts->row != NO_ROW ? &set_rules[facts->row] : NULL;
}

/* ---- detection ---- */

static bool contains(const struct format_look *look, const struct set_rule *rule)
{
    struct err err = ERR_INIT;

    if (rule->within <= LOOK_HEAD || look->size <= LOOK_HEAD || look_contains(look, rule->content, LOOK_HEAD))
        return look_contains(look, rule->content, rule->within);

    AUTO(mem_freep) char *text = mem_new(rule->within + 1, 1);

    return io_pread(look->fd, text, rule->within, 0, &err) > 0 && strcasestr(text, rule->content);
}

static bool name_fits(const char *pattern, const char *name)
{
    size_t n = strlen(name), length = strlen(pattern);

    if (n == 0 || (name[n - 1] | 32) != (pattern[length - 1] | 32)) /* cheap, and nearly always so */
        return false;
    return pattern[0] == '*' ? str_ends_nocase(name, pattern + 1) : strcasecmp(name, pattern) == 0;
}

static struct format_facts *keep(struct format_look *look, struct format_verdict *said, uint16_t row)
{
    struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

    facts->row = row;
    said->facts = facts;
    return facts;
}

/* 1: it is such a master; 0: it is not; -1: it is one, and damaged. */
static int read_master(struct format_look *look, const struct set_rule *rule, struct format_facts *facts, const char **text)
{
    struct names names;
    int done = 1;

    if (!rule->read)
        return 1;
    if (look->names_left == 0) {
        *text = LOOK_TOO_MANY_NAMES;
        return -1;
    }
    names_begin(&names);
    done = rule->read(look, &names, text);
    if (done > 0)
        facts->names = look->last_names = names_keep(&names, look->last_names, look->arena);
    names_clear(&names);
    return done;
}

static bool detect_master(struct format_look *look, struct format_verdict *said)
{
    for (size_t i = 0; i < n_set_rules; i++) {
        const struct set_rule *rule = &set_rules[i];
        const char *text = NULL;

        if (!name_fits(rule->name, look->entry->name) || (rule->content && !contains(look, rule)))
            continue;

        struct format_verdict mine = {.format = rule->format, .reader = rule->reader, .plate = rule->flags & SET_PLATE};
        int done = read_master(look, rule, keep(look, &mine, (uint16_t)i), &text);

        if (done == 0) {
            if (text && !(rule->flags & SET_COMMON))
                said->text = text;
            continue;
        }
        mine.why = done < 0 ? REASON_BROKEN_FILE : rule->reader || rule->flags & SET_PART ? REASON_NONE : REASON_DEFERRED;
        mine.text = done < 0 ? text : NULL;
        *said = mine;
        return true;
    }
    return false;
}

/* Bytes of a path without its last directories. */
static size_t bytes_up(const char *path, size_t n, unsigned up)
{
    for (; up > 0 && n > 0; up--) {
        const char *slash = memrchr(path, '/', n);

        n = slash ? (size_t)(slash - path) : 0;
    }
    return n;
}

static bool fits_place(const struct format_look *look, const struct place_rule *place, size_t at, size_t n)
{
    AUTO(mem_freep) char *part = mem_strn(look->entry->path + at, n);

    return (strcmp(place->directory, "*") != 0 || at + n == look->entry->dir_len) &&
           fnmatch(place->directory, part, FNM_CASEFOLD) == 0 && fnmatch(place->name, look->entry->name, FNM_CASEFOLD) == 0;
}

static bool detect_in_place(struct format_look *look, const struct place_rule *place, struct format_verdict *said)
{
    const char *path = look->entry->path;

    for (size_t at = 0, n; at < look->entry->dir_len; at += n + 1) {
        n = strcspn(path + at, "/");
        if (!fits_place(look, place, at, n))
            continue;

        struct format_facts *facts = keep(look, said, NO_ROW);

        facts->flags = (uint16_t)(place - places);
        facts->number = bytes_up(path, at + n, place->up);
        said->why = place->why;
        said->text = place->text;
        said->format = place->format;
        return true;
    }
    return false;
}

static bool same_end(char glob, char c)
{
    return glob == '*' || (glob | 32) == (c | 32);
}

/* Quickly: nearly no file lies in such a place. */
static bool may_lie_there(const struct tree_entry *e, const struct place_rule *place)
{
    const char *glob = place->name;
    bool may = glob[1] == '\0' ? memchr(e->path, '.', e->dir_len) != NULL
                               : same_end(glob[0], e->name[0]) && same_end(glob[strlen(glob) - 1], e->name[strlen(e->name) - 1]);

    return may && strcasestr(e->path, place->needs);
}

static bool detect_place(struct format_look *look, struct format_verdict *said)
{
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (!(look->official && places[i].mine_only) && may_lie_there(look->entry, &places[i]) &&
            detect_in_place(look, &places[i], said))
            return true;
    return false;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    return detect_master(look, said) || detect_place(look, said);
}

/* ---- taking ---- */

/* Another master keeps its own set, but for those of the same format in one directory: these are one. */
static bool may_take(const struct format_file *f, const struct set_rule *rule)
{
    const struct set_rule *other = set_rule_of(f);

    if (!other || other->flags & SET_PART)
        return true;
    return strcmp(other->format, rule->format) == 0 && (rule->reach == HERE || rule->reach == BELOW);
}

static bool stem_fits(const char *name, const struct set_rule *rule, size_t stem)
{
    if (rule->reach == SAME_STEM)
        return name[stem] == '.';
    return rule->reach != STEM || name[stem] == '.' || name[stem] == '_';
}

static char *subdir_of(const char *dir, const struct tree_entry *e, const char *subdir)
{
    size_t before = strcspn(subdir, "*%"), n = subdir[before] == '%' ? strlen(e->name) : stem_length(e->name);

    if (subdir[before] == '\0')
        return mem_printf("%s%s/", dir, subdir);
    return mem_printf("%s%.*s%.*s%s/", dir, (int)before, subdir, (int)n, e->name, subdir + before + 1);
}

/* What the paths in the reach of a master begin with; owned by the caller. */
static char *prefix_of(const struct tree_entry *e, const struct set_rule *rule)
{
    AUTO(mem_freep) char *dir = e->dir_len == 0 ? mem_str("") : mem_printf("%.*s/", (int)e->dir_len, e->path);

    switch (rule->reach) {
    case HERE:
    case BELOW:
        return STEAL(dir);
    case SUBDIR:
        return subdir_of(dir, e, rule->subdir);
    case PREFIX:
        return mem_printf("%s%.*s", dir, (int)strcspn(e->name, "."), e->name);
    default:
        return mem_printf("%s%.*s", dir, (int)stem_length(e->name), e->name);
    }
}

/* Every file in the reach of a master that is not taken: from the place where such paths stand, in one directory or below it. */
static void in_reach(struct format_scene *scene, const struct format_file *master,
                     void (*take)(void *arg, struct format_file *f), void *arg)
{
    const struct set_rule *rule = set_rule_of(master);
    AUTO(mem_freep) char *prefix = prefix_of(master->entry, rule);
    bool below = rule->reach == BELOW || rule->reach == SUBDIR;
    const char *slash = strrchr(prefix, '/');
    size_t n = strlen(prefix), dir = slash ? (size_t)(slash - prefix) : 0;

    for (size_t i = scene_from(scene, prefix); rule->reach != NOWHERE && i < scene->n_files; i++) {
        struct format_file *f = &scene->files[i];

        if (strncmp(f->entry->path, prefix, n) != 0 || (!below && f->entry->dir_len != dir))
            break;
        if (!f->taken && may_take(f, rule) && suffix_is_one_of(f->entry->name, rule->suffixes) &&
            (below || stem_fits(f->entry->name, rule, n - (slash ? dir + 1 : 0))))
            take(arg, f);
    }
}

static void add(void *set, struct format_file *f)
{
    set_add(set, f);
}

/* X.TIF may be X.tif or X.stk, and % is written as -. */
static struct format_file *metamorph_beside(const struct format_scene *scene, const struct format_file *master, const char *name)
{
    static const char *const suffixes[] = {"TIF", "tif", "stk"};
    AUTO(mem_freep) char *other = mem_str(name);
    struct format_file *found = NULL;

    for (char *c = other; *c; c++)
        if (*c == '%')
            *c = '-';
    for (size_t i = 0; !found && i < ARRAY_LEN(suffixes); i++) {
        AUTO(mem_freep) char *path = mem_printf("%.*s.%s", (int)stem_length(other), other, suffixes[i]);

        found = scene_beside(scene, master, path);
    }
    return found;
}

static struct format_file *find_named(struct format_scene *scene, const struct format_file *master, const char *name)
{
    const struct set_rule *rule = set_rule_of(master);
    struct format_file *found = rule->flags & SET_ANY_CASE || rule->flags & SET_PART
                                    ? scene_beside_any_case(scene, master, name) : scene_beside(scene, master, name);

    return !found && rule->flags & SET_TIFF ? metamorph_beside(scene, master, name) : found;
}

void set_take_named(struct format_set *set, struct format_file *master)
{
    const struct format_names *names = master->said->facts->names;

    for (size_t i = 0; names && i < names->n; i++) {
        struct format_file *f = find_named(set->scene, master, names->at[i].name);

        if (f && f->taken)
            set_share(set, f);
        else if (f)
            set_add(set, f);
        else if (strcmp(names->at[i].more, NAME_MAY) != 0)
            set_miss(set, names->at[i].name);
    }
}

/* ---- groups ---- */

/* A member that is there but damaged: the set waits for a whole one. */
static const struct format_file *damaged(const struct format_set *set)
{
    for (size_t i = 1; i < set->n; i++) {
        const struct format_verdict *said = set->members[i]->said;

        if (said->format && (said->why == REASON_BROKEN_FILE || said->why == REASON_UNREADABLE))
            return set->members[i];
    }
    return NULL;
}

static void judge(struct format_set *set, const struct set_rule *rule, struct format_verdict *said)
{
    bool nothing = rule->flags & SET_ONE && set->n == 1 && set->n_shared == 0;
    const struct format_file *bad = set->scene->official ? NULL : damaged(set);

    set->tolerated = rule->flags & SET_GAPS && !nothing && !bad;
    if (set->doubt) {
        said->why = REASON_DEFERRED;
        said->text = set->doubt;
    } else if (set->missing.n > 0 && !(set->tolerated && set->scene->official)) {
        said->why = REASON_INCOMPLETE;
        said->text = set_missing_text(set);
    } else if (nothing) {
        said->why = REASON_INCOMPLETE;
        said->text = "none of its files is there";
    } else if (bad) {
        said->why = REASON_INCOMPLETE;
        said->text = arena_printf(set->scene->arena, "%s: %s", bad->entry->name,
                                  bad->said->text ? bad->said->text : reason_row(bad->said->why)->text);
    }
}

/* The members go on to be images of their own. */
static void let_go(struct format_set *set)
{
    for (size_t i = 1; i < set->n; i++)
        set->members[i]->taken = false;
    set->n = 1;
    set->n_shared = 0;
}

static void group_native(struct format_scene *scene, struct format_file *file)
{
    const struct set_rule *rule = set_rule_of(file);
    struct format_verdict said = *file->said;
    struct format_set set;

    set_begin(&set, scene);
    set.openers = rule->openers;
    set_add(&set, file);
    if (rule->flags & SET_ALL)
        in_reach(scene, file, add, &set);
    if (strcmp(rule->format, "Olympus OIF") != 0 && strcmp(rule->format, "Olympus ScanR") != 0)
        set_take_named(&set, file);
    if (rule->more)
        rule->more(&set, file);
    judge(&set, rule, &said);
    if (scene->official && said.why != REASON_NONE && rule->flags & SET_FREE)
        let_go(&set);
    else if (!scene->official && said.why != REASON_NONE && !set.tolerated)
        in_reach(scene, file, add, &set);
    if (said.why != REASON_NONE && !set.tolerated)
        set.openers = NULL;
    if (set.n == 1 && set.n_shared == 0 && rule->flags & SET_COMMON)
        said = (struct format_verdict){.why = REASON_UNKNOWN_FORMAT};
    set_end(&set, &said);
}

/* Damaged, or left to Bio-Formats: with all that may belong to it. */
static void group_whole_reach(struct format_scene *scene, struct format_file *file)
{
    const struct set_rule *rule = set_rule_of(file);
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    if (!scene->official || file->said->why == REASON_DEFERRED || rule->flags & SET_LEADS)
        in_reach(scene, file, add, &set);
    if (set.n == 1 && rule->flags & SET_COMMON && !scene->official)
        file_says(scene, file, (struct format_verdict){.why = REASON_UNKNOWN_FORMAT});
    set_end(&set, file->said);
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct set_rule *rule = set_rule_of(file);

    if (!rule || rule->flags & SET_PART)
        return;
    (file->said->why == REASON_NONE ? group_native : group_whole_reach)(scene, file);
}

/* ---- what no master took ---- */

/* A directory whose master is there: what it left is a preview, or nothing of it. */
static void group_beside_its_set(struct format_scene *scene, struct format_file *file)
{
    bool preview = suffix_is_one_of(file->entry->name, "bmp jpg png");
    struct format_verdict said = *file->said;

    said.why = preview ? REASON_EXCLUDED : suffix_is_one_of(file->entry->name, "tif tiff") ? REASON_FOREIGN
                                                                                           : REASON_UNKNOWN_FORMAT;
    said.text = preview ? "a preview in the directory of a set" : NULL;
    file_says(scene, file, said);
    group_alone(scene, file);
}

static bool master_is_there(const struct format_scene *scene, const char *base, const struct place_rule *place)
{
    AUTO(mem_freep) char *master = place->master ? mem_strn(base, strlen(base) - 1 - strlen(place->master)) : NULL;
    const struct format_file *f = master ? scene_find(scene, master) : NULL;

    return f && set_rule_of(f);
}

/* All of a special directory together. */
static void group_place(struct format_scene *scene, struct format_file *file)
{
    const struct place_rule *place = &places[file->said->facts->flags];
    int n = (int)file->said->facts->number;
    AUTO(mem_freep) char *base = mem_printf("%.*s%s", n, file->entry->path, n > 0 ? "/" : "");
    struct format_set set;

    if (master_is_there(scene, base, place)) {
        group_beside_its_set(scene, file);
        return;
    }
    set_begin(&set, scene);
    for (size_t i = scene_from(scene, base); i < scene->n_files; i++) {
        struct format_file *f = &scene->files[i];

        if (strncmp(f->entry->path, base, strlen(base)) != 0)
            break;
        if (f->driver == &format_sets && f->said->facts && !set_rule_of(f) &&
            strcmp(places[f->said->facts->flags].format, place->format) == 0)
            set_add(&set, f);
    }
    set_end(&set, file->said);
}

static void leftover(struct format_scene *scene, struct format_file *file)
{
    if (!set_rule_of(file)) {
        group_place(scene, file);
        return;
    }
    file_says(scene, file, (struct format_verdict){.why = REASON_UNKNOWN_FORMAT, .unknown = true});
    file->driver = NULL;
    group_alone(scene, file);
}

/* A file that leads the official importer to a set which does not have it. */
static void leave_out(void *arg, struct format_file *f)
{
    struct format_scene *scene = arg;

    if (f->driver == &format_ome_tiff || !f->driver || set_rule_of(f))
        return;
    file_says(scene, f, (struct format_verdict){.why = REASON_FOREIGN, .format = f->said->format});
    group_alone(scene, f);
}

static void finish(struct format_scene *scene)
{
    for (size_t i = 0; i < scene->n_files; i++) {
        const struct set_rule *rule = set_rule_of(&scene->files[i]);

        if (rule && rule->flags & SET_LEADS && scene->files[i].said->why == REASON_NONE)
            in_reach(scene, &scene->files[i], leave_out, scene);
    }
}

/* ---- for people ---- */

static bool about(size_t i, struct format_about *out)
{
    if (i < n_set_rules) {
        const struct set_rule *r = &set_rules[i];

        *out = (struct format_about){r->format, r->reader, r->name, r->told,
                                     r->reader || r->flags & SET_PART ? FORMAT_NATIVE : FORMAT_HELPER};
        return true;
    }
    i -= n_set_rules;
    if (i >= ARRAY_LEN(places))
        return false;
    *out = (struct format_about){places[i].format, NULL, places[i].directory, "all files of such a directory",
                                 FORMAT_HELPER};
    return true;
}

const struct format_driver format_sets = {
    .name = "sets with a master", .wants = "the name and the beginning of a file that stands for others", .detect = detect,
    .group = group, .leftover = leftover, .finish = finish, .about = about};
