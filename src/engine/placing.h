/* Files of roots that are imported in place (settings: transfer, trusted, in_place.paths). */
#pragma once

#include "engine/work.h"

/* Links are for trusted roots: REASON_CONFIG. */
int placing_check(const struct root_settings *set, const char *root_path, struct err *err);

/* Sets w->transfer.  Before the first file of a root in this run: does the server see what is placed there?  A trial that failed
 * counts for a while, so that a whole root of files does not try in vain. */
int placing_try(struct work *w, struct err *err);

/* Member `i`, whose file is open, instead of an upload. */
int placing_put(struct work *w, size_t i, int fd, const struct om_source *source, struct err *err);

void trials_clear(struct trials *t);
void placing_renew(struct engine *e); /* other settings: what trials found out holds no more */
