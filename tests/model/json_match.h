/* Compare decoded values with the JSON notation of tests/data/vectors (its README explains it). */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "ice/type.h"

/* Do the values of the struct at `values` equal the items of the array?  When not, `why` says where. */
bool json_match_fields(json_t *items, const struct ice_field *fields, size_t n, const void *values, char why[512]);
bool json_match_exception(json_t *item, const struct ice_object *exc, char why[512]);
