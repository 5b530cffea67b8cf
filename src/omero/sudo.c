#include "omero/sudo.h"

#include <string.h>

#include "omero/object.h"
#include "omero/query.h"

enum { CLOSE_TRIES = 5 };
static const int64_t idle_ms = INT64_C(10) * 60 * 1000, life_ms = INT64_C(24) * 3600 * 1000;

static int ask_roles(struct om_client *admin, struct arena *mem, const struct om_sys_roles **out, struct err *err)
{
    const struct ice_proxy *service;

    if (om_client_service(admin, OM_ADMIN, &service, err) < 0 ||
        om_api_iadmin_get_security_roles(&admin->caller, service, mem, out, err) < 0)
        return -1;
    return *out ? 0 : err_set(err, REASON_PROTOCOL, 0, "OMERO does not name its own groups");
}

static void fill_memberships(struct om_user *user, const struct om_sys_roles *roles, const struct om_rows *rows,
                             struct arena *mem)
{
    struct om_group *groups = arena_alloc(mem, rows->n, sizeof(*groups));

    user->main = (struct om_group){.id = -1, .name = ""};
    for (size_t i = 0; i < rows->n; i++) {
        struct om_group g = {.id = om_long(rows, i, 0), .name = om_string(rows, i, 1)};
        bool special = g.id == roles->user_group_id || g.id == roles->system_group_id || g.id == roles->guest_group_id;
        user->active |= g.id == roles->user_group_id;
        user->admin |= g.id == roles->system_group_id;
        user->guest |= g.id == roles->guest_group_id;
        if (!special && user->main.id < 0)
            user->main = g;
        groups[i] = g;
    }
    user->n_groups = rows->n;
    user->groups = groups;
}

static int ask_memberships(struct om_client *admin, struct arena *mem, struct om_user *user, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("o", user->id)};
    const struct om_query q = {.hql = "select g.id, g.name, index(m) from Experimenter e join e.groupExperimenterMap m "
                                      "join m.parent g where e.id = :o order by index(m)",
                               .cols = "lsi",
                               .n_args = 1,
                               .args = args};
    const struct om_sys_roles *roles;
    struct om_rows rows;

    if (ask_roles(admin, mem, &roles, err) < 0 || om_query(admin, &q, mem, &rows, err) < 0)
        return -1;
    user->root = user->id == roles->root_id;
    user->guest = user->id == roles->guest_id;
    fill_memberships(user, roles, &rows, mem);
    return 0;
}

int om_user_find(struct om_client *admin, const char *name, struct arena *mem, struct om_user *out, struct err *err)
{
    const struct om_arg args[] = {om_arg_string("n", name)};
    const struct om_query q = {
        .hql = "select e.id, e.omeName from Experimenter e where e.omeName = :n", .cols = "ls", .n_args = 1, .args = args};
    struct om_rows rows;

    if (om_query(admin, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_ABSENT;

    struct om_user user = {.id = om_long(&rows, 0, 0), .name = om_string(&rows, 0, 1)};

    if (ask_memberships(admin, mem, &user, err) < 0)
        return -1;
    *out = user;
    return 0;
}

int om_group_find(struct om_client *admin, const char *name, struct arena *mem, struct om_group *out, struct err *err)
{
    const struct om_arg args[] = {om_arg_string("n", name)};
    const struct om_query q = {
        .hql = "select g.id, g.name from ExperimenterGroup g where g.name = :n", .cols = "ls", .n_args = 1, .args = args};
    struct om_rows rows;

    if (om_query(admin, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_ABSENT;
    *out = (struct om_group){.id = om_long(&rows, 0, 0), .name = om_string(&rows, 0, 1)};
    return 0;
}

const struct om_group *om_user_group(const struct om_user *user, const char *name)
{
    for (size_t i = 0; i < user->n_groups; i++)
        if (strcmp(user->groups[i].name, name) == 0)
            return &user->groups[i];
    return NULL;
}

/* Each closing takes one reference away; at 0 the session is gone. */
static void close_by_uuid(struct om_client *admin, const char *uuid)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_session *session = om_object_new(mem, &om_session_class);
    const struct ice_proxy *service;
    struct err err;
    int32_t left = 1;

    session->uuid = om_rstring(mem, uuid);
    if (om_client_service(admin, OM_SESSIONS, &service, &err) < 0)
        return;
    for (int i = 0; i < CLOSE_TRIES && left > 0; i++)
        if (om_api_isession_close_session(&admin->caller, service, session, mem, &left, &err) < 0)
            return;
}

int om_session_end(struct om_client *c, int64_t number, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_long("s", number)};
    const struct om_query q = {.hql = "select s.uuid from Session s where s.id = :s and s.closed is null",
                               .cols = "s",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 1)
        close_by_uuid(c, om_string(&rows, 0, 0));
    return 0;
}

static int create(struct om_client *admin, const char *user, const char *group, struct arena *mem, const char **uuid,
                  struct err *err)
{
    const struct om_sys_principal principal = {
        .cls = &om_sys_principal_class, .name = user, .group = group ? group : "", .event_type = "User"};
    const struct ice_proxy *service;
    const struct om_session *session;

    if (om_client_service(admin, OM_SESSIONS, &service, err) < 0 ||
        om_api_isession_create_session_with_timeouts(&admin->caller, service, &principal, life_ms, idle_ms, mem, &session, err) <
            0)
        return -1;
    if (!session || !session->uuid)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO made a session without a name");
    *uuid = session->uuid->val;
    return 0;
}

/* A server answers "Error creating session." when the group is unknown to it. */
static int name_it(const char *user, const char *group, const struct ice_class *fault, struct err *err)
{
    bool unknown = fault && ice_class_is_a(fault, &om_authentication_exception_class) && err->why == REASON_LOGIN;

    if (unknown)
        err_set(err, group && group[0] ? REASON_NO_GROUP : REASON_NO_USER, 0, "OMERO cannot make such a session");
    return err_prefix(err, "session of %s in group '%s': ", user, group && group[0] ? group : "(default)");
}

int om_sudo_open(struct om_client *admin, const char *user, const char *group, struct om_client **out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const char *uuid = NULL;

    if (create(admin, user, group, mem, &uuid, err) < 0)
        return name_it(user, group, admin->fault, err);
    if (om_client_join(out, admin->server, uuid, err) < 0) {
        close_by_uuid(admin, uuid);
        return name_it(user, group, NULL, err);
    }
    (*out)->bound = !admin->who.may_sudo;
    return 0;
}

void om_sudo_close(struct om_client *admin, struct om_client *c)
{
    if (!c)
        return;

    AUTO(mem_freep) char *uuid = mem_str(c->uuid);

    om_client_close(c);
    if (!admin->dead)
        close_by_uuid(admin, uuid);
    explicit_bzero(uuid, strlen(uuid));
}
