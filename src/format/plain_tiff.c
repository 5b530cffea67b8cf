/* TIFF and BigTIFF that nobody more particular wants: by content, whatever the name; one file, one fileset. */
#include "format/drivers.h"

#include "base/str.h"

static bool names_tiff(const char *name)
{
    static const char *const suffixes[] = {".tif", ".tiff", ".tf2", ".tf8", ".btf"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends_nocase(name, suffixes[i]))
            return true;
    return false;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    if (!look->is_tiff) {
        if (names_tiff(look->entry->name))
            said->text = "its name says TIFF, its first bytes do not";
        return false;
    }
    *said = (struct format_verdict){.format = "TIFF", .reader = "loci.formats.in.TiffDelegateReader"};
    if (look->tiff.broken) {
        said->why = REASON_BROKEN_FILE;
        said->text = look->tiff.broken;
    }
    return true;
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"TIFF", "loci.formats.in.TiffDelegateReader", "*.tif *.tiff *.tf2 *.tf8 *.btf",
                                 "TIFF or BigTIFF, whatever its name; a file each", FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_tiff = {.name = "TIFF", .wants = "the beginning of a TIFF", .detect = detect, .about = about};
