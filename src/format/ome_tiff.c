/* OME-TIFF: single files, sets whose members name each other, and sets under a companion.ome.
 *
 * Members are all FileNames of all TiffData, relative to the directory of the XML.  A name that is not there falls back to the
 * file itself when the UUID is its own, so a renamed file is found; any other missing name makes the whole set incomplete.
 * Complete sets take their files first; what is left over says why.  OME-TIFF specification, "Multi-file OME-TIFF"; what
 * Bio-Formats does with copied, renamed and missing members was seen in its outcomes. */
#include "format/drivers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { OWN_PLANES = 1 };

#define OME_READER "loci.formats.in.OMETiffReader"

/* text[0] is the file's own UUID, text[1] the MetadataFile of BinaryOnly, number the count of images. */
static struct format_facts *facts_of(const struct ome_facts *ome, struct arena *arena)
{
    struct format_facts *f = arena_alloc(arena, 1, sizeof(*f));

    f->text[0] = ome->uuid;
    f->text[1] = ome->metadata_file;
    f->names = ome->names;
    f->number = ome->n_images;
    f->flags = ome->own_planes ? OWN_PLANES : 0;
    return f;
}

static const struct format_verdict plain_tiff = {.format = "TIFF", .reader = "loci.formats.in.TiffDelegateReader"};

/* What the names of one file lead to. */
struct members {
    struct format_file **at;
    size_t n, cap;
    const char *missing; /* a name without a file; NULL when there is none */
    bool self;           /* the file itself is one */
    struct format_file *elsewhere; /* one that another set has taken */
    struct format_file *bad;       /* one that cannot be imported */
};

static void members_clear(struct members *m)
{
    free(m->at);
}

static bool is_bad(const struct format_file *f)
{
    return f->said->why != REASON_NONE && f->said->why != REASON_DEFERRED;
}

static void add_member(struct members *m, struct format_file *file, const struct format_file *self)
{
    if (file == self && m->self)
        return;
    m->self |= file == self;
    if (file != self && file->taken)
        m->elsewhere = file;
    if (file != self && is_bad(file))
        m->bad = file;
    m->at = mem_grow(m->at, m->n, &m->cap, sizeof(struct format_file *));
    m->at[m->n++] = file;
}

static bool is_own(const struct format_facts *ome, const struct format_name *name)
{
    return name->more[0] != '\0' && strcasecmp(name->more, ome->text[0]) == 0;
}

static void resolve(const struct format_scene *scene, struct format_file *file, struct members *m)
{
    const struct format_facts *ome = file->said->facts;

    for (size_t i = 0; i < ome->names->n; i++) {
        const struct format_name *name = &ome->names->at[i];
        struct format_file *found = scene_beside(scene, file, name->name);

        if (found)
            add_member(m, found, file);
        else if (is_own(ome, name))
            add_member(m, file, file);
        else
            m->missing = name->name;
    }
    if (ome->flags & OWN_PLANES || ome->names->n == 0)
        add_member(m, file, file);
}

/* A copy of a file that names only itself still names the original: it is an image of its own all the same. */
static bool is_lone_copy(const struct format_file *file)
{
    const struct format_facts *ome = file->said->facts;

    return ome->names->n == 1 && is_own(ome, &ome->names->at[0]);
}

static void join(struct format_scene *scene, struct format_file *first, const struct members *m, struct format_verdict said)
{
        struct format_set set;

    if (said.why == REASON_NONE && m->bad) {
        said.why = REASON_INCOMPLETE;
        said.text = arena_printf(scene->arena, "%s: %s", m->bad->entry->name, reason_row(m->bad->said->why)->text);
    }
    set_begin(&set, scene);
    set_add(&set, first);
    for (size_t i = 0; i < m->n; i++)
        set_add(&set, m->at[i]);
    set_end(&set, &said);
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    if (!look->is_tiff || look->tiff.broken || !look_is_ome_tiff(look))
        return false;
    *said = (struct format_verdict){.format = "OME-TIFF", .reader = OME_READER, .plate = look->ome->plate,
                                    .facts = facts_of(look->ome, look->arena)};
    return true;
}

static bool is_pointer_only(const struct format_facts *ome)
{
    return ome->text[1] && ome->number == 0;
}

