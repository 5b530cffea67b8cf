/* What is looked at before the TOML parser sees a text: UTF-8, control characters, strings, escapes, depth.  Only toml.cpp uses
 * this.
 *
 * Not a parser: it only tells strings, comments and brackets apart, as far as faults in them can be named at their place. */
#pragma once

#include <stddef.h>

#include "base/toml.h"

enum {
    TOML_SCAN_FAULT = 1, /* a fault at `*fault`; the parser may know one further up */
    TOML_SCAN_STOP = 2,  /* a fault because of which the parser must not see the text */
};

struct toml_scan {
    struct toml_fault fault;
    size_t open_bracket; /* offset of the outermost bracket of a value that is never closed, or n */
};

/* 0 nothing found, TOML_SCAN_FAULT or TOML_SCAN_STOP. */
int toml_scan(const char *text, size_t n, struct toml_scan *out);

/* Line and column of an offset, from 1, the column in characters. */
void toml_place(const char *text, size_t n, size_t offset, int *line, int *column);
