/* A small Slice definition for the tests of the codec, and a notation for bytes.
 *
 *   module T {
 *     enum Colour { red, green, blue };
 *     struct Point { int x; string label; };
 *     sequence<int> Ints;  sequence<byte> Bytes;  sequence<Point> Points;  dictionary<string, int> Counts;
 *     class Base { int id; };
 *     class Node extends Base { string name; Node next; };
 *     class Other { int n; };
 *     class Parent { Nodes kids; };  sequence<Node> Nodes;
 *     exception Error { string reason; };
 *     exception Worse extends Error { Node cause; };
 *   };
 */
#pragma once

#include "ice/codec.h"

struct t_point { int32_t x; const char *label; };
struct t_ints { size_t n; const int32_t *at; };
struct t_bytes { size_t n; const uint8_t *at; };
struct t_points { size_t n; const struct t_point *at; };
struct t_count { const char *key; int32_t value; };
struct t_counts { size_t n; const struct t_count *at; };
struct t_base { const struct ice_class *cls; int32_t id; };
struct t_node { const struct ice_class *cls; int32_t id; const char *name; const struct t_node *next; };
struct t_nodes { size_t n; const struct t_node *const *at; };
struct t_other { const struct ice_class *cls; int32_t n; };
struct t_parent { const struct ice_class *cls; struct t_nodes kids; };
struct t_error { const struct ice_class *cls; const char *reason; };
struct t_worse { const struct ice_class *cls; const char *reason; const struct t_node *cause; };

extern const struct ice_class t_base_class, t_node_class, t_other_class, t_parent_class, t_error_class, t_worse_class;
extern const struct ice_type t_colour, t_point, t_ints, t_bytes, t_points, t_counts, t_base, t_node, t_other, t_parent;
extern const struct ice_registry t_registry;

/* Bytes from a notation: two hex digits are a byte, 'text' is a size and the text, #-5 is an int, {...} is an int with its own
 * size and that of what is inside; white space is nothing. */
void t_bytes_of(struct buf *b, const char *notation);

/* An encapsulation around a notation. */
void t_encaps(struct buf *b, enum ice_encoding enc, const char *notation);

/* Decode an encapsulation of one value, whose C form is at `out`.  0 or -1, as ice_read_encaps. */
int t_read(enum ice_encoding enc, const char *notation, const struct ice_type *t, struct arena *mem, void *out, struct err *err);
/* Encode one value; `b` begins empty. */
int t_write(struct buf *b, enum ice_encoding enc, const struct ice_type *t, const void *value, struct err *err);
