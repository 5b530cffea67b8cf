/* What OME-XML says about files: which belong to the set, and whether there is a plate.
 *
 * Streamed through expat: entity declarations are refused, depth, length and number of names are held against ceilings.h.
 * Schema: OME 2016-06 (OME, BinaryOnly, Image, TiffData/UUID); older ones name the same elements.  Private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "format/names.h"

struct ome_facts {
    const char *uuid;            /* the file's own; "" when it is not said */
    const char *metadata_file;   /* of BinaryOnly; NULL when there is none */
    const struct format_names *names; /* of files, relative to the directory of the XML; `more` is the UUID */
    size_t n_images;
    bool plate;
    bool own_planes; /* some TiffData names no file: its planes lie in the file itself */
};

struct ome_parser;

/* `last` (may be NULL) is a list of names that is used again when this XML has the same: thousands of members of one set bring
 * it thousands of times. */
struct ome_parser *ome_parser_new(struct arena *arena, const struct format_names *last);
void ome_parser_freep(struct ome_parser **p);

/* The next piece.  -1: REASON_BROKEN_FILE (no XML, or no OME-XML), REASON_TOO_LARGE. */
int ome_parser_feed(struct ome_parser *p, const uint8_t *bytes, size_t n, struct err *err);

/* The end.  1: well-formed XML, but its first element is not OME.  The facts live in the arena. */
int ome_parser_end(struct ome_parser *p, struct ome_facts **out, struct err *err);

/* The OME-XML of `bytes` bytes at `offset` of a file; zero bytes at the end are fine.  `*last` goes in and is replaced by the
 * names that were found.  As above. */
int ome_read(int fd, uint64_t offset, uint64_t bytes, const struct format_names **last, struct arena *arena,
             struct ome_facts **out, struct err *err);
