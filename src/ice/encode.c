#include "ice/encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"

enum { GAP_BYTES = 64 * 1024 }; /* less is copied sooner than written by itself */

struct any_sequence {
    size_t n;
    const uint8_t *at;
};

static void write_value(struct ice_encoder *e, const struct ice_type *t, const void *v);

void ice_encode_fail(struct ice_encoder *e, enum reason why, const char *what, const char *where)
{
    if (!e->bad)
        err_set(e->err, why, 0, "%s: %s", where, what);
    e->bad = true;
}

bool ice_encode_enter(struct ice_encoder *e)
{
    if (e->depth >= ICE_DEPTH_MAX)
        ice_encode_fail(e, REASON_TOO_LARGE, "values lie too deep within one another", "message");
    if (e->bad)
        return false;
    e->depth++;
    return true;
}

void ice_encode_leave(struct ice_encoder *e)
{
    e->depth--;
}

static void write_bool(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    (void)t;
    ice_write_bool(e->b, *(const bool *)v);
}

static void write_byte(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    (void)t;
    buf_add_byte(e->b, *(const uint8_t *)v);
}

static void write_short(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    (void)t;
    ice_write_i16(e->b, *(const int16_t *)v);
}

/* int and float */
static void write_4(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    int32_t bits;

    (void)t;
    memcpy(&bits, v, sizeof(bits));
    ice_write_i32(e->b, bits);
}

/* long and double */
static void write_8(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    int64_t bits;

    (void)t;
    memcpy(&bits, v, sizeof(bits));
    ice_write_i64(e->b, bits);
}

static void write_string(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    (void)t;
    ice_write_string(e->b, *(const char *const *)v);
}

static void write_enum(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    int32_t number = *(const int32_t *)v;

    if (number < 0 || (size_t)number >= t->n_names)
        ice_encode_fail(e, REASON_BUG, "an enumerator that does not exist", t->id);
    else if (e->enc == ICE_ENC_1_1)
        ice_write_size(e->b, (size_t)number);
    else if (t->n_names <= INT8_MAX)
        buf_add_byte(e->b, (uint8_t)number);
    else if (t->n_names <= INT16_MAX)
        ice_write_i16(e->b, (int16_t)number);
    else
        ice_write_i32(e->b, number);
}

static void write_struct(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    if (ice_encode_enter(e)) {
        ice_encode_fields(e, t->fields, t->n_fields, v);
        ice_encode_leave(e);
    }
}

static void write_sequence(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    const struct any_sequence *s = v;

    ice_write_size(e->b, s->n);
    if (!s->n || !ice_encode_enter(e))
        return;
    if (t->item->kind == ICE_BYTE && e->gap && e->gap->n == 0 && s->n >= GAP_BYTES)
        *e->gap = (struct ice_gap){e->b->len, s->n, s->at};
    else if (t->item->kind == ICE_BYTE)
        buf_add(e->b, s->at, s->n);
    else
        for (size_t i = 0; i < s->n && !e->bad && !e->b->full; i++)
            write_value(e, t->item, s->at + i * t->item->size);
    ice_encode_leave(e);
}

static void write_dictionary(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    const struct any_sequence *s = v;

    ice_write_size(e->b, s->n);
    if (!s->n || !ice_encode_enter(e))
        return;
    for (size_t i = 0; i < s->n && !e->bad && !e->b->full; i++) {
        write_value(e, t->key, s->at + i * t->entry_size);
        write_value(e, t->item, s->at + i * t->entry_size + t->value_offset);
    }
    ice_encode_leave(e);
}

static void write_proxy(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    (void)t;
    if (!e->bad && ice_write_proxy(e->b, e->enc, *(const struct ice_proxy *const *)v, e->err) < 0)
        e->bad = true;
}

static void write_class(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    ice_encode_class(e, t, *(const struct ice_object *const *)v);
}

static void write_value(struct ice_encoder *e, const struct ice_type *t, const void *v)
{
    static void (*const write[])(struct ice_encoder *, const struct ice_type *, const void *) = {
        [ICE_BOOL] = write_bool, [ICE_BYTE] = write_byte, [ICE_SHORT] = write_short, [ICE_INT] = write_4,
        [ICE_LONG] = write_8, [ICE_FLOAT] = write_4, [ICE_DOUBLE] = write_8, [ICE_STRING] = write_string,
        [ICE_ENUM] = write_enum, [ICE_STRUCT] = write_struct, [ICE_SEQUENCE] = write_sequence,
        [ICE_DICTIONARY] = write_dictionary, [ICE_PROXY] = write_proxy, [ICE_CLASS] = write_class,
    };

    write[t->kind](e, t, v);
}

void ice_encode_fields(struct ice_encoder *e, const struct ice_field *fields, size_t n, const void *values)
{
    for (size_t i = 0; i < n && !e->bad; i++)
        write_value(e, fields[i].type, (const uint8_t *)values + fields[i].offset);
}

static void encoder_clear(struct ice_encoder *e)
{
    ice_map_clear(&e->types);
    ice_map_clear(&e->instances);
    free((void *)e->queue);
}

/* The head of an encapsulation; its size comes with finish(). */
static struct ice_encoder begin(struct buf *b, enum ice_encoding enc, struct err *err)
{
    ice_write_i32(b, 0);
    buf_add_byte(b, 1);
    buf_add_byte(b, enc == ICE_ENC_1_1);
    return (struct ice_encoder){.b = b, .enc = enc, .err = err};
}

static int finish(struct ice_encoder *e, size_t start)
{
    size_t left_out = e->gap ? e->gap->n : 0;

    if (!e->bad && (e->b->full || e->b->len - start + left_out > INT32_MAX))
        ice_encode_fail(e, REASON_TOO_LARGE, "the values do not fit into one message", "message");
    if (e->bad) {
        e->b->len = start;
        return -1;
    }
    ice_put_i32(e->b, start, (int32_t)(e->b->len - start + left_out));
    return 0;
}

int ice_encode_encaps(struct buf *b, enum ice_encoding enc, const struct ice_field *fields, size_t n_fields, bool classes,
                      const void *values, struct ice_gap *gap, struct err *err)
{
    size_t start = b->len;
    AUTO(encoder_clear) struct ice_encoder e = begin(b, enc, err);

    e.gap = gap;
    ice_encode_fields(&e, fields, n_fields, values);
    if (classes && enc == ICE_ENC_1_0)
        ice_encode_pending_10(&e);
    return finish(&e, start);
}

int ice_write_encaps(struct buf *b, enum ice_encoding enc, const struct ice_field *fields, size_t n_fields, bool classes,
                     const void *values, struct err *err)
{
    return ice_encode_encaps(b, enc, fields, n_fields, classes, values, NULL, err);
}

int ice_write_exception(struct buf *b, enum ice_encoding enc, const struct ice_object *exc, struct err *err)
{
    size_t start = b->len;
    AUTO(encoder_clear) struct ice_encoder e = begin(b, enc, err);

    ice_encode_exception(&e, exc);
    return finish(&e, start);
}
