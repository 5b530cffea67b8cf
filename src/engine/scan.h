/* Which root a directory belongs to, and one look at it taken into the ledger. */
#pragma once

#include "engine/engine.h"

/* Does the file system stamp files by this machine's clock, so that its times say how long a file has been quiet? */
bool scan_trusts_times(int dirfd);

/* Look at a place and take it in.  `*root` is its row.  -1 with REASON_ROOT_AWAY or _UNREADABLE: the root is marked as away and
 * nothing is concluded; other reasons are the ledger's. */
int scan_place(struct ledger *l, const struct engine_place *place, int64_t *root, struct ledger_synced *out, struct err *err);
