/* Saving: what containers, annotations and links share. */
#pragma once

#include "omero/container.h"

/* Save one graph and learn the id of its root. */
int om_save_one(struct om_client *c, const struct om_iobject *o, int64_t *id, struct err *err);
/* Save many in one transaction; `ids` has n places, or is NULL. */
int om_save_all(struct om_client *c, const struct om_iobject *const *objects, size_t n, int64_t *ids, struct err *err);

/* Objects that are loaded whole, by numbers: `:ids` in the text.  Those that are not there, or not seen, are missing. */
int om_load_all(struct om_client *c, const char *hql, const int64_t *ids, size_t n, struct arena *mem,
                struct om_api_iobject_list *out, struct err *err);
/* Save objects that were loaded, which saveAndReturnIds refuses.  0, or OM_STALE: one of them was changed since. */
int om_save_again(struct om_client *c, const struct om_iobject *const *objects, size_t n, struct err *err);

/* A new MapAnnotation, and its list of pairs. */
const struct om_map_annotation *om_map_object(struct arena *mem, const char *ns, const struct om_pair *pairs, size_t n);
struct om_api_named_value_list om_named_values(struct arena *mem, const struct om_pair *pairs, size_t n);
/* REASON_TOO_LONG for a key or value over OM_PAIR_MAX bytes. */
int om_pairs_check(const struct om_pair *pairs, size_t n, struct err *err);
