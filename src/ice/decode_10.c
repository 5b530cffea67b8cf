#include "ice/decode.h"

#include <string.h>

/* Number, one slice head, the ::Ice::Object slice's size: no instance is shorter. */
enum { LEAST_INSTANCE_BYTES = 10 };

void ice_decode_class_10(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared)
{
    int32_t v = ice_read_i32(d->in);

    if (v > 0 || v == INT32_MIN)
        ice_fail(d->in, "a class reference that is no negative number");
    else if (v < 0)
        ice_decode_refer(d, slot, declared, (uint32_t)-v);
}

static bool begin_instance(struct ice_decoder *d, struct ice_slices *s)
{
    int32_t number = ice_read_i32(d->in);

    if (number <= 0)
        ice_fail(d->in, "the number of an instance is not positive");
    if (d->in->bad || !ice_decode_number(d, (size_t)number))
        return false;
    if (d->instances[number])
        ice_fail(d->in, "two instances have the same number");
    s->number = (uint32_t)number;
    return !d->in->bad;
}

static void read_instance(struct ice_decoder *d)
{
    struct ice_slices s = {0};
    bool last = false;

    if (!begin_instance(d, &s))
        return;
    while (!last && !d->in->bad) {
        struct ice_type_id type = ice_decode_type_id(d, ice_read_bool(d->in));
        last = strcmp(type.id, ice_class_object.id) == 0;
        const uint8_t *end = ice_decode_slice_end(d);
        if (!last)
            ice_decode_slice(d, &s, type, end);
        else if (end)
            d->in->at = end;
    }
    ice_decode_slices_done(d, &s);
}

void ice_decode_pending_10(struct ice_decoder *d)
{
    size_t n;

    while ((n = ice_read_size(d->in, LEAST_INSTANCE_BYTES)) && ice_decode_enter(d)) {
        while (n-- && !d->in->bad)
            read_instance(d);
        ice_decode_leave(d);
    }
}

void ice_decode_exception_10(struct ice_decoder *d, struct ice_slices *s, const char **id)
{
    bool uses_classes = ice_read_bool(d->in), first = true;

    do {
        struct ice_type_id type = {.id = ice_read_string(d->in, d->mem)};
        const uint8_t *end = ice_decode_slice_end(d);
        if (first) {
            *id = type.id;
        } else if (d->in->bad && !s->object) { /* what follows the last unknown slice need not be one */
            d->in->bad = false;
            end = d->in->at = d->in->end;
        }
        type.cls = ice_registry_find(d->reg, type.id);
        ice_decode_slice(d, s, type, end);
        first = false;
    } while (!d->in->bad && (s->object ? s->next != NULL : d->in->at < d->in->end));
    if (s->object && uses_classes)
        ice_decode_pending_10(d);
}
