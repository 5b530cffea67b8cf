#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"

static const char *const colours[] = {"red", "green", "blue"};
const struct ice_type t_colour = {.kind = ICE_ENUM, .id = "::T::Colour", .size = sizeof(int32_t), .names = colours, .n_names = 3};

static const struct ice_field point_fields[] = {
    {"x", &ice_type_int, offsetof(struct t_point, x)}, {"label", &ice_type_string, offsetof(struct t_point, label)},
};
const struct ice_type t_point = {.kind = ICE_STRUCT, .id = "::T::Point", .size = sizeof(struct t_point),
                                 .fields = point_fields, .n_fields = 2};
const struct ice_type t_ints = {.kind = ICE_SEQUENCE, .id = "::T::Ints", .size = sizeof(struct t_ints), .item = &ice_type_int};
const struct ice_type t_bytes = {.kind = ICE_SEQUENCE, .id = "::T::Bytes", .size = sizeof(struct t_bytes),
                                 .item = &ice_type_byte};
const struct ice_type t_points = {.kind = ICE_SEQUENCE, .id = "::T::Points", .size = sizeof(struct t_points), .item = &t_point};
const struct ice_type t_counts = {.kind = ICE_DICTIONARY, .id = "::T::Counts", .size = sizeof(struct t_counts),
                                  .key = &ice_type_string, .item = &ice_type_int, .entry_size = sizeof(struct t_count),
                                  .value_offset = offsetof(struct t_count, value)};
static const struct ice_type t_nodes = {.kind = ICE_SEQUENCE, .id = "::T::Nodes", .size = sizeof(struct t_nodes),
                                        .item = &t_node};

const struct ice_type t_base = {.kind = ICE_CLASS, .id = "::T::Base", .size = sizeof(void *), .cls = &t_base_class};
const struct ice_type t_node = {.kind = ICE_CLASS, .id = "::T::Node", .size = sizeof(void *), .cls = &t_node_class};
const struct ice_type t_other = {.kind = ICE_CLASS, .id = "::T::Other", .size = sizeof(void *), .cls = &t_other_class};
const struct ice_type t_parent = {.kind = ICE_CLASS, .id = "::T::Parent", .size = sizeof(void *), .cls = &t_parent_class};

static const struct ice_field base_fields[] = {{"id", &ice_type_int, offsetof(struct t_base, id)}};
static const struct ice_field node_fields[] = {
    {"name", &ice_type_string, offsetof(struct t_node, name)}, {"next", &t_node, offsetof(struct t_node, next)},
};
static const struct ice_field other_fields[] = {{"n", &ice_type_int, offsetof(struct t_other, n)}};
static const struct ice_field parent_fields[] = {{"kids", &t_nodes, offsetof(struct t_parent, kids)}};
static const struct ice_field error_fields[] = {{"reason", &ice_type_string, offsetof(struct t_error, reason)}};
static const struct ice_field worse_fields[] = {{"cause", &t_node, offsetof(struct t_worse, cause)}};

const struct ice_class t_base_class = {.id = "::T::Base", .fields = base_fields, .n_fields = 1, .size = sizeof(struct t_base)};
const struct ice_class t_node_class = {.id = "::T::Node", .base = &t_base_class, .fields = node_fields, .n_fields = 2,
                                       .size = sizeof(struct t_node)};
const struct ice_class t_other_class = {.id = "::T::Other", .fields = other_fields, .n_fields = 1,
                                        .size = sizeof(struct t_other)};
const struct ice_class t_parent_class = {.id = "::T::Parent", .fields = parent_fields, .n_fields = 1,
                                         .size = sizeof(struct t_parent)};
const struct ice_class t_error_class = {.id = "::T::Error", .fields = error_fields, .n_fields = 1,
                                        .size = sizeof(struct t_error)};
const struct ice_class t_worse_class = {.id = "::T::Worse", .base = &t_error_class, .fields = worse_fields, .n_fields = 1,
                                        .size = sizeof(struct t_worse)};

static const struct ice_class *const classes[] = {
    &t_base_class, &t_error_class, &t_node_class, &t_other_class, &t_parent_class, &t_worse_class,
};
const struct ice_registry t_registry = {classes, ARRAY_LEN(classes)};

static const char *add_text(struct buf *b, const char *s)
{
    size_t n = strcspn(s, "'");
    char *copy = mem_strn(s, n);

    ice_write_string(b, copy);
    free(copy);
    return s + n + 1;
}

static const char *add_int(struct buf *b, const char *s)
{
    char *end;

    ice_write_i32(b, (int32_t)strtol(s, &end, 10));
    return end;
}

static const char *add_byte(struct buf *b, const char *s)
{
    unsigned byte;

    if (sscanf(s, "%2x", &byte) != 1)
        abort();
    buf_add_byte(b, (uint8_t)byte);
    return s + 2;
}

void t_bytes_of(struct buf *b, const char *s)
{
    size_t open[16], depth = 0;

    while (*s) {
        char c = *s;
        if (c == ' ') {
            s++;
        } else if (c == '\'') {
            s = add_text(b, s + 1);
        } else if (c == '#') {
            s = add_int(b, s + 1);
        } else if (c == '{') {
            open[depth++] = b->len;
            ice_write_i32(b, 0);
            s++;
        } else if (c == '}') {
            depth--;
            ice_put_i32(b, open[depth], (int32_t)(b->len - open[depth]));
            s++;
        } else {
            s = add_byte(b, s);
        }
    }
}

void t_encaps(struct buf *b, enum ice_encoding enc, const char *notation)
{
    AUTO(mem_freep) char *whole = mem_printf("{ 01 %s %s }", enc == ICE_ENC_1_1 ? "01" : "00", notation);

    t_bytes_of(b, whole);
}

int t_read(enum ice_encoding enc, const char *notation, const struct ice_type *t, struct arena *mem, void *out, struct err *err)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 20);
    const struct ice_field field = {.name = "value", .type = t};
    enum ice_encoding found;

    t_encaps(&b, enc, notation);
    struct ice_in in = ICE_IN(b.data, b.len);
    return ice_read_encaps(&in, &t_registry, mem, &field, 1, t->kind == ICE_CLASS, out, &found, err);
}

int t_write(struct buf *b, enum ice_encoding enc, const struct ice_type *t, const void *value, struct err *err)
{
    const struct ice_field field = {.name = "value", .type = t};

    return ice_write_encaps(b, enc, &field, 1, t->kind == ICE_CLASS, value, err);
}
