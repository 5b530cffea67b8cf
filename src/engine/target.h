/* What a card's directory is in OMERO: a dataset for its images, a screen for its plates. */
#pragma once

#include "engine/inside.h"
#include "omero/container.h"

/* Make sure that it exists and that the session's user may put images there; `*d` is read again from the ledger.  The makers'
 * lock of the session is held by the caller.
 *
 * Made before: it must still be there with the same owner and group, on the same server (REASON_TARGET_GONE), and the card
 * must name the same project, user and group as then (REASON_TARGET_MOVED).  Else it is looked for by the uuid in its
 * provenance, since an earlier run may have made it without living to write that down, and made in the card's project.  Never
 * found by its name. */
int target_need(struct engine *e, struct session *s, int64_t dataset, struct arena *a, const struct ledger_dataset **d,
                struct err *err);

/* The map of provenance: uuid, ledger, root, path. */
#define SOURCE_NS "impomero/source"
enum { SOURCE_PAIRS = 4 };
void target_source(const struct ledger_dataset *d, const char *ledger_uuid, struct arena *a, struct om_pair out[SOURCE_PAIRS]);
/* Bring a map of provenance up to date.  A pair that is not ours stays. */
int target_source_rewrite(struct om_client *c, const struct ledger_dataset *d, const char *ledger_uuid, int64_t map,
                          struct arena *a, struct err *err);
/* After its directory or root was renamed: the map that the card's user has there, if it is there still. */
int target_source_follow(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a,
                         struct err *err);
/* The description that it was given, where it still stands, follows its directory and the card's title. */
int target_describe(struct engine *e, struct om_client *c, const struct ledger_dataset *d, struct arena *a, struct err *err);
/* The kind of object that a row of the ledger stands for. */
enum om_parent target_kind(const struct ledger_dataset *d);
/* For people: where it comes from, and the card's title. */
char *target_description(const struct ledger_dataset *d, struct arena *a) ATTR_MUST_USE;
