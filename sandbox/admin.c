/* IAdmin: who is who. */
#include <string.h>

#include "sandbox/objects.h"
#include "sandbox/people.h"

enum { MOST_PRIVILEGES = 32 };

/* --- the event context --- */

static struct om_api_string_set privileges_of(struct call *c)
{
    const char *some =
        store_text(c->server->store, c->mem, "select privileges from Experimenter where id = ?", "i", c->session->user);
    const char *const *all = enum_values(&om_admin_privilege_class);
    const char **list = arena_alloc(c->mem, MOST_PRIVILEGES, sizeof(*list));
    struct om_api_string_set set = {.at = list};

    for (; c->viewer->admin && *all && set.n < MOST_PRIVILEGES; all++)
        if (!some || strstr(some, *all))
            list[set.n++] = *all;
    return set;
}

static struct om_sys_long_list led_by(struct call *c)
{
    int64_t *ids = arena_alloc(c->mem, c->viewer->n, sizeof(*ids));
    struct om_sys_long_list list = {.at = ids};

    for (size_t i = 0; i < c->viewer->n; i++)
        if (c->viewer->groups[i].leader)
            ids[list.n++] = c->viewer->groups[i].id;
    return list;
}

static const char *user_name(struct call *c, int64_t id)
{
    return store_text(c->server->store, c->mem, "select omeName from Experimenter where id = ?", "i", id);
}

static int event_context(struct call *c)
{
    struct om_sys_event_context *ec = arena_alloc(c->mem, 1, sizeof(*ec));
    const struct viewer_group *g = viewer_group(c->viewer, c->group == GROUP_ALL ? c->session->group : c->group);
    struct om_permissions *p = arena_alloc(c->mem, 1, sizeof(*p));
    bool sudo = c->session->sudoer >= 0;

    *p = (struct om_permissions){.cls = &om_permissions_class, .perm1 = perms_bits(g->perms)};
    *ec = (struct om_sys_event_context){.cls = &om_sys_event_context_class,
                                        .share_id = -1,
                                        .session_id = c->session->id,
                                        .session_uuid = c->session->uuid,
                                        .user_id = c->session->user,
                                        .user_name = user_name(c, c->session->user),
                                        .sudoer_id = sudo ? r_long(c->mem, c->session->sudoer) : NULL,
                                        .sudoer_name = sudo ? r_string(c->mem, user_name(c, c->session->sudoer)) : NULL,
                                        .group_id = g->id,
                                        .group_name = g->name,
                                        .is_admin = c->viewer->admin,
                                        .admin_privileges = privileges_of(c),
                                        .event_id = -1,
                                        .event_type = c->session->event_type,
                                        .member_of_groups = {.n = c->viewer->n_mine, .at = c->viewer->mine},
                                        .leader_of_groups = led_by(c),
                                        .group_permissions = p};
    ((struct om_api_iadmin_get_event_context_out *)c->out)->ret = ec;
    return 0;
}

static int current_privileges(struct call *c)
{
    struct om_api_string_set mine = privileges_of(c);
    const struct om_admin_privilege **list = arena_alloc(c->mem, mine.n, sizeof(struct om_admin_privilege *));

    for (size_t i = 0; i < mine.n; i++)
        list[i] = (const struct om_admin_privilege *)enum_object(c->mem, &om_admin_privilege_class, mine.at[i]);
    ((struct om_api_iadmin_get_current_admin_privileges_out *)c->out)->ret =
        (struct om_api_admin_privilege_list){.n = mine.n, .at = list};
    return 0;
}

static int security_roles(struct call *c)
{
    static const struct om_sys_roles roles = {.cls = &om_sys_roles_class,
                                              .root_id = USER_ROOT,
                                              .root_name = "root",
                                              .system_group_id = GROUP_SYSTEM,
                                              .system_group_name = "system",
                                              .user_group_id = GROUP_USER,
                                              .user_group_name = "user",
                                              .guest_id = USER_GUEST,
                                              .guest_name = "guest",
                                              .guest_group_id = GROUP_GUEST,
                                              .guest_group_name = "guest"};

    ((struct om_api_iadmin_get_security_roles_out *)c->out)->ret = &roles;
    return 0;
}

/* --- looking up --- */

static const void *load_group(struct call *c, int64_t id)
{
    struct om_iobject *g = object_load(c, entity_by_name("ExperimenterGroup"), id);

    if (g)
        object_fetch(c, g, "groupExperimenterMap.child");
    return g;
}

static const void *load_user(struct call *c, int64_t id)
{
    struct om_iobject *e = object_load(c, entity_by_name("Experimenter"), id);

    if (e)
        object_fetch(c, e, "groupExperimenterMap.parent");
    return e;
}

static int lookup_group(struct call *c)
{
    const struct om_api_iadmin_lookup_group_in *in = c->in;
    int64_t id = people_group(c->server->store, in->name);

    if (id < 0)
        return call_throw(c, &om_api_usage_exception_class, "No such group: %s", in->name);
    ((struct om_api_iadmin_lookup_group_out *)c->out)->ret = load_group(c, id);
    return 0;
}

