/* One import under way: shared by the files of its steps. */
#pragma once

#include "base/hash.h"
#include "omero/handle.h"
#include "omero/import.h"

struct om_import {
    struct om_client *client;
    struct arena *mem;
    size_t n_files;
    char (*hashes)[HASH_HEX_MAX]; /* "" = not uploaded yet */
    bool *touched;                /* an upload of this file has begun once */
    bool placed;                  /* there may be links: nothing is written to any file of it any more */
    const char *algorithm;
    const char *token;
    const struct ice_proxy *process; /* NULL = closed */
    struct om_wait wait;             /* its handle is NULL before verifyUpload */
    bool answered;                   /* the import has ended: its handle may be closed */
    bool failed;                     /* its answer is that the import failed */
    int64_t fileset;
};
