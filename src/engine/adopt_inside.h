/* Inside adoption: what its files share. */
#pragma once

#include "engine/adopt.h"
#include "engine/sessions.h"
#include "omero/origin.h"

/* A dataset row of the ledger that files are adopted for. */
struct adopt_target {
    int64_t row;
    int64_t *filesets; /* numbers in OMERO of those taken */
    size_t n, cap;
    bool settled;      /* its dataset was looked for */
    bool restored;     /* by its provenance, in a rebuild */
    bool asked;        /* its filesets in OMERO are known: */
    struct om_entries there;
};

struct adopt {
    const struct adopt_job *job;
    struct adopt_counts *counts;
    struct sessions *sessions;
    struct session *s; /* of the user in hand */
    struct arena *a;
    const char *lost; /* a rebuild: the uuid of the ledger, once it is known */
    struct adopt_target *targets;
    size_t n_targets, cap_targets;
};

/* One fileset of the ledger, and its files' paths as an official client sends them. */
struct adopt_set {
    const struct ledger_fileset *f;
    const char **paths; /* NULL: one of them cannot be in OMERO */
    bool taken;
};

/* Sets of one user whose paths fit into one query. */
struct adopt_chunk {
    struct adopt *w;
    struct adopt_set *sets;
    size_t n;
    struct om_entries found; /* by path: fileset and path alone */
    struct om_entries all;   /* all files of these filesets, by fileset */
};

void adopt_tell(struct adopt *w, const struct adopt_finding *f);
struct adopt_target *adopt_target_of(struct adopt *w, int64_t row);
void adopt_target_add(struct adopt_target *t, int64_t fileset);
int adopt_keep_on(void *adopt, struct err *err);
void adopt_unclear(struct adopt *w, const struct ledger_fileset *f, int64_t fileset, const struct err *why);

/* What in OMERO lies at the paths of a chunk. */
int adopt_ask(struct adopt_chunk *c, struct err *err);
/* All files of filesets, however many. */
int adopt_ask_entries(struct adopt *w, const int64_t *filesets, size_t n, struct om_entries *out, struct err *err);

/* Is a set one of what was found?  It is taken, or told as unclear. */
int adopt_judge(const struct adopt_chunk *c, struct adopt_set *s, struct err *err);
/* A rebuild: a set that lies elsewhere now than when it was imported, into a dataset that was restored, is taken. */
int adopt_moved(struct adopt *w, struct adopt_set *s, struct err *err);

/* Datasets whose files were taken: the one in OMERO that has them all becomes the directory's. */
int adopt_datasets(struct adopt *w, struct err *err);
/* The same for a dataset that an earlier adoption did not come to, which was cut short when it had taken the files. */
int adopt_rest(struct adopt *w, const struct ledger_dataset *d, struct err *err);
/* Datasets that the ledger has, and whose provenance names another one: taken over. */
int adopt_foreign(struct adopt *w, const struct ledger_dataset *d, struct err *err);
/* A rebuild: which ledger was lost, as the own datasets of this session's user say.  `lost` is set or compared. */
int adopt_learn_ledger(struct adopt *w, const char **lost, struct err *err);
/* And what they say of this user's datasets is restored. */
int adopt_restore(struct adopt *w, struct err *err);
/* Then, when its images are known: the annotations of a dataset that was restored, and what the card has to do with them. */
int adopt_notes(struct adopt *w, int64_t row, struct err *err);
