/* Leica LIF: one file, with what LAS exports beside it: an .xml a series, a logo and a style sheet.
 *
 * The file begins with a block: 0x70, its length, 0x2A, a count of UTF-16 characters, and the XML that describes all images;
 * <Memory Size> of each is what follows.  Less than their sum: the file was cut.  The layout is the one that the open readers
 * of the format agree on. */
#include "format/drivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/str.h"
#include "format/bytes.h"
#include "format/xml.h"

enum { XML_AT = 13 };

/* What the header says of all images. */
struct header {
    struct names names;
    uint64_t bytes;
};

static bool take(void *arg, size_t which, const char *value)
{
    struct header *h = arg;

    if (which == 0)
        names_add(&h->names, value, "");
    else if (__builtin_add_overflow(h->bytes, strtoull(value, NULL, 10), &h->bytes))
        h->bytes = UINT64_MAX;
    return !h->names.full;
}

/* NULL: fine; else what is wrong with the file. */
static const char *read_header(struct format_look *look, struct format_facts *facts)
{
    static const struct xml_wanted wanted[] = {{"Element", "Name"}, {"Memory", "Size"}};
    uint64_t bytes = 2 * (uint64_t)le32(look->head + 9);
    struct header h = {.bytes = 0};
    struct err err = ERR_INIT;

    if (look->names_left == 0)
        return LOOK_TOO_MANY_NAMES;
    if (bytes > OME_XML_MAX || bytes > look->size - XML_AT)
        return "a LIF that ends within its header";
    names_begin(&h.names);

    int done = xml_collect(look->fd, XML_AT, bytes, "UTF-16LE", wanted, ARRAY_LEN(wanted), take, &h, &err);

    if (done == 0)
        facts->names = names_keep(&h.names, NULL, look->arena);
    names_clear(&h.names);
    if (done < 0)
        return "a LIF whose header is no well-formed XML";
    return h.bytes > look->size - XML_AT - bytes ? "a LIF whose end is missing" : NULL;
}

static bool begins_as_lif(const struct format_look *look)
{
    return look->head_len > XML_AT && look->head[0] == 0x70 && look->head[8] == 0x2A;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    if (!begins_as_lif(look)) {
        if (str_ends_nocase(look->entry->name, ".lif"))
            said->text = "its name says LIF, its first bytes do not";
        return false;
    }
    *said = (struct format_verdict){.format = "Leica LIF", .reader = "loci.formats.in.LIFReader"};

    struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

    said->text = read_header(look, facts);
    said->why = said->text ? REASON_BROKEN_FILE : REASON_NONE;
    said->facts = facts;
    return true;
}

/* The logo and the style sheet serve all LIFs of a directory. */
static void group(struct format_scene *scene, struct format_file *file)
{
    const struct format_names *names = file->said->facts->names;
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    for (size_t i = 0; file->said->why == REASON_NONE && names && i < names->n; i++) {
        AUTO(mem_freep) char *name = mem_printf("%s.xml", names->at[i].name);

        if (!strchr(name, '/'))
            set_add(&set, scene_beside(scene, file, name));
    }
    if (file->said->why == REASON_NONE) {
        set_share(&set, scene_beside(scene, file, "LeicaLogo.jpg"));
        set_share(&set, scene_beside(scene, file, "LASAF_CIP.xsl"));
    }
    set_end(&set, file->said);
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"Leica LIF", "loci.formats.in.LIFReader", "*.lif",
                                 "70 at 0 and 2A at 8 (hex); with <image>.xml, LeicaLogo.jpg and LASAF_CIP.xsl beside it",
                                 FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_lif = {.name = "Leica LIF", .wants = "70 at 0 and 2A at 8 (hex)", .detect = detect,
                                         .group = group, .about = about};
