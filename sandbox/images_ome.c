/* OME-XML: what its <Image> and <Pixels> elements say. */
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "sandbox/images.h"

enum { IMAGES_MAX = 100000 };

struct reading {
    struct arena *mem;
    struct image_facts *at;
    size_t n, cap;
};

static const char *attribute(const char **atts, const char *name)
{
    for (; *atts; atts += 2)
        if (strcmp(atts[0], name) == 0)
            return atts[1];
    return NULL;
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}

static int32_t size_at(const char **atts, const char *name)
{
    const char *text = attribute(atts, name);
    long v = text ? strtol(text, NULL, 10) : 1;

    return v > 0 && v <= INT32_MAX ? (int32_t)v : 1;
}

/* Only micrometres, which are what is meant without a unit. */
static double micrometres(const char **atts, const char *name, const char *unit_name)
{
    const char *text = attribute(atts, name), *unit = attribute(atts, unit_name);

    return text && (!unit || strcmp(unit, "\xC2\xB5m") == 0) ? strtod(text, NULL) : 0;
}

static void XMLCALL start(void *arg, const char *name, const char **atts)
{
    struct reading *r = arg;

    name = local_name(name);
    if (strcmp(name, "Image") == 0 && r->n < IMAGES_MAX) {
        const char *called = attribute(atts, "Name");
        r->at = mem_grow(r->at, r->n, &r->cap, sizeof(*r->at));
        r->at[r->n++] = (struct image_facts){.name = arena_str(r->mem, called ? called : ""),
                                             .pixel_type = "uint8",
                                             .size_x = 1, .size_y = 1, .size_z = 1, .size_c = 1, .size_t = 1};
    }
    if (strcmp(name, "Pixels") == 0 && r->n > 0) {
        struct image_facts *f = &r->at[r->n - 1];
        const char *type = attribute(atts, "Type");
        f->pixel_type = arena_str(r->mem, type ? type : "uint8");
        f->size_x = size_at(atts, "SizeX");
        f->size_y = size_at(atts, "SizeY");
        f->size_z = size_at(atts, "SizeZ");
        f->size_c = size_at(atts, "SizeC");
        f->size_t = size_at(atts, "SizeT");
        f->um_x = micrometres(atts, "PhysicalSizeX", "PhysicalSizeXUnit");
        f->um_y = micrometres(atts, "PhysicalSizeY", "PhysicalSizeYUnit");
        f->um_z = micrometres(atts, "PhysicalSizeZ", "PhysicalSizeZUnit");
    }
}

int images_ome(struct arena *mem, const char *xml, size_t n, struct images_facts *out, struct err *err)
{
    struct reading r = {.mem = mem};
    XML_Parser parser = XML_ParserCreate(NULL);

    XML_SetUserData(parser, &r);
    XML_SetStartElementHandler(parser, start);

    bool good = n < INT32_MAX && XML_Parse(parser, xml, (int)n, 1) == XML_STATUS_OK;

    XML_ParserFree(parser);
    out->n = good ? r.n : 0;
    out->at = arena_alloc(mem, r.n, sizeof(*out->at));
    if (r.n)
        memcpy(out->at, r.at, r.n * sizeof(*out->at));
    free(r.at);
    return good ? 0 : err_set(err, REASON_BROKEN_FILE, 0, "its OME-XML cannot be read");
}
