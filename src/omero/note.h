/* Annotations on the wire. */
#pragma once

#include "omero/annotate.h"

/* An annotation that exists, by its id. */
const struct om_annotation *om_note_object(struct arena *mem, const struct om_note_ref *note) ATTR_MUST_USE;

/* Save a new annotation and its link to this parent in one transaction: an answer that is lost leaves both or neither.  `*out` is
 * the annotation's number. */
int om_note_new(struct om_client *c, enum om_parent kind, int64_t parent, const struct om_annotation *note, int64_t *out,
                struct err *err);
