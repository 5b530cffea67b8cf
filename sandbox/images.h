/* What a file says of the images in it: by small readers, far less than Bio-Formats knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct image_facts {
    const char *name;       /* of the series, or "" */
    const char *pixel_type; /* "uint16" */
    int32_t size_x, size_y, size_z, size_c, size_t;
    double um_x, um_y, um_z; /* physical size of a pixel in micrometres; 0: not said */
};

struct images_facts {
    size_t n;
    struct image_facts *at;
    bool known; /* false: a format without a reader; one image of 1 x 1 pixels stands for it */
};

/* Of the files, the first is the one to read.  -1: REASON_BROKEN_FILE for a file of a known format that cannot be read. */
int images_read(struct arena *mem, const char *path, struct images_facts *out, struct err *err);

/* images_ome.c: the images of an OME-XML text; 0 and n = 0 when there are none */
int images_ome(struct arena *mem, const char *xml, size_t n, struct images_facts *out, struct err *err);
