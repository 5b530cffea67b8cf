#include "ice/encode.h"

#include "base/ceilings.h"
#include "ice/decode.h"

/* Bits of a slice's flags in encoding 1.1. */
enum { TYPE_NONE = 0, TYPE_STRING = 1, TYPE_NUMBER = 2, LAST = 0x20 };

/* A number for an instance; true when it is new. */
static bool number_of(struct ice_encoder *e, const struct ice_object *object, uint32_t first, uint32_t *number)
{
    uint32_t next = first + e->n_instances;

    *number = ice_map_number(&e->instances, object, next);
    if (*number != next)
        return false;
    if (++e->n_instances > ICE_INSTANCES_MAX)
        ice_encode_fail(e, REASON_TOO_LARGE, "more class instances than are allowed", "message");
    return true;
}

/* The number of a type id; true when it is new. */
static bool number_of_type(struct ice_encoder *e, const struct ice_class *cls, uint32_t *number)
{
    *number = ice_map_number(&e->types, cls, e->n_types + 1);
    if (*number <= e->n_types)
        return false;
    e->n_types++;
    return true;
}

static void write_first_type_11(struct ice_encoder *e, const struct ice_class *cls)
{
    uint32_t number;
    uint8_t last = cls->base ? 0 : LAST;

    if (number_of_type(e, cls, &number)) {
        buf_add_byte(e->b, TYPE_STRING | last);
        ice_write_string(e->b, cls->id);
    } else {
        buf_add_byte(e->b, TYPE_NUMBER | last);
        ice_write_size(e->b, number);
    }
}

static void write_instance_11(struct ice_encoder *e, const struct ice_object *object)
{
    if (!ice_encode_enter(e))
        return;
    write_first_type_11(e, object->cls);
    for (const struct ice_class *c = object->cls; c && !e->bad; c = c->base) {
        if (c != object->cls)
            buf_add_byte(e->b, TYPE_NONE | (c->base ? 0 : LAST));
        ice_encode_fields(e, c->fields, c->n_fields, object);
    }
    ice_encode_leave(e);
}

static void write_class_11(struct ice_encoder *e, const struct ice_object *object)
{
    enum { NOTHING = 0, FOLLOWS = 1, FIRST = 2 };
    uint32_t number;

    if (!object) {
        ice_write_size(e->b, NOTHING);
    } else if (number_of(e, object, FIRST, &number)) {
        ice_write_size(e->b, FOLLOWS);
        write_instance_11(e, object);
    } else {
        ice_write_size(e->b, number);
    }
}

static void write_class_10(struct ice_encoder *e, const struct ice_object *object)
{
    uint32_t number = 0;

    if (object && number_of(e, object, 1, &number)) {
        e->queue = mem_grow((void *)e->queue, e->n_queue, &e->cap_queue, sizeof(*e->queue));
        e->queue[e->n_queue++] = object;
    }
    ice_write_i32(e->b, -(int32_t)number);
}

void ice_encode_class(struct ice_encoder *e, const struct ice_type *t, const struct ice_object *object)
{
    e->wrote_reference = true;
    if (object && (!object->cls || !ice_class_is_a(object->cls, t->cls)))
        ice_encode_fail(e, REASON_BUG, "an instance of another class than declared", t->id);
    else if (e->enc == ICE_ENC_1_0)
        write_class_10(e, object);
    else
        write_class_11(e, object);
}

static size_t begin_slice_10(struct ice_encoder *e, const struct ice_class *cls)
{
    uint32_t number;
    bool first = number_of_type(e, cls, &number);

    ice_write_bool(e->b, !first);
    if (first)
        ice_write_string(e->b, cls->id);
    else
        ice_write_size(e->b, number);
    ice_write_i32(e->b, 0);
    return e->b->len - sizeof(int32_t);
}

static void end_slice(struct ice_encoder *e, size_t at)
{
    ice_put_i32(e->b, at, (int32_t)(e->b->len - at));
}

static void write_instance_10(struct ice_encoder *e, size_t i)
{
    const struct ice_object *object = e->queue[i];

    ice_write_i32(e->b, (int32_t)i + 1);
    for (const struct ice_class *c = object->cls; c && c != &ice_class_object && !e->bad; c = c->base) {
        size_t at = begin_slice_10(e, c);
        ice_encode_fields(e, c->fields, c->n_fields, object);
        end_slice(e, at);
    }
    size_t at = begin_slice_10(e, &ice_class_object);
    ice_write_size(e->b, 0); /* facets, which no Object has any more */
    end_slice(e, at);
}

void ice_encode_pending_10(struct ice_encoder *e)
{
    while (e->n_written < e->n_queue && !e->b->full && ice_encode_enter(e)) {
        size_t batch_end = e->n_queue;
        ice_write_size(e->b, batch_end - e->n_written);
        while (e->n_written < batch_end && !e->bad && !e->b->full)
            write_instance_10(e, e->n_written++);
        ice_encode_leave(e);
    }
    ice_write_size(e->b, 0);
}

static void write_exception_10(struct ice_encoder *e, const struct ice_object *exc)
{
    size_t uses_classes = e->b->len;

    ice_write_bool(e->b, false);
    for (const struct ice_class *c = exc->cls; c && !e->bad; c = c->base) {
        ice_write_string(e->b, c->id);
        size_t at = e->b->len;
        ice_write_i32(e->b, 0);
        ice_encode_fields(e, c->fields, c->n_fields, exc);
        end_slice(e, at);
    }
    if (e->wrote_reference && !e->b->full) {
        e->b->data[uses_classes] = true;
        ice_encode_pending_10(e);
    }
}

static void write_exception_11(struct ice_encoder *e, const struct ice_object *exc)
{
    for (const struct ice_class *c = exc->cls; c && !e->bad; c = c->base) {
        buf_add_byte(e->b, c->base ? 0 : LAST);
        ice_write_string(e->b, c->id);
        ice_encode_fields(e, c->fields, c->n_fields, exc);
    }
}

void ice_encode_exception(struct ice_encoder *e, const struct ice_object *exc)
{
    if (e->enc == ICE_ENC_1_0)
        write_exception_10(e, exc);
    else
        write_exception_11(e, exc);
}
