/* What is read of a file once and shown to all drivers: its first bytes and, of a TIFF, the first directory.
 *
 * A look lives while its file is open; what a driver wants to keep goes into the arena.  Private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "format/ome.h"
#include "format/tiff.h"
#include "tree/tree.h"

enum { LOOK_HEAD = 4096 }; /* bytes: every signature and most first directories lie in them */

struct format_look {
    const struct tree_entry *entry;
    bool official; /* claim what the official importer claims, also where that is no good idea */
    int fd;        /* borrowed: for the few drivers that read further */
    uint64_t size; /* bytes that the open file has, by its opener */
    size_t head_len;
    uint8_t head[LOOK_HEAD];
    bool is_tiff;          /* begins like a TIFF; `tiff` says the rest */
    struct tiff_facts tiff;
    struct ome_facts *ome; /* of the first ImageDescription; NULL when there is none that parses */
    const struct format_names *last_names; /* of the last file that had any: members of a set share one list */
    size_t names_left;     /* names that may still be kept, of all files together; 0: no more */
    struct arena *arena;   /* lives as long as the answer */
};

/* Fill in a look from an open file, with fd, size and the arena set.  -1: it cannot be read. */
int format_look_at(struct format_look *look, struct err *err);

#define LOOK_TOO_MANY_NAMES "the files of this directory tree name too many others"

/* A TIFF with OME-XML that has an image or says where the OME-XML is. */
bool look_is_ome_tiff(const struct format_look *look);

bool look_has(const struct format_look *look, size_t offset, const void *bytes, size_t n);
bool look_contains(const struct format_look *look, const char *text, size_t within); /* ASCII letters in any case */
