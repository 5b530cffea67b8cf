/* What a dataset or a screen says of itself. */
#include <string.h>

#include "omero/object.h"
#include "omero/save.h"

static const char *description_of(const struct om_iobject *o)
{
    const struct om_rstring *s = o->cls == &om_screen_class ? ((const struct om_screen *)o)->description
                                                            : ((const struct om_dataset *)o)->description;

    return s ? s->val : "";
}

static const struct om_iobject *described(struct arena *mem, const struct om_iobject *o, const char *text)
{
    if (o->cls == &om_screen_class) {
        struct om_screen *s = arena_alloc(mem, 1, sizeof(*s));

        *s = *(const struct om_screen *)o;
        s->description = om_rstring(mem, text);
        return (const struct om_iobject *)s;
    }

    struct om_dataset *d = arena_alloc(mem, 1, sizeof(*d));

    *d = *(const struct om_dataset *)o;
    d->description = om_rstring(mem, text);
    return (const struct om_iobject *)d;
}

int om_target_describe(struct om_client *c, enum om_parent kind, int64_t id, const char *old, const char *text,
                       struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_class *cls = kind == OM_SCREEN ? &om_screen_class : &om_dataset_class;
    struct om_api_iobject_list found;

    if (om_load_all(c, arena_printf(mem, "select a from %s a where a.id in (:ids)", om_parent_name(kind)), &id, 1, mem, &found,
                    err) < 0)
        return -1;
    if (found.n == 0)
        return OM_STALE;
    if (!found.at[0] || found.at[0]->cls != cls || !found.at[0]->loaded)
        return err_set(err, REASON_PROTOCOL, 0, "%s:%lld came as %s", om_parent_name(kind), (long long)id,
                       found.at[0] ? found.at[0]->cls->id : "nothing");
    if (strcmp(description_of(found.at[0]), text) == 0)
        return 0;
    if (strcmp(description_of(found.at[0]), old) != 0)
        return OM_STALE;

    const struct om_iobject *o = described(mem, found.at[0], text);
    int r = om_save_again(c, &o, 1, err);

    return r <= 0 ? r : err_set(err, REASON_SERVER_BUSY, 0, "%s:%lld was changed meanwhile", om_parent_name(kind), (long long)id);
}
