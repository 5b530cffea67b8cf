/* The way of a fileset as a table: which step leads from which state to which, and where a step that failed leads. */
#pragma once

#include <stdbool.h>

#include "ledger/ledger.h"

struct work;

struct step {
    int (*run)(struct work *w, struct err *err); /* NULL: no worker's matter */
    enum ledger_state next;
};
extern const struct step steps[N_LEDGER_STATES];

/* What a failed step leaves behind on the server. */
enum step_left {
    LEFT_NOTHING, /* nothing was sent, or it is known that nothing came of it */
    LEFT_UPLOAD,  /* a fileset of which nothing is imported: to be removed */
    LEFT_FAILED,  /* an import that failed by the server's own word: to be removed with all that came of it */
    LEFT_OVER,    /* an import that has ended: look whether images came of it */
    LEFT_UNKNOWN, /* something may still be running: only a later look can tell */
};

/* Pure: from the call that was sent last and the reason of the failure. */
enum step_left step_left(enum ledger_call call, enum reason why);

/* Pure: where a fileset goes when a step failed; `clean`: nothing of it is left on the server. */
enum ledger_state step_failed(enum reason why, enum err_class cls, bool clean);
