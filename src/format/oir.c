/* Olympus OIR: by its suffix or by content; X.oir goes on in files X_00001, X_00002 ... without a suffix. */
#include "format/set.h"

#include <string.h>

#include "base/str.h"
#include "format/drivers.h"

enum { DIGITS = 5 };

static bool is_oir(const char *name)
{
    return str_ends_nocase(name, ".oir");
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    bool begins = look_has(look, 0, "OLYMPUSRAWFORMAT", 16);

    if (!begins && !is_oir(look->entry->name))
        return false;
    *said = (struct format_verdict){.format = "Olympus OIR", .reader = "loci.formats.in.OIRReader"};
    if (!begins) {
        said->why = REASON_BROKEN_FILE;
        said->text = "its name says OIR, its first bytes do not";
    }
    return true;
}

/* "x_00012" goes with a stem "x". */
static bool is_part(const char *name, const char *master, size_t stem)
{
    return strncmp(name, master, stem) == 0 && name[stem] == '_' && strlen(name + stem) == DIGITS + 1 &&
           strspn(name + stem + 1, "0123456789") == DIGITS;
}

void oir_take_parts(struct format_set *set, struct format_file *master)
{
    const struct tree_entry *e = master->entry;
    size_t stem = stem_length(e->name);
    AUTO(mem_freep) char *prefix = mem_printf("%.*s_", (int)(e->dir_len + (e->dir_len > 0) + stem), e->path);

    for (size_t i = scene_from(set->scene, prefix); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (strncmp(f->entry->path, prefix, strlen(prefix)) != 0 || f->entry->dir_len != e->dir_len)
            break;
        if (is_part(f->entry->name, e->name, stem))
            set_add(set, f);
    }
}

static void group(struct format_scene *scene, struct format_file *file)
{
    struct format_set set;

    if (!is_oir(file->entry->name))
        return;
    set_begin(&set, scene);
    set_add(&set, file);
    oir_take_parts(&set, file);
    set_end(&set, file->said);
}

/* A continuation whose .oir is not there; under any other name it is an .oir that was renamed. */
static void leftover(struct format_scene *scene, struct format_file *file)
{
    const char *name = file->entry->name;
    size_t n = strlen(name);

    if (n > DIGITS + 1 && is_part(name, name, n - DIGITS - 1)) {
        struct format_verdict said = *file->said;

        said.why = REASON_INCOMPLETE;
        said.text = "the .oir that it continues is not there";
        file_says(scene, file, said);
    }
    group_alone(scene, file);
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"Olympus OIR", "loci.formats.in.OIRReader", "*.oir",
                                 "OLYMPUSRAWFORMAT at 0; with the files X_NNNNN beside X.oir", FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_oir = {.name = "Olympus OIR", .wants = "OLYMPUSRAWFORMAT at 0", .detect = detect,
                                         .group = group, .leftover = leftover, .about = about};
