/* Glacier2: logging in and out, and the table of proxies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"
#include "sandbox/people.h"

enum { TIMEOUT_S = 600, IDLE_MS = 600000 };

/* --- refusals --- */

static int refuse(struct call *c, const struct ice_object *exception)
{
    c->status = ICE_USER_EXCEPTION;
    c->exception = exception;
    return -1;
}

int call_deny(struct call *c, const char *reason)
{
    struct om_glacier2_permission_denied_exception *e = arena_alloc(c->mem, 1, sizeof(*e));

    *e =
        (struct om_glacier2_permission_denied_exception){.cls = &om_glacier2_permission_denied_exception_class, .reason = reason};
    return refuse(c, (const struct ice_object *)e);
}

static int cannot_create(struct call *c, const char *reason)
{
    struct om_glacier2_cannot_create_session_exception *e = arena_alloc(c->mem, 1, sizeof(*e));

    *e = (struct om_glacier2_cannot_create_session_exception){.cls = &om_glacier2_cannot_create_session_exception_class,
                                                              .reason = reason};
    return refuse(c, (const struct ice_object *)e);
}

int call_wrap(struct call *c, const char *type, const char *reason)
{
    struct om_wrapped_create_session_exception *e = arena_alloc(c->mem, 1, sizeof(*e));

    *e = (struct om_wrapped_create_session_exception){
        .cls = &om_wrapped_create_session_exception_class, .reason = reason, .back_off = -1, .type = type};
    return refuse(c, (const struct ice_object *)e);
}

/* --- logging in --- */

static int adopt(struct call *c, struct session *session, const char *client_uuid)
{
    struct conn *conn = c->conn;
    AUTO(mem_freep) char *category = mem_printf("session-%s", client_uuid);
    struct om_glacier2_router_create_session_out *out = c->out;

    snprintf(conn->client_uuid, sizeof(conn->client_uuid), "%s", client_uuid);
    conn->session = session;
    session_hold(session);
    out->ret = call_proxy(c, servant_add(c->server, session, &factory_kind, session->uuid, category, NULL));
    return 0;
}

static int join(struct call *c, const char *uuid, const char *password, const char *client_uuid)
{
    struct session *session = session_find(c->server, uuid);

    if (strcmp(uuid, password) != 0)
        return call_deny(c, "username and password must be equal; use joinSession");
    if (!session)
        return call_deny(c, arena_printf(c->mem, "Password check failed for '%s': []", uuid));

    const struct viewer *v = viewer_load(c->server->store, c->mem, session->user, session->group);
    const struct viewer_group *g = viewer_group(v, session->group);

    if (!v->admin && (!g || !g->member))
        return call_wrap(c, "omero.SecurityViolation",
                       arena_printf(c->mem, "User %lld is not a member of group %lld and cannot login", (long long)session->user,
                                    (long long)session->group));
    session->refs++;
    session->reused = true;
    return adopt(c, session, client_uuid);
}

static bool looks_like_uuid(const char *text)
{
    return strlen(text) == UUID_TEXT - 1 && strspn(text, "0123456789abcdefABCDEF-") == UUID_TEXT - 1;
}

static int make(struct call *c, const char *user, const char *password, const char *client_uuid)
{
    int64_t id = people_login(c->server->store, user, password), group;
    const char *wanted = call_context(c, "omero.group"), *agent = call_context(c, "omero.agent");

    if (id < 0) {
        int64_t known = people_find(c->server->store, user);
        const char *shown = known < 0 ? arena_str(c->mem, "[]") : arena_printf(c->mem, "[id=%lld]", (long long)known);
        return call_deny(c, arena_printf(c->mem, "Password check failed for '%s': %s", user, shown));
    }
    group = wanted && wanted[0] ? people_group(c->server->store, wanted) : people_default_group(c->server->store, id);
    if (group < 0)
        return call_wrap(c, "omero.ApiUsageException", arena_printf(c->mem, "No such group: %s", wanted ? wanted : ""));

    const struct viewer *v = viewer_load(c->server->store, c->mem, id, group);
    const struct viewer_group *g = viewer_group(v, group);

    if (!v->admin && (!g || !g->member))
        return call_wrap(
            c, "omero.SecurityViolation",
            arena_printf(c->mem, "User %lld is not a member of group %lld and cannot login", (long long)id, (long long)group));
    return adopt(
        c, session_make(c->server, id, group, -1, agent, call_context(c, "omero.ip"), call_context(c, "omero.event"), 0, IDLE_MS),
        client_uuid);
}

