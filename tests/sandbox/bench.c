#include "bench.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/str.h"
#include "sandbox/conn.h"
#include "sandbox/people.h"

enum { PATIENCE_S = 30, CONTEXT_MAX = 3 };

/* --- the server --- */

static void add_people(struct store *s)
{
    int64_t lab = people_add_group(s, "lab", "rwra--"), other = people_add_group(s, "other", "rwrw--");
    int64_t alice = people_add_user(s, "alice", "Alice", "A", "secret", NULL);
    int64_t bob = people_add_user(s, "bob", "Bob", "B", "secret", NULL);

    assert_int_equal(lab, 3);
    assert_int_equal(other, 4);
    people_add_member(s, lab, alice);
    people_add_member(s, other, alice);
    people_add_member(s, lab, bob);
    people_add_member(s, 1, alice);
    people_add_member(s, 1, bob);
}

void bench_start(struct bench *b)
{
    struct err err = ERR_INIT;

    snprintf(b->dir, sizeof(b->dir), "/tmp/test-sandbox-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    assert_ok(server_open(&b->server, b->dir, &err), &err);
    b->server.pause_ms = 1;
    people_begin(b->server.store);
    add_people(b->server.store);
    assert_int_equal(pthread_create(&b->runner, NULL, server_runner, &b->server), 0);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void bench_stop(struct bench *b)
{
    pthread_mutex_lock(&b->server.lock);
    b->server.stopping = true;
    pthread_cond_broadcast(&b->server.changed);
    pthread_mutex_unlock(&b->server.lock);
    pthread_join(b->runner, NULL);
    conn_reap(&b->server, true);
    server_close(&b->server);
    (void)nftw(b->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int64_t count(struct bench *b, const char *sql)
{
    pthread_mutex_lock(&b->server.lock);
    int64_t n = store_long(b->server.store, -1, sql, "");
    pthread_mutex_unlock(&b->server.lock);
    return n;
}

/* --- a client --- */

static int64_t deadline(void)
{
    return clock_after_ns(PATIENCE_S * NS_PER_S);
}

void client_connect(struct bench *b, struct client *c)
{
    struct err err = ERR_INIT;
    int ends[2];

    *c = (struct client){.mem = arena_new()};
    uuid_new(c->uuid);
    c->router = ice_proxy_make(c->mem, "router", "OMERO.Glacier2", NULL, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    conn_start(&b->server, link_tcp_adopt(ends[0]), false);
    assert_ok(ice_conn_open(&c->conn, link_tcp_adopt(ends[1]), &om_registry, deadline(), &err), &err);
}

void client_close(struct client *c)
{
    ice_conn_close(c->conn);
    arena_free(c->mem);
}

static struct ice_reply ask(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out)
{
    struct ice_pair pairs[CONTEXT_MAX];
    struct ice_context ctx = {.at = pairs};
    struct ice_reply reply = {0};
    struct err err = ERR_INIT;
    int32_t id;

    if (c->uuid[0])
        pairs[ctx.n++] = (struct ice_pair){"omero.client.uuid", c->uuid};
    if (c->session)
        pairs[ctx.n++] = (struct ice_pair){"omero.session.uuid", c->session};
    if (c->group)
        pairs[ctx.n++] = (struct ice_pair){"omero.group", c->group};
    assert_ok(ice_conn_send(c->conn, &to->id, op, &ctx, ICE_ENC_1_1, in, deadline(), &id, &err), &err);
    assert_ok(ice_conn_wait(c->conn, id, op, deadline(), c->mem, out, &reply, &err), &err);
    return reply;
}

struct ice_reply client_call(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out)
{
    const struct om_ice_router_add_proxies_in add = {.proxies = {.n = 1, .at = &to}};
    struct om_ice_router_add_proxies_out added;
    void *results = out ? out : arena_alloc(c->mem, op->out_size ? op->out_size : 1, 1);

    assert_non_null(to);
    if (!c->forgetful && to != c->router)
        (void)ask(c, c->router, &om_ice_router_add_proxies_op, &add, &added);
    return ask(c, to, op, in, results);
}

static const char *message_of(const struct ice_reply *r)
{
    return r->exception && ice_class_is_a(r->exception->cls, &om_server_error_class)
               ? ((const struct om_server_error *)(const void *)r->exception)->message
               : "";
}

void client_must(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out)
{
    struct ice_reply r = client_call(c, to, op, in, out);

    if (r.status != ICE_OK)
        fail_msg("%s: status %d %s %s", op->name, (int)r.status, message_of(&r), r.text ? r.text : "");
}

void client_throws(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, const struct ice_class *cls,
                   const char *words)
{
    struct ice_reply r = client_call(c, to, op, in, NULL);

    assert_int_equal(r.status, ICE_USER_EXCEPTION);
    assert_non_null(r.exception);
    assert_string_equal(r.exception->cls->id, cls->id);
    if (words && !strstr(message_of(&r), words))
        fail_msg("nothing about '%s' in: %s", words, message_of(&r));
}

/* Every getter's result has this form. */
struct got {
    const struct ice_proxy *ret;
};

static const struct ice_proxy *get(struct client *c, const struct ice_proxy *from, const struct ice_op *op)
{
    struct got got = {0};

    client_must(c, from, op, NULL, &got);
    return got.ret;
}

void client_login(struct bench *b, struct client *c, const char *user)
{
    const struct om_glacier2_router_create_session_in in = {.user_id = user, .password = "secret"};
    struct om_glacier2_router_create_session_out out = {0};
    struct om_grid_shared_resources_repositories_out repositories = {0};

    client_connect(b, c);
    client_must(c, c->router, &om_glacier2_router_create_session_op, &in, &out);
    c->factory = out.ret;
    c->session = arena_str(c->mem, out.ret->id.name);
    c->query = get(c, c->factory, &om_api_service_factory_get_query_service_op);
    c->update = get(c, c->factory, &om_api_service_factory_get_update_service_op);
    client_must(c, get(c, c->factory, &om_api_service_factory_shared_resources_op), &om_grid_shared_resources_repositories_op, NULL,
                &repositories);
    for (size_t i = 0; i < repositories.ret.proxies.n; i++) {
        const struct ice_proxy *p = repositories.ret.proxies.at[i];
        const struct om_ice_object_ice_is_a_in asked = {.type_id = "::omero::grid::ManagedRepository"};
        struct om_ice_object_ice_is_a_out yes = {0};
        client_must(c, p, &om_ice_object_ice_is_a_op, &asked, &yes);
        c->repository = yes.ret ? p : c->repository;
    }
    assert_non_null(c->repository);
}

/* --- objects --- */

void *make(struct client *c, const struct ice_class *cls)
{
    struct om_iobject *o = arena_alloc(c->mem, 1, cls->size);

    o->cls = cls;
    for (; cls; cls = cls->base)
        for (size_t i = 0; i < cls->n_fields; i++)
            if (cls->fields[i].type->kind == ICE_BOOL && str_ends_nocase(cls->fields[i].name, "loaded"))
                *(bool *)((char *)o + cls->fields[i].offset) = true;
    return o;
}

void *refer(struct client *c, const struct ice_class *cls, int64_t id)
{
    struct om_iobject *o = arena_alloc(c->mem, 1, cls->size);
    struct om_rlong *number = arena_alloc(c->mem, 1, sizeof(*number));

    *number = (struct om_rlong){.cls = &om_rlong_class, .val = id};
    o->cls = cls;
    o->id = number;
    return o;
}

const struct om_rstring *text(struct client *c, const char *s)
{
    struct om_rstring *r = arena_alloc(c->mem, 1, sizeof(*r));

    *r = (struct om_rstring){.cls = &om_rstring_class, .val = s};
    return r;
}

int64_t save(struct client *c, const void *object)
{
    const struct om_api_iupdate_save_and_return_object_in in = {.obj = object};
    struct om_api_iupdate_save_and_return_object_out out = {0};

    client_must(c, c->update, &om_api_iupdate_save_and_return_object_op, &in, &out);
    assert_non_null(out.ret);
    return out.ret->id->val;
}
