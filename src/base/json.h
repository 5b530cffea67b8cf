/* Helpers over jansson for output that is the same each time: keys in the order of their addition, texts always valid.
 *
 * Objects are built with jansson's own calls; these few are for what comes from outside. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "base/auto.h"

void js_freep(json_t **value); /* for AUTO; drops one reference */

/* A text of any bytes: itself when it is UTF-8, else the form of str_show().  NULL gives null. */
json_t *js_text(const char *s) ATTR_MUST_USE;

/* The bytes of a path that is not UTF-8, in base64; NULL for one that is, and for NULL.  Owned by the caller. */
char *js_bytes(const char *path) ATTR_MUST_USE;

/* Put a path into an object under `name`; one that is not UTF-8 is given in the form of str_show(), and its bytes under
 * `<name>_b64`. */
void js_add_path(json_t *object, const char *name, const char *path);

/* One value and the end of the line: on one line, or indented for people. */
void js_print(FILE *out, const json_t *value);
void js_print_indented(FILE *out, const json_t *value);

/* What js_text gives of a text, without a tree of values and without the end of the line: for very many of them. */
void js_print_text(FILE *out, const char *s);

/* The same as text, without the end of the line; owned by the caller. */
char *js_dump(const json_t *value) ATTR_MUST_USE;
