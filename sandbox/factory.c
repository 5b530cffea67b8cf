/* The ServiceFactory (a session's own object), and the services that have next to nothing to say. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/command.h"
#include "sandbox/objects.h"

/* --- services: one servant a client and kind --- */

static const struct {
    const struct ice_op *op;
    const struct kind *kind;
} getters[] = {
    {&om_api_service_factory_get_query_service_op, &query_kind},
    {&om_api_service_factory_get_update_service_op, &update_kind},
    {&om_api_service_factory_get_admin_service_op, &admin_kind},
    {&om_api_service_factory_get_session_service_op, &sessions_kind},
    {&om_api_service_factory_get_config_service_op, &config_kind},
    {&om_api_service_factory_get_container_service_op, &container_kind},
    {&om_api_service_factory_get_types_service_op, &types_kind},
    {&om_api_service_factory_shared_resources_op, &resources_kind},
};

/* Every getter's result has this form. */
struct got {
    const struct ice_proxy *ret;
};

static int give(struct call *c, const struct kind *kind)
{
    AUTO(mem_freep) char *name =
        mem_printf("%s%s", c->servant->category + strlen("session-"), kind->name);
    struct servant *v = c->session->servants;

    while (v && (v->kind != kind || strcmp(v->name, name) != 0))
        v = v->next;
    if (!v)
        v = servant_add(c->server, c->session, kind, name, c->session->uuid, NULL);
    ((struct got *)c->out)->ret = call_proxy(c, v);
    return 0;
}

static int get_service(struct call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(getters); i++)
        if (getters[i].op == c->handler->op)
            return give(c, getters[i].kind);
    return -1;
}

/* --- stateful services by name --- */

static int active_services(struct call *c)
{
    struct om_api_service_factory_active_services_out *out = c->out;
    size_t n = 0;

    for (const struct servant *v = c->session->servants; v; v = v->next)
        n += v->kind->stateful;

    const char **names = arena_alloc(c->mem, n, sizeof(*names));

    out->ret.at = names;
    for (const struct servant *v = c->session->servants; v; v = v->next)
        if (v->kind->stateful)
            names[out->ret.n++] = arena_str(c->mem, v->name);
    return 0;
}

static int get_by_name(struct call *c)
{
    const struct om_api_service_factory_get_by_name_in *in = c->in;

    for (size_t i = 0; i < ARRAY_LEN(getters); i++)
        if (strcmp(getters[i].kind->name, in->name) == 0)
            return give(c, getters[i].kind);
    for (const struct servant *v = c->session->servants; v; v = v->next)
        if (v->kind->stateful && strcmp(v->name, in->name) == 0) {
            ((struct om_api_service_factory_get_by_name_out *)c->out)->ret = call_proxy(c, v);
            return 0;
        }
    return call_throw(c, &om_api_usage_exception_class, "No such service: %s", in->name);
}

/* --- life --- */

static int keep_alive(struct call *c)
{
    (void)c; /* false for the null proxy: every call keeps the session */
    return 0;
}

static int keep_all_alive(struct call *c)
{
    ((struct om_api_service_factory_keep_all_alive_out *)c->out)->ret = -1;
    return 0;
}

static int detach(struct call *c)
{
    c->session->detach = c->handler->op == &om_api_service_factory_detach_on_destroy_op;
    return 0;
}

static int set_callback(struct call *c)
{
    (void)c; /* a real server never calls it back */
    return 0;
}

static int set_context(struct call *c)
{
    const struct om_api_service_factory_set_security_context_in *in = c->in;
    struct om_api_service_factory_set_security_context_out *out = c->out;
    const struct om_iobject *group = in->obj;

    for (const struct servant *v = c->session->servants; v; v = v->next)
        if (v->kind->stateful)
            return call_throw(c, &om_security_violation_class,
                              "SecurityContext change cancelled: %s has active stateful services", c->session->uuid);
    if (!group || !group->id || !viewer_group(c->viewer, group->id->val))
        return call_throw(c, &om_security_violation_class, "Cannot change to a group that is not there");
    if (!viewer_group(c->viewer, group->id->val)->member && !c->viewer->admin)
        return call_throw(c, &om_security_violation_class, "User %lld is not a member of group %lld and cannot login",
                          (long long)c->session->user, (long long)group->id->val);
    out->ret = object_ref(c->mem, &om_experimenter_group_class, c->session->group);
    c->session->group = group->id->val;
    return 0;
}

