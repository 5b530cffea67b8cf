/* OME-XML (schema 2016-06; older ones name the same): an image each <Image>, and whether the files of its planes are there.
 *
 * Declarations of entities are refused, depth and size are held against ceilings.h. */
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/slurp.h"
#include "base/str.h"
#include "sandbox/picture_kinds.h"
#include "sandbox/picture_wells.h"

struct reading {
    XML_Parser xml;
    struct arena *arena;
    const char *path, *own_uuid, *metadata;
    struct picture_image *images;
    size_t n, cap;
    const char **names;       /* of the current image's channels; NULL before its Pixels */
    uint32_t n_named;
    unsigned depth;
    bool in_uuid;
    const char *member;       /* FileName of the UUID element that is open */
    struct buf uuid;          /* its text */
    struct wells wells;
    int failed;
    struct err *err;
};

static void reading_clear(struct reading *r)
{
    mem_freep(&r->images);
    buf_clear(&r->uuid);
    wells_clear(&r->wells);
    XML_ParserFree(r->xml);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; *attributes; attributes += 2) {
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    }
    return NULL;
}

static int fail(struct reading *r, enum reason why, const char *what)
{
    r->failed = err_set(r->err, why, 0, "%s", what);
    XML_StopParser(r->xml, XML_FALSE);
    return -1;
}

static uint32_t size_of(struct reading *r, const XML_Char **attributes, const char *name, unsigned long max)
{
    const char *text = attribute(attributes, name);
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;

    if (!text || *end || end == text || *text == '-' || n == 0) {
        fail(r, REASON_BROKEN_FILE, "java.lang.IllegalArgumentException: Pixels without a size");
        return 1;
    }
    if (n > max) {
        fail(r, REASON_TOO_LARGE, "loci.formats.FormatException: Pixels of too large a size");
        return 1;
    }
    return (uint32_t)n;
}

static void on_ome(struct reading *r, const XML_Char **attributes)
{
    const char *uuid = attribute(attributes, "UUID");
    r->own_uuid = uuid ? arena_str(r->arena, uuid) : NULL;
}

static void on_binary_only(struct reading *r, const XML_Char **attributes)
{
    const char *file = attribute(attributes, "MetadataFile");
    r->metadata = file ? arena_str(r->arena, file) : NULL;
}

static void on_image(struct reading *r, const XML_Char **attributes)
{
    const char *name = attribute(attributes, "Name"), *id = attribute(attributes, "ID");

    wells_image(&r->wells, r->arena, id);
    r->images = mem_grow(r->images, r->n, &r->cap, sizeof *r->images);
    r->images[r->n++] = (struct picture_image){.name = name ? arena_str(r->arena, name) : NULL};
    r->names = NULL;
}

static void on_pixels(struct reading *r, const XML_Char **attributes)
{
    if (r->n == 0 || r->names)
        return;
    struct picture_image *image = &r->images[r->n - 1];
    const char *type = attribute(attributes, "Type"), *old = attribute(attributes, "PixelType");
    image->x = size_of(r, attributes, "SizeX", INT32_MAX);
    image->y = size_of(r, attributes, "SizeY", INT32_MAX);
    image->z = size_of(r, attributes, "SizeZ", INT32_MAX);
    image->t = size_of(r, attributes, "SizeT", INT32_MAX);
    image->c = size_of(r, attributes, "SizeC", SANDBOX_CHANNELS_MAX);
    image->type = arena_str(r->arena, type ? type : old ? old : "uint8");
    r->names = arena_alloc(r->arena, image->c, sizeof *r->names);
    r->n_named = 0;
    image->channels = r->names;
}

/* A channel of several samples is as many channels in OMERO; the first has the name. */
static void on_channel(struct reading *r, const XML_Char **attributes)
{
    const char *name = attribute(attributes, "Name"), *samples = attribute(attributes, "SamplesPerPixel");

    if (!r->names || r->n_named >= r->images[r->n - 1].c)
        return;
    unsigned long n = samples ? strtoul(samples, NULL, 10) : 1;
    uint32_t left = r->images[r->n - 1].c - r->n_named;
    r->names[r->n_named] = name ? arena_str(r->arena, name) : NULL;
    r->n_named += n == 0 ? 1 : n > left ? left : (uint32_t)n;
}

static int32_t number_of(const XML_Char **attributes, const char *name)
{
    const char *text = attribute(attributes, name);
    long n = text ? strtol(text, NULL, 10) : 0;

    return n < 0 ? 0 : n > SANDBOX_WELLS_MAX ? SANDBOX_WELLS_MAX : (int32_t)n;
}

static void on_plate(struct reading *r, const XML_Char **attributes)
{
    const char *name = attribute(attributes, "Name");

    wells_plate(&r->wells, &(struct picture_plate){.name = name ? arena_str(r->arena, name) : NULL,
                                                   .rows = number_of(attributes, "Rows"),
                                                   .columns = number_of(attributes, "Columns")});
}

