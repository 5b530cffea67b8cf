/* Disk, ledger and OMERO held against each other: is what was imported still there, and the same?
 *
 * For every imported set of files: the files on the disk against the ledger (size, time, checksum), the checksums that OMERO has
 * against those, its images, what was placed in the repository by links (still of that kind, the same file of the same owner),
 * and the card's annotations on images and dataset.  Nothing is changed anywhere. */
#pragma once

#include <stdatomic.h>

#include "engine/settings.h"
#include "ledger/ledger.h"
#include "omero/trust.h"

struct verify_finding {
    const char *root, *path; /* of a file, a set's first file, or a dataset's directory */
    const struct err *why;
};

struct verify_counts {
    size_t filesets, files, images, problems;
    size_t unseen; /* files in the repository that cannot be looked at from here */
};

struct verify_job {
    const struct settings *settings;
    struct ledger *ledger; /* may be open for reading alone */
    const char *path;      /* absolute: what lies there or below; NULL: all */
    int64_t dataset;       /* number in OMERO; 0: all */
    atomic_bool *stop;
    void (*tell)(void *arg, const struct verify_finding *f);
    void *arg;
};

/* -1 when it cannot be done at all: no server, no login, no ledger, stopped. */
int verify_run(const struct verify_job *job, struct verify_counts *out, struct err *err);
