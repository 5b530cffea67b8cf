/* Files that get into OMERO's repository without being sent: as links or as copies made here.
 *
 * Works only where the repository's directory is seen and may be written: that is proved for each file by a random text that goes
 * through the server and is read here, before anything is put there.  What was put is then read through the server.  A source is
 * opened for reading only, and never moved, written or removed; what is removed is only what this program has put.
 * (omero-blitz ome/formats/importer/transfers; the steps were tried on OMERO.server 5.6.) */
#pragma once

#include "omero/import.h"
#include "omero/paths.h"

struct om_place {
    enum om_transfer how;         /* not OM_UPLOAD */
    const struct om_paths *paths; /* of this host and of the server */
    const char *path;             /* of the source: absolute, as this host names it */
    int fd;                       /* the same, open for reading */
};

/* Instead of om_import_upload.  `source` gives the file's bytes for its checksum, and for a copy.
 * REASON_IN_PLACE: the text says which of owner, mode, mount or path is wrong.  REASON_REPOSITORY_FULL, REASON_CHANGED,
 * REASON_CHECKSUM.  After a failure the import is to be given up: the file cannot be placed or uploaded again. */
int om_import_place(struct om_import *imp, size_t i, const struct om_place *place, const struct om_source *source,
                    struct err *err);

/* Would it work?  Puts the file into the repository in a fileset of its own, has the server read its size and beginning, and
 * takes all of it away again.  A copy is not made: whether files can be put there is tried by the text alone. */
int om_place_try(struct om_client *c, const struct om_place *place, struct err *err);
