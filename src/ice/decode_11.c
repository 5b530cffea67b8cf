#include "ice/decode.h"

/* Bits of a slice's flags. */
enum {
    TYPE_KIND = 0x03, OPTIONALS = 0x04, TABLE = 0x08, SIZED = 0x10, LAST = 0x20,
    TYPE_NONE = 0, TYPE_STRING = 1, TYPE_NUMBER = 2, TYPE_COMPACT = 3,
};

static size_t read_instance(struct ice_decoder *d);

/* What a class reference says outside of an indirection: 1 = an instance follows, else a number given before. */
static uint32_t read_number(struct ice_decoder *d, size_t v)
{
    if (v == 1)
        v = read_instance(d);
    else if (!v || v >= d->n_instances)
        ice_fail(d->in, "a reference to an instance that is not there");
    return (uint32_t)v;
}

void ice_decode_class_11(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared)
{
    struct ice_patch row = {.slot = slot, .declared = declared};
    size_t v = ice_read_size(d->in, 0);

    if (!d->n_instances && !ice_decode_number(d, ICE_FIRST_INSTANCE_1_1 - 1))
        return;
    if (v && !d->indirect) {
        ice_decode_refer(d, slot, declared, read_number(d, v));
    } else if (v && slot && ice_decode_room(d, sizeof(row))) {
        row.number = (uint32_t)v;
        d->rows = mem_grow(d->rows, d->n_rows, &d->cap_rows, sizeof(row));
        d->rows[d->n_rows++] = row;
    }
}

static void skip_optionals(struct ice_decoder *d)
{
    enum { END = 0xFF, LONG_TAG = 30, SIZE = 4, SIZE_AND_BYTES = 5, INT_AND_BYTES = 6 };
    uint8_t head;

    while ((head = ice_read_u8(d->in)) != END && !d->in->bad) {
        unsigned format = head & 7u;
        if (head >> 3 == LONG_TAG)
            ice_read_size(d->in, 0);
        if (format < SIZE) {
            ice_take(d->in, (size_t)1 << format);
        } else if (format == SIZE) {
            ice_read_size(d->in, 0);
        } else if (format == SIZE_AND_BYTES) {
            ice_take(d->in, ice_read_size(d->in, 1));
        } else if (format == INT_AND_BYTES) {
            int32_t n = ice_read_i32(d->in);
            ice_take(d->in, n < 0 ? SIZE_MAX : (size_t)n);
        } else {
            ice_decode_class_11(d, NULL, NULL);
        }
    }
}

/* The indirection table of a slice: the instances that its members named by row. */
static void read_table(struct ice_decoder *d, size_t first_row)
{
    size_t n = ice_read_size(d->in, 1), start = d->n_table;

    if (!n)
        ice_fail(d->in, "an indirection table is empty");
    if (!d->n_instances)
        ice_decode_number(d, ICE_FIRST_INSTANCE_1_1 - 1);
    for (size_t i = 0; i < n && ice_decode_room(d, sizeof(*d->table)); i++) {
        uint32_t number = read_number(d, ice_read_size(d->in, 0));
        d->table = mem_grow(d->table, d->n_table, &d->cap_table, sizeof(*d->table));
        d->table[d->n_table++] = number;
    }
    for (size_t i = first_row; i < d->n_rows && !d->in->bad; i++) {
        const struct ice_patch *row = &d->rows[i];
        if (row->number > n)
            ice_fail(d->in, "a reference to a row that the indirection table does not have");
        else
            ice_decode_refer(d, row->slot, row->declared, d->table[start + row->number - 1]);
    }
    d->n_table = start;
}

/* What follows a slice's type: its size, members, optional members and table. */
static void read_slice(struct ice_decoder *d, struct ice_slices *s, struct ice_type_id type, unsigned flags)
{
    const uint8_t *end = flags & SIZED ? ice_decode_slice_end(d) : NULL;
    size_t first_row = d->n_rows;

    d->indirect = flags & TABLE;
    ice_decode_slice(d, s, type, end);
    if (!end && flags & OPTIONALS)
        skip_optionals(d);
    if (flags & TABLE && !d->in->bad)
        read_table(d, first_row);
    d->n_rows = first_row;
}

static struct ice_type_id read_type(struct ice_decoder *d, const struct ice_slices *s, unsigned kind)
{
    if (kind == TYPE_NONE)
        return s->next ? (struct ice_type_id){.id = s->next->id, .cls = s->next} : (struct ice_type_id){.id = "a base class"};
    if (kind != TYPE_COMPACT)
        return ice_decode_type_id(d, kind == TYPE_NUMBER);
    ice_read_size(d->in, 0);
    return (struct ice_type_id){.id = "a compact type id"};
}

/* The instance that follows; its number. */
static size_t read_instance(struct ice_decoder *d)
{
    size_t number = d->n_instances;
    struct ice_slices s = {.number = (uint32_t)number};
    bool outer = d->indirect;
    unsigned flags = 0;

    if (!ice_decode_number(d, number) || !ice_decode_enter(d))
        return 0;
    while (!(flags & LAST) && !d->in->bad) {
        flags = ice_read_u8(d->in);
        read_slice(d, &s, read_type(d, &s, flags & TYPE_KIND), flags);
    }
    ice_decode_slices_done(d, &s);
    d->indirect = outer;
    ice_decode_leave(d);
    return number;
}

void ice_decode_exception_11(struct ice_decoder *d, struct ice_slices *s, const char **id)
{
    unsigned flags = 0;

    for (bool first = true; !(flags & LAST) && !d->in->bad; first = false) {
        flags = ice_read_u8(d->in);
        struct ice_type_id type = {.id = ice_read_string(d->in, d->mem)};
        type.cls = ice_registry_find(d->reg, type.id);
        if (first)
            *id = type.id;
        if (!s->object && !type.cls && !(flags & SIZED))
            return; /* compact: what follows cannot be told apart, and the id is all that can be said */
        read_slice(d, s, type, flags);
    }
    if (s->object)
        ice_decode_slices_done(d, s);
}
