/* Inside of the decoder: what its files share.  Nothing outside of the room includes this.
 *
 * One decoder reads one encapsulation.  Class references are stored at once when their instance has been met, and otherwise
 * noted and resolved at the end, so that both encodings, forward references and cycles take one path. */
#pragma once

#include "ice/codec.h"

/* A class reference that waits for its instance. */
struct ice_patch {
    const struct ice_object **slot;
    const struct ice_class *declared; /* NULL takes any */
    uint32_t number;                  /* of the instance, or of the row in a slice's indirection table */
};

struct ice_type_id {
    const char *id;
    const struct ice_class *cls; /* NULL: unknown */
};

struct ice_decoder {
    struct ice_in *in;
    const struct ice_registry *reg;
    struct arena *mem;
    size_t arena_start; /* bytes that the arena held before */
    size_t most_instances; /* what the bytes of the encapsulation can name at most */
    unsigned depth;
    bool indirect; /* class references are rows of the current slice's indirection table */

    /* Instances by number; NULL while its class is not known. Number 0 is the null reference, 1 is never used in 1.1. */
    const struct ice_object **instances;
    size_t n_instances, cap_instances;
    struct ice_type_id *type_ids; /* number 1 first */
    size_t n_type_ids, cap_type_ids;
    struct ice_patch *patches; /* by instance number */
    size_t n_patches, cap_patches;
    struct ice_patch *rows; /* by indirection table row; a stack over nested slices */
    size_t n_rows, cap_rows;
    uint32_t *table; /* indirection tables; a stack likewise */
    size_t n_table, cap_table;

    /* Where the first failure happened: NULL = nowhere in particular. */
    const char *place_class, *place;
    const char *unknown_id; /* the class that could not be skipped */
};

/* The slices of one instance or exception while they come. */
struct ice_slices {
    uint32_t number;             /* of the instance; 0 for an exception */
    struct ice_object *object;   /* NULL until a known class was met */
    const struct ice_class *next; /* whose slice comes next */
};

enum { ICE_FIRST_INSTANCE_1_1 = 2 };

/* Would `bytes` more stay under ICE_ARENA_MAX?  A failure of the cursor otherwise. */
bool ice_decode_room(struct ice_decoder *d, size_t bytes);
/* Zeroed memory for n values, or NULL and a failure. */
void *ice_decode_alloc(struct ice_decoder *d, size_t n, size_t size);
bool ice_decode_enter(struct ice_decoder *d); /* one level deeper; false and a failure at the ceiling */
void ice_decode_leave(struct ice_decoder *d);

/* decode.c */
void ice_decode_fields(struct ice_decoder *d, const struct ice_field *fields, size_t n, void *out);

/* decode_slice.c */
/* A type id: a string that takes the next number, or (`by_number`) the number of one that was there before. */
struct ice_type_id ice_decode_type_id(struct ice_decoder *d, bool by_number);
/* Make room for the instance of this number; false and a failure over a ceiling. */
bool ice_decode_number(struct ice_decoder *d, size_t number);
/* The members of a slice.  `end` is where the slice ends, or NULL when nothing says so: then the class must be known. */
void ice_decode_slice(struct ice_decoder *d, struct ice_slices *s, struct ice_type_id type, const uint8_t *end);
/* Where a slice whose int32 size comes now ends. */
const uint8_t *ice_decode_slice_end(struct ice_decoder *d);
/* All base slices must have come. An instance without any known class becomes an ::Ice::Object. */
void ice_decode_slices_done(struct ice_decoder *d, struct ice_slices *s);
/* Store a reference to instance `number` in `slot` (NULL: nowhere), now or at the end. */
void ice_decode_refer(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared, uint32_t number);
void ice_decode_resolve(struct ice_decoder *d); /* what waits; at the end of the encapsulation */

/* decode_10.c and decode_11.c */
void ice_decode_class_10(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared);
void ice_decode_class_11(struct ice_decoder *d, const struct ice_object **slot, const struct ice_class *declared);
void ice_decode_pending_10(struct ice_decoder *d);
void ice_decode_exception_10(struct ice_decoder *d, struct ice_slices *s, const char **id);
void ice_decode_exception_11(struct ice_decoder *d, struct ice_slices *s, const char **id);

/* proxy.c */
const struct ice_proxy *ice_read_proxy(struct ice_in *in, struct arena *mem);

/* What an instance becomes whose classes are all unknown. */
extern const struct ice_class ice_class_object;
