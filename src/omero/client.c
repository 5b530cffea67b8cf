#include "omero/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "omero/router.h"

enum { KEEP_ALIVE_S = 60 };

static int client_call(struct ice_caller *self, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                       struct arena *mem, struct err *err)
{
    struct om_client *c = (struct om_client *)self; /* the caller is its first member */
    int32_t id;

    c->fault = NULL;
    if (!to)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO gave nothing to ask for %s", op->name);
    if (c->dead)
        return err_set(err, REASON_SESSION, 0, "the session is over");
    if (c->way->send(c, to, op, in, &id, err) < 0)
        return -1;
    return c->way->wait(c, to, op, in, id, out, mem, err);
}

static struct om_client *client_new(void)
{
    struct om_client *c = mem_new(1, sizeof(*c));

    c->caller.call = client_call;
    c->mem = arena_new();
    c->group = OM_GROUP_OWN;
    c->until_ns = CLOCK_NEVER;
    c->kept_ns = clock_mono_ns();
    uuid_new(c->client_uuid);
    return c;
}

struct om_client *om_client_over(const struct om_way *way, void *way_state, const struct ice_proxy *factory)
{
    struct om_client *c = client_new();

    c->way = way;
    c->way_state = way_state;
    c->factory = ice_proxy_copy(c->mem, factory);
    return c;
}

void om_client_close(struct om_client *c)
{
    if (!c)
        return;
    if (c->way)
        c->way->close(c);
    arena_free(c->mem);
    explicit_bzero(c->uuid, sizeof(c->uuid));
    free(c);
}

void om_client_closep(struct om_client **c)
{
    om_client_close(*c);
}

/* Group permissions as people write them (PermissionsI: read 4, write 2, annotate 1; owner << 8, group << 4, world << 0). */
static char *perms_text(struct arena *mem, int64_t bits)
{
    char text[] = "------";

    for (int i = 0; i < 3; i++) {
        int64_t three = bits >> (8 - 4 * i);
        text[2 * i] = three & 4 ? 'r' : '-';
        text[2 * i + 1] = three & 2 ? 'w' : three & 1 ? 'a' : '-';
    }
    return arena_str(mem, text);
}

static bool has_text(const struct om_api_string_set *set, const char *text)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->at[i], text) == 0)
            return true;
    return false;
}

bool om_who_may_act(const struct om_who *who, int64_t group)
{
    for (size_t i = 0; i < who->n_owned; i++)
        if (who->owned[i] == group)
            return true;
    return who->may_sudo;
}

static void fill_who(struct om_client *c, const struct om_sys_event_context *ec)
{
    int64_t *owned = arena_alloc(c->mem, ec->leader_of_groups.n, sizeof(*owned));

    if (ec->leader_of_groups.n)
        memcpy(owned, ec->leader_of_groups.at, ec->leader_of_groups.n * sizeof(*owned));
    c->who = (struct om_who){
        .user_id = ec->user_id,
        .group_id = ec->group_id,
        .session_id = ec->session_id,
        .user_name = arena_str(c->mem, ec->user_name),
        .group_name = arena_str(c->mem, ec->group_name),
        .sudoer_name = ec->sudoer_name ? arena_str(c->mem, ec->sudoer_name->val) : NULL,
        .group_perms = ec->group_permissions ? perms_text(c->mem, ec->group_permissions->perm1) : "",
        .is_admin = ec->is_admin,
        .may_sudo = ec->is_admin && has_text(&ec->admin_privileges, "Sudo"),
        .n_owned = ec->leader_of_groups.n,
        .owned = owned,
    };
}

static int learn_who(struct om_client *c, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *admin;
    const struct om_sys_event_context *ec;

    if (om_client_service(c, OM_ADMIN, &admin, err) < 0 || om_api_iadmin_get_event_context(&c->caller, admin, mem, &ec, err) < 0)
        return -1;
    if (!ec)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say whose session it is");
    fill_who(c, ec);
    return 0;
}

static int open_client(struct om_client **out, const struct om_server *server, const struct om_login *login, struct err *err)
{
    AUTO(om_client_closep) struct om_client *c = client_new();

    c->server = server;
    if (om_router_login(c, login, err) < 0 || learn_who(c, err) < 0)
        return -1;
    *out = STEAL(c);
    return 0;
}

int om_client_login(struct om_client **out, const struct om_server *server, const char *user, const char *password,
                    const char *group, struct err *err)
{
    const struct om_login login = {.user = user, .password = password, .group = group};

    return open_client(out, server, &login, err);
}

int om_client_join(struct om_client **out, const struct om_server *server, const char *uuid, struct err *err)
{
    const struct om_login login = {.user = uuid, .password = uuid};

    if (open_client(out, server, &login, err) == 0)
        return 0;
    if (err->why == REASON_LOGIN)
        err_set(err, REASON_SESSION, 0, "OMERO at %s: the session is over", server->host);
    return -1;
}

int om_client_keep_alive(struct om_client *c, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    bool known;

    if (clock_mono_ns() - c->kept_ns < KEEP_ALIVE_S * NS_PER_S)
        return 0;
    c->kept_ns = clock_mono_ns();
    return om_api_service_factory_keep_alive(&c->caller, c->factory, NULL, mem, &known, err);
}

int64_t om_client_group(struct om_client *c, int64_t group)
{
    int64_t before = c->group;

    if (!c->bound)
        c->group = group;
    return before;
}

static int (*const getters[OM_N_SERVICES])(struct ice_caller *, const struct ice_proxy *, struct arena *,
                                           const struct ice_proxy **, struct err *) = {
    [OM_QUERY] = om_api_service_factory_get_query_service,   [OM_UPDATE] = om_api_service_factory_get_update_service,
    [OM_ADMIN] = om_api_service_factory_get_admin_service,   [OM_SESSIONS] = om_api_service_factory_get_session_service,
    [OM_CONFIG] = om_api_service_factory_get_config_service, [OM_RESOURCES] = om_api_service_factory_shared_resources,
};

int om_client_service(struct om_client *c, enum om_service which, const struct ice_proxy **out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *got = c->service[which];

    if (!got) {
        if (getters[which](&c->caller, c->factory, mem, &got, err) < 0)
            return -1;
        if (!got)
            return err_set(err, REASON_PROTOCOL, 0, "OMERO gave no service when asked for one");
        c->service[which] = ice_proxy_copy(c->mem, got);
    }
    *out = c->service[which];
    return 0;
}

static int config_text(struct om_client *c,
                       int (*ask)(struct ice_caller *, const struct ice_proxy *, struct arena *, const char **, struct err *),
                       const char **out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *config;
    const char *text;

    if (om_client_service(c, OM_CONFIG, &config, err) < 0 || ask(&c->caller, config, mem, &text, err) < 0)
        return -1;
    *out = arena_str(c->mem, text);
    return 0;
}

int om_client_version(struct om_client *c, const char **out, struct err *err)
{
    return config_text(c, om_api_iconfig_get_version, out, err);
}

int om_client_database(struct om_client *c, const char **out, struct err *err)
{
    return config_text(c, om_api_iconfig_get_database_uuid, out, err);
}
