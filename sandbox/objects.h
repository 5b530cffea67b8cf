/* Rows of the store as objects of OMERO's model, and values wrapped. */
#pragma once

#include "sandbox/call.h"

const struct om_rstring *r_string(struct arena *mem, const char *v); /* NULL gives NULL */
const struct om_rlong *r_long(struct arena *mem, int64_t v);
const struct om_rint *r_int(struct arena *mem, int32_t v);
const struct om_rbool *r_bool(struct arena *mem, bool v);
const struct om_rdouble *r_double(struct arena *mem, double v);
const struct om_rtime *r_time(struct arena *mem, int64_t v);

/* An object of which only the id is said. */
struct om_iobject *object_ref(struct arena *mem, const struct ice_class *cls, int64_t id);
/* A new object with `loaded` set, and its collections marked as loaded and empty. */
void *object_new(struct arena *mem, const struct ice_class *cls);
const struct om_iobject *enum_object(struct arena *mem, const struct ice_class *cls, const char *value); /* NULL for NULL */

/* An object as the store has it: its members, details with owner, group, events and rights; other entities by id only;
 * collections not loaded.  The same instance each time within a call.  NULL when there is none.  Does not look at rights. */
struct om_iobject *object_load(struct call *c, const struct entity *e, int64_t id);
/* Load what hangs on an object, along a path of members: "child.annotationLinks.child". */
void object_fetch(struct call *c, struct om_iobject *o, const char *path);
/* Load for the caller: 0 with *out; -1 and an exception as a real server's when it is not there or not to be seen. */
int object_get(struct call *c, const struct entity *e, int64_t id, struct om_iobject **out);
/* May the caller see it (0)?  -1 and an exception; *owner and *group (may be NULL) are whose it is. */
int object_check(struct call *c, const struct entity *e, int64_t id, int64_t *owner, int64_t *group);

/* The class of an id in a table that several classes share. */
const struct entity *object_entity(struct call *c, const struct entity *e, int64_t id); /* NULL: no such row */
const struct om_permissions *permissions_object(struct call *c, int64_t group, int64_t owner);
