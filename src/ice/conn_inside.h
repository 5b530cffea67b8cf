/* The inside of a connection.  Only for the files conn.c, conn_io.c and conn_slot.c.
 *
 * Functions that move bytes return -1 exactly when the connection has died; why is then in `cause`. */
#pragma once

#include "ice/conn.h"

/* A request whose reply nobody has taken yet. */
enum slot_state { SLOT_WAITS, SLOT_ANSWERED, SLOT_FORGOTTEN };

struct slot {
    int32_t id;
    enum slot_state state;
    const struct ice_op *op;
    uint64_t start, end; /* where its bytes are in the stream of all bytes written */
    struct arena *mem;   /* SLOT_ANSWERED: what `reply` lives in, its body included */
    struct ice_msg reply;
};

struct slots {
    struct slot *at;
    size_t n, cap;
    int32_t last_id;
};

struct slot *slots_add(struct slots *s, const struct ice_op *op); /* with a fresh id */
struct slot *slots_find(struct slots *s, int32_t id);             /* NULL; valid until the next add or remove */
void slots_remove(struct slots *s, struct slot *slot);
void slots_clear(struct slots *s);

enum { CONN_CHUNK = 64 * 1024 };

struct ice_conn {
    struct link *link; /* NULL once dead */
    const struct ice_registry *registry;
    struct ice_parser parser;
    struct buf out;   /* messages that are being written */
    struct ice_gap gap; /* what belongs into it and was not copied: while one request is sent */
    size_t out_used;  /* bytes of both that left */
    uint64_t written; /* bytes that left since the beginning */
    struct slots slots;
    bool greeted;
    bool dead, orderly; /* orderly: the peer said that it closes, so what it did not answer it did not execute */
    struct err cause;
    int64_t last_traffic_ns;
    ice_trace_fn *trace;
    void *trace_arg;
    uint8_t chunk[CONN_CHUNK];
};

int conn_die(struct ice_conn *c, const struct err *cause); /* the first cause stays; -1 */
/* One attempt to read, and what follows from the messages that came. */
int conn_pull(struct ice_conn *c, size_t *moved);
/* Write all that is queued, reading meanwhile. */
int conn_flush(struct ice_conn *c, int64_t deadline_ns);
/* Write and read what can be now, or wait until something can.  0, LINK_LATE, -1. */
int conn_step(struct ice_conn *c, int64_t deadline_ns);
/* Show the message that begins at `at` of `out` and is its last. */
void conn_trace_sent(struct ice_conn *c, size_t at, const struct ice_op *op);
