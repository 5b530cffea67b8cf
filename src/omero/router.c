#include "omero/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "omero/error.h"
#include "omero/object.h"

/* The router's own table holds 1,000 proxies by default; registering one again does no harm. */
enum { REGISTERED_MAX = 256, CONTEXT_MAX = 6, LOGOUT_S = 5, CONNECT_S = 30 };

struct router {
    struct ice_conn *conn;
    const struct ice_proxy *proxy;    /* of the router itself */
    char *registered[REGISTERED_MAX]; /* "category/name", a ring */
    size_t next;
    bool logged_in;
    struct om_tap tap;
};

static const struct {
    const struct ice_op *op;
    int64_t seconds;
} patience[] = {
    {&om_api_raw_file_store_save_op, 4 * 3600},              /* hashes the whole file in the call */
    {&om_api_stateful_service_interface_close_op, 4 * 3600}, /* and may do so again */
    {&om_grid_import_process_verify_upload_op, 4 * 3600},
    {&om_grid_managed_repository_import_fileset_op, 3600}, /* a row and a file for each file */
    {&om_api_iupdate_save_and_return_ids_op, 1800},
    {&om_api_raw_file_store_write_op, 900},
    {&om_api_service_factory_keep_alive_op, 60},
    {&om_ice_router_add_proxies_op, 60},
    {&om_glacier2_router_destroy_session_op, LOGOUT_S},
};
enum { PATIENCE_S = 600 };
static const int64_t SLICE_NS = 500 * NS_PER_MS;

