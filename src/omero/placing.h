/* One file on its way into the repository: shared by inplace.c and inplace_reach.c. */
#pragma once

#include <sys/stat.h>

#include "omero/import_state.h"
#include "omero/inplace.h"

struct placing {
    const struct om_place *place;
    struct om_import *imp;
    struct om_client *client;
    struct arena *mem;
    int32_t index;
    const struct ice_proxy *store;
    const char *root, *path; /* of the repository and of the file in it, as this host names them */
    struct stat account;     /* of the text that the server wrote: owner and group of its account, as seen here */
    bool put;                /* there is something of ours at `path` */
};

/* Absolute, without a step up, no longer than paths can be. */
bool placing_is_safe(const char *path);

void placing_clear(struct placing *p);

/* The file's RawFileStore; `mode` "r", or NULL for reading and writing. */
int placing_open(struct placing *p, const char *mode, struct err *err);
int placing_close(struct placing *p, struct err *err);
int placing_give_up(struct placing *p); /* close after a failure; -1 */

/* Learn where the file is to be, and prove that what is there is what the server writes:
 * by a random text.  Nothing is left there. */
int placing_reach(struct placing *p, struct err *err);
/* What an errno from the file's place in the repository means. */
int placing_not_here(struct placing *p, int sys, struct err *err);
