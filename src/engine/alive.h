/* Which of the images that were imported for a dataset are still in OMERO. */
#pragma once

#include "engine/notes.h"

struct alive {
    struct notes_images images; /* in the session's group: the dataset's images, the screen's plates */
    struct ledger_image *own;   /* the last of them, those with maps of their own: n - n_sharing rows */
    int64_t last_row;           /* of all images of the dataset in the ledger */
};

/* Ask the server, and note in the ledger those images and plates that are not there any more: in no group that the session's user
 * can see.  Those that were moved to another group are neither deleted nor in the list. */
int alive_find(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct alive *out,
               struct err *err);

/* The same for the datasets of all filesets of a path that are done or stuck (absolute; NULL: of all), by sessions of their
 * users; users who cannot be acted for now are left out.  A dataset that was deleted or moved is made anew by the next import
 * into it.  -1: the server or the ledger cannot be worked with. */
int alive_look(struct engine *e, const char *path, struct err *err);
