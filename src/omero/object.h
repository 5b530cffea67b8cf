/* Making OMERO's values: model objects and the boxed types (RLong, RString ...). */
#pragma once

#include "base/mem.h"
#include "model/types.h"

/* A new object as the official clients make them: loaded, every collection loaded and empty. */
void *om_object_new(struct arena *mem, const struct ice_class *cls) ATTR_MUST_USE;
/* An object that stands for one on the server: its id only. */
void *om_object_ref(struct arena *mem, const struct ice_class *cls, int64_t id) ATTR_MUST_USE;

const struct om_rlong *om_rlong(struct arena *mem, int64_t v) ATTR_MUST_USE;
const struct om_rint *om_rint(struct arena *mem, int32_t v) ATTR_MUST_USE;
const struct om_rbool *om_rbool(struct arena *mem, bool v) ATTR_MUST_USE;
const struct om_rstring *om_rstring(struct arena *mem, const char *v) ATTR_MUST_USE; /* a copy; NULL gives NULL */

/* The id of an object, or -1 where there is none. */
int64_t om_object_id(const struct om_iobject *o);
