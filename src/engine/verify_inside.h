/* Inside of verify: one run, shared by its files. */
#pragma once

#include "engine/sessions.h"
#include "engine/verify.h"
#include "omero/import.h"
#include "omero/paths.h"

struct verify {
    const struct verify_job *job;
    struct sessions *sessions;
    struct om_paths paths;
    const char *repository; /* its directory as this host names it; "" when it is not seen here; NULL before it was asked */
    struct verify_counts *counts;
    struct arena *a; /* of the whole run */
};

void verify_tell(struct verify *v, const char *root, const char *path, const struct err *why);
/* The same with the words of err_set. */
void verify_say(struct verify *v, const char *root, const char *path, enum reason why, const char *fmt, ...) ATTR_PRINTF(5, 6);

/* One set: `files` are OMERO's, in the order of its members. */
void verify_files(struct verify *v, const struct ledger_fileset *f, const struct om_file_row *files, size_t n, int root);

/* The images of these sets, and the annotations of the dataset on it and on them. */
int verify_images(struct verify *v, struct om_client *c, const struct ledger_dataset *d, const struct ledger_fileset *sets,
                  size_t n,
                  struct err *err);
