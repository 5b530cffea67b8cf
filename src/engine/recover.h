/* What may have happened on the server in an earlier try, and what is done about it: exactly once.
 *
 * The journal says which call was sent last; the server is asked by the job's token.  Nothing is deleted while an import may
 * run. */
#pragma once

#include "engine/inside.h"
#include "omero/import.h"

/* What is known, for the decision. */
struct recover_facts {
    enum ledger_call call;
    bool other_server;  /* it was sent to another server than this one */
    bool over;          /* the call cannot still be under way: it was answered, or its session is gone */
    bool found;         /* there is a fileset with the job's token */
    bool unverified;    /* its upload job is not finished: verifyUpload has done nothing so far */
    bool unbegun;       /* its log does not say that the import has begun */
    bool log_has_size;  /* its import log has a size: the import got somewhere, or failed */
    size_t n_images;
    enum om_import_way way; /* of the images */
    int64_t age_ms;     /* since the call was sent */
    int64_t hashing_ms; /* how long the server may take to read the files within verifyUpload */
};

enum recover_act {
    RECOVER_FRESH,  /* nothing is there: start again */
    RECOVER_DELETE, /* a fileset of which nothing was imported, nor can be: remove it and start again */
    RECOVER_FAILED, /* the import failed: remove what it left, images without pixels too, and hold the files */
    RECOVER_ADOPT,  /* its images are there: it is done */
    RECOVER_END,    /* verifyUpload did nothing in all that time: end its session, so that it cannot any more; ask again later */
    RECOVER_WAIT,   /* it may still be running: ask again later */
    RECOVER_PERSON, /* it cannot be known: a person decides */
};

/* Pure. */
enum recover_act recover_decide(const struct recover_facts *facts);

#define RECOVER_PATIENCE_MS (INT64_C(3600) * 1000) /* an import without images and without a word for that long */
/* An importFileset that has made no fileset by then is taken as lost, even if its session is still there (an abandoned one
 * idles for ten minutes).  Should it come true later all the same, it leaves an empty fileset and no image: nobody verifies
 * it.  A verifyUpload whose session is gone, and which has not finished the upload job by then, is lost too: a real server
 * finishes the job within the call, before the import is queued.  Where the session is still there, it is ended once the call
 * has had that time and what reading the files takes.  And so is an import lost that has not begun when its session is gone: it
 * is dropped from the queue, and one that runs keeps its session. */
#define RECOVER_LATE_MS (INT64_C(60) * 1000)
#define RECOVER_HASHED_MS 20000 /* bytes that a server hashes in a millisecond at the least: a slow disk gives 5 times as many */

/* Ask the server.  `answered`: the last call was answered, by an exception for instance.  `*fileset` is the number of the fileset
 * (0 = none). */
int recover_look(struct engine *e, struct session *s, const struct ledger_fileset *f, enum ledger_call call, bool answered,
                 struct recover_facts *out, int64_t *fileset, struct err *err);