static int create_session(struct call *c)
{
    const struct om_glacier2_router_create_session_in *in = c->in;
    const char *client_uuid = call_context(c, "omero.client.uuid");

    if (c->conn->session)
        return cannot_create(c, "session exists");
    if (!client_uuid || !client_uuid[0])
        return call_wrap(c, "omero.ApiUsageException", "");
    return looks_like_uuid(in->user_id) ? join(c, in->user_id, in->password, client_uuid)
                                        : make(c, in->user_id, in->password, client_uuid);
}

static int no_session(struct call *c)
{
    struct om_glacier2_session_not_exist_exception *e = arena_alloc(c->mem, 1, sizeof(*e));

    e->cls = &om_glacier2_session_not_exist_exception_class;
    return refuse(c, (const struct ice_object *)e);
}

static int destroy_session(struct call *c)
{
    struct session *session = c->conn->session;

    if (!session)
        return no_session(c);
    c->conn->session = NULL;
    if (!session->closed)
        session_leave(c->server, session, false);
    session_release(c->server, session);
    return 0;
}

/* --- the table of proxies --- */

static int add_proxies(struct call *c)
{
    const struct om_ice_router_add_proxies_in *in = c->in;

    for (size_t i = 0; i < in->proxies.n; i++) {
        const struct ice_proxy *p = in->proxies.at[i];
        if (!p)
            continue;
        struct registered *r = mem_new(1, sizeof(*r));
        *r = (struct registered){.next = c->conn->registered, .key = mem_printf("%s/%s", p->id.category, p->id.name)};
        c->conn->registered = r;
    }
    return 0;
}

static int client_proxy(struct call *c)
{
    (void)c; /* the null proxy: use the endpoints of the router */
    return 0;
}

static int server_proxy(struct call *c)
{
    ((struct om_ice_router_get_server_proxy_out *)c->out)->ret =
        ice_proxy_make(c->mem, "dummy", c->conn->category, "127.0.0.1", 1);
    return 0;
}

static int category(struct call *c)
{
    ((struct om_glacier2_router_get_category_for_client_out *)c->out)->ret = arena_str(c->mem, c->conn->category);
    return 0;
}

static int session_timeout(struct call *c)
{
    ((struct om_glacier2_router_get_session_timeout_out *)c->out)->ret = TIMEOUT_S;
    return 0;
}

static int acm_timeout(struct call *c)
{
    ((struct om_glacier2_router_get_acmtimeout_out *)c->out)->ret = TIMEOUT_S;
    return 0;
}

static int refresh(struct call *c)
{
    return c->conn->session ? 0 : no_session(c);
}

static const struct handler handlers[] = {
    {&om_glacier2_router_create_session_op, create_session},
    {&om_glacier2_router_destroy_session_op, destroy_session},
    {&om_glacier2_router_get_category_for_client_op, category},
    {&om_glacier2_router_get_session_timeout_op, session_timeout},
    {&om_glacier2_router_get_acmtimeout_op, acm_timeout},
    {&om_glacier2_router_refresh_session_op, refresh},
    {&om_ice_router_add_proxies_op, add_proxies},
    {&om_ice_router_get_client_proxy_op, client_proxy},
    {&om_ice_router_get_server_proxy_op, server_proxy},
};

const struct kind router_kind = {
    .name = "router", .types = "::Glacier2::Router ::Ice::Router", .handlers = handlers, .n = ARRAY_LEN(handlers)};
