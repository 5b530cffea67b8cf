/* Command handles: waiting for their answers. */
#pragma once

#include "omero/client.h"

enum { OM_HANDLE_BUSY = 1, OM_HANDLE_FAILED };

/* A handle whose answer is waited for. */
struct om_wait {
    const struct ice_proxy *handle;
    int64_t failed_ns; /* when it was first seen to have failed without an answer; 0 = not yet */
};

/* Ask once: 0 and `*out` (which may be an ERR), OM_HANDLE_BUSY, or -1.  A handle that says FAILURE or CANCELLED gets its answer a
 * moment later as a rule; one that has none after 10 s never will (an import whose start failed inside the server):
 * REASON_SERVER_ERROR. */
int om_handle_ask(struct om_client *c, struct om_wait *w, struct arena *mem, const struct om_cmd_response **out, struct err *err);

/* Ask whether it has ended, without its answer, which may be larger than a message can be: 0 it went well, OM_HANDLE_BUSY,
 * OM_HANDLE_FAILED (om_handle_ask has its words), or -1.  Only for commands whose work is saved step by step, as an import's
 * is: a handle says that its steps have ended a moment before a transaction around them is. */
int om_handle_look(struct om_client *c, const struct om_wait *w, struct err *err);

/* Pauses between two questions, each half as long again as the one before, up to 2 s: `*pause_ns` is that one.  0 at the
 * beginning: the first is 0.1 s then.  `keep_on` (or NULL) is asked every 0.2 s. */
int om_handle_pause(int64_t *pause_ns, int (*keep_on)(void *arg, struct err *err), void *arg, struct err *err);
