/* DICOM: by its suffix, or by DICM behind its preamble.  Which slices make a volume only Bio-Formats can tell: a file is imported
 * here when it is the only DICOM of its directory. */
#include "format/drivers.h"

#include <string.h>

#include "base/str.h"
#include "format/dicom_whole.h"

#define READER "loci.formats.in.DicomReader"
#define SUFFIXES "dic dcm dicom j2ki j2kr"

static bool detect(struct format_look *look, struct format_verdict *said)
{
    bool begins = look->size >= 1024 && look_has(look, 128, "DICM", 4);

    if (!begins && !suffix_is_one_of(look->entry->name, SUFFIXES))
        return false;
    *said = (struct format_verdict){.format = "DICOM", .reader = READER};
    if (!begins) {
        said->why = REASON_DEFERRED;
        said->text = "only its name says that it is a DICOM";
    } else if (!dicom_is_whole(look)) {
        said->why = REASON_BROKEN_FILE;
        said->text = "a DICOM whose end is missing";
    }
    return true;
}

/* Another slice, or a directory of slices. */
static bool may_belong(const struct format_file *f)
{
    return f->driver == &format_dicom || str_starts(f->entry->name, "DICOMDIR");
}

static bool mif_is_there(const struct format_scene *scene, const struct format_file *file)
{
    AUTO(mem_freep) char *mif = mem_printf("%.*s.mif", (int)file->entry->dir_len, file->entry->path);

    return file->entry->dir_len > 0 && scene_find(scene, mif);
}

static void group(struct format_scene *scene, struct format_file *file)
{
    size_t from, to, n = 0;

    scene_directory(scene, file->entry, &from, &to);
    for (size_t i = from; i < to && n < 2; i++)
        n += may_belong(&scene->files[i]);
    if ((n > 1 || mif_is_there(scene, file)) && file->said->why == REASON_NONE) {
        struct format_verdict said = *file->said;

        said.why = REASON_DEFERRED;
        said.text = "it may be one slice of several, which only Bio-Formats can tell";
        file_says(scene, file, said);
    }
    group_alone(scene, file);
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"DICOM", i == 0 ? READER : NULL, SUFFIXES,
                                 i == 0 ? "DICM at 128, the only one of its directory" : "several in one directory",
                                 i == 0 ? FORMAT_NATIVE : FORMAT_HELPER};
    return i < 2;
}

const struct format_driver format_dicom = {.name = "DICOM", .wants = "DICM at 128", .detect = detect, .group = group,
                                           .about = about};
