/* A client's connection: a thread that receives, and one that answers in order.
 *
 * What comes is looked up when it is received, so that a second call on a stateful servant is noticed while the first one runs.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/uuid.h"
#include "ice/link.h"
#include "ice/message.h"
#include "sandbox/server.h"

struct request {
    struct request *next;
    struct arena *mem;       /* holds everything below */
    struct ice_msg msg;
    struct servant *servant; /* NULL: there is none.  Counted */
    struct buf bytes;        /* of a large one; else in the arena */
};

struct registered {
    struct registered *next;
    char *key; /* "category/name" */
};

struct conn {
    struct conn *next;
    struct server *server;
    struct link *link;          /* NULL: no handshake came about, or it is over */
    bool secure;
    pthread_mutex_t link_lock;  /* of the link, for a moment */
    pthread_mutex_t write_lock; /* of a whole message */
    pthread_t reader, worker;

    /* Under the server's lock. */
    struct session *session; /* held; NULL before the login */
    char client_uuid[UUID_TEXT + 64];
    char category[UUID_TEXT]; /* of the client's callbacks */
    struct registered *registered;
    struct request *queue, **last;
    struct buf spare; /* of a large request that was answered */
    pthread_cond_t filled;
    bool over;     /* no more will come */
    bool finished; /* both threads are done: to be joined */
};

/* Take an accepted connection (owned), with TLS to come or without; its threads end by themselves. */
void conn_start(struct server *s, struct link *link, bool secure);
void conn_reap(struct server *s, bool all); /* join those that are finished; `all`: wait for every one */
/* A whole message to the client; a failure ends the connection soon after. */
void conn_write(struct conn *c, const struct buf *message);

/* dispatch.c: carry out, and answer.  Without the lock. */
void dispatch(struct conn *c, struct request *r);
