/* What OMERO would make of a file: which images, of which size and type, with which names.
 *
 * Good for TIFF (ImageJ hyperstacks, pages of different kinds), OME-TIFF (sets and companion files), OME-XML, PNG and JPEG, as
 * Bio-Formats 7.3 reads them; any other file becomes one pixel that says so.  Whether the other files of a set are there is
 * looked up beside the file, which is Bio-Formats' own criterion.  No pixels are read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct picture_image {
    const char *name;              /* as the file has it; NULL: it has none */
    uint32_t x, y, z, c, t;        /* pixels, planes, channels (samples counted singly), points in time; all > 0 */
    const char *type;              /* value of PixelsType: "uint8", "float" ... */
    const char *const *channels;   /* c names, each may be NULL */
};

/* A well of a plate, and its fields: indices of images. */
struct picture_well {
    int32_t row, column;           /* from 0 */
    const size_t *fields;
    size_t n_fields;               /* 0: an empty well */
};

struct picture_plate {
    const char *name;              /* as the file has it; NULL: none */
    int32_t rows, columns;         /* 0: not said */
    const struct picture_well *wells;
    size_t n_wells;
};

struct picture {
    const char *file;              /* last part of the path of the file that names the images: a companion where there is one */
    const struct picture_image *images;
    size_t n_images;               /* > 0 */
    const struct picture_plate *plates;
    size_t n_plates;
    bool known;                    /* false: nothing is known of this format, and the sizes are made up */
};

/* Look at a fileset by its main file.  The result lives in the arena.
 * -1: REASON_BROKEN_FILE, REASON_INCOMPLETE (a member of the set is missing), REASON_TOO_LARGE: the import would fail with
 * error-on-init, and the text is the words of Bio-Formats' exception; REASON_GONE, REASON_UNREADABLE: our own words. */
int picture_read(const char *path, struct arena *arena, struct picture *out, struct err *err);

/* Are the pixels readable?  0, or -1: the import would fail after its images were made, with an error of this `name`, and the
 * text is the words of Bio-Formats' exception.  Known of TIFFs packed by Deflate and JPEG, whose first piece is tried; others are
 * taken as readable, as Bio-Formats takes them (what is missing becomes zeros). */
int picture_pixels(const char *path, const char **name, struct err *err);

/* The name that image `i` gets in OMERO, given the import's own name (NULL or blank: none): the name, else the file's, and where
 * there are several images the image's own in brackets; at most 255 UTF-16 units (omero-server, PixelsProcessor). */
char *picture_name(const struct picture *p, size_t i, const char *wanted, struct arena *arena);
/* The name that plate `i` gets: the import's own, else the plate's, else the file's (seen on a server). */
const char *picture_plate_name(const struct picture *p, size_t i, const char *wanted);
