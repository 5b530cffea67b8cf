/* Inside of the encoder: what its files share.  Nothing outside of the room includes this. */
#pragma once

#include "ice/codec.h"

/* Pointer -> number, open addressing.  Numbers are never 0. */
struct ice_map {
    const void **keys;
    uint32_t *numbers;
    size_t n, cap;
};

void ice_map_clear(struct ice_map *m);
/* The number of a key; `next` when it was not in the map, which it is from then on. */
uint32_t ice_map_number(struct ice_map *m, const void *key, uint32_t next);

struct ice_encoder {
    struct buf *b;
    enum ice_encoding enc;
    struct ice_gap *gap; /* NULL: everything is copied */
    struct err *err;
    bool bad; /* sticks; the first failure is in err */
    unsigned depth;
    struct ice_map types, instances;
    uint32_t n_types, n_instances;
    const struct ice_object **queue; /* 1.0: instances by order of first reference; the first `n_written` are written */
    size_t n_queue, cap_queue, n_written;
    bool wrote_reference;
};

bool ice_encode_enter(struct ice_encoder *e); /* one level deeper; false and a failure at the ceiling */
void ice_encode_leave(struct ice_encoder *e);
void ice_encode_fail(struct ice_encoder *e, enum reason why, const char *what, const char *where);

/* encode.c */
/* ice_write_encaps, but for a sequence of bytes that may be left out: its size is counted.  gap NULL: none may. */
int ice_encode_encaps(struct buf *b, enum ice_encoding enc, const struct ice_field *fields, size_t n_fields, bool classes,
                      const void *values, struct ice_gap *gap, struct err *err);
void ice_encode_fields(struct ice_encoder *e, const struct ice_field *fields, size_t n, const void *values);

/* encode_class.c */
void ice_encode_class(struct ice_encoder *e, const struct ice_type *t, const struct ice_object *object);
void ice_encode_pending_10(struct ice_encoder *e);
void ice_encode_exception(struct ice_encoder *e, const struct ice_object *exc);
