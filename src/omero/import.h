/* One fileset into OMERO, step by step, so that the caller can write down each step before it is taken:
 *
 *   om_import_start -> om_import_upload for each file -> om_import_verify -> om_import_poll until it is done -> om_import_end
 *
 * What may have happened when a step fails without an answer (err.cls ERR_WAIT) is asked for on a new session by the job's token:
 * om_import_find.  A verifyUpload that may have arrived is never sent again: a second one imports twice.
 * One request at a time goes to a stateful service; reading and hashing go on while a write is under way. */
#pragma once

#include <sys/types.h>

#include "omero/annotate.h"

#define OM_JOB_KEY "impomero.job"   /* version info of the upload job: the token */
#define OM_PATH_KEY "impomero.path" /* and a hash of the path */

struct om_import_file {
    const char *client_path; /* as the client sees it; made safe by om_path_clean; the first file is the one to open */
};

/* How files get into OMERO's repository: sent, or placed there (inplace.h). */
enum om_transfer { OM_UPLOAD, OM_LN_S, OM_LN, OM_CP, OM_N_TRANSFERS };
extern const char *const om_transfers[]; /* their names: "upload", "ln_s", "ln", "cp"; NULL at the end */
enum om_transfer om_transfer_named(const char *name); /* one of them */
/* As official clients call them, "ome.formats.importer.transfers.SymlinkFileTransfer"; NULL for an upload. */
extern const char *const om_transfer_classes[OM_N_TRANSFERS];
#define OM_TRANSFER_NS "openmicroscopy.org/omero/import/fileTransfer" /* of the comment on a fileset that says so */

struct om_import_plan {
    enum om_transfer transfer; /* the fileset says so, as official clients write it */
    const char *algorithm;     /* of checksums, "MD5-128"; NULL = the server chooses among those this program knows */
    bool no_thumbnails, no_minmax;
    size_t n_files;
    const struct om_import_file *files;
    int64_t dataset;    /* 0 = an orphan */
    int64_t screen;     /* for plates; 0 = none */
    const char *name;   /* of the image or plate; NULL = the file's */
    const char *reader; /* Bio-Formats class, "loci.formats.in.TiffReader"; NULL = unknown */
    const char *token;  /* the job's, a uuid */
    const char *path_hash;
    size_t n_annotations; /* existing ones, linked to each image by the server */
    const struct om_note_ref *annotations;
};

struct om_import;

/* What imports may leave out, as words between commas that users of official clients know: "checksum" (File-Size-64 instead),
 * "minmax", "thumbnails", "upgrade" (nothing to leave out here), "all".  NULL: nothing.  REASON_CONFIG for another word. */
struct om_skip {
    bool checksum, minmax, thumbnails;
};
int om_skip_parse(const char *text, struct om_skip *out, struct err *err);

/* repositories (once a session), suggestChecksumAlgorithm, importFileset.  REASON_NOT_UTF8, REASON_CONFLICT (two files become one
 * path), REASON_TOO_LONG, REASON_PROTOCOL,
 * REASON_CONFIG (a checksum that the server does not take) ... The plan is not needed afterwards. */
int om_import_start(struct om_client *c, const struct om_import_plan *plan, struct om_import **out, struct err *err);
const char *om_import_algorithm(const struct om_import *imp); /* "SHA1-160": what the server asked for */

/* Where a file's bytes come from.  `read` fills up to n bytes from the current place: the count, 0 at the end, -1. */
struct om_source {
    ssize_t (*read)(void *arg, void *at, size_t n, struct err *err);
    void *arg;
    /* After each block; NULL = nobody listens.  -1 stops the upload (err filled in, REASON_STOPPED for instance). */
    int (*progress)(void *arg, int64_t bytes, struct err *err);
    void *progress_arg;
    int64_t size; /* expected; another size at the end is REASON_CHANGED; -1 = unknown */
};
/* A source that reads an open file from its beginning to its end. */
struct om_source om_source_fd(int *fd);

/* Upload file `i`: write, save, close, compare hash and size with what the server got (REASON_CHECKSUM).  A file of no bytes is
 * one empty write.  May be done again after a failure that left the session alive. */
int om_import_upload(struct om_import *imp, size_t i, const struct om_source *source, struct err *err);

/* All files of the set, several side by side.  Each has one call out at a time; a write is a block of OM_BLOCK_LEAST to
 * OM_BLOCK_MOST bytes, the larger the longer the way to the server is, and all blocks together take OM_UPLOAD_BYTES at most.
 * With `resumes`, a lost connection is joined again for two minutes and the upload goes on with the block that was not answered;
 * the session is then detached from its connection meanwhile.  -1: as om_import_upload; all files are given back by `close`. */
struct om_upload {
    int (*open)(void *arg, size_t i, struct om_source *out, struct err *err);
    int (*done)(void *arg, size_t i, struct err *err); /* it is there, its checksum is right; or NULL */
    void (*close)(void *arg, size_t i);                /* of what was opened, whatever became of it; or NULL */
    void (*blame)(void *arg, size_t i, struct err *err); /* puts the file's name before an error; or NULL */
    int (*keep_on)(void *arg, struct err *err);        /* while waiting for the server to come back; or NULL */
    void *arg;
    size_t at_once; /* files; 0 = 1 */
    bool resumes;
};
int om_import_upload_all(struct om_import *imp, const struct om_upload *set, struct err *err);

