/* Ice types as data: what the generated tables of a Slice definition are made of, and the C form of every Slice value.
 *
 *   Slice            C
 *   bool             bool
 *   byte             uint8_t
 *   short int long   int16_t int32_t int64_t
 *   float double     float double
 *   string           const char *, UTF-8; decoded ones are never NULL, a NULL is written as "" (a NUL inside is refused)
 *   enum             int32_t, the enumerator's number
 *   struct           the generated struct, embedded
 *   sequence<T>      struct { size_t n; T *at; }
 *   dictionary<K,V>  struct { size_t n; struct { K key; V value; } *at; }, in the order of the wire
 *   T*               const struct ice_proxy *; NULL is the null proxy
 *   class            pointer to the generated struct, whose first member is `const struct ice_class *cls` (the real, most
 *                    derived class) and then the members of the base classes first; NULL is the null reference
 *   exception        as a class
 *
 * Decoded values live in the arena that was given to the decoder; two references to one instance are two equal pointers, and
 * graphs may have cycles.  All tables are const and shared by all threads.  Nothing here knows OMERO. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ice_kind {
    ICE_BOOL, ICE_BYTE, ICE_SHORT, ICE_INT, ICE_LONG, ICE_FLOAT, ICE_DOUBLE, ICE_STRING,
    ICE_ENUM, ICE_STRUCT, ICE_SEQUENCE, ICE_DICTIONARY, ICE_PROXY, ICE_CLASS,
};

struct ice_class;
struct ice_field;

struct ice_type {
    enum ice_kind kind;
    const char *id;                 /* "::omero::api::LongList", "string" */
    size_t size;                    /* bytes of the C value */
    const struct ice_type *item;    /* sequence: element; dictionary: value */
    const struct ice_type *key;     /* dictionary */
    size_t entry_size, value_offset; /* dictionary: bytes of one entry, where its value is; the key is at 0 */
    const struct ice_field *fields; /* struct: members in wire order */
    size_t n_fields;
    const char *const *names;       /* enum: enumerators by number */
    size_t n_names;
    const struct ice_class *cls;    /* class: the declared class; NULL for Object, which takes any */
};

struct ice_field {
    const char *name; /* the Slice name */
    const struct ice_type *type;
    size_t offset;
};

/* A class or exception.  `fields` are those of its own slice only. */
struct ice_class {
    const char *id;
    const struct ice_class *base; /* NULL: the next slice is ::Ice::Object (class), or none (exception) */
    const struct ice_field *fields;
    size_t n_fields;
    size_t size;
};

/* What every class instance and exception begins with. */
struct ice_object {
    const struct ice_class *cls;
};

/* All classes and exceptions that a decoder may meet, sorted by id (bytewise). */
struct ice_registry {
    const struct ice_class *const *classes;
    size_t n;
};

/* NULL when the registry does not hold it. */
const struct ice_class *ice_registry_find(const struct ice_registry *r, const char *id);

/* Is `cls` the class `ancestor` or derived from it?  NULL `ancestor` takes all. */
bool ice_class_is_a(const struct ice_class *cls, const struct ice_class *ancestor);

/* An operation of an interface.  `in` and `out` describe generated structs whose members are the parameters; `out` holds the
 * out-parameters in order and then the return value, called "ret". */
enum ice_mode { ICE_NORMAL = 0, ICE_NONMUTATING = 1, ICE_IDEMPOTENT = 2 };

struct ice_op {
    const char *interface; /* "::omero::api::IQuery" */
    const char *name;
    enum ice_mode mode;
    const struct ice_field *in, *out;
    size_t n_in, n_out, in_size, out_size;
    bool in_classes, out_classes; /* may class instances be in there?  (encoding 1.0 then has a trailer) */
    const struct ice_class *const *throws; /* NULL-terminated */
};

extern const struct ice_type ice_type_bool, ice_type_byte, ice_type_short, ice_type_int, ice_type_long, ice_type_float,
    ice_type_double, ice_type_string, ice_type_proxy, ice_type_object;
