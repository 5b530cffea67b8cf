/* The kinds of files behind picture.h.  Each fills in images (and `file`, where another file than `path` names them) or fails as
 * picture_read does.  Private to the pictures. */
#pragma once

#include "sandbox/picture.h"

/* One image of c unnamed channels. */
void picture_one(struct picture *p, struct picture_image image, struct arena *arena);
const char *const *picture_no_names(size_t n, struct arena *arena);

int picture_tiff(const char *path, struct arena *arena, struct picture *out, struct err *err);
int picture_png(const char *path, struct arena *arena, struct picture *out, struct err *err);
int picture_jpeg(const char *path, struct arena *arena, struct picture *out, struct err *err);

/* A file that is OME-XML altogether: `.ome`, companion files. */
int picture_ome_xml(const char *path, struct arena *arena, struct picture *out, struct err *err);

/* OME-XML that stands for the file at `path`.  1: no OME-XML with images; `*metadata` is then the metadata file that it points
 * to, or NULL. */
int picture_ome_text(const char *path, const char *text, size_t n, struct arena *arena, struct picture *out,
                     const char **metadata, struct err *err);

/* The last part of a path, and a file beside it. */
const char *picture_base(const char *path);
char *picture_beside(const char *path, const char *name, struct arena *arena);
