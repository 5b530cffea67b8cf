/* Decoder and encoder of Ice values, encodings 1.0 and 1.1 (Ice 3.6 manual, "Data Encoding"; zeroc-ice BasicStream.cpp).
 *
 * Decoding goes through a cursor that compares every length with what remains before it acts and whose first failure sticks;
 * ceilings are in base/ceilings.h.  A class that the registry does not hold is sliced to its nearest known base wherever the
 * encoding says where its slice ends (1.0 always, 1.1 with slice sizes); bytes after the last known member of a slice with a
 * size, and after the last value of an encapsulation, are skipped.
 *
 * Encoding writes 1.0, and 1.1 in the compact format, in member order.  Instances are written once and then referred to. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "ice/proxy.h"
#include "ice/type.h"

enum ice_encoding { ICE_ENC_1_0 = 0, ICE_ENC_1_1 = 1 };

/* A stretch of bytes that is being read. */
struct ice_in {
    const uint8_t *at, *end;
    enum ice_encoding enc;
    bool bad;          /* sticks */
    bool lasting;      /* the bytes outlive what is read of them: sequences of bytes stay where they are */
    const char *why;   /* static text of the first failure */
};

#define ICE_IN(bytes, n) {.at = (bytes), .end = (bytes) + (n)}

/* Cursor primitives: after a failure they return 0, "" or NULL and do nothing. */
const uint8_t *ice_take(struct ice_in *in, size_t n);
void ice_fail(struct ice_in *in, const char *why); /* keeps the first */
bool ice_read_bool(struct ice_in *in);
uint8_t ice_read_u8(struct ice_in *in);
int16_t ice_read_i16(struct ice_in *in);
int32_t ice_read_i32(struct ice_in *in);
int64_t ice_read_i64(struct ice_in *in);
size_t ice_read_size(struct ice_in *in, size_t min_item_bytes); /* refused when n items cannot fit into the rest */
const char *ice_read_string(struct ice_in *in, struct arena *mem);
void ice_read_identity(struct ice_in *in, struct arena *mem, struct ice_identity *out);

/* Read the values that `fields` describe into the struct at `out` from an encapsulation (its 6-byte head included), and move
 * `in` behind it.  `classes`: whether class instances may be in it, so that encoding 1.0 has its trailer.  The encapsulation's
 * encoding goes to `*enc`.  0, or -1 with REASON_PROTOCOL. */
int ice_read_encaps(struct ice_in *in, const struct ice_registry *reg, struct arena *mem, const struct ice_field *fields,
                    size_t n_fields, bool classes, void *out, enum ice_encoding *enc, struct err *err);

/* Read an encapsulation that holds a user exception.  `*out` is the instance sliced to its most derived known class, or NULL
 * when none of its classes is known; `*id` is then the type id that stood there first. */
int ice_read_exception(struct ice_in *in, const struct ice_registry *reg, struct arena *mem, const struct ice_object **out,
                       const char **id, enum ice_encoding *enc, struct err *err);

/* Primitives that append to a buffer (whose `full` flag is the one error). */
void ice_write_bool(struct buf *b, bool v);
void ice_write_i16(struct buf *b, int16_t v);
void ice_write_i32(struct buf *b, int32_t v);
void ice_write_i64(struct buf *b, int64_t v);
void ice_write_size(struct buf *b, size_t n);
void ice_write_string(struct buf *b, const char *s); /* NULL is "" */
void ice_write_identity(struct buf *b, const struct ice_identity *id);
void ice_put_i32(struct buf *b, size_t at, int32_t v); /* overwrite 4 bytes at an offset: sizes that are known late */

/* A large sequence of bytes that was not copied into the buffer: it belongs at an offset of it.  n = 0: there is none. */
struct ice_gap {
    size_t at, n;
    const uint8_t *bytes; /* the caller's */
};

/* Append an encapsulation with the values of the struct at `values`.  -1 (REASON_TOO_LARGE) over the buffer's ceiling or the
 * ceilings of ceilings.h. */
int ice_write_encaps(struct buf *b, enum ice_encoding enc, const struct ice_field *fields, size_t n_fields, bool classes,
                     const void *values, struct err *err);

/* Append an encapsulation with a user exception (compact format). */
int ice_write_exception(struct buf *b, enum ice_encoding enc, const struct ice_object *exc, struct err *err);

/* Append a proxy's wire form: as received if the encoding is the same, else field by field.  NULL is the null proxy. */
int ice_write_proxy(struct buf *b, enum ice_encoding enc, const struct ice_proxy *p, struct err *err);
