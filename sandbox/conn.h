/* A client's connection: one thread, which receives and answers in order.  One, for a large upload is a matter of two processes
 * then, each on a core of its own, and of few changes between them.
 *
 * What comes is looked up when it is received, and what is there before an answer goes out is received before it: so a second
 * call on a stateful servant is noticed. */
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
    pthread_t thread;
    struct ice_parser parser;
    struct request *queue, **last; /* received, to be carried out */
    struct buf spare;              /* of a large request that was answered */
    bool ended;                    /* nothing more will be received */

    /* Under the server's lock. */
    struct session *session; /* held; NULL before the login */
    char client_uuid[UUID_TEXT + 64];
    char category[UUID_TEXT]; /* of the client's callbacks */
    struct registered *registered;
    bool over;     /* to be ended */
    bool finished; /* the thread is done: to be joined */
};

/* Take an accepted connection (owned), with TLS to come or without; its thread ends by itself. */
void conn_start(struct server *s, struct link *link, bool secure);
void conn_reap(struct server *s, bool all); /* join those that are finished; `all`: wait for every one */
/* A whole message to the client; a failure ends the connection soon after. */
void conn_write(struct conn *c, const struct buf *message);

/* Receive what has come by now.  Of the connection's own thread, without the lock. */
void conn_catch_up(struct conn *c);

/* dispatch.c: carry out, and answer.  Without the lock. */
void dispatch(struct conn *c, struct request *r);
