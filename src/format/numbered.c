/* TIFFs that find one another: planes of MetaMorph with numbers for names; files of SlideBook with one stamp, one a channel. */
#include "format/drivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum kind { METAMORPH, SLIDEBOOK };

static bool is_numbered_plane(const struct format_look *look)
{
    const char *name = look->entry->name;
    size_t n = strcspn(name, ".");

    return look->tiff.subfile_type == 2 && !look->tiff.more_directories && n > 0 && n < 10 && strspn(name, "0123456789") == n;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    const struct tiff_facts *t = &look->tiff;
    bool slidebook = look->is_tiff && strcmp(t->software, "SlideBook") == 0 && t->comment[0] == '\0' &&
                     (tiff_has(t, 65000) || tiff_has(t, 65001) || tiff_has(t, 65002) || tiff_has(t, 65004) ||
                      tiff_has(t, 65005) || tiff_has(t, 65007));
    bool metamorph = look->is_tiff && str_starts(t->comment, "<MetaData>") && is_numbered_plane(look);

    if ((!slidebook && !metamorph) || t->broken)
        return false;

    struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

    facts->row = slidebook ? SLIDEBOOK : METAMORPH;
    facts->text[0] = slidebook ? arena_str(look->arena, t->date_time) : NULL;
    *said = slidebook ? (struct format_verdict){.format = "SlideBook TIFF", .reader = "loci.formats.in.SlidebookTiffReader"}
                      : (struct format_verdict){.format = "MetaMorph TIFF", .reader = "loci.formats.in.MetamorphTiffReader",
                                                .plate = true};
    said->facts = facts;
    return true;
}

/* 001.tif and 002.tif, but not 01.tiff. */
static bool is_of_series(const struct format_file *a, const struct format_file *b)
{
    const char *x = a->entry->name, *y = b->entry->name;

    return strcmp(x + strspn(x, "0123456789"), y + strspn(y, "0123456789")) == 0;
}

static bool belongs(const struct format_file *first, const struct format_file *f)
{
    if (f->driver != &format_numbered || f->said->facts->row != first->said->facts->row)
        return false;
    return first->said->facts->row == SLIDEBOOK ? strcmp(first->said->facts->text[0], f->said->facts->text[0]) == 0
                                               : is_of_series(first, f);
}

static void group(struct format_scene *scene, struct format_file *file)
{
    struct format_set set;
    size_t from, to;

    set_begin(&set, scene);
    set_add(&set, file);
    scene_directory(scene, file->entry, &from, &to);
    for (size_t i = from; i < to; i++)
        if (belongs(file, &scene->files[i]))
            set_add(&set, &scene->files[i]);
    set_end(&set, file->said);
}

static bool about(size_t i, struct format_about *out)
{
    static const struct format_about rows[] = {
        {"MetaMorph TIFF", "loci.formats.in.MetamorphTiffReader", "*.tif", "<MetaData> in the comment and numbers for names: "
         "all of the series", FORMAT_NATIVE},
        {"SlideBook TIFF", "loci.formats.in.SlidebookTiffReader", "*.tif", "made by SlideBook: all of one time stamp",
         FORMAT_NATIVE},
    };

    if (i < ARRAY_LEN(rows))
        *out = rows[i];
    return i < ARRAY_LEN(rows);
}

const struct format_driver format_numbered = {.name = "numbered TIFF", .wants = "the marks of MetaMorph or SlideBook in a TIFF",
                                              .detect = detect, .group = group, .about = about};
