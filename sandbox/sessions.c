/* ISession: sessions for others, and their end. */
#include <string.h>

#include "sandbox/objects.h"
#include "sandbox/people.h"

static const struct om_session *session_object(struct call *c, const struct session *s)
{
    return (const struct om_session *)object_load(c, entity_by_name("Session"), s->id);
}

static int throw_session(struct call *c, const struct ice_class *cls, const char *reason)
{
    struct om_glacier2_cannot_create_session_exception *e = arena_alloc(c->mem, 1, cls->size);

    e->cls = cls;
    e->reason = reason;
    c->status = ICE_USER_EXCEPTION;
    c->exception = (const struct ice_object *)e;
    return -1;
}

static bool has_sudo(struct call *c)
{
    const char *some =
        store_text(c->server->store, c->mem, "select privileges from Experimenter where id = ?", "i", c->session->user);

    return c->viewer->admin && (!some || strstr(some, "Sudo"));
}

static int check_sudo(struct call *c, int64_t user, int64_t group)
{
    const struct viewer_group *g = viewer_group(c->viewer, group);
    bool leads =
        g && g->leader &&
        store_long(c->server->store, 0, "select 1 from GroupExperimenterMap where parent = ? and child = ?", "ii", group, user);

    if (has_sudo(c) || leads)
        return 0;
    return call_throw(c, &om_security_violation_class, "Group sudo is not permitted for group %s (gid=%lld)", g ? g->name : "",
                      (long long)group);
}

static bool is_default(const char *group)
{
    return group[0] == '\0' || strcmp(group, "user") == 0;
}

static int make(struct call *c, const struct om_sys_principal *p, int64_t life_ms, int64_t idle_ms, const struct om_session **out)
{
    struct store *s = c->server->store;
    int64_t user = p ? people_find(s, p->name) : -1, group;

    if (!p)
        return call_throw(c, &om_api_usage_exception_class, "Principal may not be null");
    if (user < 0 && is_default(p->group))
        return throw_session(c, &om_authentication_exception_class, "Error creating session.");
    if (user < 0)
        return call_throw(c, &om_removed_session_exception_class, "Cannot find a user with name %s", p->name);
    group = !is_default(p->group) ? people_group(s, p->group) : people_default_group(s, user);
    if (group < 0)
        return throw_session(c, &om_authentication_exception_class, "Error creating session.");
    if (check_sudo(c, user, group) < 0)
        return -1;

    struct session *made =
        session_make(c->server, user, group, c->session->user, "OMERO.sudo", NULL, p->event_type, life_ms, idle_ms);

    made->reused = true;
    *out = session_object(c, made);
    return 0;
}

static int create_with_timeouts(struct call *c)
{
    const struct om_api_isession_create_session_with_timeouts_in *in = c->in;
    struct om_api_isession_create_session_with_timeouts_out *out = c->out;

    return make(c, in->principal, in->time_to_live_milliseconds, in->time_to_idle_milliseconds, &out->ret);
}

static int create_with_timeout(struct call *c)
{
    const struct om_api_isession_create_session_with_timeout_in *in = c->in;
    struct om_api_isession_create_session_with_timeout_out *out = c->out;

    return make(c, in->principal, in->time_to_live_milliseconds, 0, &out->ret);
}

static int create_user_session(struct call *c)
{
    const struct om_api_isession_create_user_session_in *in = c->in;
    struct om_api_isession_create_user_session_out *out = c->out;
    int64_t group = in->default_group[0] ? people_group(c->server->store, in->default_group) : c->session->group;

    if (c->session->reused)
        return call_throw(c, &om_security_violation_class, "Bad authentication credentials for this action.");
    if (group < 0)
        return throw_session(c, &om_authentication_exception_class, "Error creating session.");
    out->ret = session_object(c, session_make(c->server, c->session->user, group, -1, "OMERO.user", NULL, "User",
                                              in->time_to_live_milliseconds, in->time_to_idle_milliseconds));
    return 0;
}

static int close_session(struct call *c)
{
    enum { GONE = -2 };
    const struct om_api_isession_close_session_in *in = c->in;
    struct om_api_isession_close_session_out *out = c->out;
    struct session *s = in->sess && in->sess->uuid ? session_find(c->server, in->sess->uuid->val) : NULL;

    if (s && s->user != c->session->user && s->sudoer != c->session->user && !c->viewer->full)
        return call_throw(c, &om_security_violation_class, "Not permitted to close session %s", s->uuid);
    out->ret = s ? session_leave(c->server, s, true) : GONE;
    return 0;
}

static int get_session(struct call *c)
{
    const struct om_api_isession_get_session_in *in = c->in;
    const struct session *s = session_find(c->server, in->session_uuid);

    if (!s)
        return call_throw(c, &om_removed_session_exception_class, "No context for %s", in->session_uuid);
    ((struct om_api_isession_get_session_out *)c->out)->ret = session_object(c, s);
    return 0;
}

static const struct handler handlers[] = {
    {&om_api_isession_create_session_with_timeouts_op, create_with_timeouts},
    {&om_api_isession_create_session_with_timeout_op, create_with_timeout},
    {&om_api_isession_create_user_session_op, create_user_session},
    {&om_api_isession_close_session_op, close_session},
    {&om_api_isession_get_session_op, get_session},
};
const struct kind sessions_kind = {.name = "omero.api.ISession",
                                   .types = "::omero::api::ISession ::omero::api::ServiceInterface",
                                   .handlers = handlers,
                                   .n = ARRAY_LEN(handlers)};
