#include "ice/type.h"

#include <stdlib.h>
#include <string.h>

#include "ice/proxy.h"

const struct ice_type ice_type_bool = {.kind = ICE_BOOL, .id = "bool", .size = sizeof(bool)};
const struct ice_type ice_type_byte = {.kind = ICE_BYTE, .id = "byte", .size = 1};
const struct ice_type ice_type_short = {.kind = ICE_SHORT, .id = "short", .size = 2};
const struct ice_type ice_type_int = {.kind = ICE_INT, .id = "int", .size = 4};
const struct ice_type ice_type_long = {.kind = ICE_LONG, .id = "long", .size = 8};
const struct ice_type ice_type_float = {.kind = ICE_FLOAT, .id = "float", .size = sizeof(float)};
const struct ice_type ice_type_double = {.kind = ICE_DOUBLE, .id = "double", .size = sizeof(double)};
const struct ice_type ice_type_string = {.kind = ICE_STRING, .id = "string", .size = sizeof(const char *)};
const struct ice_type ice_type_proxy = {.kind = ICE_PROXY, .id = "Object*", .size = sizeof(const struct ice_proxy *)};
const struct ice_type ice_type_object = {.kind = ICE_CLASS, .id = "Object", .size = sizeof(const struct ice_object *)};

static int compare_id(const void *id, const void *item)
{
    return strcmp(id, (*(const struct ice_class *const *)item)->id);
}

const struct ice_class *ice_registry_find(const struct ice_registry *r, const char *id)
{
    const struct ice_class *const *found =
        r->n ? bsearch(id, (const void *)r->classes, r->n, sizeof(*r->classes), compare_id) : NULL;

    return found ? *found : NULL;
}

bool ice_class_is_a(const struct ice_class *cls, const struct ice_class *ancestor)
{
    if (!ancestor)
        return true;
    while (cls && cls != ancestor)
        cls = cls->base;
    return cls;
}
