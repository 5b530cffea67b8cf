#include "omero/object.h"

#include <string.h>

#include "base/str.h"

/* `loaded` of the object and the flags that go with its collections: official servers take a collection that is not loaded for
 * one that was left out. */
static void mark_loaded(void *object, const struct ice_class *cls)
{
    for (; cls; cls = cls->base)
        for (size_t i = 0; i < cls->n_fields; i++) {
            const struct ice_field *f = &cls->fields[i];
            if (f->type->kind == ICE_BOOL && (str_ends(f->name, "Loaded") || str_ends(f->name, "loaded")))
                *(bool *)((char *)object + f->offset) = true;
        }
}

void *om_object_new(struct arena *mem, const struct ice_class *cls)
{
    struct ice_object *o = arena_alloc(mem, 1, cls->size);

    o->cls = cls;
    mark_loaded(o, cls);
    return o;
}

void *om_object_ref(struct arena *mem, const struct ice_class *cls, int64_t id)
{
    struct om_iobject *o = arena_alloc(mem, 1, cls->size);

    o->cls = cls;
    o->id = om_rlong(mem, id);
    return o;
}

const struct om_rlong *om_rlong(struct arena *mem, int64_t v)
{
    struct om_rlong *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct om_rlong){.cls = &om_rlong_class, .val = v};
    return r;
}

const struct om_rint *om_rint(struct arena *mem, int32_t v)
{
    struct om_rint *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct om_rint){.cls = &om_rint_class, .val = v};
    return r;
}

const struct om_rbool *om_rbool(struct arena *mem, bool v)
{
    struct om_rbool *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct om_rbool){.cls = &om_rbool_class, .val = v};
    return r;
}

const struct om_rstring *om_rstring(struct arena *mem, const char *v)
{
    if (!v)
        return NULL;

    struct om_rstring *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct om_rstring){.cls = &om_rstring_class, .val = arena_str(mem, v)};
    return r;
}

int64_t om_object_id(const struct om_iobject *o)
{
    return o && o->id ? o->id->val : -1;
}
