#include "ice/decode.h"

#include <string.h>

#include "base/ceilings.h"

const struct ice_class ice_class_object = {.id = "::Ice::Object", .size = sizeof(struct ice_object)};

static struct ice_type_id numbered_type(struct ice_decoder *d)
{
    size_t number = ice_read_size(d->in, 0);

    if (!number || number > d->n_type_ids)
        ice_fail(d->in, "a type id number that is not there");
    return d->in->bad ? (struct ice_type_id){.id = ""} : d->type_ids[number - 1];
}

struct ice_type_id ice_decode_type_id(struct ice_decoder *d, bool by_number)
{
    if (by_number)
        return numbered_type(d);

    struct ice_type_id type = {.id = ice_read_string(d->in, d->mem)};
    if (!ice_decode_room(d, sizeof(type)))
        return type;
    type.cls = ice_registry_find(d->reg, type.id);
    d->type_ids = mem_grow(d->type_ids, d->n_type_ids, &d->cap_type_ids, sizeof(type));
    d->type_ids[d->n_type_ids++] = type;
    return type;
}

bool ice_decode_number(struct ice_decoder *d, size_t number)
{
    if (number > ICE_INSTANCES_MAX)
        ice_fail(d->in, "more class instances than are allowed");
    else if (number > d->most_instances)
        ice_fail(d->in, "the number of an instance is too high");
    if (d->in->bad || number < d->n_instances)
        return !d->in->bad;

    size_t more = number + 1 - d->n_instances;
    if (!ice_decode_room(d, more * sizeof(*d->instances)))
        return false;
    while (d->cap_instances <= number)
        d->instances = mem_grow((void *)d->instances, d->cap_instances, &d->cap_instances, sizeof(*d->instances));
    memset((void *)(d->instances + d->n_instances), 0, more * sizeof(*d->instances));
    d->n_instances = number + 1;
    return true;
}

const uint8_t *ice_decode_slice_end(struct ice_decoder *d)
{
    const uint8_t *start = d->in->at;
    int32_t size = ice_read_i32(d->in);

    if (!d->in->bad && (size < (int32_t)sizeof(size) || size > d->in->end - start))
        ice_fail(d->in, "the size of a slice is wrong");
    return d->in->bad ? NULL : start + size;
}

/* The first known class of an instance: from here on there is something to fill in. */
static void begin_object(struct ice_decoder *d, struct ice_slices *s, const struct ice_class *cls)
{
    s->object = ice_decode_alloc(d, 1, cls->size);
    if (!s->object)
        return;
    s->object->cls = cls;
    s->next = cls;
    if (s->number)
        d->instances[s->number] = s->object;
}

static void read_members(struct ice_decoder *d, struct ice_slices *s, const struct ice_class *cls, const uint8_t *end)
{
    const uint8_t *whole = d->in->end;

    if (end)
        d->in->end = end;
    ice_decode_fields(d, cls->fields, cls->n_fields, s->object);
    if (d->in->bad && !d->place_class)
        d->place_class = cls->id;
    d->in->end = whole;
    s->next = cls->base;
}

void ice_decode_slice(struct ice_decoder *d, struct ice_slices *s, struct ice_type_id type, const uint8_t *end)
{
    if (d->in->bad)
        return;
    if (!s->object && type.cls)
        begin_object(d, s, type.cls);
    if (s->object && s->next && type.cls == s->next) {
        read_members(d, s, type.cls, end);
    } else if (!end) {
        ice_fail(d->in, "a slice of an unknown class whose end nothing tells");
        d->unknown_id = type.id;
    }
    if (end && !d->in->bad)
        d->in->at = end;
}

void ice_decode_slices_done(struct ice_decoder *d, struct ice_slices *s)
{
    if (d->in->bad)
        return;
    if (!s->object)
        begin_object(d, s, &ice_class_object);
    else if (s->next)
        ice_fail(d->in, "the slice of a base class is missing");
}

static void store(struct ice_decoder *d, const struct ice_patch *p)
{
    const struct ice_object *object = d->instances[p->number];

    if (!object)
        ice_fail(d->in, "a reference to an instance that is not there");
    else if (!ice_class_is_a(object->cls, p->declared))
        ice_fail(d->in, "an instance of another class than declared");
    else
        *p->slot = object;
}

void ice_decode_refer(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared, uint32_t number)
{
    struct ice_patch p = {.slot = slot, .declared = declared, .number = number};

    if (d->in->bad || !slot)
        return;
    if (number < d->n_instances && d->instances[number]) {
        store(d, &p);
    } else if (ice_decode_room(d, sizeof(p))) {
        d->patches = mem_grow(d->patches, d->n_patches, &d->cap_patches, sizeof(p));
        d->patches[d->n_patches++] = p;
    }
}

void ice_decode_resolve(struct ice_decoder *d)
{
    for (size_t i = 0; i < d->n_patches && !d->in->bad; i++) {
        if (d->patches[i].number >= d->n_instances)
            ice_fail(d->in, "a reference to an instance that is not there");
        else
            store(d, &d->patches[i]);
    }
}
