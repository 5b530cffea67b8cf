/* From a look at a root to rows of the ledger. */
#pragma once

#include "engine/engine.h"
#include "engine/look.h"

/* What a look says in the ledger's words; points into the look and the arena. */
void scan_fill(const struct look *l, struct arena *a, struct ledger_scan *out);

/* Does the file system stamp files by this machine's clock, so that its times say how long a file has been quiet? */
bool scan_trusts_times(int dirfd);

/* Look at a place and take it in.  `*root` is its row.  -1 with REASON_ROOT_AWAY or _UNREADABLE: the root is marked as away and
 * nothing is concluded; other reasons are the ledger's. */
int scan_place(struct ledger *l, const struct engine_place *place, int64_t *root, struct ledger_synced *out, struct err *err);
