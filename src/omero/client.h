/* A session with an OMERO server: one connection to its router, one user in one group.
 *
 * Login is Glacier2's createSession; afterwards every proxy is registered with the router before its first use, every request
 * carries omero.client.uuid, omero.session.uuid and, where one is set, omero.group, and a router that forgot a proxy (its
 * table is bounded) is told of it again, once.  Replies that carry class instances are asked for in encoding 1.0, where an
 * unknown class can be skipped; the login goes in 1.1, since only there the router's exceptions arrive whole.
 *
 * One thread at a time uses a session.  A failure of the connection, a call that was not answered in time (what it was asked of
 * may be busy with it, and would not survive a second call) or REASON_SESSION ends it: close it and open another.
 * The session's uuid is a credential: it stays in memory and in no text. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/uuid.h"
#include "ice/caller.h"
#include "ice/conn.h"
#include "model/ops.h"
#include "omero/trace.h"
#include "omero/trust.h"

/* Where the server is.  Borrowed by the sessions opened with it, for their whole life. */
struct om_server {
    const char *host;
    uint16_t port;          /* 4064 as a rule; 4063 without TLS */
    bool plain;             /* no TLS: to a loopback address only, unless force_plain */
    bool force_plain;       /* the administrator's explicit word */
    struct om_trust *trust; /* needed unless plain */
    int64_t connect_ns;     /* how long connecting and logging in may take, a piece each; 0 = 30 s */
    int64_t answer_ns;      /* how long one answer, or a login, may take at most; 0 = what suits each */
    struct om_trace *trace; /* shows each message; NULL = none */
    const atomic_bool *stop; /* once it is true, no answer is waited for longer than OM_STOP_S more; NULL = never */
};

enum { OM_STOP_S = 3 };

enum { OM_GROUP_OWN = -2, OM_GROUP_ALL = -1 }; /* for om_client_group */

/* Who a session is, as IAdmin.getEventContext says. */
struct om_who {
    int64_t user_id, group_id, session_id; /* session_id: its number in the database, no credential */
    const char *user_name, *group_name, *sudoer_name; /* live as long as the session; sudoer_name NULL without sudo */
    const char *group_perms;                          /* "rw----", "rwr---", "rwra--", "rwrw--" */
    bool is_admin;
    bool may_sudo; /* a full administrator, or a restricted one with the privilege Sudo */
    size_t n_owned;       /* groups whose owner the user is: in them, they may act for the members */
    const int64_t *owned; /* by number; live as long as the session */
};

/* May it open sessions of others in that group? */
bool om_who_may_act(const struct om_who *who, int64_t group);

enum om_service { OM_QUERY, OM_UPDATE, OM_ADMIN, OM_SESSIONS, OM_CONFIG, OM_RESOURCES, OM_N_SERVICES };

struct om_client;

/* The way of requests: the connection behind its router, or a script in a test.  `send` and `wait` let a caller do something else
 * while the server works; at most one request at a time may be out to one stateful service (a server that gets two hangs). */
struct om_way {
    int (*send)(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t *id,
                struct err *err);
    int (*wait)(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t id, void *out,
                struct arena *mem, struct err *err);
    void (*close)(struct om_client *c);
    /* Make a proxy known to the router without waiting for its answer, so that the first request to it follows at once.  One
     * that comes before the router knows the proxy is refused unseen, and `wait` sends it again (OMERO.server 5.6.17: none of
     * 24 was).  NULL: there is nothing to be done. */
    int (*introduce)(struct om_client *c, const struct ice_proxy *to, struct err *err);
    /* After the connection was lost: the same session on a new one.  The proxies of services and repository are asked for again.
     * NULL: there is no such way. */
    int (*rejoin)(struct om_client *c, struct err *err);
};

struct om_client {
    struct ice_caller caller; /* first: `&s->caller` is what the generated stubs take */
    const struct om_way *way;
    void *way_state;
    struct arena *mem;               /* proxies and texts that live as long as the session */
    const struct ice_proxy *factory; /* ::omero::api::ServiceFactory */
    const struct ice_proxy *service[OM_N_SERVICES];
    const struct ice_proxy *repository; /* ManagedRepository, asked for by import.c */
    struct om_who who;
    int64_t group;                 /* omero.group of every call, or OM_GROUP_OWN */
    bool bound;                    /* to the session's group: a group's owner has opened it */
    const char *file_mode;         /* omero.fs.mode of the calls to come ("r"), or NULL */
    int64_t stopped_ns;            /* when server->stop was seen to be true; 0 = not yet */
    int64_t until_ns;              /* no call waits past this; CLOCK_NEVER as a rule */
    int64_t kept_ns;               /* when keepAlive was last called */
    const struct ice_class *fault; /* class of the exception of the last call that failed; NULL = none or unknown */
    const struct om_server *server;
    char client_uuid[UUID_TEXT];
    char uuid[128];
    bool dead;
};

/* Log in by name and password.  `group` is a group's name, or NULL for the user's default group.
 * REASON_LOGIN (FINAL), REASON_SERVER_DOWN, REASON_SERVER_BUSY, REASON_NO_SERVER, REASON_CERTIFICATE, REASON_TIMEOUT ...
 * The 3 s that a server takes after a wrong password are in connect_ns. */
int om_client_login(struct om_client **out, const struct om_server *server, const char *user, const char *password,
                    const char *group, struct err *err);

/* Join a session by its uuid on a connection of its own. REASON_SESSION when it is gone. */
int om_client_join(struct om_client **out, const struct om_server *server, const char *uuid, struct err *err);

/* A session over any way of requests, with the factory's proxy; for tests and for stand-ins.  Takes the state over. */
struct om_client *om_client_over(const struct om_way *way, void *way_state, const struct ice_proxy *factory);

/* Log out (the server closes the session with its last connection), close the connection, free.  NULL is fine.  Never fails: a
 * server that does not answer within 5 s ends the session by itself. */
void om_client_close(struct om_client *c);
void om_client_closep(struct om_client **s);

/* Call the factory's keepAlive if that was a minute ago or more; OMERO ends a session after 10 idle minutes. */
int om_client_keep_alive(struct om_client *c, struct err *err);

/* Set omero.group of the calls to come; returns the one before.  In a session that a group's owner has opened it stays as it is:
 * the server refuses every other ("Group-sudo session cannot change context!", OMERO.server 5.6.17), all groups included. */
int64_t om_client_group(struct om_client *c, int64_t group);

/* The proxy of a service, asked for at its first use. */
int om_client_service(struct om_client *c, enum om_service which, const struct ice_proxy **out, struct err *err);

/* The server's version ("5.6.17") and the uuid of its database, which names the server whatever its address is.
 * In the session's own memory. */
int om_client_version(struct om_client *c, const char **out, struct err *err);
int om_client_database(struct om_client *c, const char **out, struct err *err);
