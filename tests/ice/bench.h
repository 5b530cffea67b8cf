/* The bench of the connection's tests: a connection against a peer of hand-made bytes (Ice protocol 1.0).  The peer is the other
 * end of a socket pair, written to before the connection looks, so that no thread and no luck is needed. */
#pragma once

#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "ice/conn.h"
#include "ice/conn_inside.h"
#include "peer.h"
#include "wire.h"

#define SOON clock_after_ns(50 * NS_PER_MS)
#define AMPLE clock_after_ns(10 * NS_PER_S)

/* --- an interface with three operations, and an exception --- */

struct add_in {
    int32_t number;
    const char *text;
};
struct add_out {
    int32_t ret;
};
struct failed {
    const struct ice_class *cls;
    const char *message;
};

static const struct ice_field add_in_fields[] = {
    {"number", &ice_type_int, offsetof(struct add_in, number)},
    {"text", &ice_type_string, offsetof(struct add_in, text)},
};
static const struct ice_field add_out_fields[] = {{"ret", &ice_type_int, offsetof(struct add_out, ret)}};
static const struct ice_field failed_fields[] = {{"message", &ice_type_string, offsetof(struct failed, message)}};
static const struct ice_class failed_class = {"::T::Failed", NULL, failed_fields, 1, sizeof(struct failed)};
static const struct ice_class *const classes[] = {&failed_class};
static const struct ice_registry registry = {classes, 1};

#define OP(op_name, op_mode)                                                                             \
    {.interface = "::T::Sum", .name = op_name, .mode = op_mode, .in = add_in_fields, .n_in = 2,          \
     .in_size = sizeof(struct add_in), .out = add_out_fields, .n_out = 1, .out_size = sizeof(struct add_out)}
static const struct ice_op add = OP("add", ICE_NORMAL), look = OP("look", ICE_NONMUTATING), put = OP("put", ICE_IDEMPOTENT);
static const struct ice_op quiet __attribute__((unused)) = {.interface = "::T::Sum", .name = "quiet", .mode = ICE_NORMAL};

static const struct ice_identity target = {"n", "c"};
static const struct add_in seven = {7, "hi"};
enum { ADD_BYTES = 42, PUT_BYTES = 42, LOOK_BYTES = 43 }; /* of their requests for `seven` without a context */

/* --- the bench: a connection, and the peer's end --- */

struct bench {
    int fd;
    struct ice_conn *c;
    struct arena *mem;
    struct err err;
    struct ice_reply reply;
    struct add_out out;
};

static inline int open_on(struct bench *b, const void *first, size_t n, int64_t deadline_ns)
{
    int fds[2];

    *b = (struct bench){.mem = arena_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    b->fd = fds[1];
    assert_true(peer_send(b->fd, first, n));
    return ice_conn_open(&b->c, link_tcp_adopt(fds[0]), &registry, deadline_ns, &b->err);
}

static inline void set_up(struct bench *b)
{
    assert_ok(open_on(b, GREETING, sizeof(GREETING), AMPLE), &b->err);
}

static inline void tear_down(struct bench *b)
{
    ice_conn_close(b->c);
    arena_free(b->mem);
    if (b->fd >= 0)
        close(b->fd);
}

static inline void peer_closes(struct bench *b)
{
    close(b->fd);
    b->fd = -1;
}

static inline int32_t ask(struct bench *b, const struct ice_op *op)
{
    int32_t id = 0;

    assert_ok(ice_conn_send(b->c, &target, op, NULL, ICE_ENC_1_1, &seven, AMPLE, &id, &b->err), &b->err);
    return id;
}

static inline int await(struct bench *b, int32_t id, const struct ice_op *op, int64_t deadline_ns)
{
    return ice_conn_wait(b->c, id, op, deadline_ns, b->mem, &b->out, &b->reply, &b->err);
}

/* A reply with one int in encoding 1.1. */
static inline void answer(struct bench *b, int32_t id, int32_t number)
{
    uint8_t body[15] = {0, 0, 0, 0, ICE_OK, 10, 0, 0, 0, 1, 1};

    wire_i32(body, id);
    wire_i32(body + 11, number);
    assert_true(wire_send(b->fd, 2, body, sizeof(body)));
}

static inline void expect_bytes(struct bench *b, const void *bytes, size_t n)
{
    AUTO(mem_freep) uint8_t *came = mem_new(n, 1);

    assert_true(peer_receive(b->fd, came, n));
    assert_memory_equal(came, bytes, n);
}

static inline bool something_to_read(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

static inline void expect_class(const struct bench *b, enum reason why, enum err_class cls)
{
    assert_string_equal(reason_row(b->err.why)->name, reason_row(why)->name);
    assert_int_equal(b->err.cls, cls);
}