static int64_t at_most(const struct om_client *c, int64_t ns)
{
    return c->server->answer_ns && c->server->answer_ns < ns ? c->server->answer_ns : ns;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t deadline_of(const struct om_client *c, const struct ice_op *op)
{
    int64_t seconds = PATIENCE_S;

    for (size_t i = 0; i < ARRAY_LEN(patience); i++)
        if (patience[i].op == op)
            seconds = patience[i].seconds;

    int64_t deadline = clock_after_ns(at_most(c, seconds * NS_PER_S));

    return earlier(deadline, c->until_ns);
}

static enum ice_encoding encoding_of(const struct ice_op *op)
{
    return op->out_classes ? ICE_ENC_1_0 : ICE_ENC_1_1;
}

static void put(struct ice_context *ctx, struct ice_pair *pairs, const char *key, const char *value)
{
    pairs[ctx->n++] = (struct ice_pair){key, value};
}

static int send_as(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, enum ice_encoding enc,
                   const void *in, int32_t *id, struct err *err)
{
    struct router *r = c->way_state;
    struct ice_pair pairs[CONTEXT_MAX];
    struct ice_context ctx = {.at = pairs};
    AUTO(mem_freep) char *group = mem_printf("%lld", (long long)c->group);

    put(&ctx, pairs, "omero.client.uuid", c->client_uuid);
    put(&ctx, pairs, "omero.session.uuid", c->uuid);
    if (c->group != OM_GROUP_OWN)
        put(&ctx, pairs, "omero.group", group);
    if (c->file_mode)
        put(&ctx, pairs, "omero.fs.mode", c->file_mode);
    return ice_conn_send(r->conn, &to->id, op, &ctx, enc, in, deadline_of(c, op), id, err);
}

/* --- the router's table of proxies --- */

static bool is_registered(const struct router *r, const char *key)
{
    for (size_t i = 0; i < REGISTERED_MAX; i++)
        if (r->registered[i] && strcmp(r->registered[i], key) == 0)
            return true;
    return false;
}

static int ask_to_add(struct om_client *c, const struct ice_proxy *to, int32_t *id, struct err *err)
{
    struct router *r = c->way_state;
    const struct om_ice_router_add_proxies_in in = {.proxies = {.n = 1, .at = &to}};
    enum ice_encoding enc = to->encoding_minor == 0 ? ICE_ENC_1_0 : ICE_ENC_1_1;

    return send_as(c, r->proxy, &om_ice_router_add_proxies_op, enc, &in, id, err);
}

static int add_proxy(struct om_client *c, const struct ice_proxy *to, struct err *err)
{
    struct router *r = c->way_state;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_ice_router_add_proxies_out out = {0};
    const struct ice_op *op = &om_ice_router_add_proxies_op;
    struct ice_reply reply = {0};
    int32_t id;

    if (ask_to_add(c, to, &id, err) < 0 ||
        ice_conn_wait(r->conn, id, op, deadline_of(c, op), mem, &out, &reply, err) < 0)
        return -1;
    return reply.status == ICE_OK ? 0 : om_error(op, &reply, err);
}

/* Takes the key over. */
static void register_key(struct router *r, char *key)
{
    free(r->registered[r->next]);
    r->registered[r->next] = key;
    r->next = (r->next + 1) % REGISTERED_MAX;
}

static int need_registered(struct om_client *c, const struct ice_proxy *to, struct err *err)
{
    struct router *r = c->way_state;
    AUTO(mem_freep) char *key = mem_printf("%s/%s", to->id.category, to->id.name);

    if (to == r->proxy || is_registered(r, key))
        return 0;
    if (add_proxy(c, to, err) < 0)
        return -1;
    register_key(r, STEAL(key));
    return 0;
}

/* --- requests --- */

static int failed(struct om_client *c, struct err *err)
{
    struct router *r = c->way_state;

    om_error_hide(err, c->uuid);
    if (err->why == REASON_SESSION || err->why == REASON_TIMEOUT || ice_conn_is_dead(r->conn))
        c->dead = true;
    return -1;
}

static int router_send(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t *id,
                       struct err *err)
{
    if (need_registered(c, to, err) < 0 || send_as(c, to, op, encoding_of(op), in, id, err) < 0)
        return failed(c, err);
    return 0;
}

/* A deadline as it is after a look at whether the program is being stopped. */
static int64_t hurried(struct om_client *c, int64_t deadline)
{
    if (!c->stopped_ns && c->server->stop && atomic_load(c->server->stop))
        c->stopped_ns = clock_mono_ns();
    return c->stopped_ns ? earlier(deadline, c->stopped_ns + OM_STOP_S * NS_PER_S) : deadline;
}

/* In slices: a server may take hours for an answer, and a stop must not. */
static int wait_once(struct om_client *c, const struct ice_op *op, int32_t id, void *out, struct arena *mem,
                     struct ice_reply *reply, struct err *err)
{
    struct router *r = c->way_state;
    int64_t deadline = deadline_of(c, op), until;
    int got;

    *reply = (struct ice_reply){0};
    if (op->out_size)
        memset(out, 0, op->out_size);
    do {
        deadline = hurried(c, deadline);
        until = earlier(deadline, clock_after_ns(SLICE_NS));
        got = ice_conn_wait(r->conn, id, op, until, mem, out, reply, err);
    } while (got < 0 && err->why == REASON_TIMEOUT && until < deadline && !ice_conn_is_dead(r->conn));
    return got;
}

static bool is_forgotten(const struct ice_reply *reply)
{
    return reply->status == ICE_NO_OBJECT && reply->operation && strcmp(reply->operation, "ice_add_proxy") == 0;
}

static int router_introduce(struct om_client *c, const struct ice_proxy *to, struct err *err)
{
    struct router *r = c->way_state;
    AUTO(mem_freep) char *key = mem_printf("%s/%s", to->id.category, to->id.name);
    int32_t id;

    if (is_registered(r, key))
        return 0;
    if (ask_to_add(c, to, &id, err) < 0)
        return failed(c, err);
    ice_conn_forget(r->conn, id);
    register_key(r, STEAL(key));
    return 0;
}

static int router_wait(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t id,
                       void *out, struct arena *mem, struct err *err)
{
    struct ice_reply reply;

    if (wait_once(c, op, id, out, mem, &reply, err) < 0)
        return failed(c, err);
    if (is_forgotten(&reply) && (add_proxy(c, to, err) < 0 || send_as(c, to, op, encoding_of(op), in, &id, err) < 0 ||
                                 wait_once(c, op, id, out, mem, &reply, err) < 0))
        return failed(c, err);
    if (reply.status == ICE_OK)
        return 0;
    c->fault = reply.exception ? reply.exception->cls : NULL;
    om_error(op, &reply, err);
    err_prefix(err, "%s:%u: ", c->server->host, (unsigned)c->server->port);
    return failed(c, err);
}

static void destroy_session(struct om_client *c)
{
    struct router *r = c->way_state;
    const struct ice_op *op = &om_glacier2_router_destroy_session_op;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct ice_reply reply;
    struct err err;
    int32_t id;

    c->until_ns = clock_after_ns(LOGOUT_S * NS_PER_S);
    if (send_as(c, r->proxy, op, ICE_ENC_1_1, NULL, &id, &err) == 0)
        (void)wait_once(c, op, id, NULL, mem, &reply, &err); /* the connection's end ends the session all the same */
}

static void router_close(struct om_client *c)
{
    struct router *r = c->way_state;

    if (r->logged_in && !ice_conn_is_dead(r->conn))
        destroy_session(c);
    ice_conn_close(r->conn);
    for (size_t i = 0; i < REGISTERED_MAX; i++)
        free(r->registered[i]);
    free(r);
}

static int router_rejoin(struct om_client *c, struct err *err);

static const struct om_way router_way = {
    .send = router_send, .wait = router_wait, .close = router_close, .introduce = router_introduce, .rejoin = router_rejoin};

/* --- login --- */

static int connect_link(const struct om_server *server, int64_t deadline, struct link **out, struct err *err)
{
    const struct link_tls tls = {.ca_file = server->trust ? server->trust->ca_file : NULL,
                                 .allow_anonymous = server->trust && server->trust->allow_anonymous,
                                 .decide = om_trust_decide,
                                 .arg = server->trust};
    struct link *tcp = NULL;

    if (server->plain && !server->force_plain && !om_is_loopback(server->host)) {
        err_set(err, REASON_CONFIG, 0, "it is to be used without encryption, and is another machine");
        return err_hint(err, "use the TLS port (4064), or say in the configuration that plain connections are wanted");
    }
    if (!server->plain && !server->trust)
        return err_set(err, REASON_BUG, 0, "encryption without a rule whom to trust");
    if (link_tcp_connect(&tcp, server->host, server->port, deadline, err) < 0)
        return -1;
    if (server->plain) {
        *out = tcp;
        return 0;
    }
    return link_tls_connect(out, tcp, server->host, server->port, &tls, deadline, err);
}

static int connect_router(struct om_client *c, int64_t deadline, struct err *err)
{
    struct router *r = c->way_state;
    struct link *link = NULL;

    if (connect_link(c->server, deadline, &link, err) < 0 || ice_conn_open(&r->conn, link, &om_registry, deadline, err) < 0)
        return -1;
    if (c->server->trace)
        om_trace_watch(c->server->trace, r->conn, &r->tap);
    return 0;
}

static int create_session(struct om_client *c, const struct om_login *login, int64_t deadline, struct arena *mem,
                          const struct ice_proxy **out, struct err *err)
{
    struct router *r = c->way_state;
    const struct ice_op *op = &om_glacier2_router_create_session_op;
    const struct om_glacier2_router_create_session_in in = {.user_id = login->user, .password = login->password};
    struct om_glacier2_router_create_session_out reply_values = {0};
    struct ice_pair pairs[CONTEXT_MAX];
    struct ice_context ctx = {.at = pairs};
    struct ice_reply reply = {0};
    int32_t id;

    put(&ctx, pairs, "omero.client.uuid", c->client_uuid);
    put(&ctx, pairs, "omero.agent", "impomero/" IMPOMERO_VERSION);
    if (login->group && login->group[0])
        put(&ctx, pairs, "omero.group", login->group);
    if (ice_conn_send(r->conn, &r->proxy->id, op, &ctx, ICE_ENC_1_1, &in, deadline, &id, err) < 0 ||
        ice_conn_wait(r->conn, id, op, deadline, mem, &reply_values, &reply, err) < 0)
        return -1;
    if (reply.status >= ICE_NO_OBJECT && reply.status <= ICE_NO_OPERATION)
        return err_set(err, REASON_NOT_OMERO, 0, "it speaks Ice, and has no router for OMERO");
    if (reply.status != ICE_OK)
        return om_error(op, &reply, err);
    *out = reply_values.ret;
    return 0;
}

/* The session's proxy is named after the session: that is how its uuid is learnt. */
static int adopt_session(struct om_client *c, const struct ice_proxy *factory, struct err *err)
{
    struct router *r = c->way_state;

    if (!factory || factory->id.name[0] == '\0' || strlen(factory->id.name) >= sizeof(c->uuid))
        return err_set(err, REASON_PROTOCOL, 0, "the login was answered without a session");
    snprintf(c->uuid, sizeof(c->uuid), "%s", factory->id.name);
    c->factory = ice_proxy_copy(c->mem, factory);
    r->logged_in = true;
    return 0;
}

int om_router_login(struct om_client *c, const struct om_login *login, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct router *r = mem_new(1, sizeof(*r));
    int64_t deadline = clock_after_ns(at_most(c, c->server->connect_ns ? c->server->connect_ns : CONNECT_S * NS_PER_S));
    const struct ice_proxy *factory = NULL;

    c->way = &router_way;
    c->way_state = r;
    r->proxy = ice_proxy_make(c->mem, "router", "OMERO.Glacier2", NULL, 0);
    if (connect_router(c, deadline, err) < 0 || create_session(c, login, deadline, mem, &factory, err) < 0 ||
        adopt_session(c, factory, err) < 0) {
        om_error_hide(err, login->password);
        return err_prefix(err, "OMERO at %s:%u: ", c->server->host, (unsigned)c->server->port);
    }
    return 0;
}

static int router_rejoin(struct om_client *c, struct err *err)
{
    char uuid[sizeof(c->uuid)];
    const struct om_login login = {.user = uuid, .password = uuid};

    memcpy(uuid, c->uuid, sizeof(uuid));
    router_close(c);
    c->way_state = NULL;
    c->repository = NULL;
    memset(c->service, 0, sizeof(c->service));
    uuid_new(c->client_uuid);
    c->dead = false;

    int r = om_router_login(c, &login, err);

    explicit_bzero(uuid, sizeof(uuid));
    if (r == 0)
        return 0;
    c->dead = true;
    return err->why == REASON_LOGIN ? err_set(err, REASON_SESSION, 0, "OMERO at %s: the session is over", c->server->host) : -1;
}
