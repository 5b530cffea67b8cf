/* A sandbox within the test, and clients that say exactly what the test wants. */
#pragma once

#include "../test.h"

#include "ice/conn.h"
#include "model/ops.h"
#include "sandbox/server.h"

struct bench {
    struct server server;
    pthread_t runner;
    char dir[64];
};

struct client {
    struct ice_conn *conn;
    struct arena *mem;
    char uuid[UUID_TEXT];          /* the client's */
    const char *session, *group;   /* uuid, or NULL; number of the group of the calls, or NULL */
    const struct ice_proxy *router, *factory, *query, *update, *repository;
    bool forgetful;                /* does not register proxies */
};

/* With the groups lab (3, rwra--) and other (4, rwrw--), alice in both and bob in lab, all with the password "secret". */
void bench_start(struct bench *b);
void bench_stop(struct bench *b);

void client_connect(struct bench *b, struct client *c);
void client_login(struct bench *b, struct client *c, const char *user); /* connected, logged in, services asked for */
void client_close(struct client *c);

/* The reply, whatever it is. */
struct ice_reply client_call(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out);
/* It must be good. */
void client_must(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out);
/* It must be this exception; its message must hold the words (NULL: any). */
void client_throws(struct client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, const struct ice_class *cls,
                   const char *words);

void *make(struct client *c, const struct ice_class *cls);             /* loaded, collections too */
void *refer(struct client *c, const struct ice_class *cls, int64_t id);
const struct om_rstring *text(struct client *c, const char *s);

int64_t save(struct client *c, const void *object);                    /* its id */
int64_t count(struct bench *b, const char *sql);
