/* Deleting by the server's graph command Delete2, with tags and attached files always spared. */
#pragma once

#include "omero/client.h"

/* Delete objects of one type ("ImageAnnotationLink", "Fileset"), at most OM_BATCH a command.  One missing id fails a whole
 * command and deletes nothing of it: ask first which exist.  Waits for the end of each command. */
int om_delete(struct om_client *c, const char *type, const int64_t *ids, size_t n, struct err *err);

/* Wait for a command's answer by polling, up to a deadline, keeping the session alive.  `*out` is the response, which may be an
 * ERR.  REASON_TIMEOUT; a handle that says FAILURE or CANCELLED without a response is REASON_SERVER_ERROR. */
int om_handle_wait(struct om_client *c, const struct ice_proxy *handle, int64_t deadline_ns, struct arena *mem,
                   const struct om_cmd_response **out, struct err *err);
