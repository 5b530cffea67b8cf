/* A sandbox without sockets: calls are made on its handlers as alice or bob would, and its tasks run when the test says so.
 *
 * Members of the read-annotate group `lab`; a directory of its own that goes with it. */
#pragma once

#include "../test.h"

#include "sandbox/call.h"

struct inside {
    struct server server;
    char *dir;
    struct arena *mem; /* of all calls of a test */
    struct session *alice, *bob;
    int64_t lab;
};

int inside_set_up(void **state);
int inside_tear_down(void **state);

/* A call by its operation on a servant of that kind with that state; *out is the operation's out-struct.  0, or -1 with what was thrown
 * in the call. */
int inside_call(struct inside *in, struct session *who, struct servant *v, const struct ice_op *op, const void *args, struct call *c);
/* The servant behind a proxy that an answer brought. */
struct servant *inside_servant(struct inside *in, struct session *who, const struct ice_proxy *p);
/* Carry out what was begun. */
void inside_run_tasks(struct inside *in);

/* A new object of alice's or bob's in lab; its id. */
int64_t inside_add(struct inside *in, struct session *who, const char *entity, const char *name);
int64_t inside_link(struct inside *in, struct session *who, const char *entity, int64_t parent, int64_t child);
int64_t inside_count(struct inside *in, const char *table);
/* The answer to the command whose handle that is. */
const struct om_cmd_response *inside_response(struct inside *in, struct session *who, const struct ice_proxy *handle);
/* The name and the message of an ERR, or of a thrown exception. */
const char *inside_thrown(const struct call *c);
