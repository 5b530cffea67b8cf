/* Zeiss CZI: by content, whatever the name.  "x (1).czi" or "x(1).czi" beside "x.czi" are its parts.
 *
 * Header segment: 16 bytes id, two lengths, then version, GUIDs, and where the directory of subblocks, the metadata and the
 * directory of attachments lie (0: there is none): a file that ends before one of them was cut, or before the last subblock that
 * its directory names.  Zeiss, "CZI (ZISRAW) file format", FileHeaderSegment, SubBlockDirectorySegment, DirectoryEntryDV. */
#include "format/drivers.h"

#include <string.h>
#include <strings.h>

#include "format/bytes.h"
#include "format/single.h"

enum { DIRECTORY_AT = 84, METADATA_AT = 92, ATTACHMENTS_AT = 104, HEADER_BYTES = 112 };
enum { SEGMENT = 32, SEGMENT_LENGTH = 16, ENTRIES = SEGMENT + 128, ENTRY = 32, DIMENSION = 20 };

/* A segment with what was set aside for it. */
static bool segment_is_there(const struct format_look *look, uint64_t at)
{
    uint8_t head[SEGMENT];

    if (!look_read(look, at, head, SEGMENT))
        return false;
    return le64(head + SEGMENT_LENGTH) <= look->size - at - SEGMENT;
}

/* The last entry, where all are as long as the first; what is not so says nothing. */
static bool last_subblock_is_there(const struct format_look *look)
{
    uint64_t at = le64(look->head + DIRECTORY_AT);
    uint8_t head[ENTRIES + ENTRY], last[ENTRY];

    if (at == 0 || !look_read(look, at, head, sizeof(head)) || memcmp(head + ENTRIES, "DV", 2) != 0)
        return true;

    uint64_t n = le32(head + SEGMENT), dimensions = le32(head + ENTRIES + 28);

    if (n == 0 || n > INT32_MAX || dimensions > UINT8_MAX)
        return true;
    at += ENTRIES + (n - 1) * (ENTRY + DIMENSION * dimensions);
    if (!look_read(look, at, last, ENTRY))
        return false;
    if (memcmp(last, "DV", 2) != 0 || le32(last + 14) != 0 || le32(last + 28) != dimensions)
        return true;
    return segment_is_there(look, le64(last + 6));
}

/* The last attachment: thumbnails, times and the like, which come behind the pixels. */
static bool last_attachment_is_there(const struct format_look *look)
{
    enum { FIRST = SEGMENT + 256, EACH = 128, POSITION = 12 };
    uint64_t at = le64(look->head + ATTACHMENTS_AT), n;
    uint8_t head[SEGMENT + 4], last[EACH];

    if (at == 0 || !look_read(look, at, head, sizeof(head)))
        return true;
    n = le32(head + SEGMENT);
    if (n == 0 || n > UINT16_MAX)
        return true;
    if (!look_read(look, at + FIRST + (n - 1) * EACH, last, EACH))
        return false;
    return memcmp(last, "A1", 2) != 0 || segment_is_there(look, le64(last + POSITION));
}

static bool is_whole(const struct format_look *look)
{
    static const size_t places[] = {DIRECTORY_AT, METADATA_AT, ATTACHMENTS_AT};

    if (look->head_len < HEADER_BYTES)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (le64(look->head + places[i]) >= look->size)
            return false;
    return last_subblock_is_there(look) && last_attachment_is_there(look);
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    if (!look_has(look, 0, "ZISRAWFILE", 10)) {
        if (stem_length(look->entry->name) > 0 && strcasecmp(look->entry->name + stem_length(look->entry->name), ".czi") == 0)
            *said = (struct format_verdict){.text = "its name says CZI, its first bytes do not", .unknown = true};
        return false;
    }
    *said = (struct format_verdict){.format = "Zeiss CZI", .reader = "loci.formats.in.ZeissCZIReader"};
    if (!is_whole(look)) {
        said->why = REASON_BROKEN_FILE;
        said->text = "a CZI whose end is missing";
    }
    return true;
}

/* Bytes of "x" when a name is "x (12).czi" or "x(12).czi"; 0: it is no part. */
static size_t part_of(const char *name)
{
    size_t stem = stem_length(name), at = stem;

    if (at == 0 || strcasecmp(name + stem, ".czi") != 0 || name[--at] != ')')
        return 0;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    if (at == 0 || at + 1 == stem || name[at - 1] != '(')
        return 0;
    at--;
    return at > 0 && name[at - 1] == ' ' ? at - 1 : at;
}

static void add_parts(struct format_set *set, const struct format_file *master, struct format_verdict *said)
{
    size_t stem = stem_length(master->entry->name), begin = master->entry->dir_len ? master->entry->dir_len + 1 : 0;
    AUTO(mem_freep) char *prefix = mem_printf("%.*s", (int)(begin + stem), master->entry->path);

    for (size_t i = scene_from(set->scene, prefix); i < set->scene->n_files; i++) {
        struct format_file *f = &set->scene->files[i];

        if (strncmp(f->entry->path, prefix, begin + stem) != 0 || f->entry->dir_len != master->entry->dir_len)
            break;
        if (f->driver == master->driver && part_of(f->entry->name) == stem) {
            if (said->why == REASON_NONE)
                *said = *f->said;
            set_add(set, f);
        }
    }
}

static struct format_file *master_of(const struct format_scene *scene, const struct format_file *file)
{
    size_t n = part_of(file->entry->name);
    AUTO(mem_freep) char *name = mem_printf("%.*s.czi", (int)n, file->entry->name);
    struct format_file *master = n > 0 ? scene_beside(scene, file, name) : NULL;

    return master && master->driver == file->driver && !master->taken ? master : NULL;
}

static void group(struct format_scene *scene, struct format_file *file)
{
    struct format_verdict said = *file->said;
    struct format_set set;

    if (master_of(scene, file))
        return;
    set_begin(&set, scene);
    set_add(&set, file);
    add_parts(&set, file, &said);
    set_end(&set, &said);
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"Zeiss CZI", "loci.formats.in.ZeissCZIReader", NULL, "ZISRAWFILE at 0; with its parts X (N).czi",
                                 FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_czi = {.name = "Zeiss CZI", .wants = "ZISRAWFILE at 0", .detect = detect, .group = group,
                                         .about = about};
