/* A header and its data in two files of one name: one row a format.
 *
 * The rows are Bio-Formats' readers in their order, told by the name and the beginning of the header. */
#include "format/drivers.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/str.h"
#include "format/bytes.h"
#include "format/single.h"

enum without {
    WAITS,   /* without its partner it is incomplete */
    ALONE,   /* it does without */
    NOTHING, /* it is no such file */
};

struct pair_rule {
    const char *format, *reader;
    const char *names;    /* suffixes of the header */
    const char *partners; /* suffixes of the data, the first that is there; "": its name without one; NULL: the file of text[0] */
    enum without without;
    struct {
        size_t offset, n;
        const char *bytes;
    } magic; /* n = 0: none */
    bool (*test)(const struct format_look *look);
    const char *openers; /* as in format_set */
    uint64_t (*pixels)(const struct format_look *look); /* bytes that the data must have; 0: not to be told */
    const char *told;
};

static bool is_nifti(const struct format_look *look)
{
    return look->head_len >= 348 && (look_has(look, 344, "ni1", 3) || look_has(look, 344, "n+1", 3));
}

static bool is_analyze(const struct format_look *look)
{
    return look->head_len >= 4 && (le32(look->head) == 348 || be32(look->head) == 348);
}

static bool is_inveon(const struct format_look *look)
{
    return look_contains(look, "Header file for data file", 128);
}

static bool is_unisoku(const struct format_look *look)
{
    return look_contains(look, ":STM data", 9);
}

static bool is_nrrd(const struct format_look *look)
{
    return look_has(look, 0, "NRRD", 4) &&
           (str_ends_nocase(look->entry->name, ".nhdr") || look_contains(look, "\ndata file:", LOOK_HEAD) ||
            look_contains(look, "\ndatafile:", LOOK_HEAD));
}

static bool is_jeol(const struct format_look *look)
{
    return (str_ends_nocase(look->entry->name, ".dat") && look->size == 1 << 20) || look_has(look, 0, "MG", 2) ||
           look_has(look, 0, "IM", 2);
}

static bool is_ics_1(const struct format_look *look)
{
    return !sign_ics_2(look);
}

#define READER(name) "loci.formats.in." name "Reader"

static const struct pair_rule rules[] = {
    {"SPC FIFO", READER("SPC"), "spc", "set", NOTHING, .told = "X.spc with X.set"},
    {"IMAGIC", READER("Imagic"), "hed", "img", WAITS, .told = "X.hed with X.img"},
    {"JEOL", READER("JEOL"), "dat img", "PAR", ALONE, .test = is_jeol, .told = "with X.PAR"},
    {"NIfTI", READER("Nifti"), "hdr", "img", WAITS, .test = is_nifti, .pixels = pixels_of_nifti,
     .told = "X.hdr with X.img"},
    {"Analyze", READER("Analyze"), "hdr", "img IMG", NOTHING, .test = is_analyze, .pixels = pixels_of_nifti,
     .told = "X.hdr with X.img"},
    {"NRRD", READER("NRRD"), "nhdr nrrd", NULL, WAITS, .test = is_nrrd, .pixels = pixels_of_nrrd,
     .told = "with the data file that it names"},
    {"ICS", READER("ICS"), "ics", "ids", WAITS, .test = is_ics_1, .openers = "ics ids", .pixels = pixels_of_ics,
     .told = "version 1: X.ics with X.ids"},
    {"Unisoku STM", READER("Unisoku"), "hdr", "DAT dat", WAITS, .test = is_unisoku, .told = "X.HDR with X.DAT"},
    {"Perkin Elmer Densitometer", READER("PDS"), "hdr", "img IMG", WAITS, {0, 15, " IDENTIFICATION"}, .told = "X.hdr with X.img"},
    {"Fuji LAS 3000", READER("Fuji"), "inf", "img", NOTHING, .told = "X.inf with X.img"},
    {"Inveon", READER("Inveon"), "hdr", "", WAITS, .test = is_inveon, .told = "X.hdr with X"},
    {"PCO-RAW", READER("PCORAW"), "pcoraw", "rec", ALONE, .test = sign_tiff, .told = "X.pcoraw with X.rec"},
    {"Simulated data", READER("Fake"), "fake", "fake.ini", ALONE, .told = "X.fake with X.fake.ini"},
};

static bool fits(const struct format_look *look, const struct pair_rule *rule)
{
    return suffix_is_one_of(look->entry->name, rule->names) &&
           look_has(look, rule->magic.offset, rule->magic.bytes, rule->magic.n) && (!rule->test || rule->test(look));
}

