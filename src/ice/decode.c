#include "ice/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/str.h"

struct any_sequence {
    size_t n;
    uint8_t *at;
};

static void read_value(struct ice_decoder *d, const struct ice_type *t, void *out);

static size_t side_bytes(const struct ice_decoder *d)
{
    return d->n_instances * sizeof(*d->instances) + d->n_type_ids * sizeof(*d->type_ids) +
           (d->n_patches + d->n_rows) * sizeof(*d->patches) + d->n_table * sizeof(*d->table);
}

bool ice_decode_room(struct ice_decoder *d, size_t bytes)
{
    size_t used = arena_bytes(d->mem) - d->arena_start + side_bytes(d);

    if (used > ICE_ARENA_MAX || bytes > ICE_ARENA_MAX - used)
        ice_fail(d->in, "it needs more memory than one message may take");
    return !d->in->bad;
}

void *ice_decode_alloc(struct ice_decoder *d, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = SIZE_MAX;
    return ice_decode_room(d, bytes) ? arena_alloc(d->mem, n, size) : NULL;
}

bool ice_decode_enter(struct ice_decoder *d)
{
    if (d->depth >= ICE_DEPTH_MAX)
        ice_fail(d->in, "values lie too deep within one another");
    if (d->in->bad)
        return false;
    d->depth++;
    return true;
}

void ice_decode_leave(struct ice_decoder *d)
{
    d->depth--;
}

/* The least number of bytes that a value of the type takes on the wire; never 0, so that it bounds every count. */
static size_t least_bytes(const struct ice_type *t, enum ice_encoding enc)
{
    static const uint8_t fixed[] = {
        [ICE_BOOL] = 1, [ICE_BYTE] = 1, [ICE_SHORT] = 2, [ICE_INT] = 4, [ICE_LONG] = 8, [ICE_FLOAT] = 4, [ICE_DOUBLE] = 8,
        [ICE_STRING] = 1, [ICE_ENUM] = 1, [ICE_SEQUENCE] = 1, [ICE_DICTIONARY] = 1, [ICE_PROXY] = 2, [ICE_CLASS] = 1,
    };
    size_t bytes = 0;

    if (t->kind == ICE_CLASS && enc == ICE_ENC_1_0)
        return sizeof(int32_t);
    if (t->kind != ICE_STRUCT)
        return fixed[t->kind];
    for (size_t i = 0; i < t->n_fields; i++)
        bytes += least_bytes(t->fields[i].type, enc);
    return bytes ? bytes : 1;
}

static void read_bool(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    (void)t;
    *(bool *)out = ice_read_bool(d->in);
}

static void read_byte(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    (void)t;
    *(uint8_t *)out = ice_read_u8(d->in);
}

static void read_short(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    (void)t;
    *(int16_t *)out = ice_read_i16(d->in);
}

/* int and float */
static void read_4(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    int32_t v = ice_read_i32(d->in);

    (void)t;
    memcpy(out, &v, sizeof(v));
}

/* long and double */
static void read_8(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    int64_t v = ice_read_i64(d->in);

    (void)t;
    memcpy(out, &v, sizeof(v));
}

static void read_string(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    (void)t;
    *(const char **)out = ice_decode_room(d, 0) ? ice_read_string(d->in, d->mem) : "";
}

static int32_t read_enum_10(struct ice_in *in, size_t n_names)
{
    if (n_names <= INT8_MAX)
        return ice_read_u8(in);
    return n_names <= INT16_MAX ? ice_read_i16(in) : ice_read_i32(in);
}

static void read_enum(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    int32_t v = d->in->enc == ICE_ENC_1_0 ? read_enum_10(d->in, t->n_names) : (int32_t)ice_read_size(d->in, 0);

    if (v < 0 || (size_t)v >= t->n_names)
        ice_fail(d->in, "an enumerator is unknown");
    *(int32_t *)out = v;
}

static void read_struct(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    if (ice_decode_enter(d)) {
        ice_decode_fields(d, t->fields, t->n_fields, out);
        ice_decode_leave(d);
    }
}

static void read_items(struct ice_decoder *d, const struct ice_type *t, struct any_sequence *s)
{
    const uint8_t *bytes;

    if (t->item->kind != ICE_BYTE)
        for (size_t i = 0; i < s->n && !d->in->bad; i++)
            read_value(d, t->item, s->at + i * t->item->size);
    else if ((bytes = ice_take(d->in, s->n)))
        memcpy(s->at, bytes, s->n);
}

static void read_sequence(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    struct any_sequence s = {.n = ice_read_size(d->in, least_bytes(t->item, d->in->enc))};

    if (!s.n || !ice_decode_enter(d))
        return;
    if (d->in->lasting && t->item->kind == ICE_BYTE)
        s.at = (uint8_t *)(uintptr_t)ice_take(d->in, s.n);
    else if ((s.at = ice_decode_alloc(d, s.n, t->item->size)))
        read_items(d, t, &s);
    *(struct any_sequence *)out = s;
    ice_decode_leave(d);
}

static void read_entries(struct ice_decoder *d, const struct ice_type *t, const struct any_sequence *s)
{
    for (size_t i = 0; i < s->n && !d->in->bad; i++) {
        uint8_t *entry = s->at + i * t->entry_size;
        read_value(d, t->key, entry);
        read_value(d, t->item, entry + t->value_offset);
    }
}

static void read_dictionary(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    size_t least = least_bytes(t->key, d->in->enc) + least_bytes(t->item, d->in->enc);
    struct any_sequence s = {.n = ice_read_size(d->in, least)};

    if (!s.n || !ice_decode_enter(d))
        return;
    s.at = ice_decode_alloc(d, s.n, t->entry_size);
    if (s.at)
        read_entries(d, t, &s);
    *(struct any_sequence *)out = s;
    ice_decode_leave(d);
}

