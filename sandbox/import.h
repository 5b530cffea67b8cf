/* An import from its fileset to its images.
 *
 * It belongs to its process, to each open uploader and to each run; the last one to let go frees it.  Everything happens under
 * the server's lock, hashing included. */
#pragma once

#include "sandbox/call.h"

struct import_file {
    int64_t file;             /* OriginalFile */
    char *path;               /* absolute */
    struct servant *uploader; /* not counted; NULL while there is none open */
    int64_t offset;           /* end of the last write through it */
};

struct import {
    int refs;
    struct arena *mem;        /* of the settings and texts */
    int64_t group;
    int64_t fileset, upload_job, job_link, log;
    char *log_path;
    const char *prefix;       /* in the repository, with a slash at its end */
    int32_t omitted;          /* leading directories of the clients' paths that are not kept */
    const struct om_grid_import_settings *settings;
    const char *const *names; /* below the prefix */
    size_t n;
    struct import_file *files;
};

struct import *import_ref(struct import *imp);
void import_unref(struct import *imp);

/* import_begin.c: handler of importFileset */
int import_fileset(struct call *c);

/* import_paths.c: where the files of a fileset lie below its prefix, from the clients' paths.  -1 and an exception for paths that
 * are refused.  *omitted: how many leading directories were dropped. */
int import_paths(struct call *c, const char *const *paths, size_t n, const char *reader, const char **out, int32_t *omitted);

/* import_run.c: import what was uploaded and verified, in the background. */
const struct ice_proxy *import_start(struct call *c, struct import *imp, const struct ice_proxy *process);

/* upload.c: the open uploader of file `i`, made where there is none. */
struct servant *uploader_of(struct call *c, struct import *imp, size_t i, bool read_only);

/* upload.c: handler of fileById: a store to read a file from. */
int file_by_id(struct call *c);

/* Look at the bytes of a file and keep size and hash in its row.  -1 with errno when it cannot be read. */
int file_save(struct store *s, int64_t file, const char *path);
