/* Names of datasets and images, made by the templates of a root.
 *
 * In a template {word} stands for a part of the path and {{ and }} for braces; everything else is taken as it is:
 *   {dir}     the name of the card's directory (the root's own for a card in the root)
 *   {path}    dataset: the path of the card's directory below the root; image: the path of the file below the card's directory.
 *             Parts are joined by "-", or by what follows a colon: {path:_}
 *   {root}    the name of the watched directory
 *   {file}, {stem}    image only: the name of the file, with and without its last extension
 *   {project}, {user} the card's
 * Blanks and control characters of names in the file tree become underscores. */
#pragma once

#include "base/err.h"
#include "base/mem.h"

struct naming {
    const char *dataset, *image; /* templates */
};

#define NAMING_DATASET "{dir}"
#define NAMING_IMAGE "{path}"

struct naming_of {
    const char *root_name, *card_dir; /* card_dir "" is the root */
    const char *path;                 /* of the file below the root; NULL for a dataset */
    const char *project, *user;
};

/* -1: an unknown word, an open brace, or nothing that could tell things apart. */
int naming_check_dataset(const char *text, struct err *err);
int naming_check_image(const char *text, struct err *err);

/* A name by a template that was checked; in the arena.  It ends at a character before NAMING_MAX bytes. */
char *naming_make(const char *text, const struct naming_of *of, struct arena *a);
