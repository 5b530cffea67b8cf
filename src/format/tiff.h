/* The first directory of a TIFF or BigTIFF: which tags there are, and the few texts that tell dialects apart; of the next
 * TIFF_DIRECTORIES_MOST (base/ceilings.h), whether they are there.
 *
 * A reader of its own and not libtiff's: a share brings files that nobody vouches for, and the question is only what a file is.
 * This reads the directory in one or two preads, follows nothing else, allocates nothing for strips, takes private tags as they
 * come, and has no error handler that the whole process shares; libtiff reads and checks the arrays of a directory that an image
 * needs.  Layout: TIFF 6.0, section 2; BigTIFF design of the libtiff project.  Private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    TIFF_TEXT = 256,   /* bytes kept of a text; signs of dialects stand at its beginning */
    TIFF_COMMENT = 1024,
    TIFF_TAGS_KEPT = 128,
};

struct tiff_range {
    uint64_t offset, bytes; /* in the file */
};

struct tiff_facts {
    bool big_endian, big;
    const char *broken; /* why it is no whole TIFF, for people; NULL: nothing was found */
    size_t n_tags;
    uint16_t tags[TIFF_TAGS_KEPT]; /* in the order of the file */
    bool more_directories;
    const char *cut;    /* the first directory is whole, and one of the next lies beyond the end or has its pixels there; NULL */
    uint32_t subfile_type;
    struct tiff_range description; /* tag 270; bytes = 0: none */
    char comment[TIFF_COMMENT];    /* its beginning */
    char software[TIFF_TEXT], make[TIFF_TEXT], document[TIFF_TEXT], copyright[TIFF_TEXT], date_time[32];
    bool iscan; /* tag 700 speaks of iScan */
};

/* Do these first bytes begin a TIFF or BigTIFF? */
bool tiff_begins(const uint8_t *head, size_t n);

/* Read the first directory of a file of `size` bytes whose first `n` bytes are `head`.  A TIFF that is not whole is an answer
 * (`broken`); -1 only when the file cannot be read. */
int tiff_read(int fd, uint64_t size, const uint8_t *head, size_t n, struct tiff_facts *out, struct err *err);

bool tiff_has(const struct tiff_facts *t, uint16_t tag);
