/* Whether files are what was imported already: moved, copied, or changed since.  A checksum is the proof. */
#pragma once

#include "engine/work.h"

enum { IDENTITY_KNOWN = 1 };

/* Before a fileset is imported, or for a done one whose files changed.  Needs no server.
 * 0: to be imported, or its journal to be looked into.
 * IDENTITY_KNOWN: nothing is left to do; its row is another one's, or compared, and it is not claimed any more.
 * -1: REASON_COPY, REASON_DUPLICATE (duplicates = "skip", "report"); REASON_UNDER_WAY: what it may be is not known yet;
 * REASON_CHANGED, _GONE, _UNREADABLE.
 *
 * Files are read for it only where something of that size was imported and is gone since, or, unless copies are imported, where
 * something of that size was imported at all. */
int identity_look(struct work *w, struct err *err);