static const struct handler factory_handlers[] = {
    {&om_api_service_factory_get_query_service_op, get_service},
    {&om_api_service_factory_get_update_service_op, get_service},
    {&om_api_service_factory_get_admin_service_op, get_service},
    {&om_api_service_factory_get_session_service_op, get_service},
    {&om_api_service_factory_get_config_service_op, get_service},
    {&om_api_service_factory_get_container_service_op, get_service},
    {&om_api_service_factory_get_types_service_op, get_service},
    {&om_api_service_factory_shared_resources_op, get_service},
    {&om_api_service_factory_get_by_name_op, get_by_name},
    {&om_api_service_factory_active_services_op, active_services},
    {&om_api_service_factory_keep_alive_op, keep_alive},
    {&om_api_service_factory_keep_all_alive_op, keep_all_alive},
    {&om_api_service_factory_detach_on_destroy_op, detach},
    {&om_api_service_factory_close_on_destroy_op, detach},
    {&om_api_service_factory_set_callback_op, set_callback},
    {&om_api_service_factory_set_security_context_op, set_context},
    {&om_cmd_session_submit_op, command_submit},
};
const struct kind factory_kind = {.name = "ServiceFactory",
                                  .types = "::omero::api::ServiceFactory ::omero::cmd::Session ::Glacier2::Session",
                                  .handlers = factory_handlers,
                                  .n = ARRAY_LEN(factory_handlers)};

/* --- enumerations --- */

static int all_enumerations(struct call *c)
{
    const struct om_api_itypes_all_enumerations_in *in = c->in;
    const char *dot = strrchr(in->type, '.');
    const struct ice_class *cls = enum_by_name(dot ? dot + 1 : in->type);
    const char *const *values = cls ? enum_values(cls) : NULL;
    const struct om_iobject **list;
    size_t n = 0;

    if (!cls)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and keeps no values of %s", in->type);
    while (values[n])
        n++;
    list = arena_alloc(c->mem, n, sizeof(struct om_iobject *));
    for (size_t i = 0; i < n; i++)
        list[i] = enum_object(c->mem, cls, values[i]);
    ((struct om_api_itypes_all_enumerations_out *)c->out)->ret = (struct om_api_iobject_list){.n = n, .at = list};
    return 0;
}

static const struct handler types_handlers[] = {{&om_api_itypes_all_enumerations_op, all_enumerations}};
const struct kind types_kind = {.name = "omero.api.ITypes",
                                .types = "::omero::api::ITypes ::omero::api::ServiceInterface",
                                .handlers = types_handlers,
                                .n = ARRAY_LEN(types_handlers)};

/* --- configuration --- */

static int get_version(struct call *c)
{
    ((struct om_api_iconfig_get_version_out *)c->out)->ret = "5.6.17";
    return 0;
}

static int get_uuid(struct call *c)
{
    ((struct om_api_iconfig_get_database_uuid_out *)c->out)->ret = c->server->database_uuid;
    return 0;
}

static int get_time(struct call *c)
{
    ((struct om_api_iconfig_get_server_time_out *)c->out)->ret = r_time(c->mem, clock_wall_ms());
    return 0;
}

static int get_value(struct call *c)
{
    static const struct {
        const char *key, *value;
    } values[] = {{"impomero.sandbox", "true"}, {"omero.fs.repo.path", "%user%_%userId%//%year%-%month%/%day%/%time%"}};
    const struct om_api_iconfig_get_config_value_in *in = c->in;

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (strcmp(values[i].key, in->key) == 0) {
            ((struct om_api_iconfig_get_config_value_out *)c->out)->ret = values[i].value;
            return 0;
        }
    if (!c->viewer->admin)
        return call_throw(c, &om_security_violation_class, "Cannot read configuration: %s", in->key);
    return 0;
}

static const struct handler config_handlers[] = {
    {&om_api_iconfig_get_version_op, get_version},
    {&om_api_iconfig_get_database_uuid_op, get_uuid},
    {&om_api_iconfig_get_server_time_op, get_time},
    {&om_api_iconfig_get_database_time_op, get_time},
    {&om_api_iconfig_get_config_value_op, get_value},
};
const struct kind config_kind = {.name = "omero.api.IConfig",
                                 .types = "::omero::api::IConfig ::omero::api::ServiceInterface",
                                 .handlers = config_handlers,
                                 .n = ARRAY_LEN(config_handlers)};