static void read_proxy(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    (void)t;
    *(const struct ice_proxy **)out = ice_decode_room(d, 0) ? ice_read_proxy(d->in, d->mem) : NULL;
}

static void read_class(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    if (d->in->enc == ICE_ENC_1_0)
        ice_decode_class_10(d, out, t->cls);
    else
        ice_decode_class_11(d, out, t->cls);
}

static void read_value(struct ice_decoder *d, const struct ice_type *t, void *out)
{
    static void (*const read[])(struct ice_decoder *, const struct ice_type *, void *) = {
        [ICE_BOOL] = read_bool, [ICE_BYTE] = read_byte, [ICE_SHORT] = read_short, [ICE_INT] = read_4, [ICE_LONG] = read_8,
        [ICE_FLOAT] = read_4, [ICE_DOUBLE] = read_8, [ICE_STRING] = read_string, [ICE_ENUM] = read_enum,
        [ICE_STRUCT] = read_struct, [ICE_SEQUENCE] = read_sequence, [ICE_DICTIONARY] = read_dictionary,
        [ICE_PROXY] = read_proxy, [ICE_CLASS] = read_class,
    };

    read[t->kind](d, t, out);
}

void ice_decode_fields(struct ice_decoder *d, const struct ice_field *fields, size_t n, void *out)
{
    for (size_t i = 0; i < n && !d->in->bad; i++) {
        read_value(d, fields[i].type, (uint8_t *)out + fields[i].offset);
        if (d->in->bad && !d->place)
            d->place = fields[i].name;
    }
}

/* The head of an encapsulation.  `in` is confined to its content then; the end that was before is returned. */
static const uint8_t *enter_encaps(struct ice_in *in)
{
    enum { HEAD = 6 };
    const uint8_t *start = in->at, *whole = in->end;
    int32_t size = ice_read_i32(in);
    uint8_t major = ice_read_u8(in), minor = ice_read_u8(in);

    if (!in->bad && (size < HEAD || size > whole - start))
        ice_fail(in, "the size of an encapsulation is wrong");
    if (!in->bad && (major != 1 || minor > 1))
        ice_fail(in, "an encoding that is neither 1.0 nor 1.1");
    if (!in->bad) {
        in->end = start + size;
        in->enc = minor ? ICE_ENC_1_1 : ICE_ENC_1_0;
    }
    return whole;
}

static void decoder_clear(struct ice_decoder *d)
{
    free((void *)d->instances);
    free(d->type_ids);
    free(d->patches);
    free(d->rows);
    free(d->table);
}

/* A decoder for the content of an encapsulation.  Numbers of instances are given as they come, and naming one takes at least a
 * byte (1.0: four), which bounds them. */
static struct ice_decoder decoder_make(struct ice_in *in, const struct ice_registry *reg, struct arena *mem)
{
    size_t bytes = (size_t)(in->end - in->at);

    return (struct ice_decoder){
        .in = in, .reg = reg, .mem = mem, .arena_start = arena_bytes(mem),
        .most_instances = in->enc == ICE_ENC_1_0 ? bytes / sizeof(int32_t) : bytes + ICE_FIRST_INSTANCE_1_1,
    };
}

static int failed(const struct ice_decoder *d, struct err *err)
{
    AUTO(mem_freep) char *id = d->unknown_id ? str_show(d->unknown_id) : NULL;

    err_set(err, REASON_PROTOCOL, 0, "%s%s%s", d->in->why, id ? ": " : "", id ? id : "");
    if (d->place)
        err_prefix(err, "%s: ", d->place);
    if (d->place_class)
        err_prefix(err, "%s ", d->place_class);
    return -1;
}

static size_t struct_bytes(const struct ice_field *fields, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        if (fields[i].offset + fields[i].type->size > bytes)
            bytes = fields[i].offset + fields[i].type->size;
    return bytes;
}

static int leave_encaps(struct ice_in *in, const uint8_t *whole, enum ice_encoding *enc)
{
    in->at = in->end;
    in->end = whole;
    *enc = in->enc;
    return 0;
}

int ice_read_encaps(struct ice_in *in, const struct ice_registry *reg, struct arena *mem, const struct ice_field *fields,
                    size_t n_fields, bool classes, void *out, enum ice_encoding *enc, struct err *err)
{
    const uint8_t *whole = enter_encaps(in);
    AUTO(decoder_clear) struct ice_decoder d = decoder_make(in, reg, mem);
    size_t bytes = struct_bytes(fields, n_fields);
    void *values = arena_alloc(mem, 1, bytes); /* the caller's struct stays untouched by a failure */

    ice_decode_fields(&d, fields, n_fields, values);
    if (classes && in->enc == ICE_ENC_1_0)
        ice_decode_pending_10(&d);
    ice_decode_resolve(&d);
    if (in->bad)
        return failed(&d, err);
    if (bytes)
        memcpy(out, values, bytes);
    return leave_encaps(in, whole, enc);
}

int ice_read_exception(struct ice_in *in, const struct ice_registry *reg, struct arena *mem, const struct ice_object **out,
                       const char **id, enum ice_encoding *enc, struct err *err)
{
    const uint8_t *whole = enter_encaps(in);
    AUTO(decoder_clear) struct ice_decoder d = decoder_make(in, reg, mem);
    struct ice_slices s = {0};
    const char *first = "";

    if (in->enc == ICE_ENC_1_0)
        ice_decode_exception_10(&d, &s, &first);
    else
        ice_decode_exception_11(&d, &s, &first);
    ice_decode_resolve(&d);
    if (in->bad)
        return failed(&d, err);
    *out = s.object;
    *id = first;
    return leave_encaps(in, whole, enc);
}
