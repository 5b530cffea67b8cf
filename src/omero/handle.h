/* Command handles: waiting for their answers. */
#pragma once

#include "omero/client.h"

enum { OM_HANDLE_BUSY = 1 };

/* Ask once: 0 and `*out` (which may be an ERR), OM_HANDLE_BUSY, or -1.  A handle that says FAILURE or CANCELLED and never has an
 * answer (an import whose start failed inside the server) is REASON_SERVER_ERROR. */
int om_handle_ask(struct om_client *c, const struct ice_proxy *handle, struct arena *mem, const struct om_cmd_response **out,
                  struct err *err);

/* Pauses between two questions: 0.1 s growing to 2 s; `*pause_ns` begins at 0.  `keep_on` (or NULL) is asked every 0.2 s. */
int om_handle_pause(int64_t *pause_ns, int (*keep_on)(void *arg, struct err *err), void *arg, struct err *err);