static int get_group(struct call *c)
{
    const struct om_api_iadmin_get_group_in *in = c->in;
    const void *group = load_group(c, in->id);

    if (!group)
        return call_throw(c, &om_api_usage_exception_class, "No such group: %lld", (long long)in->id);
    ((struct om_api_iadmin_get_group_out *)c->out)->ret = group;
    return 0;
}

static int lookup_experimenter(struct call *c)
{
    const struct om_api_iadmin_lookup_experimenter_in *in = c->in;
    int64_t id = people_find(c->server->store, in->name);

    if (id < 0)
        return call_throw(c, &om_api_usage_exception_class, "No such experimenter: %s", in->name);
    ((struct om_api_iadmin_lookup_experimenter_out *)c->out)->ret = load_user(c, id);
    return 0;
}

static int get_experimenter(struct call *c)
{
    const struct om_api_iadmin_get_experimenter_in *in = c->in;
    const void *user = load_user(c, in->id);

    if (!user)
        return call_throw(c, &om_api_usage_exception_class, "No such experimenter: %lld", (long long)in->id);
    ((struct om_api_iadmin_get_experimenter_out *)c->out)->ret = user;
    return 0;
}

static int default_group(struct call *c)
{
    const struct om_api_iadmin_get_default_group_in *in = c->in;

    ((struct om_api_iadmin_get_default_group_out *)c->out)->ret =
        load_group(c, people_default_group(c->server->store, in->experimenter_id));
    return 0;
}

/* --- making --- */

static int must_be_admin(struct call *c)
{
    const struct viewer_group *g = viewer_group(c->viewer, c->session->group);

    if (c->viewer->full)
        return 0;
    return call_throw(c, &om_security_violation_class, "No matching roles found in [%s, user] for session %s (allowed: [system])",
                      g ? g->name : "", c->session->uuid);
}

static int taken(struct call *c, const char *class, const char *name)
{
    return call_throw(c, &om_validation_exception_class, "could not insert: [ome.model.meta.%s]; '%s' is there already", class,
                      name);
}

static int create_group(struct call *c)
{
    const struct om_experimenter_group *g = ((const struct om_api_iadmin_create_group_in *)c->in)->group;
    const struct om_permissions *p = g && g->details ? g->details->permissions : NULL;

    if (must_be_admin(c) < 0)
        return -1;
    if (!g || !g->name)
        return call_throw(c, &om_api_usage_exception_class, "A group must have a name");

    int64_t id = people_add_group(c->server->store, g->name->val, p ? perms_text(c->mem, p->perm1) : "rw----");

    if (id < 0)
        return taken(c, "ExperimenterGroup", g->name->val);
    ((struct om_api_iadmin_create_group_out *)c->out)->ret = id;
    return 0;
}

static const char *text_of(const struct om_rstring *s)
{
    return s ? s->val : "";
}

static int create_experimenter(struct call *c)
{
    const struct om_api_iadmin_create_experimenter_with_password_in *in = c->in;
    struct store *s = c->server->store;
    const struct om_experimenter *e = in->user;

    if (must_be_admin(c) < 0)
        return -1;
    if (!e || !e->ome_name || !in->default_group || !in->default_group->id)
        return call_throw(c, &om_api_usage_exception_class, "A user must have a name and a group");

    int64_t id = people_add_user(s, e->ome_name->val, text_of(e->first_name), text_of(e->last_name), text_of(in->password), NULL);

    if (id < 0)
        return taken(c, "Experimenter", e->ome_name->val);
    people_add_member(s, in->default_group->id->val, id);
    for (size_t i = 0; i < in->groups.n; i++)
        if (in->groups.at[i] && in->groups.at[i]->id)
            people_add_member(s, in->groups.at[i]->id->val, id);
    ((struct om_api_iadmin_create_experimenter_with_password_out *)c->out)->ret = id;
    return 0;
}

static const struct handler handlers[] = {
    {&om_api_iadmin_get_event_context_op, event_context},
    {&om_api_iadmin_get_security_roles_op, security_roles},
    {&om_api_iadmin_get_current_admin_privileges_op, current_privileges},
    {&om_api_iadmin_lookup_group_op, lookup_group},
    {&om_api_iadmin_get_group_op, get_group},
    {&om_api_iadmin_lookup_experimenter_op, lookup_experimenter},
    {&om_api_iadmin_get_experimenter_op, get_experimenter},
    {&om_api_iadmin_get_default_group_op, default_group},
    {&om_api_iadmin_create_group_op, create_group},
    {&om_api_iadmin_create_experimenter_with_password_op, create_experimenter},
};
const struct kind admin_kind = {.name = "omero.api.IAdmin",
                                .types = "::omero::api::IAdmin ::omero::api::ServiceInterface",
                                .handlers = handlers,
                                .n = ARRAY_LEN(handlers)};
