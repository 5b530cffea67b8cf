/* Commands: requests that go on after they were submitted, and the handles by which they are followed. */
#pragma once

#include "sandbox/objects.h"

/* A command while it runs and after it.  Counted: its handle and its task refer to it.  Under the lock. */
struct command {
    struct task task;
    void (*run)(struct command *cmd, struct call *c); /* with the lock; sets `response` or leaves an exception in the call */
    void (*end)(struct command *cmd);                 /* frees `state` */
    void *state;
    int refs;
    struct arena *mem;       /* request and response live here */
    struct server *server;
    struct session *session; /* held until it is done */
    int64_t group;
    const struct om_cmd_request *request;
    const struct om_cmd_response *response; /* NULL: runs */
    bool failed, cancelled;
    int step, steps;
    int64_t start_ms, stop_ms;
    struct callback {
        struct callback *next;
        const struct ice_proxy *proxy;
    } *callbacks;
};

/* A command for the session of the call, not yet begun; its arena is new. */
struct command *command_new(struct call *c, int steps);
/* Begin it, and give out its handle. */
const struct ice_proxy *command_start(struct call *c, struct command *cmd);
/* An answer of class ERR or GraphException. */
void command_fail(struct command *cmd, const struct ice_class *cls, const char *category, const char *name, const char *message,
                  const char *stack);
/* Let others in for the time that a step takes; counts the step. */
void command_step(struct command *cmd);
/* A call in the name of the command's session. Its arena is the command's. */
struct call command_call(struct command *cmd);

int command_submit(struct call *c); /* the handler of ::omero::cmd::Session::submit */

/* delete.c */
struct om_cmd_delete2;
int delete_submit(struct call *c, const struct om_cmd_delete2 *request, const struct ice_proxy **out);

/* A copy in another arena, by way of the wire: `fields` describe the struct at `values`, of which `out` gets the like. */
void copy_values(struct arena *mem, const struct ice_field *fields, size_t n, const void *values, void *out);
