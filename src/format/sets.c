/* Sets that this version cannot join yet, told by their masters: a MetaMorph .nd, an .oif, a Micro-Manager metadata.txt ...
 *
 * The files that such a master may name are deferred with it: a plane that went in as an image of its own could never be put
 * right again.  So the rules take rather a file too many than one too few, and never look into a master for names. */
#include "format/drivers.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "base/str.h"

enum reach {
    SAME_STEM,   /* x.ext beside x.master */
    STEM,        /* x_*.ext and x.ext beside x.master */
    PREFIX,      /* x*.ext beside x.anything */
    HERE,        /* its directory */
    BELOW,       /* its directory and all below */
    MEASUREMENT, /* the same, from the parent when its directory is called Images */
    SUBDIR,      /* all below one subdirectory */
    PATTERN,     /* what the text in it matches, as far as prefix and suffix go */
};

struct set_rule {
    const char *format;
    const char *name;     /* of the master, letters in any case; "*" only as its beginning */
    const char *content;  /* what the master's beginning must contain, letters in any case; NULL: nothing */
    size_t within;        /* so many bytes */
    enum reach reach;
    const char *suffixes; /* of the members, "tif tiff"; NULL: all */
    const char *subdir;   /* for SUBDIR; "*" stands for the master's stem, "%" for its name */
    const char *alone;    /* content of such a file that has no set; NULL: none */
    bool common;          /* such files are mostly something else: not worth a word without members */
};

static const struct set_rule rules[] = {
    {"MetaMorph", "*.nd", NULL, 0, STEM, "tif tiff stk"},
    {"MetaMorph", "*.scan", NULL, 0, STEM, "tif tiff stk"},
    {"MetaXpress", "*.htd", NULL, 0, BELOW, "htd tif tiff pnl log jpg"},
    {"Leica LEI", "*.lei", NULL, 0, STEM, "tif tiff raw"},
    {"Micro-Manager", "metadata.txt", "micromanager", 1 << 20, HERE, "tif tiff"},
    {"Micro-Manager", "metadata.txt", "micro-manager", 1 << 20, HERE, "tif tiff"},
    {"Micro-Manager", "*_metadata.txt", "micromanager", 1 << 20, HERE, "tif tiff"},
    {"Micro-Manager", "*_metadata.txt", "micro-manager", 1 << 20, HERE, "tif tiff"},
    {"Micro-Manager", "acqusition.xml", NULL, 0, HERE, "tif tiff"},
    {"Olympus OIF", "*.oif", NULL, 0, SUBDIR, NULL, "%.files"},
    {"Olympus VSI", "*.vsi", NULL, 0, SUBDIR, NULL, "_*_"},
    {"Leica XLEF", "*.xlef", NULL, 0, BELOW, "xlif xlcf lof tif tiff jpg png bmp"},
    {"GE InCell", "*.xdce", NULL, 0, HERE, "xdce tif tiff xlog"},
    {"GE InCell", "*.xml", "in cell analyzer", 2048, HERE, "tif tiff xlog"},
    {"GE InCell", "*.xml", "cytell", 2048, HERE, "tif tiff xlog"},
    {"Olympus ScanR", "experiment_descriptor.xml", NULL, 0, BELOW, "xml dat tif tiff"},
    {"Yokogawa CV7000", "*.wpi", NULL, 0, HERE, NULL},
    {"PerkinElmer Operetta", "index.idx.xml", NULL, 0, MEASUREMENT, NULL},
    {"PerkinElmer Operetta", "index.ref.xml", NULL, 0, MEASUREMENT, NULL},
    {"PerkinElmer Operetta", "index.xml", "harmony", 1024, MEASUREMENT, NULL},
    {"PerkinElmer Operetta", "index.xml", "operett", 1024, MEASUREMENT, NULL},
    {"PerkinElmer Columbus", "measurementindex.columbusidx.xml", NULL, 0, BELOW, NULL},
    {"CellVoyager", "measurementresult.xml", NULL, 0, BELOW, "xml tif tiff"},
    {"BD Pathway", "*experiment.exp", NULL, 0, BELOW, NULL},
    {"Prairie", "*.xml", "<PV", LOOK_HEAD, PREFIX, "tif tiff cfg env"},
    {"PerkinElmer UltraVIEW", "*.htm", NULL, 0, STEM, "tif tiff cfg ano rec tim csv zpo", .common = true},
    {"Hamamatsu VMS", "*.vms", NULL, 0, PREFIX, "jpg opt"},
    {"Aperio AFI", "*.afi", NULL, 0, PREFIX, "svs"},
    {"Hamamatsu NDPIS", "*.ndpis", NULL, 0, PREFIX, "ndpi"},
    {"Zeiss AxioVision TIFF", "*.tif_meta.xml", NULL, 0, PREFIX, "tif"},
    {"Zeiss AxioVision TIFF", "_meta.xml", NULL, 0, HERE, "tif"},
    {"Hitachi", "*.txt", "[SemImageFile]", 64, SAME_STEM, "tif jpg bmp"},
    {"NRRD", "*.nhdr", NULL, 0, SAME_STEM, NULL},
    {"IMAGIC", "*.hed", NULL, 0, SAME_STEM, "img"},
    {"ICS", "*.ics", NULL, 0, SAME_STEM, "ids", .alone = "ics_version\t2.0"},
    {"Analyze or NIfTI", "*.hdr", NULL, 0, SAME_STEM, "img", .common = true},
    {"Bio-Rad PIC", "lse.xml", NULL, 0, HERE, "pic"},
    {"Volocity", "*.mvd2", NULL, 0, SUBDIR, NULL, "Data"},
    {"Olympus APL", "*.apl", NULL, 0, BELOW, "tif tiff xml mtb tnb"},
    {"Li-Cor L2D", "*.l2d", NULL, 0, BELOW, "scn tif tiff"},
    {"Image-Pro Sequence", "*.ips", NULL, 0, HERE, "tif tiff"},
    {"File pattern", "*.pattern", NULL, 0, PATTERN, NULL},
};

