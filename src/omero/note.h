/* Annotations on the wire. */
#pragma once

#include "omero/annotate.h"

/* An annotation that exists, by its id. */
const struct om_annotation *om_note_object(struct arena *mem, const struct om_note_ref *note) ATTR_MUST_USE;

/* A new link from a parent, which may be new as well, to an annotation. */
const struct om_iobject *om_note_link(struct arena *mem, enum om_parent kind, const struct om_iobject *parent,
                                      const struct om_annotation *child) ATTR_MUST_USE;

/* Save new annotations, each with its link to the parent of its place, in one transaction: an answer that is lost leaves all or
 * none.  `out` has n places, for the annotations' numbers. */
int om_notes_new(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n,
                 const struct om_annotation *const *annotations, int64_t *out, struct err *err);
