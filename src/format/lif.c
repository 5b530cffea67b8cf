/* Leica LIF: one file, with what LAS exports beside it: an .xml a series, a logo and a style sheet.
 *
 * The file begins with a block: 0x70, its length, 0x2A, a count of UTF-16 characters, and the XML that describes all images;
 * <Memory Size> of each is what follows.  Less than their sum: the file was cut.  The layout is the one that the open readers
 * of the format agree on. */
#include "format/drivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "format/bytes.h"
#include "format/xml.h"

enum { XML_AT = 13, STEP = 64 * 1024 };

struct series {
    const char **names;
    size_t n;
};

struct lif_parser {
    XML_Parser xml; /* first: see xml.h */
    struct arena *arena;
    const char **names;
    size_t n, cap;
    unsigned depth;
    uint64_t bytes; /* of all images */
};

static void add_memory(struct lif_parser *p, const char *size)
{
    if (size && __builtin_add_overflow(p->bytes, strtoull(size, NULL, 10), &p->bytes))
        p->bytes = UINT64_MAX;
}

static void add_name(struct lif_parser *p, const char *name)
{
    if (!name)
        return;
    p->names = mem_grow(p->names, p->n, &p->cap, sizeof(char *));
    p->names[p->n++] = arena_str(p->arena, name);
}

static void on_start(void *data, const char *element, const char **atts)
{
    struct lif_parser *p = data;

    if (++p->depth > OME_DEPTH_MAX || p->n >= OME_NAMES_MAX)
        XML_StopParser(p->xml, XML_FALSE);
    else if (strcmp(element, "Memory") == 0)
        add_memory(p, xml_attribute(atts, "Size"));
    else if (strcmp(element, "Element") == 0)
        add_name(p, xml_attribute(atts, "Name"));
}

static void on_end(void *data, const char *element)
{
    (void)element;
    ((struct lif_parser *)data)->depth--;
}

static bool parse(struct lif_parser *p, int fd, uint64_t bytes)
{
    struct err err = ERR_INIT;
    AUTO(mem_freep) char *step = mem_new(STEP, 1);

    for (uint64_t at = 0; at < bytes; ) {
        size_t want = bytes - at < STEP ? (size_t)(bytes - at) : STEP;
        ssize_t got = io_pread(fd, step, want, (off_t)(XML_AT + at), &err);

        if (got <= 0 || XML_Parse(p->xml, step, (int)got, false) != XML_STATUS_OK)
            return false;
        at += (uint64_t)got;
        if (at - (uint64_t)XML_GetCurrentByteIndex(p->xml) > OME_TOKEN_MAX)
            return false;
    }
    return XML_Parse(p->xml, "", 0, true) == XML_STATUS_OK;
}

static const struct series *keep(const struct lif_parser *p)
{
    struct series *s = arena_alloc(p->arena, 1, sizeof(*s));

    s->n = p->n;
    s->names = arena_alloc(p->arena, p->n, sizeof(char *));
    if (p->n > 0)
        memcpy(s->names, p->names, p->n * sizeof(char *));
    return s;
}

/* NULL: fine; else what is wrong with the file. */
static const char *read_series(const struct format_look *look, const struct series **out)
{
    uint64_t bytes = 2 * (uint64_t)le32(look->head + 9);

    if (bytes > OME_XML_MAX || bytes > look->size - XML_AT)
        return "a LIF that ends within its header";

    struct lif_parser p = {.arena = look->arena};

    p.xml = xml_parser_new("UTF-16LE", &p, on_start, on_end);

    bool whole = parse(&p, look->fd, bytes);

    XML_ParserFree(p.xml);
    if (whole)
        *out = keep(&p);
    free(p.names);
    if (!whole)
        return "a LIF whose header is no well-formed XML";
    return p.bytes > look->size - XML_AT - bytes ? "a LIF whose end is missing" : NULL;
}

static bool begins_as_lif(const struct format_look *look)
{
    return look->head_len > XML_AT && look->head[0] == 0x70 && look->head[8] == 0x2A;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    const struct series *series = NULL;

    if (!begins_as_lif(look)) {
        if (str_ends_nocase(look->entry->name, ".lif"))
            said->text = "its name says LIF, its first bytes do not";
        return false;
    }
    *said = (struct format_verdict){.format = "Leica LIF", .reader = "loci.formats.in.LIFReader"};
    said->text = read_series(look, &series);
    said->why = said->text ? REASON_BROKEN_FILE : REASON_NONE;
    said->facts = series;
    return true;
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct series *series = file->said.facts;
    struct format_set set;

    set_begin(&set, scene);
    set_add(&set, file);
    for (size_t i = 0; file->said.why == REASON_NONE && i < series->n; i++) {
        AUTO(mem_freep) char *name = mem_printf("%s.xml", series->names[i]);

        if (!strchr(name, '/'))
            set_add(&set, scene_beside(scene, file, name));
    }
    if (file->said.why == REASON_NONE) {
        set_add(&set, scene_beside(scene, file, "LeicaLogo.jpg"));
        set_add(&set, scene_beside(scene, file, "LASAF_CIP.xsl"));
    }
    set_end(&set, &file->said, false);
}

const struct format_driver format_lif = {.name = "Leica LIF", .detect = detect, .group = group};
