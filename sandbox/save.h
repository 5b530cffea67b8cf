/* Graphs of objects into rows. */
#pragma once

#include "sandbox/objects.h"

struct saver; /* one call's worth */

/* Save an object and everything that hangs on it, in the group of the call, as the caller's.  Ids and details are written into
 * the objects themselves, which is what a real server gives back.  -1 with an exception: nothing of the call stays then. */
int save_graph(struct call *c, struct saver **saver, const struct om_iobject *o);

/* An event of the call, made when first asked for. */
int64_t save_event(struct call *c, struct saver **saver);
