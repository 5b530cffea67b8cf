#include "omero/save.h"

#include <string.h>

#include "base/ceilings.h"
#include "omero/object.h"

int om_save_all(struct om_client *c, const struct om_iobject *const *objects, size_t n, int64_t *ids, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_api_iobject_list list = {.n = n, .at = objects};
    const struct ice_proxy *update;
    struct om_sys_long_list saved;

    if (om_client_service(c, OM_UPDATE, &update, err) < 0 ||
        om_api_iupdate_save_and_return_ids(&c->caller, update, list, mem, &saved, err) < 0)
        return -1;
    if (saved.n != n)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO saved %zu of %zu objects", saved.n, n);
    if (ids)
        memcpy(ids, saved.at, n * sizeof(*ids));
    return 0;
}

int om_save_one(struct om_client *c, const struct om_iobject *o, int64_t *id, struct err *err)
{
    return om_save_all(c, &o, 1, id, err);
}

int om_load_all(struct om_client *c, const char *hql, const int64_t *ids, size_t n, struct arena *mem,
                struct om_api_iobject_list *out, struct err *err)
{
    const struct om_arg arg = om_arg_longs("ids", ids, n);
    const struct om_query q = {.hql = hql, .n_args = 1, .args = &arg};
    struct om_sys_parameters params;
    const struct ice_proxy *query;

    if (om_query_parameters(&q, mem, &params, err) < 0 || om_client_service(c, OM_QUERY, &query, err) < 0)
        return -1;
    return om_api_iquery_find_all_by_query(&c->caller, query, hql, &params, mem, out, err);
}

int om_save_again(struct om_client *c, const struct om_iobject *const *objects, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *update;

    if (om_client_service(c, OM_UPDATE, &update, err) < 0)
        return -1;
    if (om_api_iupdate_save_array(&c->caller, update, (struct om_api_iobject_list){.n = n, .at = objects}, mem, err) == 0)
        return 0;
    return c->fault && ice_class_is_a(c->fault, &om_optimistic_lock_exception_class) ? OM_STALE : -1;
}

struct om_api_named_value_list om_named_values(struct arena *mem, const struct om_pair *pairs, size_t n)
{
    struct om_named_value *values = arena_alloc(mem, n, sizeof(*values));
    const struct om_named_value **list = arena_alloc(mem, n, sizeof(struct om_named_value *));

    for (size_t i = 0; i < n; i++) {
        values[i] = (struct om_named_value){.cls = &om_named_value_class, .name = pairs[i].key, .value = pairs[i].value};
        list[i] = &values[i];
    }
    return (struct om_api_named_value_list){.n = n, .at = list};
}

const struct om_map_annotation *om_map_object(struct arena *mem, const char *ns, const struct om_pair *pairs, size_t n)
{
    struct om_map_annotation *map = om_object_new(mem, &om_map_annotation_class);

    map->ns = om_rstring(mem, ns);
    map->map_value = om_named_values(mem, pairs, n);
    return map;
}

int om_pairs_check(const struct om_pair *pairs, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(pairs[i].key) > OM_PAIR_MAX || strlen(pairs[i].value) > OM_PAIR_MAX)
            return err_set(err, REASON_TOO_LONG, 0, "key-value pair %zu ('%.40s') is over %u bytes", i + 1, pairs[i].key,
                           OM_PAIR_MAX);
    return 0;
}
