#include "format/look.h"

#include <string.h>
#include <strings.h>

#include "base/io.h"

static bool looks_like_xml(const char *comment)
{
    comment += strspn(comment, " \t\r\n");
    return comment[0] == '<';
}

/* OME-XML of a TIFF's first description.  What does not parse is no OME-XML to anybody: such a file is a plain TIFF. */
static int look_for_ome(struct format_look *look, struct err *err)
{
    const struct tiff_range *at = &look->tiff.description;

    if (look->tiff.broken || at->bytes == 0 || !looks_like_xml(look->tiff.comment) || !strstr(look->tiff.comment, "OME"))
        return 0;
    if (look->names_left == 0) {
        look->tiff.broken = LOOK_TOO_MANY_NAMES;
        return 0;
    }
    if (ome_read(look->fd, at->offset, at->bytes, &look->last_names, look->arena, &look->ome, err) < 0 &&
        err->why == REASON_UNREADABLE)
        return -1;
    return 0;
}

int format_look_at(struct format_look *look, struct err *err)
{
    size_t want = look->size < sizeof(look->head) ? (size_t)look->size : sizeof(look->head);
    ssize_t got = io_pread(look->fd, look->head, want, 0, err);

    if (got < 0)
        return -1;
    look->head_len = (size_t)got;
    look->is_tiff = tiff_begins(look->head, look->head_len);
    look->ome = NULL;
    if (!look->is_tiff)
        return 0;
    if (tiff_read(look->fd, look->size, look->head, look->head_len, &look->tiff, err) < 0)
        return -1;
    return look_for_ome(look, err);
}

bool look_is_ome_tiff(const struct format_look *look)
{
    return look->ome && (look->ome->n_images > 0 || look->ome->metadata_file);
}

bool look_has(const struct format_look *look, size_t offset, const void *bytes, size_t n)
{
    if (n == 0)
        return true; /* a row without a sign */
    return offset <= look->head_len && n <= look->head_len - offset && memcmp(look->head + offset, bytes, n) == 0;
}

bool look_contains(const struct format_look *look, const char *text, size_t within)
{
    size_t n = strlen(text), end = look->head_len < within ? look->head_len : within;

    for (size_t i = 0; i + n <= end; i++)
        if ((look->head[i] | 32) == (text[0] | 32) && strncasecmp((const char *)look->head + i, text, n) == 0)
            return true;
    return false;
}
