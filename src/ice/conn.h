/* A client's connection: requests out, replies in, several in flight, everything with a deadline.
 *
 * One thread at a time uses a connection; there is no reader thread: whoever waits reads for all.  Heartbeats (validate
 * connection) are accepted at any time; a request from the peer is answered with "no such object".  At most once: a call that
 * fails says whether it may have been executed:
 *   err.cls ERR_RETRY  surely not executed (never written, or the peer closed orderly): may be sent again on a new connection
 *   err.cls ERR_WAIT   lost or timed out after it was written, even partly: it may have been executed.  An operation that is
 *                      nonmutating or idempotent is ERR_RETRY then, as it does no harm twice
 * REASON_PROTOCOL and REASON_TOO_LARGE keep their own class: the same would happen again.
 * The connection is dead after any failure of the link; later calls fail with REASON_LOST, ERR_RETRY. */
#pragma once

#include "ice/link.h"
#include "ice/message.h"

struct ice_conn;

/* Takes over the link (failure included) and waits for the peer's validate-connection message.
 * REASON_NOT_OMERO when something else comes, REASON_TIMEOUT, REASON_LOST. */
int ice_conn_open(struct ice_conn **out, struct link *link, const struct ice_registry *reg, int64_t deadline_ns,
                  struct err *err);
/* Orderly: close-connection message (tried for a quarter of a second), then the link.  NULL is fine.  Outstanding requests are
 * forgotten. */
void ice_conn_close(struct ice_conn *c);
void ice_conn_closep(struct ice_conn **c);
bool ice_conn_is_dead(const struct ice_conn *c);
/* When the last byte came from or went to the peer (monotonic ns): what idle limits are counted from. */
int64_t ice_conn_last_traffic_ns(const struct ice_conn *c);
/* Send a heartbeat. */
int ice_conn_heartbeat(struct ice_conn *c, int64_t deadline_ns, struct err *err);

/* What came back.  Texts that the status does not bring are "". */
struct ice_reply {
    enum ice_status status;
    const struct ice_object *exception; /* ICE_USER_EXCEPTION: NULL when its class is unknown */
    const char *exception_id;           /* its type id as sent */
    struct ice_identity missing;        /* ICE_NO_OBJECT ...: what does not exist */
    const char *operation;              /* ICE_NO_OBJECT ...: "ice_add_proxy" from a router */
    const char *text;                   /* ICE_LOCAL_EXCEPTION ... */
};

/* Send a request.  `ctx` and `in` are borrowed for the call.  On 0 `*id` names it for ice_conn_wait.  What the peer
 * sends meanwhile is read, so that two full directions cannot block each other.  A write that ends at the deadline ends the
 * connection.  REASON_TOO_LARGE: not written, the connection lives. */
int ice_conn_send(struct ice_conn *c, const struct ice_identity *target, const struct ice_op *op,
                  const struct ice_context *ctx, enum ice_encoding enc, const void *in, int64_t deadline_ns, int32_t *id,
                  struct err *err);
/* Wait for the reply to `id`.  For status ICE_OK the results are decoded into `out` (a zeroed struct of op->out_size; may be
 * NULL when the op returns nothing).  Results and strings live in `mem`.  Returns 0 whatever the status is; -1 when no reply
 * came or it cannot be decoded (REASON_PROTOCOL).  After REASON_TIMEOUT on a living connection the reply may be waited for
 * again, or be forgotten; after everything else the request is over. */
int ice_conn_wait(struct ice_conn *c, int32_t id, const struct ice_op *op, int64_t deadline_ns, struct arena *mem, void *out,
                  struct ice_reply *reply, struct err *err);
/* Forget a request whose reply is of no interest any more. */
void ice_conn_forget(struct ice_conn *c, int32_t id);

/* For --trace=wire: called with every message sent and received, the greeting that came before included.  `op` is NULL for what
 * is no request of ours and no reply to one.  NULL switches it off. */
typedef void ice_trace_fn(void *arg, bool sent, const struct ice_msg *msg, const struct ice_op *op);
void ice_conn_trace(struct ice_conn *c, ice_trace_fn *fn, void *arg);
