#include "format/ome.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "format/xml.h"

enum { UUID_ROOM = 128, READ_STEP = 64 * 1024 };

struct ome_parser {
    XML_Parser xml; /* first: see xml.h */
    struct arena *arena;   /* of the caller */
    const struct format_names *last;
    struct ome_facts facts;
    struct names names;
    unsigned depth;
    bool is_ome, in_tiff_data, has_uuid, in_uuid, ended;
    const char *file;    /* FileName of the UUID that is open; NULL: it is known already */
    char uuid[UUID_ROOM];
    size_t uuid_len;
    uint64_t fed;
    enum reason why;     /* not REASON_NONE: refused from within a handler */
    const char *refused;
};

static void refuse(struct ome_parser *p, enum reason why, const char *text)
{
    p->why = why;
    p->refused = text;
    XML_StopParser(p->xml, XML_FALSE);
}

static void open_root(struct ome_parser *p, const char **atts)
{
    const char *uuid = xml_attribute(atts, "UUID");

    p->is_ome = true;
    p->facts.uuid = arena_str(p->arena, uuid ? uuid : "");
}

static void open_binary_only(struct ome_parser *p, const char **atts)
{
    const char *file = xml_attribute(atts, "MetadataFile");

    if (file && !p->facts.metadata_file)
        p->facts.metadata_file = arena_str(p->arena, file);
}

static void open_image(struct ome_parser *p, const char **atts)
{
    (void)atts;
    p->facts.n_images++;
}

static void open_plate(struct ome_parser *p, const char **atts)
{
    (void)atts;
    p->facts.plate = true;
}

static void open_tiff_data(struct ome_parser *p, const char **atts)
{
    (void)atts;
    p->in_tiff_data = true;
    p->has_uuid = false;
}

/* The same few names come once a plane: only new ones go into the arena. */
static void open_uuid(struct ome_parser *p, const char **atts)
{
    const char *file = xml_attribute(atts, "FileName");

    if (!p->in_tiff_data || !file || file[0] == '\0')
        return;
    p->has_uuid = p->in_uuid = true;
    p->uuid_len = 0;
    p->file = names_find(&p->names, file) ? NULL : names_str(&p->names, file);
}

static const struct {
    const char *element;
    unsigned depth; /* that it must have; 0: any */
    void (*open)(struct ome_parser *p, const char **atts);
} elements[] = {
    {"OME", 1, open_root},         {"BinaryOnly", 2, open_binary_only}, {"Image", 2, open_image},
    {"Plate", 0, open_plate},      {"TiffData", 0, open_tiff_data},     {"UUID", 0, open_uuid},
};

static void on_start(void *data, const char *element, const char **atts)
{
    struct ome_parser *p = data;
    const char *name = xml_local_name(element);

    if (++p->depth > OME_DEPTH_MAX) {
        refuse(p, REASON_TOO_LARGE, "OME-XML with too many elements within one another");
        return;
    }
    if (p->depth > 1 && !p->is_ome)
        return;
    for (size_t i = 0; i < ARRAY_LEN(elements); i++)
        if (strcmp(elements[i].element, name) == 0 && (elements[i].depth == 0 || elements[i].depth == p->depth))
            elements[i].open(p, atts);
}

static void close_uuid(struct ome_parser *p)
{
    p->in_uuid = false;
    p->uuid[p->uuid_len] = '\0';
    if (p->file)
        names_add(&p->names, p->file, p->uuid);
    if (p->names.full)
        refuse(p, REASON_TOO_LARGE, "OME-XML that names too many files");
}

static void on_end(void *data, const char *element)
{
    struct ome_parser *p = data;
    const char *name = xml_local_name(element);

    p->depth--;
    if (p->in_uuid && strcmp(name, "UUID") == 0)
        close_uuid(p);
    if (p->in_tiff_data && strcmp(name, "TiffData") == 0) {
        p->in_tiff_data = false;
        p->facts.own_planes |= !p->has_uuid;
    }
}

