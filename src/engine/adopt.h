/* Files that are in OMERO already, imported by another program or before a ledger was lost: found by their clients' paths, proved
 * by size and checksum, and taken into the ledger with their dataset.  Nothing is imported. */
#pragma once

#include <stdatomic.h>

#include "engine/settings.h"
#include "ledger/ledger.h"
#include "omero/trust.h"

enum adopt_what {
    ADOPT_THERE,   /* count alone: a file of that path is there */
    ADOPT_TAKEN,   /* it is the same, and was taken (dry: would be) */
    ADOPT_UNCLEAR, /* `why` says why it was not */
    ADOPT_DATASET, /* a dataset was taken with its files */
};

struct adopt_finding {
    enum adopt_what what;
    const char *root, *path;
    int64_t fileset, dataset; /* numbers in OMERO; 0 = none */
    const struct err *why;
};

struct adopt_counts {
    size_t looked; /* filesets that the ledger has not sent */
    size_t unasked; /* beside them: of users who cannot be acted for now */
    size_t there;  /* of these, a file of that path and owner is in OMERO */
    size_t taken, unclear, datasets, doubted;
};

enum adopt_mode {
    ADOPT_COUNT,   /* ask for the paths alone: one query for 1,000 of them */
    ADOPT_DRY,     /* all but the taking */
    ADOPT_REALLY,
    ADOPT_REBUILD, /* a lost ledger: what the provenance in OMERO says; sizes are believed, files are not read */
};

struct adopt_job {
    const struct settings *settings;
    struct ledger *ledger; /* open for LEDGER_ENGINE */
    const char *dir;       /* canonical */
    enum adopt_mode mode;
    const char *lost;      /* with ADOPT_REBUILD: the uuid of the ledger, NULL: the one that OMERO speaks of */
    atomic_bool *stop;
    void (*tell)(void *arg, const struct adopt_finding *f); /* or NULL */
    bool (*ask)(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known); /* om_trust.ask */
    void *arg;
};

/* -1 when it cannot be done at all. */
int adopt_run(const struct adopt_job *job, struct adopt_counts *out, struct err *err);

struct sessions;
/* ADOPT_COUNT for a tree that was just looked at, in sessions of a running engine.  Users who cannot be acted for are left
 * out. */
int adopt_count(const struct adopt_job *job, struct sessions *sessions, struct adopt_counts *out, struct err *err);
/* Is so little of it there that a first import may begin?  Else `why` (REASON_THERE) says how much, without a hint. */
bool adopt_is_little(const struct adopt_counts *counts, const char *dir, struct err *why);
