/* The server's parts and who owns what.
 *
 * Threads: one for each connection; one runner for what commands do in the background; the main thread waits for
 * signals. `lock` guards everything below it and the store; handlers run under it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ice/type.h"
#include "sandbox/store.h"

struct conn;
struct call;
struct fault;
struct server;
struct servant;
struct session;

/* An operation that the sandbox carries out.  0, or -1 after call_throw() or call_status(). */
struct handler {
    const struct ice_op *op;
    int (*run)(struct call *c);
};

/* A kind of servant: what can be asked of it. */
struct kind {
    const char *name;      /* last part of its identity */
    const char *types;     /* type ids, most derived first, separated by spaces */
    bool stateful;         /* one call at a time */
    const struct handler *handlers;
    size_t n;
    void (*end)(struct server *s, struct servant *v); /* frees its state; NULL when it has none */
};

/* Something that can be called.  Lives while it is listed or a request refers to it. */
struct servant {
    struct servant *next;
    const struct kind *kind;
    char *name, *category;
    struct session *session; /* NULL: the router, the repository */
    void *state;
    int busy;                /* requests received and not yet answered */
    int refs;
    bool gone;
};

/* A session of OMERO's, which outlives connections when it was told to. */
struct session {
    struct session *next;
    char uuid[UUID_TEXT];
    int64_t id, user, group;
    int64_t sudoer;          /* -1: none */
    char *event_type;
    int refs;                /* logins and makers: what OMERO counts */
    int holders;             /* connections that point here: what this program counts */
    bool closed;             /* over, and no longer listed */
    bool detach;             /* stays without them */
    bool reused;             /* joined by its uuid or made by sudo: no password was given */
    int64_t idle_ms, life_ms; /* 0: unlimited */
    int64_t used_ns, made_ns;
    struct servant *servants;
};

/* Something that goes on after its call was answered: an import, a delete. */
struct task {
    struct task *next;
    void (*run)(struct server *s, struct task *t); /* without the lock; frees the task */
};

struct server {
    struct store *store;
    char *dir;               /* of the data */
    char *repository;        /* directory of the managed repository, absolute */
    char *certificate, *key; /* files in PEM form */
    char repo_uuid[UUID_TEXT], database_uuid[UUID_TEXT];
    pthread_mutex_t lock;
    struct session *sessions;
    struct servant *common;  /* servants without a session */
    unsigned overlaps;       /* second calls on a busy stateful servant */
    bool stopping;
    struct conn *conns;
    pthread_cond_t changed;  /* a connection ended, a task came, stopping */
    struct task *tasks, **last_task;
    int64_t pause_ms;        /* what a step of an import takes */
    uint64_t faults;         /* those that are on, a bit each: fault.c */
    const struct fault *frozen; /* the one that stopped all answers */
};

/* server.c */
int server_open(struct server *s, const char *dir, struct err *err);
void server_close(struct server *s); /* after the connections have ended */
void server_add_task(struct server *s, struct task *t); /* under the lock */
void *server_runner(void *server);   /* thread: carries tasks out until the server stops */
void server_say(const char *fmt, ...) ATTR_PRINTF(1, 2); /* a line on stderr, with the time */

/* session.c: all under the lock */
struct session *session_make(struct server *s, int64_t user, int64_t group, int64_t sudoer, const char *agent, const char *ip,
                             const char *event, int64_t life_ms, int64_t idle_ms);
struct session *session_find(struct server *s, const char *uuid); /* NULL: none, or over */
void session_hold(struct session *session);
void session_release(struct server *s, struct session *session); /* a connection lets go; may free it */
int session_leave(struct server *s, struct session *session, bool even_detached); /* one login less; what is left */
void session_end(struct server *s, struct session *session);
struct servant *servant_add(struct server *s, struct session *session, const struct kind *kind, const char *name,
                            const char *category, void *state);
void servant_drop(struct server *s, struct servant *v); /* no longer listed */
void servant_unref(struct server *s, struct servant *v);