/* Directories whose content is one set, or has lost its master. */
struct place_rule {
    const char *format;
    const char *directory; /* a glob for one part of the path */
    const char *name;      /* a glob for the file's name */
    enum reason why;
    const char *text;
};

static const struct place_rule places[] = {
    {"OME-Zarr", "*.zarr", "*", REASON_DEFERRED, ""},
    {"Olympus OIF", "*.oif.files", "*", REASON_INCOMPLETE, "the .oif that these files belong to is not there"},
    {"MIAS", "Well[0-9]*", "mode*.tif*", REASON_DEFERRED, ""},
    {"MIAS", "results", "Well[0-9]*_detail.txt", REASON_DEFERRED, ""},
    {"MIAS", "Batchresults", "*_Results.txt", REASON_DEFERRED, ""},
    {"MIAS", "*", "Nugenesistemplate.txt", REASON_DEFERRED, ""},
};

struct master {
    const struct set_rule *rule;
    const struct place_rule *place;
    size_t base_len;    /* of place: bytes of the path up to the directory that matched */
    const char *prefix, *suffix; /* of PATTERN, relative to its directory */
};

static bool contains(const struct format_look *look, const struct set_rule *rule)
{
    struct err err = ERR_INIT;

    if (rule->within <= LOOK_HEAD || look->size <= LOOK_HEAD || look_contains(look, rule->content, LOOK_HEAD))
        return look_contains(look, rule->content, rule->within);

    AUTO(mem_freep) char *text = mem_new(rule->within + 1, 1);

    return io_pread(look->fd, text, rule->within, 0, &err) > 0 && strcasestr(text, rule->content);
}

/* The literal ends of a pattern such as "img_z<0-2>.tif"; a relative one only. */
static void read_pattern(const struct format_look *look, struct master *m)
{
    size_t n = 0;

    while (n < look->head_len && look->head[n] != '\n' && look->head[n] != '\r' && look->head[n] != '\0')
        n++;

    char *text = arena_strn(look->arena, (const char *)look->head, n);
    char *open = strchr(text, '<'), *close = strrchr(text, '>');

    m->suffix = open && close ? close + 1 : "";
    if (open)
        *open = '\0';
    m->prefix = text;
}

static bool detect_place(const struct format_look *look, struct master *m)
{
    const char *path = look->entry->path;

    for (size_t at = 0; at < look->entry->dir_len; ) {
        size_t n = strcspn(path + at, "/");
        AUTO(mem_freep) char *part = mem_strn(path + at, n);

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
            if (fnmatch(places[i].directory, part, FNM_CASEFOLD) == 0 &&
                fnmatch(places[i].name, look->entry->name, FNM_CASEFOLD) == 0) {
                m->place = &places[i];
                m->base_len = at + n;
                return true;
            }
        at += n + 1;
    }
    return false;
}

static bool name_fits(const char *pattern, const char *name)
{
    return pattern[0] == '*' ? str_ends_nocase(name, pattern + 1) : strcasecmp(name, pattern) == 0;
}

static bool detect_master(const struct format_look *look, struct master *m)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!name_fits(rules[i].name, look->entry->name) || (rules[i].content && !contains(look, &rules[i])) ||
            (rules[i].alone && look_contains(look, rules[i].alone, 64)))
            continue;
        m->rule = &rules[i];
        if (rules[i].reach == PATTERN)
            read_pattern(look, m);
        return true;
    }
    return false;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    struct master m = {0};

    if (!detect_master(look, &m) && !detect_place(look, &m))
        return false;

    struct master *kept = arena_alloc(look->arena, 1, sizeof(*kept));

    *kept = m;
    *said = (struct format_verdict){
        .why = m.rule ? REASON_DEFERRED : m.place->why,
        .text = m.rule ? NULL : m.place->text,
        .format = m.rule ? m.rule->format : m.place->format,
        .facts = kept,
    };
    return true;
}

