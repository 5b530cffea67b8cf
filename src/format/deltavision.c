/* DeltaVision: by content, whatever the name; with the logs of acquisition and deconvolution beside it.
 *
 * "x.dv" takes "x.dv.log" or "x.log", and "x_log.txt"; "x_D3D.dv", made from "x.dv", takes the log of that, which so belongs to
 * two images.  A log without its image is nobody's. */
#include "format/drivers.h"

#include <string.h>

#include "base/str.h"
#include "format/bytes.h"
#include "format/single.h"

#define DECONVOLVED "_D3D"

static bool begins_as_deltavision(const struct format_look *look, bool *big_endian)
{
    uint64_t plane;

    if (look->is_tiff || look->head_len < 1024 || str_ends_nocase(look->entry->name, ".pnl") || look_has(look, 208, "MAP", 3))
        return false;
    *big_endian = look_has(look, 96, "\xC0\xA0", 2);
    if (!*big_endian && !look_has(look, 96, "\xA0\xC0", 2))
        return false;

    uint32_t sizes[3];

    for (size_t i = 0; i < 3; i++) {
        sizes[i] = *big_endian ? be32(look->head + 4 * i) : le32(look->head + 4 * i);
        if (sizes[i] < 1 || sizes[i] > INT32_MAX)
            return false;
    }
    plane = (uint64_t)sizes[0] * sizes[1];
    return plane <= look->size - 1024;
}

static bool names_deltavision(const char *name)
{
    return str_ends_nocase(name, ".dv") || str_ends_nocase(name, ".r3d") || str_ends_nocase(name, ".r3d_d3d") ||
           str_ends_nocase(name, ".rcpnl");
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    bool big_endian;

    if (!begins_as_deltavision(look, &big_endian)) {
        if (names_deltavision(look->entry->name))
            *said = (struct format_verdict){.text = "its name says DeltaVision, its first bytes do not, or it is cut short",
                                            .unknown = true};
        return false;
    }
    *said = (struct format_verdict){.format = "DeltaVision", .reader = "loci.formats.in.DeltavisionReader"};
    if (str_ends_nocase(look->entry->name, ".rcpnl"))
        said->reader = "loci.formats.in.RCPNLReader";
    if (mrc_bytes(look, big_endian) > look->size)
        say_cut(said, "a DeltaVision file whose end is missing");
    return true;
}

static struct format_file *log_of(struct format_scene *scene, const struct format_file *file)
{
    const char *name = file->entry->name;
    size_t stem = stem_length(name), d3d = strlen(DECONVOLVED);
    size_t kept = stem > d3d && memcmp(name + stem - d3d, DECONVOLVED, d3d) == 0 ? stem - d3d : stem;
    AUTO(mem_freep) char *with_suffix = mem_printf("%.*s%s.log", (int)kept, name, name + stem);
    AUTO(mem_freep) char *without = mem_printf("%.*s.log", (int)stem, name);
    struct format_file *found = scene_beside(scene, file, with_suffix);

    return found ? found : scene_beside(scene, file, without);
}

static void group(struct format_scene *scene, struct format_file *file)
{
    AUTO(mem_freep) char *text = mem_printf("%.*s_log.txt", (int)stem_length(file->entry->name), file->entry->name);
    struct format_file *log = log_of(scene, file);
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    set_add(&set, scene_beside(scene, file, text));
    set_share(&set, log && (!log->driver || log->driver == &format_deltavision_log) ? log : NULL);
    set_end(&set, file->said);
}

/* A log, by its name alone: an error to the official importer when its image is not there. */
static bool detect_log(struct format_look *look, struct format_verdict *said)
{
    const char *name = look->entry->name;

    if (!look->official || look->is_tiff ||
        (!str_ends_nocase(name, ".dv.log") && !str_ends_nocase(name, ".r3d.log") && !str_ends(name, "_log.txt")))
        return false;
    *said = (struct format_verdict){.why = REASON_INCOMPLETE, .text = "the image of this log is not there"};
    return true;
}

static bool about(size_t i, struct format_about *out)
{
    static const struct format_about rows[] = {
        {"DeltaVision", "loci.formats.in.DeltavisionReader", NULL, "its header; with X.dv.log or X.log, and X_log.txt",
         FORMAT_NATIVE},
        {"DeltaVision", "loci.formats.in.RCPNLReader", "*.rcpnl", "the same", FORMAT_NATIVE},
    };

    if (i < ARRAY_LEN(rows))
        *out = rows[i];
    return i < ARRAY_LEN(rows);
}

static bool about_log(size_t i, struct format_about *out)
{
    *out = (struct format_about){"DeltaVision log", NULL, "*.dv.log *.r3d.log *_log.txt", "part of a DeltaVision image",
                                 FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_deltavision = {.name = "DeltaVision", .wants = "the header of DeltaVision", .detect = detect,
                                                 .group = group, .about = about};
const struct format_driver format_deltavision_log = {.name = "DeltaVision log", .wants = "the name of a DeltaVision log",
                                                     .detect = detect_log, .about = about_log};
