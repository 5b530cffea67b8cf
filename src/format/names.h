/* Lists of names that a file gives: the members of its set, its images.
 *
 * A list is gathered with each name once and then kept in an arena.  Private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct format_name {
    const char *name; /* as written, mostly relative to the file's directory */
    const char *more; /* what is said with it: a UUID, NAME_MAY; "" for nothing */
};

#define NAME_MAY "?" /* may be missing, and nobody misses it */

struct format_names {
    const struct format_name *at; /* each name once, in the order of the file */
    size_t n;
};

/* A list under way.  Ended by names_clear, kept or not. */
struct names {
    struct arena *strings; /* NULL while there are none */
    struct format_name *at;
    size_t n, cap;
    size_t *slots; /* hash of the names: index + 1 */
    size_t n_slots;
    bool full; /* NAMES_MAX was reached: the rest was left out */
};

void names_begin(struct names *list);
void names_clear(struct names *list);

/* A copy of a text that lives as long as the list. */
const char *names_str(struct names *list, const char *text);
/* The kept copy of a name that is in the list, or NULL. */
const char *names_find(struct names *list, const char *name);
/* Once; an empty name is none. */
void names_add(struct names *list, const char *name, const char *more);

/* The list in an arena; `last` itself when it says the same, for thousands of members of one set bring one list. */
const struct format_names *names_keep(const struct names *list, const struct format_names *last, struct arena *arena);
