#include "engine/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/policy.h"
#include "engine/reach.h"
#include "omero/query.h"

static const int64_t idle_ns = 60 * NS_PER_S, judge_again_ns = 60 * NS_PER_S;

struct sessions {
    const struct settings *settings;
    struct om_server server;
    pthread_mutex_t mutex; /* of all below; held while the administrator's session is used */
    struct om_client *admin;
    char *uuid;            /* of the server's database */
    struct session *idle;
    atomic_llong n_open;   /* of users */
};

struct sessions *sessions_new(const struct settings *settings, struct om_trust *trust, const atomic_bool *stop)
{
    struct sessions *s = mem_new(1, sizeof(*s));

    s->settings = settings;
    reach_server(settings, trust, reach_trace(settings), &s->server);
    s->server.stop = stop;
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

/* --- the administrator's --- */

static void drop_admin(struct sessions *s)
{
    om_client_close(s->admin);
    s->admin = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void sessions_renew(struct sessions *s, const struct settings *settings)
{
    pthread_mutex_lock(&s->mutex);
    if (!same_text(s->settings->server.user, settings->server.user) ||
        !same_text(s->settings->server.password, settings->server.password))
        drop_admin(s);
    s->settings = settings;
    pthread_mutex_unlock(&s->mutex);
}

/* One ledger speaks of one server: the other one's numbers mean other things there. */
static int learn_server(struct sessions *s, struct om_client *admin, struct err *err)
{
    const char *uuid = NULL;

    if (om_client_database(admin, &uuid, err) < 0)
        return -1;
    if (s->uuid && strcmp(s->uuid, uuid) != 0)
        return err_set(err, REASON_CONFIG, 0, "another OMERO than a moment ago answers at %s", s->server.host);
    if (!s->uuid)
        s->uuid = mem_str(uuid);
    return 0;
}

static int check_admin(struct sessions *s, struct om_client *admin, struct err *err)
{
    if (!admin->who.may_sudo && admin->who.n_owned == 0) {
        err_set(err, REASON_LOGIN, 0, "user '%s' may not act for others in OMERO", s->settings->server.user);
        return err_hint(err, "name an administrator with the privilege Sudo by --user or server.user, or the owner of the group");
    }
    return learn_server(s, admin, err);
}

static int need_admin(struct sessions *s, struct err *err)
{
    AUTO(om_client_closep) struct om_client *admin = NULL;
    if (s->admin && !s->admin->dead)
        return 0;
    drop_admin(s);
    if (reach_login(s->settings, &s->server, &admin, err) < 0 || check_admin(s, admin, err) < 0)
        return -1;
    s->admin = STEAL(admin);
    log_info("session.admin", NULL, LOG_STR("server", s->server.host), LOG_STR("user", s->settings->server.user));
    return 0;
}

/* --- users' --- */

/* The owner of a group acts for its members there, and nowhere else. */
static int may_act(const struct sessions *s, const struct om_user *user, const char *group, struct err *err)
{
    if (om_who_may_act(&s->admin->who, om_user_group(user, group)->id))
        return 0;
    err_set(err, REASON_NO_RIGHT, 0, "user '%s' may act for others in the groups it owns, and '%s' is none of them",
            s->settings->server.user, group);
    return err_hint(err, "make it an owner of the group, or an administrator with the privilege Sudo");
}

/* -1: the user's matter when `*for_all` stays false. */
static int judge(struct sessions *s, const char *user, const char *group, struct arena *mem, const char **name, bool *for_all,
                 struct err *err)
{
    struct policy_ask ask = {.user = user, .group = group};
    struct om_user known;
    struct om_group found;
    int u = om_user_find(s->admin, user, mem, &known, err), g = 0;

    if (u == 0 && group)
        g = om_group_find(s->admin, group, mem, &found, err);
    if (u < 0 || g < 0) {
        *for_all = true;
        return -1;
    }
    ask.known = u == OM_ABSENT ? NULL : &known;
    ask.group_known = g == 0;
    return policy_may(&ask, name, err) < 0 ? -1 : may_act(s, &known, *name, err);
}

static struct session *take_idle(struct sessions *s, const char *user, const char *group)
{
    for (struct session **at = &s->idle; *at; at = &(*at)->next) {
        struct session *found = *at;

        if (strcmp(found->user, user) != 0 || !same_text(found->group, group))
            continue;
        *at = found->next;
        found->next = NULL;
        return found;
    }
    return NULL;
}

static void end(struct sessions *s, struct session *session)
{
    s->n_open--;
    if (s->admin && !s->admin->dead && !session->leave)
        om_sudo_close(s->admin, session->client);
    else
        om_client_close(session->client);
    free(session->user);
    free(session->group);
    free(session);
}

static int open_one(struct sessions *s, const char *user, const char *group, const char *name, struct session **out,
                    struct err *err)
{
    struct om_client *client = NULL;

    if (om_sudo_open(s->admin, user, name, &client, err) < 0)
        return -1;

    struct session *made = mem_new(1, sizeof(*made));

    *made = (struct session){.client = client, .user = mem_str(user), .group = mem_str(group), .server = s->uuid,
                             .judged_ns = clock_mono_ns()};
    s->n_open++;
    log_info("session.opened", NULL, LOG_STR("user", user), LOG_STR("group", name), LOG_INT("id", client->who.session_id));
    *out = made;
    return 0;
}

static int take(struct sessions *s, const char *user, const char *group, struct session **out, bool *for_all, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct session *found = take_idle(s, user, group);
    const char *name = NULL;

    if (found && clock_mono_ns() - found->judged_ns < judge_again_ns) {
        *out = found;
        return 0;
    }
    if (need_admin(s, err) < 0) {
        *for_all = true;
    } else if (judge(s, user, group, mem, &name, for_all, err) == 0) {
        if (found) {
            found->judged_ns = clock_mono_ns();
            *out = found;
            return 0;
        }
        *for_all = true;
        return open_one(s, user, group, name, out, err);
    }
    if (found)
        end(s, found);
    return -1;
}

int sessions_take(struct sessions *s, const char *user, const char *group, struct session **out, bool *for_all, struct err *err)
{
    *for_all = false;
    pthread_mutex_lock(&s->mutex);
    bool had = s->admin != NULL;
    int r = take(s, user, group, out, for_all, err);

    if (r < 0 && had && s->admin && s->admin->dead) { /* it died of old age meanwhile: once more with a new one */
        *for_all = false;
        r = take(s, user, group, out, for_all, err);
    }
    pthread_mutex_unlock(&s->mutex);
    if (r == 0)
        *for_all = false;
    return r;
}

void sessions_give(struct sessions *s, struct session *session)
{
    if (!session)
        return;
    session->used_ns = clock_mono_ns();
    (void)om_client_group(session->client, OM_GROUP_OWN);
    pthread_mutex_lock(&s->mutex);
    if (session->client->dead) {
        end(s, session);
    } else {
        session->next = s->idle;
        s->idle = session;
    }
    pthread_mutex_unlock(&s->mutex);
}

static void close_idle(struct sessions *s, int64_t before_ns)
{
    for (struct session **at = &s->idle; *at;) {
        struct session *found = *at;

        if (found->used_ns > before_ns) {
            at = &found->next;
            continue;
        }
        *at = found->next;
        end(s, found);
    }
}

void sessions_tidy(struct sessions *s)
{
    struct err ignored = ERR_INIT;

    if (pthread_mutex_trylock(&s->mutex) != 0)
        return; /* somebody logs in: next time */
    close_idle(s, clock_mono_ns() - idle_ns);
    if (s->admin && !s->admin->dead)
        (void)om_client_keep_alive(s->admin, &ignored); /* a dead one is opened again when it is needed */
    pthread_mutex_unlock(&s->mutex);
}

int sessions_is_over(struct sessions *s, struct om_client *own, int64_t session_id, bool *over, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_long("s", session_id)};
    const struct om_query q = {.hql = "select s.id from Session s where s.id = :s and s.closed is not null",
                               .cols = "l",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;

    pthread_mutex_lock(&s->mutex);
    int r = need_admin(s, err);

    if (r == 0)
        r = om_query(s->admin->who.may_sudo ? s->admin : own, &q, mem, &rows, err);
    if (r == 0)
        *over = rows.n > 0;
    pthread_mutex_unlock(&s->mutex);
    return r;
}

void sessions_close(struct sessions *s)
{
    if (!s)
        return;
    if (s->admin)
        s->admin->until_ns = clock_after_ns(SESSIONS_END_NS);
    close_idle(s, CLOCK_NEVER);
    drop_admin(s);
    om_trace_free(s->server.trace);
    free(s->uuid);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

int64_t sessions_open(struct sessions *s)
{
    return atomic_load(&s->n_open);
}