static void on_text(void *data, const char *text, int n)
{
    struct ome_parser *p = data;

    for (int i = 0; p->in_uuid && i < n && p->uuid_len < UUID_ROOM - 1; i++)
        if (!strchr(" \t\r\n", text[i]))
            p->uuid[p->uuid_len++] = text[i];
}

struct ome_parser *ome_parser_new(struct arena *arena, const struct format_names *last)
{
    struct ome_parser *p = mem_new(1, sizeof(*p));

    p->arena = arena;
    p->last = last;
    names_begin(&p->names);
    p->facts.uuid = "";
    p->xml = xml_parser_new("UTF-8", p, on_start, on_end);
    XML_SetCharacterDataHandler(p->xml, on_text);
    return p;
}

void ome_parser_freep(struct ome_parser **p)
{
    if (!*p)
        return;
    XML_ParserFree((*p)->xml);
    names_clear(&(*p)->names);
    free(*p);
}

static int parse(struct ome_parser *p, const char *bytes, int n, bool last, struct err *err)
{
    if (XML_Parse(p->xml, bytes, n, last) == XML_STATUS_OK)
        return 0;
    if (p->why != REASON_NONE)
        return err_set(err, p->why, 0, "%s", p->refused);
    if (XML_GetErrorCode(p->xml) == XML_ERROR_ABORTED)
        return err_set(err, REASON_BROKEN_FILE, 0, "XML that declares entities");
    return err_set(err, REASON_BROKEN_FILE, 0, "no well-formed XML at line %lu: %s", XML_GetCurrentLineNumber(p->xml),
                   XML_ErrorString(XML_GetErrorCode(p->xml)));
}

int ome_parser_feed(struct ome_parser *p, const uint8_t *bytes, size_t n, struct err *err)
{
    while (n > 0) {
        size_t step = n < READ_STEP ? n : READ_STEP;

        if (p->fed > OME_XML_MAX - step)
            return err_set(err, REASON_TOO_LARGE, 0, "OME-XML of more than %u bytes", OME_XML_MAX);
        if (parse(p, (const char *)bytes, (int)step, false, err) < 0)
            return -1;
        p->fed += step;
        if (p->fed - (uint64_t)XML_GetCurrentByteIndex(p->xml) > OME_TOKEN_MAX)
            return err_set(err, REASON_TOO_LARGE, 0, "OME-XML with an element of more than %u bytes", OME_TOKEN_MAX);
        bytes += step;
        n -= step;
    }
    return 0;
}

int ome_parser_end(struct ome_parser *p, struct ome_facts **out, struct err *err)
{
    if (parse(p, "", 0, true, err) < 0)
        return -1;
    if (!p->is_ome)
        return 1;
    p->facts.names = names_keep(&p->names, p->last, p->arena);
    *out = arena_alloc(p->arena, 1, sizeof(**out));
    **out = p->facts;
    return 0;
}

int ome_read(int fd, uint64_t offset, uint64_t bytes, const struct format_names **last, struct arena *arena,
             struct ome_facts **out, struct err *err)
{
    AUTO(ome_parser_freep) struct ome_parser *p = ome_parser_new(arena, *last);
    AUTO(mem_freep) uint8_t *step = mem_new(bytes < READ_STEP ? (size_t)bytes : READ_STEP, 1);

    while (bytes > 0) {
        size_t want = bytes < READ_STEP ? (size_t)bytes : READ_STEP;
        ssize_t got = io_pread(fd, step, want, (off_t)offset, err);

        if (got < 0)
            return -1;
        if (got == 0)
            break;

        size_t ready = xml_clean(step, (size_t)got, (uint64_t)got == bytes);

        if (ome_parser_feed(p, step, ready, err) < 0)
            return -1;
        offset += ready;
        bytes -= ready;
    }

    int done = ome_parser_end(p, out, err);

    if (done == 0)
        *last = (*out)->names;
    return done;
}
