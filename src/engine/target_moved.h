/* Private to target.c. */
#pragma once

#include "engine/target.h"

/* Does the card still name the project, user and group that its dataset was made for? */
bool target_is_meant(const struct om_client *c, const struct ledger_dataset *d);
/* It does not.  0: a person has changed that in OMERO, and the ledger knows it now.  -1: REASON_TARGET_MOVED, with the commands
 * that would do it, or what went wrong. */
int target_moved(struct engine *e, const struct session *s, const struct ledger_dataset *d, struct arena *a, struct err *err);
