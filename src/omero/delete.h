/* Deleting by the server's graph command Delete2, with tags and attached files always spared. */
#pragma once

#include "omero/client.h"

/* Delete objects of one type ("ImageAnnotationLink", "Fileset"), at most OM_BATCH a command.  One missing id fails a whole
 * command and deletes nothing of it: ask first which exist.  Waits for the end of each command. */
int om_delete(struct om_client *c, const char *type, const int64_t *ids, size_t n, struct err *err);
