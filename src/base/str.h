/* Text: UTF-8 checks and forms that are safe to show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

bool str_is_utf8(const char *s, size_t n); /* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF */

/* Bytes of the character at s, of which n > 0 bytes follow; 0 when there is no UTF-8. */
size_t str_char_len(const char *s, size_t n);

/* A form of any bytes that can be shown on a terminal or in a log line: bytes that are not UTF-8 become \xE9, control characters
 * \n, \t or \x1B, and so do the bytes of characters that are not seen but turn the rest around (U+202E and its kin); a
 * backslash stays.  Owned by the caller. */
char *str_show(const char *s) ATTR_MUST_USE;

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_ends_nocase(const char *s, const char *suffix); /* ASCII letters only */
bool str_is_blank(const char *s); /* empty or only white space */

/* The part of a path below a directory, "" for the directory itself; NULL: it lies elsewhere.  Both are clean (no `.`, `..` or
 * slash at the end); "/" holds all absolute paths, "" all relative ones. */
const char *str_below(const char *path, const char *dir);