static void group(struct format_scene *scene, struct format_file *file)
{
    AUTO(members_clear) struct members m = {0};

    if (is_pointer_only(file->said->facts))
        return;
    resolve(scene, file, &m);
    if (!m.self && is_lone_copy(file))
        group_alone(scene, file);
    else if (m.self && !m.missing && !m.elsewhere)
        join(scene, file, &m, *file->said);
}

/* BinaryOnly: without its OME-XML it is a plain TIFF to everybody. */
static void group_pointer(struct format_scene *scene, struct format_file *file)
{
    const struct format_facts *ome = file->said->facts;
    struct format_file *metadata = scene_beside(scene, file, ome->text[1]);

    if (!metadata || metadata == file) {
        file_says(scene, file, plain_tiff);
    } else {
        struct format_verdict said = *file->said;

        said.why = REASON_DEFERRED;
        said.text = arena_printf(scene->arena, "its metadata is said to be in %s, which does not name it", metadata->entry->name);
        file_says(scene, file, said);
    }
    group_alone(scene, file);
}

static void leftover(struct format_scene *scene, struct format_file *file)
{
    AUTO(members_clear) struct members m = {0};
    struct format_verdict said = *file->said;

    if (is_pointer_only(said.facts)) {
        group_pointer(scene, file);
        return;
    }
    resolve(scene, file, &m);
    said.why = m.missing ? REASON_INCOMPLETE : REASON_DEFERRED;
    if (m.missing)
        said.text = arena_printf(scene->arena, "%s is missing", m.missing);
    else if (!m.self)
        said.text = "its OME-XML names other files and not this one: a copy of a member of a set";
    else
        said.text = arena_printf(scene->arena, "%s belongs to two sets", m.elsewhere ? m.elsewhere->entry->name : "a file");
    if (!m.self || !m.missing)
        m.n = 0;
    join(scene, file, &m, said);
}

static bool detect_companion(struct format_look *look, struct format_verdict *said)
{
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;

    if (!str_ends_nocase(look->entry->name, "companion.ome"))
        return false;
    *said = (struct format_verdict){.format = "OME-TIFF", .reader = OME_READER};

    int done = look->names_left == 0 ? err_set(&err, REASON_TOO_LARGE, 0, "%s", LOOK_TOO_MANY_NAMES)
                                     : ome_read(look->fd, 0, look->size, &look->last_names, look->arena, &ome, &err);

    if (done != 0) {
        said->why = REASON_BROKEN_FILE;
        if (done < 0)
            said->why = err.why;
        said->text = done < 0 ? arena_str(look->arena, err.text) : "XML, but not OME-XML";
    }
    said->facts = ome ? facts_of(ome, look->arena) : NULL;
    said->plate = ome && ome->plate;
    return true;
}

/* A companion comes first, whatever its members say themselves. */
static void group_companion(struct format_scene *scene, struct format_file *file)
{
    AUTO(members_clear) struct members m = {0};
    struct format_verdict said = *file->said;
    const struct format_facts *ome = said.facts;

    if (!ome || ome->names->n == 0) {
        if (ome)
            file_says(scene, file, (struct format_verdict){.why = REASON_BROKEN_FILE, .format = said.format,
                                                           .text = "it names no files"});
        group_alone(scene, file);
        return;
    }
    resolve(scene, file, &m);
    if (m.missing) {
        said.why = REASON_INCOMPLETE;
        said.text = arena_printf(scene->arena, "%s is missing", m.missing);
    } else if (m.elsewhere) {
        said.why = REASON_DEFERRED;
        said.text = arena_printf(scene->arena, "%s belongs to two sets", m.elsewhere->entry->name);
    }
    join(scene, file, &m, said);
}

static bool about_companion(size_t i, struct format_about *out)
{
    *out = (struct format_about){"OME-TIFF", OME_READER, "*companion.ome", "OME-XML, with all TIFFs that it names",
                                 FORMAT_NATIVE};
    return i == 0;
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"OME-TIFF", OME_READER, NULL,
                                 "a TIFF whose first description is OME-XML, with all files that it names", FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_companion = {.name = "OME-TIFF companion", .wants = "a name that ends in companion.ome",
                                               .detect = detect_companion, .group = group_companion, .about = about_companion};
const struct format_driver format_ome_tiff = {.name = "OME-TIFF", .wants = "a TIFF whose first description is OME-XML",
                                              .detect = detect, .group = group, .leftover = leftover, .about = about};