/* "data file: x.raw" of an NRRD header; NULL: several files, or none. */
static const char *nrrd_data(const struct format_look *look)
{
    static const char *const keys[] = {"\ndata file:", "\ndatafile:"};
    AUTO(mem_freep) char *text = mem_strn((const char *)look->head, look->head_len);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char *at = strstr(text, keys[i]);

        if (!at)
            continue;
        at += strlen(keys[i]);
        at += strspn(at, " \t");
        at[strcspn(at, "\r\n")] = '\0';
        if (*at && strncmp(at, "LIST", 4) != 0 && !strchr(at, '%'))
            return arena_str(look->arena, at);
    }
    return NULL;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!fits(look, &rules[i]))
            continue;

        struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

        *said = (struct format_verdict){.format = rules[i].format, .reader = rules[i].reader, .facts = facts};
        facts->row = (uint16_t)i;
        facts->number = rules[i].pixels ? rules[i].pixels(look) : 0;
        if (rules[i].partners)
            return true;
        facts->text[0] = nrrd_data(look);
        if (!facts->text[0]) {
            said->why = REASON_DEFERRED;
            said->text = "its data lie in several files";
        }
        return true;
    }
    return false;
}

/* X.ICS goes with X.IDS: the case of each letter is kept, where the header's suffix is the partner's length. */
static void keep_case(char *suffix, const char *like)
{
    for (size_t i = 0; strlen(suffix) == strlen(like) && suffix[i]; i++)
        if (like[i] >= 'A' && like[i] <= 'Z' && suffix[i] >= 'a' && suffix[i] <= 'z')
            suffix[i] = (char)(suffix[i] - 32);
}

static struct format_file *partner_of(const struct format_scene *scene, const struct format_file *file, char **name)
{
    const struct pair_rule *rule = &rules[file->said->facts->row];
    const char *own = file->entry->name, *suffixes = rule->partners;
    size_t stem = stem_length(own);
    struct format_file *found = NULL;

    if (!suffixes || *suffixes == '\0') {
        *name = suffixes ? mem_strn(own, stem) : mem_str(file->said->facts->text[0] ? file->said->facts->text[0] : "");
        return scene_beside(scene, file, *name);
    }
    for (size_t n; *suffixes && !found; suffixes += n + (suffixes[n] == ' ')) {
        n = strcspn(suffixes, " ");

        AUTO(mem_freep) char *suffix = mem_strn(suffixes, n);
        AUTO(mem_freep) char *cased = mem_str(suffix);

        keep_case(cased, own[stem] ? own + stem + 1 : "");
        mem_freep(name);
        *name = mem_printf("%.*s.%s", (int)stem, own, cased);
        found = scene_beside(scene, file, *name);
        if (!found && strcmp(cased, suffix) != 0) {
            AUTO(mem_freep) char *plain = mem_printf("%.*s.%s", (int)stem, own, suffix);

            found = scene_beside(scene, file, plain);
        }
    }
    return found;
}

/* The official importer lists a file that an NRRD names though it is not there; the import then fails. */
static void add_absent(struct format_set *set, const struct format_file *beside, const char *name)
{
    struct tree_entry *e = arena_alloc(set->scene->arena, 1, sizeof(*e));
    struct format_file *f = arena_alloc(set->scene->arena, 1, sizeof(*f));
    size_t dir = beside->entry->dir_len;

    e->path = arena_printf(set->scene->arena, "%.*s%s%s", (int)dir, beside->entry->path, dir ? "/" : "", name);
    e->name = e->path + dir + (dir > 0);
    e->dir_len = (uint32_t)dir;
    f->entry = e;
    set_add(set, f);
}

/* Not every scan stamps its entries. */
static bool is_shorter(const struct format_scene *scene, const struct tree_entry *e, uint64_t bytes)
{
    struct stat st = {.st_size = e->stamp.size};

    if (bytes == 0 || (e->stamp.mtime_ns == 0 && fstatat(scene->tree->fd, e->path, &st, AT_SYMLINK_NOFOLLOW) < 0))
        return false;
    return (uint64_t)st.st_size < bytes;
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct pair_rule *rule = &rules[file->said->facts->row];
    AUTO(mem_freep) char *name = NULL;
    struct format_file *partner = partner_of(scene, file, &name);
    struct format_verdict said = *file->said;
    struct format_set set;

    set_begin(&set, scene);
    set.openers = rule->openers;
    set_add(&set, file);
    if (partner && partner->taken)
        set_share(&set, partner);
    else
        set_add(&set, partner);
    if (partner && said.why == REASON_NONE && is_shorter(scene, partner->entry, file->said->facts->number))
        say_cut(&said, "the end of its data is missing");
    if (!partner && scene->official && !rule->partners && said.why == REASON_NONE) {
        add_absent(&set, file, name);
    } else if (!partner && rule->without == NOTHING) {
        said = (struct format_verdict){.why = REASON_UNKNOWN_FORMAT, .unknown = true};
    } else if (!partner && rule->without == WAITS && said.why == REASON_NONE) {
        set_miss(&set, name);
        said.why = REASON_INCOMPLETE;
        said.text = set_missing_text(&set);
    }
    set_end(&set, &said);
}

static bool about(size_t i, struct format_about *out)
{
    if (i >= ARRAY_LEN(rules))
        return false;
    *out = (struct format_about){rules[i].format, rules[i].reader, rules[i].names, rules[i].told, FORMAT_NATIVE};
    return true;
}

const struct format_driver format_pairs = {
    .name = "header and data", .wants = "the name and the beginning of a header whose data are in another file",
    .detect = detect, .group = group, .about = about};
