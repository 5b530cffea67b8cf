/* Faults played on demand, for tests of clients: what servers, and what stands in their place, do when they are in trouble.
 *
 * A fault is named by --fault, holds from the start, and ends with all others on SIGUSR1. */
#pragma once

#include <stdio.h>

#include "sandbox/call.h"

enum fault_act {
    FAULT_DEAF,        /* no connection is taken */
    FAULT_MUTE,        /* connections are taken and nothing is said, no TLS either */
    FAULT_PLAIN,       /* `text` in place of a TLS handshake */
    FAULT_NO_GREETING, /* TLS, and no greeting of Ice */
    FAULT_OTHER,       /* TLS, and `text` in place of the greeting */
    FAULT_STRANGER,    /* what the operation is asked of is not there */
    FAULT_REFUSE,      /* the operation fails with `cls` and `text` */
    FAULT_FREEZE,      /* from the operation on, nobody gets an answer to anything */
    FAULT_HANG,        /* the operation is not carried out and never answered; the rest goes on */
    FAULT_PAUSE,       /* the operation waits until the faults end, and goes on then */
    FAULT_CUT,         /* the operation is not carried out, and its connection is cut */
    FAULT_QUEUE,       /* imports wait in the queue; those whose session ends meanwhile are dropped */
    FAULT_LOSE,        /* it is carried out, and its connection cut before the answer */
};

struct fault {
    const char *name;
    enum fault_act act;
    const char *operations; /* separated by blanks; NULL: none */
    const struct ice_class *cls;
    const char *text;
};

/* Switch a fault on.  -1: there is none of that name. */
int fault_begin(struct server *s, const char *name);
void fault_end_all(struct server *s); /* takes the lock */
void fault_list(FILE *out);

/* The rest is called under the server's lock. */
const struct fault *fault_find(const struct server *s, enum fault_act act); /* NULL: it is not on */
/* The fault that meets a request; NULL: none.  A frozen server answers every request by FAULT_FREEZE's row. */
const struct fault *fault_meets(struct server *s, const char *operation);
int fault_throw(const struct fault *f, struct call *c); /* FAULT_REFUSE.  Returns -1 */
/* Wait until neither this fault nor a freeze holds the server up.  False: the server is stopping. */
bool fault_outlast(struct server *s, enum fault_act act);
