/* One request while it is carried out, and how a handler answers. */
#pragma once

#include "base/mem.h"
#include "ice/message.h"
#include "model/ops.h"
#include "model/types.h"
#include "sandbox/entity.h"
#include "sandbox/server.h"
#include "sandbox/viewer.h"

struct call {
    struct server *server;
    struct conn *conn;
    struct session *session;  /* NULL before the login */
    struct servant *servant;
    const struct handler *handler;
    const struct viewer *viewer; /* NULL before the login */
    struct ice_context context;
    int64_t group;            /* of this call: its omero.group, else the session's; GROUP_ALL for "-1" */
    struct arena *mem;        /* dies with the reply */
    const void *in;
    void *out;
    struct instances *instances; /* objects.c: what was loaded for this answer */

    void (*later)(struct call *c); /* NULL, or what the handler leaves for after the answer; runs without the lock */

    /* The answer when the handler returns -1. */
    enum ice_status status;
    const struct ice_object *exception; /* ICE_USER_EXCEPTION */
    const char *text;                   /* ICE_LOCAL_EXCEPTION, ICE_UNKNOWN */
};

/* NULL when the context does not have the key. */
const char *call_context(const struct call *c, const char *key);

/* Answer by an exception of ::omero::ServerError or a class below.  Returns -1. */
int call_throw(struct call *c, const struct ice_class *cls, const char *fmt, ...) ATTR_PRINTF(3, 4);
/* The Java class that a real server names for an exception, and a stack that names it too. */
const char *java_class(struct arena *mem, const struct ice_class *cls);
/* Answer by status 7: what a real server does where it fails by itself. Returns -1. */
int call_unknown(struct call *c, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Refusals of a login (router.c): PermissionDeniedException, and WrappedCreateSessionException.  Return -1. */
int call_deny(struct call *c, const char *reason);
int call_wrap(struct call *c, const char *type, const char *reason);

/* A proxy of a servant as the server gives it out. */
const struct ice_proxy *call_proxy(struct call *c, const struct servant *v);

/* The kinds, by file: router.c, factory.c, session_service.c, query.c, update.c, admin.c, import.c, upload.c, command.c */
extern const struct kind router_kind, factory_kind, query_kind, update_kind, admin_kind, sessions_kind, config_kind,
    container_kind, resources_kind, types_kind, repository_kind, process_kind, uploader_kind, handle_kind;
