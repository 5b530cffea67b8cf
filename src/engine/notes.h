/* The card's annotations in OMERO: one map, one comment, tags; made once and linked to the dataset and its images. */
#pragma once

#include "engine/inside.h"
#include "omero/annotate.h"

/* What follows a changed card with its dataset or screen: the images of the one, the plates of the other (never the thousands of
 * their wells).  None where only the dataset or screen is concerned. */
struct notes_images {
    const int64_t *ids;
    size_t n;
    size_t n_sharing; /* the first of them: those with no map of their own (own.h) */
};
enum om_parent notes_part(const struct ledger_dataset *d); /* OM_IMAGE or OM_PLATE */

/* Bring the dataset, its annotations and these images from the revision that was applied last (none: from nothing) to the wanted
 * one, and write the new list of annotations to `notes` (in the arena).  The makers' lock is held by the caller.
 * - What is there is rewritten, three-way: what people changed stays (pairs_merge).
 * - What the card did not have before is linked to the dataset and the images.
 * - What was deleted in OMERO is made anew and linked to the dataset, never to images from which it was removed.
 * - Of what the card has no more, the links that the card's user owns are removed; a map or comment in which people wrote stays
 *   with what they wrote.
 * `*touched` says whether anything in OMERO or in the list is new. */
int notes_apply(struct engine *e, struct session *s, const struct ledger_dataset *d, const struct notes_images *images,
                struct arena *a, const struct ledger_note **notes, size_t *n, bool *touched, struct err *err);

/* Link new plates of a screen to the annotations that its card has; those that were deleted in OMERO are left out. */
int notes_link_plates(struct engine *e, struct session *s, const struct ledger_dataset *d, const int64_t *plates, size_t n,
                      struct err *err);

/* As they ride along with an import; `map`: the one map as well, for images that get none of their own. */
const struct om_note_ref *notes_refs(const struct ledger_note *notes, size_t n, bool map, struct arena *a, size_t *n_refs);

/* What the settings say of a root: of the card's map and comment, and whether new images get maps of their own. */
const char *notes_namespace(const struct settings *s, const char *root_path);
bool notes_each(const struct settings *s, const char *root_path);