static void on_well(struct reading *r, const XML_Char **attributes)
{
    if (wells_well(&r->wells, number_of(attributes, "Row"), number_of(attributes, "Column")) < 0)
        fail(r, REASON_TOO_LARGE, "loci.formats.FormatException: too many wells");
}

static void on_image_ref(struct reading *r, const XML_Char **attributes)
{
    const char *id = attribute(attributes, "ID");

    if (id && wells_field(&r->wells, r->arena, id) < 0)
        fail(r, REASON_TOO_LARGE, "loci.formats.FormatException: too many well samples");
}

static void on_uuid(struct reading *r, const XML_Char **attributes)
{
    const char *file = attribute(attributes, "FileName");

    buf_reset(&r->uuid);
    r->in_uuid = file;
    r->member = file ? arena_str(r->arena, file) : NULL;
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    static const struct {
        const char *name;
        void (*fn)(struct reading *r, const XML_Char **attributes);
    } elements[] = {{"OME", on_ome}, {"BinaryOnly", on_binary_only}, {"Image", on_image}, {"Pixels", on_pixels},
                    {"Channel", on_channel}, {"UUID", on_uuid}, {"Plate", on_plate}, {"Well", on_well},
                    {"ImageRef", on_image_ref}};
    struct reading *r = data;
    const char *colon = strchr(name, ':'), *local = colon ? colon + 1 : name;

    if (++r->depth > OME_DEPTH_MAX || (r->depth == 1 && strcmp(local, "OME") != 0)) {
        XML_StopParser(r->xml, XML_FALSE);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(elements) && !r->failed; i++) {
        if (strcmp(elements[i].name, local) == 0)
            elements[i].fn(r, attributes);
    }
}

static void XMLCALL on_text(void *data, const XML_Char *text, int n)
{
    struct reading *r = data;
    if (r->in_uuid)
        buf_add(&r->uuid, text, (size_t)n);
}

/* The end of a UUID: the file that it names must be there, unless it is the one we read, maybe under another name. */
static void XMLCALL on_end(void *data, const XML_Char *name)
{
    struct reading *r = data;

    (void)name;
    r->depth--;
    if (!r->in_uuid)
        return;
    r->in_uuid = false;
    const char *uuid = arena_strn(r->arena, r->uuid.len ? (const char *)r->uuid.data : "", r->uuid.len);
    if (r->own_uuid && strcmp(uuid, r->own_uuid) == 0)
        return;
    if (strchr(r->member, '/') || access(picture_beside(r->path, r->member, r->arena), R_OK) < 0)
        fail(r, REASON_INCOMPLETE,
             arena_printf(r->arena, "loci.formats.FormatException: Missing file %s associated with UUID %s.", r->member, uuid));
}

static void XMLCALL on_entity(void *data, const XML_Char *name, int is_parameter, const XML_Char *value, int n,
                              const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id,
                              const XML_Char *notation)
{
    struct reading *r = data;

    (void)name, (void)is_parameter, (void)value, (void)n, (void)base, (void)system_id, (void)public_id, (void)notation;
    XML_StopParser(r->xml, XML_FALSE);
}

/* 1: no images in it, or no OME-XML at all. */
static int take_images(struct reading *r, struct picture *out)
{
    if (r->n == 0)
        return 1;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->images[i].channels)
            return 1;
    }
    struct picture_image *at = arena_alloc(r->arena, r->n, sizeof *at);
    memcpy(at, r->images, r->n * sizeof *at);
    out->images = at;
    out->n_images = r->n;
    wells_take(&r->wells, r->arena, out);
    return 0;
}

int picture_ome_text(const char *path, const char *text, size_t n, struct arena *arena, struct picture *out,
                     const char **metadata, struct err *err)
{
    AUTO(reading_clear) struct reading r = {.xml = XML_ParserCreate(NULL), .arena = arena, .path = path, .uuid = BUF_INIT(1024),
                                            .err = err};

    *metadata = NULL;
    if (n > OME_XML_MAX)
        return err_set(err, REASON_TOO_LARGE, 0, "OME-XML of %zu bytes in '%s'", n, path);
    XML_SetUserData(r.xml, &r);
    XML_SetElementHandler(r.xml, on_start, on_end);
    XML_SetCharacterDataHandler(r.xml, on_text);
    XML_SetEntityDeclHandler(r.xml, on_entity);
    bool whole = XML_Parse(r.xml, text, (int)n, XML_TRUE) == XML_STATUS_OK;
    if (r.failed)
        return -1;
    if (!whole)
        return 1;
    *metadata = r.metadata;
    return take_images(&r, out);
}

int picture_ome_xml(const char *path, struct arena *arena, struct picture *out, struct err *err)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(OME_XML_MAX);
    const char *metadata = NULL;

    if (slurp(path, &text, err) < 0)
        return -1;
    int r = picture_ome_text(path, text.len ? (const char *)text.data : "", text.len, arena, out, &metadata, err);
    if (r == 1)
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.FormatException: Missing OME-XML in %s", picture_base(path));
    return r;
}
