/* Zeiss LSM with the database of its recordings: an .mdb (Microsoft Jet, of Access) whose table Recordings names the .lsm.
 *
 * The tables are not read: their texts are, 8 bits a character or UTF-16LE, and those that end in .lsm are the names.  Texts of
 * one row follow one another without a gap, and one that was deleted stays, so the names are not certain.  Bio-Formats 7.3.1
 * takes the files that Recordings names when all are there, else, when it is the only database of the directory, all .lsm of
 * it; where that leads to different sets it is left to it.  It wants "ID" in the first 4096 bytes: so it is with Jet 3, of
 * Access 97. */
#include "format/set.h"

#include <string.h>
#include <strings.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"

enum { MDB_STEP = 64 * 1024, MDB_MAX = 256 << 20, MDB_NAME_MAX = 255, MDB_NAMES_MAX = 10000 };

/* A text under way, as one of the two kinds of characters has it. */
struct run {
    char text[MDB_NAME_MAX + 1];
    size_t n;
    bool seen_column; /* the one that has the names */
};

static void end_run(struct run *run, struct names *names)
{
    run->text[run->n] = '\0';
    for (char *c = run->text; *c; c++)
        if (*c == '\\')
            *c = '/';

    const char *slash = strrchr(run->text, '/'), *name = slash ? slash + 1 : run->text;

    if (run->n > 4 && str_ends_nocase(name, ".lsm") && strlen(name) > 4)
        names_add(names, name, NAME_MAY);
    run->n = 0;
}

/* One character; a name ends with its suffix, for another text may follow at once. */
static void put(struct run *run, unsigned char c, struct names *names)
{
    if (c < ' ' || c == 0x7F || c >= 0xFE) { /* FF FE stands before a text of Jet 4 */
        end_run(run, names);
        return;
    }
    if (run->n == MDB_NAME_MAX) {
        memmove(run->text, run->text + 1, MDB_NAME_MAX - 1);
        run->n--;
    }
    run->text[run->n++] = (char)c;
    run->seen_column |= run->n >= 10 && memcmp(run->text + run->n - 10, "SampleData", 10) == 0;
    if (run->n > 4 && strncasecmp(run->text + run->n - 4, ".lsm", 4) == 0)
        end_run(run, names);
}

/* Bytes of texts in both forms: in UTF-16LE every other one is zero. */
struct scan {
    struct run narrow, wide;
    unsigned char before;
    bool half;
};

static void scan_bytes(struct scan *s, const uint8_t *bytes, size_t n, struct names *names)
{
    for (size_t i = 0; i < n; i++) {
        put(&s->narrow, bytes[i], names);
        if (s->half && bytes[i] == 0) {
            put(&s->wide, s->before, names);
            s->half = false;
        } else {
            if (s->half)
                end_run(&s->wide, names);
            s->before = bytes[i];
            s->half = bytes[i] != 0;
            if (!s->half)
                end_run(&s->wide, names);
        }
    }
}

int set_read_mdb(struct format_look *look, struct names *names, const char **text)
{
    AUTO(mem_freep) uint8_t *step = mem_new(MDB_STEP, 1);
    AUTO(mem_freep) struct scan *s = mem_new(1, sizeof(*s));
    struct err err = ERR_INIT;
    ssize_t got = 1;

    if (look->size > MDB_MAX || !memmem(look->head, look->head_len, "ID", 2))
        return 0; /* Access allows 2 GiB; those of a microscope have a few MiB */
    for (off_t at = 0; got > 0 && names->n < MDB_NAMES_MAX; at += got) {
        got = io_pread(look->fd, step, MDB_STEP, at, &err);
        scan_bytes(s, step, got > 0 ? (size_t)got : 0, names);
    }
    if (got < 0) {
        *text = "it cannot be read";
        return -1;
    }
    end_run(&s->narrow, names);
    end_run(&s->wide, names);
    return names->n > 0 || s->narrow.seen_column || s->wide.seen_column;
}

/* The longest end of a text that is a file beside: texts of one row may follow one another without anything between them. */
static struct format_file *file_of(const struct format_scene *scene, const struct format_file *master, const char *text)
{
    struct format_file *found = NULL;

    for (; !found && strlen(text) > 4; text++)
        found = scene_beside(scene, master, text);
    return found;
}

void set_more_mdb(struct format_set *set, struct format_file *master)
{
    const struct format_names *names = master->said->facts->names;
    size_t from, to, all = 0, databases = 0;
    bool certain = names->n > 0;

    for (size_t i = 0; i < names->n; i++) {
        struct format_file *f = file_of(set->scene, master, names->at[i].name);

        certain &= f && strcmp(f->entry->name, names->at[i].name) == 0;
        set_add(set, f);
    }
    scene_directory(set->scene, master->entry, &from, &to);
    for (size_t i = from; i < to; i++) {
        all += suffix_is_one_of(set->scene->files[i].entry->name, "lsm");
        databases += suffix_is_one_of(set->scene->files[i].entry->name, "mdb");
    }
    if (all == 0 || certain || (set->n == all + 1 && databases == 1))
        return;
    set->doubt = "which .lsm files it names, only its tables tell";
    for (size_t i = from; i < to; i++)
        if (suffix_is_one_of(set->scene->files[i].entry->name, "lsm"))
            set_add(set, &set->scene->files[i]);
}
