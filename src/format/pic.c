/* Bio-Rad PIC: a file alone, or numbered files of one length when a note says so.
 *
 * After the pixels come notes of 96 bytes.  One that begins with AXIS_9 and has the type 11 says that the channels lie in
 * files of their own, and how many there are.  What goes together then, and that numbers must follow one another, was seen
 * with Bio-Formats 7.3.1: it takes the files whose names differ in numbers alone, of the same length. */
#include "format/drivers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "format/bytes.h"
#include "format/single.h"

enum { HEADER = 76, NOTE = 96, NOTE_TEXT = 16, NOTES_MAX = 1000, FILES_MAX = 1024 };

/* The number of files that a note speaks of; 0: of none. */
static unsigned files_of_note(const char *text)
{
    const char *at = text + strspn(text, " ");

    if (strncmp(at, "AXIS_9", 6) != 0)
        return 0;
    at += 6 + strspn(at + 6, " =");
    if (strncmp(at, "11 ", 3) != 0)
        return 0;
    at += 3 + strspn(at + 3, " ");
    at += strcspn(at, " ");

    unsigned long n = strtoul(at, NULL, 10);

    return n < FILES_MAX ? (unsigned)n : FILES_MAX;
}

static unsigned files_of(const struct format_look *look, uint64_t at)
{
    unsigned n = 0;
    uint8_t note[NOTE + 1] = {0};

    for (size_t i = 0; i < NOTES_MAX && n == 0 && look_read(look, at + i * NOTE, note, NOTE); i++) {
        n = files_of_note((const char *)note + NOTE_TEXT);
        if (le32(note + 2) == 0)
            break;
    }
    return n;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    const uint8_t *h = look->head;

    if (!str_ends_nocase(look->entry->name, ".pic"))
        return false;
    if (look->head_len < HEADER || !look_has(look, 54, "90", 2)) {
        *said = (struct format_verdict){.text = "its name says Bio-Rad PIC, its first bytes do not"};
        return false;
    }

    uint64_t pixels = (uint64_t)le16(h) * le16(h + 2) * le16(h + 4) * (le16(h + 14) == 1 ? 1 : 2);
    struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

    *said = (struct format_verdict){.format = "Bio-Rad PIC", .reader = "loci.formats.in.BioRadReader", .facts = facts};
    facts->number = look->size;
    if (pixels > look->size - HEADER)
        say_cut(said, "a PIC whose end is missing");
    else
        facts->flags = (uint16_t)files_of(look, HEADER + pixels);
    return true;
}

/* ---- numbered files ---- */

static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* In which of their numbers two names differ, a bit each; -1: in something else. */
static int64_t differing(const char *a, const char *b)
{
    int64_t which = 0;

    for (unsigned block = 0; *a || *b; ) {
        size_t x = digits(a), y = digits(b);

        if (x == 0 && y == 0) {
            if (*a++ != *b++)
                return -1;
            continue;
        }
        if (x == 0 || y == 0)
            return -1;
        if (x != y || memcmp(a, b, x) != 0)
            which |= INT64_C(1) << (block < 62 ? block : 62);
        block++;
        a += x;
        b += y;
    }
    return which;
}

static uint64_t number_in(const char *name, int64_t which)
{
    for (;; which >>= 1) {
        while (!isdigit((unsigned char)*name))
            name++;
        if (which & 1)
            return strtoull(name, NULL, 10);
        name += digits(name);
    }
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Each as far from the one before it as the next. */
static bool follow_one_another(const struct format_set *set, int64_t which)
{
    AUTO(mem_freep) uint64_t *numbers = mem_new(set->n, sizeof(*numbers));
    bool good = true;

    for (size_t i = 0; i < set->n; i++)
        numbers[i] = number_in(set->members[i]->entry->name, which);
    qsort(numbers, set->n, sizeof(*numbers), by_number);
    for (size_t i = 1; i < set->n; i++)
        good &= numbers[i] - numbers[i - 1] == numbers[1] - numbers[0] && numbers[i] != numbers[i - 1];
    return good;
}

static void judge(const struct format_set *set, int64_t which, unsigned wanted, struct format_verdict *said)
{
    struct arena *arena = set->scene->arena;

    if (which & (which - 1)) {
        said->why = REASON_DEFERRED;
        said->text = "its name has more than one number that counts";
    } else if (which && !follow_one_another(set, which)) {
        said->why = REASON_INCOMPLETE;
        said->text = "the numbers of its files have gaps";
    } else if (set->n > 1 && set->n < wanted) {
        said->why = REASON_INCOMPLETE;
        said->text = arena_printf(arena, "a note says that %u files belong together, and %zu are there", wanted, set->n);
    }
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct format_facts *facts = file->said->facts;
    struct format_verdict said = *file->said;
    struct format_set set;
    size_t from, to;
    int64_t which = 0;

    if (said.why != REASON_NONE || facts->flags == 0)
        return;
    set_begin(&set, scene);
    set_add(&set, file);
    scene_directory(scene, file->entry, &from, &to);
    for (size_t i = from; i < to; i++) {
        struct format_file *f = &scene->files[i];
        int64_t differs = f->driver == &format_pic && f->said->facts->number == facts->number
                              ? differing(file->entry->name, f->entry->name) : -1;

        if (differs <= 0 || f->taken)
            continue;
        which |= differs;
        set_add(&set, f);
    }
    judge(&set, which, facts->flags, &said);
    set_end(&set, &said);
}

static bool about(size_t i, struct format_about *out)
{
    static const struct format_about rows[] = {
        {"Bio-Rad PIC", "loci.formats.in.BioRadReader", "*.pic", "39 30 at 54 (hex)", FORMAT_NATIVE},
        {"Bio-Rad PIC", "loci.formats.in.BioRadReader", "*.pic",
         "with a note AXIS_9 of type 11: all of its length whose names differ in one number", FORMAT_NATIVE},
    };

    if (i < ARRAY_LEN(rows))
        *out = rows[i];
    return i < ARRAY_LEN(rows);
}

const struct format_driver format_pic = {.name = "Bio-Rad PIC", .wants = "a name that ends in .pic, and 39 30 at 54 (hex)",
                                         .detect = detect, .group = group, .about = about};
