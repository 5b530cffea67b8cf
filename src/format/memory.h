/* What is known of files from an earlier look, so that a file that has not changed stays closed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/format.h"

/* Where it is kept; the caller compares stamps.  Bytes that come back are valid until the next call. */
struct format_memory {
    bool (*recall)(void *arg, const struct tree_entry *e, const void **bytes, size_t *n);
    void (*keep)(void *arg, const struct tree_entry *e, const void *bytes, size_t n);
    /* Lists of names, which thousands of files share.  keep_list gives the same number for the same bytes, -1 when it fails. */
    bool (*recall_list)(void *arg, long long id, const void **bytes, size_t *n);
    long long (*keep_list)(void *arg, const void *bytes, size_t n);
    void *arg;
};

/* Stands in every kept verdict: one of another version is not taken.  It changes with the drivers' tables. */
unsigned format_memory_version(void);

/* ---- private to the room ---- */

struct recollection;
struct format_file;

struct recollection *recollection_new(const struct format_memory *memory, struct arena *arena); /* memory NULL: knows nothing */
void recollection_free(struct recollection *r);
bool recollection_find(struct recollection *r, struct format_file *file);
void recollection_keep(struct recollection *r, const struct format_file *file);
