/* Plates, wells and their fields as OME-XML names them, before or after the images that they point to.  Private to the
 * pictures. */
#pragma once

#include "sandbox/picture.h"

struct wells {
    struct well_plate *plates;
    size_t n, cap;
    const char **images; /* the ID of each image, in order; in the arena */
    size_t n_images, cap_images;
    size_t n_things;     /* wells and fields, held against SANDBOX_WELLS_MAX */
};

void wells_clear(struct wells *w);
void wells_image(struct wells *w, struct arena *arena, const char *id); /* the next image; id may be NULL */
void wells_plate(struct wells *w, const struct picture_plate *plate);   /* without its wells */
/* A well of the last plate, a field of the last well; elsewhere they mean nothing.  -1: more than anybody has. */
int wells_well(struct wells *w, int32_t row, int32_t column);
int wells_field(struct wells *w, struct arena *arena, const char *image_id);
/* Everything into the picture; fields that point to no image are left out. */
void wells_take(const struct wells *w, struct arena *arena, struct picture *out);
