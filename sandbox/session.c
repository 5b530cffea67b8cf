#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/server.h"

struct servant *servant_add(struct server *s, struct session *session, const struct kind *kind, const char *name,
                            const char *category, void *state)
{
    struct servant *v = mem_new(1, sizeof(*v)), **list = session ? &session->servants : &s->common;

    *v = (struct servant){.next = *list,
                          .kind = kind,
                          .name = mem_str(name),
                          .category = mem_str(category),
                          .session = session,
                          .state = state,
                          .refs = 1};
    *list = v;
    return v;
}

void servant_unref(struct server *s, struct servant *v)
{
    if (!v || --v->refs > 0)
        return;
    if (v->kind->end && v->state)
        v->kind->end(s, v);
    free(v->name);
    free(v->category);
    free(v);
}

void servant_drop(struct server *s, struct servant *v)
{
    struct servant **at = v->session ? &v->session->servants : &s->common;

    if (v->gone)
        return;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    v->gone = true;
    servant_unref(s, v);
}

struct session *session_make(struct server *s, int64_t user, int64_t group, int64_t sudoer, const char *agent, const char *ip,
                             const char *event, int64_t life_ms, int64_t idle_ms)
{
    struct session *session = mem_new(1, sizeof(*session));

    uuid_new(session->uuid);
    session->user = user;
    session->group = group;
    session->sudoer = sudoer;
    session->event_type = mem_str(event && event[0] ? event : "User");
    session->refs = 1;
    session->life_ms = life_ms;
    session->idle_ms = idle_ms;
    session->used_ns = session->made_ns = clock_mono_ns();
    (void)store_run(
        s->store,
        "insert into Session (uuid, owner, sudoer, timeToIdle, timeToLive, started, defaultEventType, userAgent, userIP) "
        "values (?, ?, nullif(?, -1), ?, ?, ?, ?, ?, ?)",
        "siiiiisss", session->uuid, user, sudoer, idle_ms, life_ms, clock_wall_ms(), session->event_type, agent, ip);
    session->id = store_last_id(s->store);
    session->next = s->sessions;
    s->sessions = session;
    return session;
}

static bool is_late(int64_t since_ns, int64_t limit_ms)
{
    return limit_ms > 0 && (clock_mono_ns() - since_ns) / NS_PER_MS > limit_ms;
}

struct session *session_find(struct server *s, const char *uuid)
{
    for (struct session *x = s->sessions; x; x = x->next)
        if (strcmp(x->uuid, uuid) == 0) {
            if (!is_late(x->used_ns, x->idle_ms) && !is_late(x->made_ns, x->life_ms))
                return x;
            session_end(s, x);
            return NULL;
        }
    return NULL;
}

void session_hold(struct session *session)
{
    session->holders++;
}

static void free_if_unused(struct session *session)
{
    if (!session->closed || session->holders > 0)
        return;
    free(session->event_type);
    explicit_bzero(session->uuid, sizeof(session->uuid));
    free(session);
}

void session_release(struct server *s, struct session *session)
{
    (void)s;
    session->holders--;
    free_if_unused(session);
}

void session_end(struct server *s, struct session *session)
{
    struct session **at = &s->sessions;

    if (session->closed)
        return;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    session->closed = true;
    while (session->servants)
        servant_drop(s, session->servants);
    (void)store_run(s->store, "update Session set closed = ? where id = ?", "ii", clock_wall_ms(), session->id);
    free_if_unused(session);
}

int session_leave(struct server *s, struct session *session, bool even_detached)
{
    int left = --session->refs;

    if (left <= 0 && !session->closed && (even_detached || !session->detach))
        session_end(s, session);
    return left;
}
