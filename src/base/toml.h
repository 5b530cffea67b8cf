/* TOML 1.0 as a tree of values in the order of the file, each with its place.
 *
 * The parser is toml++ behind one C++ file; no exception crosses into C.  The text is hostile: it is checked for UTF-8, control
 * characters, strings that are never closed, wrong escapes and depth before the parser sees it, so that these are reported at
 * the right place and the parser cannot run out of stack.
 *
 * Beyond TOML 1.0: U+0000 (by an escape) is refused, since no text of this program may hold it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

enum toml_type { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOL, TOML_DATETIME };

struct toml_node {
    enum toml_type type;
    const char *key; /* NULL for the root and for items of arrays */
    int key_line, key_column; /* of the key where it stands first; 0 without one.  From 1, columns in characters */
    int line, column;         /* of the value; of a table the place of its header or first key */
    const char *text;         /* TOML_STRING; TOML_DATETIME as RFC 3339 with `T` and the digits that were written */
    int64_t integer;
    double real;
    bool boolean;
    const struct toml_node *items; /* TOML_TABLE and TOML_ARRAY, in the order of the file */
    size_t n_items;
};

/* What is wrong with the text. */
enum toml_kind { TOML_SYNTAX, TOML_NOT_UTF8, TOML_CONTROL, TOML_ESCAPE, TOML_OPEN_STRING, TOML_TWICE, TOML_TOO_LARGE };

struct toml_fault {
    enum toml_kind kind;
    int line, column; /* from 1, the column in characters */
    char text[400];   /* safe to show */
};

struct toml_doc;

/* Parse; a byte order mark before the text is skipped and not counted.  NULL with `*fault` filled in when it is no TOML. */
struct toml_doc *toml_read(const char *text, size_t n, struct toml_fault *fault) ATTR_MUST_USE;
void toml_free(struct toml_doc *t); /* NULL is fine */
void toml_freep(struct toml_doc **t);

const struct toml_node *toml_root(const struct toml_doc *t);
/* A value of a table by its key, or NULL. */
const struct toml_node *toml_get(const struct toml_node *table, const char *key);
/* "a table", "an array", "a string" … */
const char *toml_type_words(enum toml_type type);
/* A value that is no table as text, the way a person would read it: integers in decimal, floats in the shortest form that reads
 * back, true/false, arrays as their items joined by ", ".  Owned by the caller; NULL when longer than `max` bytes. */
char *toml_value_text(const struct toml_node *value, size_t max) ATTR_MUST_USE;

/* The line of a text as it can be shown, cut to `size`; empty when there is no such line. */
void toml_show_line(const char *text, size_t n, int line, char *out, size_t size);