static bool suffix_is_one_of(const char *name, const char *suffixes)
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

/* Another master keeps its own set, but for those of the same rule in one directory: these are one. */
static bool may_take(const struct format_file *f, const struct set_rule *rule)
{
    const struct master *m = f->driver == &format_sets ? f->said.facts : NULL;

    if (m && m->rule && m->rule != rule)
        return false;
    return !(m && m->rule) || rule->reach == HERE || rule->reach == BELOW || rule->reach == MEASUREMENT;
}

static bool stem_fits(const char *name, const struct set_rule *rule, size_t stem)
{
    if (rule->reach == SAME_STEM)
        return name[stem] == '.';
    return rule->reach != STEM || name[stem] == '.' || name[stem] == '_';
}

/* All that begins so, from the place where such paths stand: in one directory, or with "dir/" also below it. */
static void take_paths(struct format_set *set, const char *prefix, bool below, const struct set_rule *rule,
                       const struct master *m)
{
    const char *slash = strrchr(prefix, '/');
    size_t n = strlen(prefix), dir = slash ? (size_t)(slash - prefix) : 0;

    for (size_t i = scene_from(set->scene, prefix); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (strncmp(f->entry->path, prefix, n) != 0 || (!below && f->entry->dir_len != dir))
            break;
        if (may_take(f, rule) && suffix_is_one_of(f->entry->name, rule->suffixes) &&
            (below || m || stem_fits(f->entry->name, rule, n - (slash ? dir + 1 : 0))) &&
            (!m || str_ends(f->entry->path, m->suffix)))
            set_add(set, f);
    }
}

/* The directory of a master with a slash; of a measurement, the one that has Images in it. */
static char *directory_of(const struct tree_entry *e, enum reach reach)
{
    size_t n = e->dir_len;

    if (reach == MEASUREMENT && n >= 6 && strncmp(e->path + n - 6, "Images", 6) == 0 && (n == 6 || e->path[n - 7] == '/'))
        n -= n == 6 ? 6 : 7;
    return n == 0 ? mem_str("") : mem_printf("%.*s/", (int)n, e->path);
}

static char *subdir_of(const char *dir, const struct tree_entry *e, const char *subdir)
{
    size_t before = strcspn(subdir, "*%"), n = subdir[before] == '%' ? strlen(e->name) : stem_length(e->name);

    if (subdir[before] == '\0')
        return mem_printf("%s%s/", dir, subdir);
    return mem_printf("%s%.*s%.*s%s/", dir, (int)before, subdir, (int)n, e->name, subdir + before + 1);
}

/* What the paths of a rule's members begin with; owned by the caller. */
static char *prefix_of(const struct tree_entry *e, const struct master *m)
{
    AUTO(mem_freep) char *dir = directory_of(e, m->rule->reach);

    switch (m->rule->reach) {
    case HERE:
    case BELOW:
    case MEASUREMENT:
        return STEAL(dir);
    case SUBDIR:
        return subdir_of(dir, e, m->rule->subdir);
    case PATTERN:
        return mem_printf("%s%s", dir, m->prefix);
    case PREFIX:
        return mem_printf("%s%.*s", dir, (int)strcspn(e->name, "."), e->name);
    default:
        return mem_printf("%s%.*s", dir, (int)stem_length(e->name), e->name);
    }
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct master *m = file->said.facts;
    struct format_set set;

    if (!m->rule)
        return;

    AUTO(mem_freep) char *prefix = prefix_of(file->entry, m);
    bool below = m->rule->reach == BELOW || m->rule->reach == MEASUREMENT || m->rule->reach == SUBDIR;

    set_begin(&set, scene);
    set_add(&set, file);
    take_paths(&set, prefix, below, m->rule, m->rule->reach == PATTERN ? m : NULL);
    if (set.n == 1 && m->rule->common)
        file->said = (struct format_verdict){.why = REASON_UNKNOWN_FORMAT};
    set_end(&set, &file->said, false);
}

/* What no master took out of a special directory: all of it together. */
static void group_place(struct format_scene *scene, struct format_file *file)
{
    const struct master *m = file->said.facts;
    AUTO(mem_freep) char *base = mem_printf("%.*s/", (int)m->base_len, file->entry->path);
    struct format_set set;

    set_begin(&set, scene);
    for (size_t i = scene_from(scene, base); i < scene->n_files; i++) {
        struct format_file *f = &scene->files[i];
        const struct master *other = f->driver == &format_sets ? f->said.facts : NULL;

        if (strncmp(f->entry->path, base, strlen(base)) != 0)
            break;
        if (other && other->place == m->place)
            set_add(&set, f);
    }
    set_end(&set, &file->said, false);
}

const struct format_driver format_sets = {
    .name = "sets of later drivers", .detect = detect, .group = group, .leftover = group_place};
