/* IUpdate: saving. */
#include "sandbox/save.h"

static int save_list(struct call *c, const struct om_api_iobject_list *list)
{
    struct saver *saver = NULL;

    for (size_t i = 0; i < list->n; i++)
        if (save_graph(c, &saver, list->at[i]) < 0)
            return -1;
    return 0;
}

static int save_object(struct call *c)
{
    struct saver *saver = NULL;

    return save_graph(c, &saver, ((const struct om_api_iupdate_save_object_in *)c->in)->obj);
}

static int save_and_return_object(struct call *c)
{
    const struct om_iobject *o = ((const struct om_api_iupdate_save_and_return_object_in *)c->in)->obj;
    struct saver *saver = NULL;

    ((struct om_api_iupdate_save_and_return_object_out *)c->out)->ret = o;
    return save_graph(c, &saver, o);
}

static int save_array(struct call *c)
{
    return save_list(c, &((const struct om_api_iupdate_save_array_in *)c->in)->graph);
}

static int save_collection(struct call *c)
{
    return save_list(c, &((const struct om_api_iupdate_save_collection_in *)c->in)->objs);
}

static int save_and_return_array(struct call *c)
{
    const struct om_api_iobject_list *list = &((const struct om_api_iupdate_save_and_return_array_in *)c->in)->graph;

    ((struct om_api_iupdate_save_and_return_array_out *)c->out)->ret = *list;
    return save_list(c, list);
}

static int save_and_return_ids(struct call *c)
{
    const struct om_api_iobject_list *list = &((const struct om_api_iupdate_save_and_return_ids_in *)c->in)->graph;
    int64_t *ids = arena_alloc(c->mem, list->n, sizeof(*ids));

    for (size_t i = 0; i < list->n; i++)
        if (list->at[i] && list->at[i]->loaded && list->at[i]->id)
            return call_throw(c, &om_api_usage_exception_class,
                              "INSERTs only! Pass only new objects, enums, or unloaded objects to this method.");
    if (save_list(c, list) < 0)
        return -1;
    for (size_t i = 0; i < list->n; i++)
        ids[i] = list->at[i]->id->val;
    ((struct om_api_iupdate_save_and_return_ids_out *)c->out)->ret = (struct om_sys_long_list){.n = list->n, .at = ids};
    return 0;
}

static const struct handler handlers[] = {
    {&om_api_iupdate_save_object_op, save_object},
    {&om_api_iupdate_save_and_return_object_op, save_and_return_object},
    {&om_api_iupdate_save_array_op, save_array},
    {&om_api_iupdate_save_collection_op, save_collection},
    {&om_api_iupdate_save_and_return_array_op, save_and_return_array},
    {&om_api_iupdate_save_and_return_ids_op, save_and_return_ids},
};
const struct kind update_kind = {.name = "omero.api.IUpdate",
                                 .types = "::omero::api::IUpdate ::omero::api::ServiceInterface",
                                 .handlers = handlers,
                                 .n = ARRAY_LEN(handlers)};