const char *om_import_hash(const struct om_import *imp, size_t i); /* hex, once uploaded; NULL before */

/* verifyUpload with the hashes of all files; `*fileset` is its id.  REASON_CHECKSUM: nothing was started. */
int om_import_verify(struct om_import *imp, int64_t *fileset, struct err *err);

struct om_image_row {
    int64_t id;
    const char *name;
    int32_t series;
};
struct om_plate_row {
    int64_t id;
    const char *name;
};
struct om_import_result {
    int64_t fileset;
    size_t n_images, n_plates;
    const struct om_image_row *images; /* in order of series */
    const struct om_plate_row *plates;
};
enum { OM_RUNNING = 1 };
/* Ask once.  0 done, OM_RUNNING, or -1: REASON_IMPORT_FAILED with OMERO's words, REASON_TARGET_GONE ... */
int om_import_poll(struct om_import *imp, struct arena *mem, struct om_import_result *out, struct err *err);
/* Poll with growing pauses (15 ms to 2 s) up to a deadline, keeping the session alive.  REASON_TIMEOUT (class WAIT): it may still
 * be running.  `keep_on` may be NULL; it stops the waiting by returning -1 with err filled in. */
int om_import_wait(struct om_import *imp, int64_t deadline_ns, int (*keep_on)(void *arg, struct err *err), void *arg,
                   struct arena *mem, struct om_import_result *out, struct err *err);

/* Did the server say that the import has ended, and badly?  Nothing of it runs any more then, and what it left may be removed,
 * images included: some failures leave images without pixels. */
bool om_import_has_failed(const struct om_import *imp);

/* Close handle and process (a handle without response is left alone: closing it would cancel the import).  NULL is fine. */
void om_import_end(struct om_import *imp);
void om_import_endp(struct om_import **imp);

/* Afterwards, by any session that can see it. */

/* The fileset of a job's token, in whatever group.  0, or OM_ABSENT.  Several are REASON_UNKNOWN_OUTCOME. */
int om_import_find(struct om_client *c, const char *token, int64_t *fileset, struct err *err);
/* Was verifyUpload carried out?  The upload job is finished then (seen on OMERO.server 5.6.17: "Submitted" before the call,
 * "Finished" when it is answered). */
int om_import_is_verified(struct om_client *c, int64_t fileset, bool *out, struct err *err);
/* Size of the import log: null (-1) until step 1 of the import is done or it has failed; ask before om_fileset_images. */
int om_import_log_size(struct om_client *c, int64_t fileset, int64_t *out, struct err *err);
/* Has the import begun, by its log (the first line by the server's import is of its beginning)?  Where there is no log: it has.
 * One that has not, and whose session is over, never will: a server drops it with the session, from the queue, without a word
 * (seen on OMERO.server 5.6.17), while one that runs keeps its session open. */
int om_import_has_begun(struct om_client *c, int64_t fileset, bool *out, struct err *err);
/* How an import of which there are images went.  They are there before their pixels were read: after a failure they stay, and are
 * black.  A server that has read them writes a checksum over "Pending...", or, where it makes none (skip = "minmax", images that
 * wait for a pyramid), goes on to the step after that, which the import's log tells (seen on OMERO.server 5.6.17). */
enum om_import_way {
    OM_IMPORT_WHOLE,     /* their pixels were read, or nothing says that they were not */
    OM_IMPORT_UNDER_WAY, /* not yet; the import has not ended, as far as its log says */
    OM_IMPORT_GHOSTS,    /* not, and it has ended */
};
int om_import_way(struct om_client *c, int64_t fileset, enum om_import_way *out, struct err *err);
/* Images and plates of a fileset, none included. */
int om_fileset_look(struct om_client *c, int64_t fileset, struct arena *mem, struct om_import_result *out, struct err *err);
struct om_file_row {
    int64_t fileset;
    const char *path, *name;       /* below the repository's directory */
    int64_t size;                  /* -1: not known */
    const char *hash, *algorithm;  /* "" where not known */
    enum om_transfer transfer;     /* of its fileset, as it was written down at its import */
};
struct om_file_rows {
    size_t n;
    const struct om_file_row *at; /* by fileset, in the order of their files; in the arena */
};
/* The files of filesets (at most OM_BATCH of them) that the session can see, in whatever group. */
int om_fileset_files(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, struct om_file_rows *out,
                     struct err *err);
/* Delete a fileset that has no images; one that has is refused (REASON_DUPLICATE).  Never while an import may run. */
int om_fileset_delete_empty(struct om_client *c, int64_t fileset, struct err *err);
/* Delete a fileset with its images and files: of an import that is known to have failed, and of no other. */
int om_fileset_delete(struct om_client *c, int64_t fileset, struct err *err);

/* What the server's own log of an import says of the files and of what went wrong: the format that it took them for, errors, and
 * the readers' warnings, in one line ("" = nothing).  At most OM_IMPORT_LOG_BYTES of its end are looked at.  0, or OM_ABSENT:
 * there is no log. */
int om_import_log_words(struct om_client *c, int64_t fileset, struct arena *mem, const char **out, struct err *err);
