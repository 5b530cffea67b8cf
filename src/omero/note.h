/* Annotations on the wire. */
#pragma once

#include "omero/annotate.h"

/* An annotation that exists, by its id. */
const struct om_annotation *om_note_object(struct arena *mem, const struct om_note_ref *note) ATTR_MUST_USE;
