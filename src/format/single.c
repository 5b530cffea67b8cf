#include "format/single.h"

#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "format/drivers.h"

/* ".tif.gz" of "a.tif.gz" and ".gz" of it are both its suffixes. */
static bool has_suffix(const char *name, size_t length, const char *suffixes)
{
    for (size_t n; *suffixes; suffixes += n + (suffixes[n] == ' ')) {
        for (n = 0; suffixes[n] && suffixes[n] != ' '; n++)
            ;
        if (length > n && name[length - n - 1] == '.' && (name[length - 1] | 32) == (suffixes[n - 1] | 32) &&
            strncasecmp(name + length - n, suffixes, n) == 0)
            return true;
    }
    return false;
}

static bool has_sign(const struct format_look *look, const struct format_row *row)
{
    if (row->magic.n == 0 && !row->test)
        return false;
    return look_has(look, row->magic.offset, row->magic.bytes, row->magic.n) && (!row->test || row->test(look));
}

static bool fits(const struct format_look *look, const struct format_row *row, bool named)
{
    switch (row->rule) {
    case ANY_NAME:
        return has_sign(look, row);
    case LATER:
        return named || has_sign(look, row);
    case GUESS:
    case ORPHAN:
        return named;
    default:
        return named && has_sign(look, row);
    }
}

static void say_not(const struct format_look *look, const struct format_row *row, struct format_verdict *said)
{
    if (row->rule == ANY_NAME || row->rule == NAMED)
        *said = (struct format_verdict){
            .text = arena_printf(look->arena, "its name says %s, its first bytes do not", row->format),
            .unknown = !row->by_name,
        };
}

static void claim(const struct format_look *look, const struct format_row *row, struct format_verdict *said)
{
    *said = (struct format_verdict){.format = row->format, .reader = row->reader};
    if (!row->reader || (row->rule == GUESS && !look->official))
        said->why = REASON_DEFERRED;
    if (row->rule == GUESS) {
        said->text = "only its name says what it is";
        said->by_name = true;
    }
    if (row->rule == ORPHAN) {
        said->why = REASON_INCOMPLETE;
        said->text = "the file that it belongs to is not there";
    }
    if (row->check)
        row->check(look, said);
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    size_t length = strlen(look->entry->name);

    for (const struct format_row *row = format_rows; row->format; row++) {
        bool named = has_suffix(look->entry->name, length, row->suffixes);

        if (fits(look, row, named)) {
            claim(look, row, said);
            return true;
        }
        if (named)
            say_not(look, row, said);
    }
    return false;
}

void say_cut(struct format_verdict *said, const char *text)
{
    said->why = REASON_BROKEN_FILE;
    said->text = text;
}

bool look_read(const struct format_look *look, uint64_t at, void *to, size_t n)
{
    struct err err = ERR_INIT;

    if (n <= look->head_len && at <= look->head_len - n) {
        memcpy(to, look->head + at, n);
        return true;
    }
    return n <= look->size && at <= look->size - n && io_pread(look->fd, to, n, (off_t)at, &err) == (ssize_t)n;
}

static bool about(size_t i, struct format_about *out)
{
    const struct format_row *row = &format_rows[i];

    if (!row->format)
        return false;
    *out = (struct format_about){row->format, row->reader, *row->suffixes ? row->suffixes : NULL,
                                 row->rule == GUESS ? "its suffix" : row->rule == ORPHAN ? "part of a set" : "its beginning",
                                 row->rule == GUESS ? FORMAT_BY_NAME : row->reader ? FORMAT_NATIVE : FORMAT_HELPER};
    return true;
}

const struct format_driver format_single = {.name = "single files", .wants = "the suffix and the first bytes of a format whose "
                                            "files stand alone", .detect = detect, .about = about};
