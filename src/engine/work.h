/* One fileset under way. */
#pragma once

#include "engine/inside.h"
#include "engine/steps.h"
#include "omero/import.h"

struct work {
    struct engine *e;
    struct ledger_fileset f; /* as the ledger has it; state, call, call_ms, job and session_id are kept up to date here */
    struct session *s;
    struct arena *a;
    const struct ledger_dataset *dataset;
    const struct ledger_note *notes; /* that ride along */
    size_t n_notes;
    int root;                  /* directory, -1 before it is opened */
    struct om_import *import;  /* NULL before SENT */
    enum om_transfer transfer; /* how its files get there */
    struct ledger_image *images;
    size_t n_images;
};

int work_send(struct work *w, struct err *err);   /* target, annotations, importFileset */
int work_upload(struct work *w, struct err *err); /* the bytes, verifyUpload */
int work_wait(struct work *w, struct err *err);   /* until the server is done; the images */

/* Opens the root's directory once. */
int work_root(struct work *w, struct err *err);
/* A descriptor of member `i` (w->root is open), which is still as the ledger has it and may be taken for the fileset's user.
 * REASON_CHANGED, _GONE, _UNREADABLE, _LINK, _NOT_REGULAR, _REFUSED. */
int work_open(struct work *w, size_t i, struct err *err);
/* Is that so of every file? */
int work_check_files(struct work *w, struct err *err);
/* Write down the next call; keeps w->f up to date.  One transaction, one line of the log. */
int work_journal(struct work *w, struct ledger_journal *j, struct err *err);
/* The one function that moves a fileset beside its way.  Nothing is left to do when the ledger cannot be written: the engine
 * hears of it. */
void work_move(struct work *w, enum ledger_state to, const struct err *why);
/* Its images are in OMERO. */
int work_done(struct work *w, const struct om_import_result *r, struct err *err);
