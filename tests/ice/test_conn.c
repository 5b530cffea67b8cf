/* A client's connection against a peer of hand-made bytes (Ice protocol 1.0): the other end of a socket pair, written to
 * before the connection looks, so that no thread and no luck is needed. */
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
static const struct ice_op quiet = {.interface = "::T::Sum", .name = "quiet", .mode = ICE_NORMAL};

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

static int open_on(struct bench *b, const void *first, size_t n, int64_t deadline_ns)
{
    int fds[2];

    *b = (struct bench){.mem = arena_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    b->fd = fds[1];
    assert_true(peer_send(b->fd, first, n));
    return ice_conn_open(&b->c, link_tcp_adopt(fds[0]), &registry, deadline_ns, &b->err);
}

static void set_up(struct bench *b)
{
    assert_ok(open_on(b, GREETING, sizeof(GREETING), AMPLE), &b->err);
}

static void tear_down(struct bench *b)
{
    ice_conn_close(b->c);
    arena_free(b->mem);
    if (b->fd >= 0)
        close(b->fd);
}

static void peer_closes(struct bench *b)
{
    close(b->fd);
    b->fd = -1;
}

static int32_t ask(struct bench *b, const struct ice_op *op)
{
    int32_t id = 0;

    assert_ok(ice_conn_send(b->c, &target, op, NULL, ICE_ENC_1_1, &seven, AMPLE, &id, &b->err), &b->err);
    return id;
}

static int await(struct bench *b, int32_t id, const struct ice_op *op, int64_t deadline_ns)
{
    return ice_conn_wait(b->c, id, op, deadline_ns, b->mem, &b->out, &b->reply, &b->err);
}

/* A reply with one int in encoding 1.1. */
static void answer(struct bench *b, int32_t id, int32_t number)
{
    uint8_t body[15] = {0, 0, 0, 0, ICE_OK, 10, 0, 0, 0, 1, 1};

    wire_i32(body, id);
    wire_i32(body + 11, number);
    assert_true(wire_send(b->fd, 2, body, sizeof(body)));
}

static void expect_bytes(struct bench *b, const void *bytes, size_t n)
{
    AUTO(mem_freep) uint8_t *came = mem_new(n, 1);

    assert_true(peer_receive(b->fd, came, n));
    assert_memory_equal(came, bytes, n);
}

static bool something_to_read(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

static void expect_class(const struct bench *b, enum reason why, enum err_class cls)
{
    assert_string_equal(reason_row(b->err.why)->name, reason_row(why)->name);
    assert_int_equal(b->err.cls, cls);
}

/* --- the greeting --- */

static void only_a_greeting_opens_a_connection(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool then_end;
        enum reason why;
    } cases[] = {
        {"", 0, false, REASON_TIMEOUT},
        {"IceP\1\0\1\0\3\0", 10, false, REASON_TIMEOUT},
        {"", 0, true, REASON_LOST},
        {"IceP\1\0\1\0\3\0", 10, true, REASON_LOST},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, false, REASON_NOT_OMERO},
        {"\x15\3\1\0\2\2\x28", 7, false, REASON_NOT_OMERO},
        {"IceP\1\0\1\0\2\0\x14\0\0\0\1\0\0\0\7\0", 20, false, REASON_NOT_OMERO},
        {"IceP\1\0\1\0\4\0\x0e\0\0\0", 14, false, REASON_LOST},
        {"IceP\2\0\1\0\3\0\x0e\0\0\0", 14, false, REASON_PROTOCOL},
        {"IceP\1\0\1\0\2\0\1\0\0\4", 14, false, REASON_TOO_LARGE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = {.mem = arena_new()};
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_true(peer_send(fds[1], cases[i].bytes, cases[i].n));
        if (cases[i].then_end)
            shutdown(fds[1], SHUT_WR);
        assert_fails(ice_conn_open(&b.c, link_tcp_adopt(fds[0]), &registry, SOON, &b.err), &b.err, cases[i].why);
        assert_false(peer_receive(fds[1], &fds[0], 1)); /* nothing was said, and the link is closed */
        b.fd = fds[1];
        tear_down(&b);
    }
}

static void a_greeting_may_come_in_pieces_and_with_more(void **state)
{
    (void)state;
    struct bench b;
    uint8_t twice[2 * sizeof(GREETING)];

    memcpy(twice, GREETING, sizeof(GREETING));
    memcpy(twice + sizeof(GREETING), GREETING, sizeof(GREETING));
    assert_ok(open_on(&b, twice, sizeof(twice), AMPLE), &b.err);
    assert_false(ice_conn_is_dead(b.c));
    tear_down(&b);
}

/* --- requests and replies --- */

static void a_request_has_the_bytes_of_the_protocol(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        'I', 'c', 'e', 'P', 1, 0, 1, 0, 0, 0, 46, 0, 0, 0, 1, 0, 0, 0, 1, 'n', 1, 'c', 0, 3, 'a', 'd', 'd', 0, 1, 1, 'k', 1, 'v',
        13, 0, 0, 0, 1, 1, 7, 0, 0, 0, 2, 'h', 'i',
    };
    static const struct ice_pair pairs[] = {{"k", "v"}};
    static const struct ice_context ctx = {1, pairs};
    struct bench b;
    int32_t id;

    set_up(&b);
    assert_ok(ice_conn_send(b.c, &target, &add, &ctx, ICE_ENC_1_1, &seven, AMPLE, &id, &b.err), &b.err);
    assert_int_equal(id, 1);
    expect_bytes(&b, expected, sizeof(expected));
    answer(&b, 1, 42);
    assert_ok(await(&b, id, &add, AMPLE), &b.err);
    assert_int_equal(b.reply.status, ICE_OK);
    assert_int_equal(b.out.ret, 42);
    tear_down(&b);
}

static void replies_may_come_in_any_order(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    for (int32_t id = 1; id <= 3; id++)
        assert_int_equal(ask(&b, &add), id);
    answer(&b, 2, 20);
    answer(&b, 3, 30);
    answer(&b, 1, 10);
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 10);
    assert_ok(await(&b, 3, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 30);
    assert_ok(await(&b, 2, &add, 0), &b.err);
    assert_int_equal(b.out.ret, 20);
    assert_fails(await(&b, 2, &add, AMPLE), &b.err, REASON_BUG);
    tear_down(&b);
}

static void heartbeats_are_welcome_at_any_time(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    int32_t id = ask(&b, &add);
    assert_true(peer_send(b.fd, GREETING, sizeof(GREETING)));
    assert_true(peer_send(b.fd, GREETING, sizeof(GREETING)));
    answer(&b, id, 1);
    assert_true(peer_send(b.fd, GREETING, 5));
    assert_ok(await(&b, id, &add, AMPLE), &b.err);
    assert_true(peer_send(b.fd, GREETING + 5, sizeof(GREETING) - 5));
    id = ask(&b, &add);
    answer(&b, id, 2);
    assert_ok(await(&b, id, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 2);
    tear_down(&b);
}

static void an_operation_may_return_nothing(void **state)
{
    (void)state;
    static const uint8_t body[] = {1, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1};
    struct bench b;
    int32_t id;

    set_up(&b);
    assert_ok(ice_conn_send(b.c, &target, &quiet, NULL, ICE_ENC_1_1, NULL, AMPLE, &id, &b.err), &b.err);
    assert_true(wire_send(b.fd, 2, body, sizeof(body)));
    assert_ok(ice_conn_wait(b.c, id, &quiet, AMPLE, b.mem, NULL, &b.reply, &b.err), &b.err);
    assert_int_equal(b.reply.status, ICE_OK);
    tear_down(&b);
}

static void a_user_exception_is_handed_over(void **state)
{
    (void)state;
    static const uint8_t known[] = "\1\0\0\0\1\x19\0\0\0\1\1\x20\x0b::T::Failed\5sorry";
    static const uint8_t unknown[] = "\2\0\0\0\1\x18\0\0\0\1\1\x30\x0a::T::Other\6\0\0\0\1x";
    struct bench b;

    set_up(&b);
    int32_t first = ask(&b, &add), second = ask(&b, &add);
    assert_true(wire_send(b.fd, 2, known, sizeof(known) - 1));
    assert_true(wire_send(b.fd, 2, unknown, sizeof(unknown) - 1));
    assert_ok(await(&b, first, &add, AMPLE), &b.err);
    assert_int_equal(b.reply.status, ICE_USER_EXCEPTION);
    assert_ptr_equal(b.reply.exception->cls, &failed_class);
    assert_string_equal(((const struct failed *)b.reply.exception)->message, "sorry");
    assert_string_equal(b.reply.exception_id, "::T::Failed");
    assert_ok(await(&b, second, &add, AMPLE), &b.err);
    assert_null(b.reply.exception);
    assert_string_equal(b.reply.exception_id, "::T::Other");
    tear_down(&b);
}

static void the_other_statuses_are_told(void **state)
{
    (void)state;
    static const uint8_t missing[] = "\1\0\0\0\2\4name\3cat\0\x0dice_add_proxy";
    struct bench b;

    set_up(&b);
    ask(&b, &add);
    assert_true(wire_send(b.fd, 2, missing, sizeof(missing) - 1));
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    assert_int_equal(b.reply.status, ICE_NO_OBJECT);
    assert_string_equal(b.reply.missing.name, "name");
    assert_string_equal(b.reply.missing.category, "cat");
    assert_string_equal(b.reply.operation, "ice_add_proxy");
    assert_string_equal(b.reply.text, "");
    for (uint8_t status = ICE_LOCAL_EXCEPTION; status <= ICE_UNKNOWN; status++) {
        uint8_t body[] = {0, 0, 0, 0, status, 3, 'w', 'h', 'y'};
        wire_i32(body, ask(&b, &add));
        assert_true(wire_send(b.fd, 2, body, sizeof(body)));
        assert_ok(await(&b, body[0], &add, AMPLE), &b.err);
        assert_int_equal(b.reply.status, status);
        assert_string_equal(b.reply.text, "why");
        assert_string_equal(b.reply.operation, "");
    }
    tear_down(&b);
}

static void a_reply_that_cannot_be_read_ends_the_request_only(void **state)
{
    (void)state;
    static const uint8_t lies[] = {1, 0, 0, 0, 0, 99, 0, 0, 0, 1, 1, 0, 0, 0, 0};
    struct bench b;

    set_up(&b);
    ask(&b, &add);
    assert_true(wire_send(b.fd, 2, lies, sizeof(lies)));
    assert_fails(await(&b, 1, &add, AMPLE), &b.err, REASON_PROTOCOL);
    assert_non_null(strstr(b.err.text, "::T::Sum add"));
    assert_false(ice_conn_is_dead(b.c));
    answer(&b, ask(&b, &add), 5);
    assert_ok(await(&b, 2, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 5);
    tear_down(&b);
}

/* --- at most once --- */

static const struct { const struct ice_op *op; enum err_class lost; size_t bytes; } modes[] = {
    {&add, ERR_WAIT, ADD_BYTES}, {&look, ERR_RETRY, LOOK_BYTES}, {&put, ERR_RETRY, PUT_BYTES},
};

static void an_orderly_close_means_not_executed(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    ask(&b, &add);
    ask(&b, &add);
    answer(&b, 1, 11);
    assert_true(peer_send(b.fd, CLOSING, sizeof(CLOSING)));
    peer_closes(&b);
    assert_fails(await(&b, 2, &add, AMPLE), &b.err, REASON_LOST);
    expect_class(&b, REASON_LOST, ERR_RETRY);
    assert_true(ice_conn_is_dead(b.c));
    assert_ok(await(&b, 1, &add, AMPLE), &b.err); /* the reply was there before */
    assert_int_equal(b.out.ret, 11);

    int32_t id;
    assert_int_equal(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &seven, AMPLE, &id, &b.err), -1);
    expect_class(&b, REASON_LOST, ERR_RETRY);
    assert_int_equal(ice_conn_heartbeat(b.c, AMPLE, &b.err), -1);
    expect_class(&b, REASON_LOST, ERR_RETRY);
    tear_down(&b);
}

static void the_end_without_a_word_leaves_doubt(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        for (int half = 0; half < 2; half++) {
            struct bench b;
            set_up(&b);
            ask(&b, modes[i].op);
            char request[LOOK_BYTES];
            assert_true(peer_receive(b.fd, request, half ? 10 : modes[i].bytes)); /* what is left unread makes it a reset */
            assert_true(peer_send(b.fd, GREETING, 9));
            peer_closes(&b);
            assert_int_equal(await(&b, 1, modes[i].op, AMPLE), -1);
            expect_class(&b, REASON_LOST, modes[i].lost);
            assert_int_equal(b.err.sys, half ? ECONNRESET : 0);
            assert_non_null(strstr(b.err.text, modes[i].op->name));
            tear_down(&b);
        }
}

static void a_late_reply_leaves_doubt_and_may_still_come(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct bench b;
        set_up(&b);
        ask(&b, modes[i].op);
        int64_t before = clock_mono_ns();
        assert_int_equal(await(&b, 1, modes[i].op, SOON), -1);
        assert_true(clock_mono_ns() - before >= 50 * NS_PER_MS);
        expect_class(&b, REASON_TIMEOUT, modes[i].lost);
        assert_false(ice_conn_is_dead(b.c));
        answer(&b, 1, 9);
        assert_ok(await(&b, 1, modes[i].op, AMPLE), &b.err);
        assert_int_equal(b.out.ret, 9);
        tear_down(&b);
    }
}

static void a_close_that_is_there_already_keeps_a_request_unwritten(void **state)
{
    (void)state;
    struct bench b;
    int32_t id;

    set_up(&b);
    assert_true(peer_send(b.fd, CLOSING, sizeof(CLOSING)));
    assert_int_equal(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &seven, AMPLE, &id, &b.err), -1);
    expect_class(&b, REASON_LOST, ERR_RETRY);
    assert_int_equal(peer_drain(b.fd), 0);
    tear_down(&b);
}

static void a_write_that_stops_half_way_ends_the_connection(void **state)
{
    (void)state;
    AUTO(mem_freep) char *text = mem_new(8 << 20, 1);
    struct add_in large = {1, memset(text, 'a', (8 << 20) - 1)};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct bench b;
        int32_t id;
        set_up(&b);
        ask(&b, &add);
        assert_int_equal(ice_conn_send(b.c, &target, modes[i].op, NULL, ICE_ENC_1_1, &large, SOON, &id, &b.err), -1);
        expect_class(&b, REASON_TIMEOUT, modes[i].lost);
        assert_true(ice_conn_is_dead(b.c));
        assert_int_equal(await(&b, 1, &add, AMPLE), -1);
        expect_class(&b, REASON_TIMEOUT, ERR_WAIT);
        tear_down(&b);
    }
}

static void a_write_that_never_began_may_be_repeated(void **state)
{
    (void)state;
    struct bench b;
    char some[4096] = {0};
    int32_t id;

    set_up(&b);
    while (send(link_fd(b.c->link), some, sizeof(some), MSG_DONTWAIT) > 0)
        continue;
    while (send(link_fd(b.c->link), some, 1, MSG_DONTWAIT) > 0)
        continue;
    assert_int_equal(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &seven, SOON, &id, &b.err), -1);
    expect_class(&b, REASON_TIMEOUT, ERR_RETRY);
    assert_true(ice_conn_is_dead(b.c));
    tear_down(&b);
}

/* --- what a peer must not do --- */

static void dies_of_protocol(struct bench *b, int32_t id)
{
    assert_fails(await(b, id, &add, AMPLE), &b->err, REASON_PROTOCOL);
    assert_int_equal(b->err.cls, ERR_FINAL);
    assert_true(ice_conn_is_dead(b->c));
    tear_down(b);
}

static void a_reply_to_nothing_ends_the_connection(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    ask(&b, &add);
    answer(&b, 2, 0);
    dies_of_protocol(&b, 1);

    set_up(&b);
    ask(&b, &add);
    ask(&b, &add);
    answer(&b, 1, 0);
    answer(&b, 1, 0);
    dies_of_protocol(&b, 2);

    set_up(&b);
    ask(&b, &add);
    answer(&b, 0, 0);
    dies_of_protocol(&b, 1);
}

static void a_reply_to_a_forgotten_request_is_dropped(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    ask(&b, &add);
    ask(&b, &add);
    ask(&b, &add);
    ice_conn_forget(b.c, 1);
    ice_conn_forget(b.c, 99);
    answer(&b, 2, 2);
    answer(&b, 1, 1);
    answer(&b, 3, 3);
    assert_ok(await(&b, 3, &add, AMPLE), &b.err);
    ice_conn_forget(b.c, 2);
    assert_int_equal(b.c->slots.n, 0);
    ask(&b, &add);
    answer(&b, 1, 1); /* once is enough */
    dies_of_protocol(&b, 4);
}

static void garbage_ends_the_connection(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t n; enum reason why; } cases[] = {
        {"what is this?", 13, REASON_NOT_OMERO},
        {"IceP\1\0\1\0\1\0\x12\0\0\0\0\0\0\0", 18, REASON_PROTOCOL},  /* batch */
        {"IceP\1\0\1\0\2\2\x12\0\0\0\0\0\0\0", 18, REASON_PROTOCOL},  /* compressed */
        {"IceP\1\0\1\0\2\0\x0d\0\0\0", 14, REASON_PROTOCOL},          /* smaller than its header */
        {"IceP\1\0\1\0\2\0\xff\xff\xff\xff", 14, REASON_PROTOCOL},
        {"IceP\1\0\1\0\2\0\xff\xff\xff\x7f", 14, REASON_TOO_LARGE},
        {"IceP\1\0\1\0\2\0\x13\0\0\0\1\0\0\0\x63", 19, REASON_PROTOCOL}, /* status 99 */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        set_up(&b);
        ask(&b, &put);
        assert_true(peer_send(b.fd, cases[i].bytes, cases[i].n));
        assert_fails(await(&b, 1, &put, AMPLE), &b.err, cases[i].why);
        assert_int_equal(b.err.cls, ERR_FINAL);
        assert_true(ice_conn_is_dead(b.c));
        tear_down(&b);
    }
}

static void a_request_of_the_peer_is_answered_with_no_such_object(void **state)
{
    (void)state;
    static const uint8_t two_way[] = "\5\0\0\0\1n\1c\0\4ping\0\0\6\0\0\0\1\1";
    static const uint8_t one_way[] = "\0\0\0\0\1n\1c\0\4ping\0\0\6\0\0\0\1\1";
    static const uint8_t expected[] = {
        'I', 'c', 'e', 'P', 1, 0, 1, 0, 2, 0, 29, 0, 0, 0, 5, 0, 0, 0, 2, 1, 'n', 1, 'c', 0, 4, 'p', 'i', 'n', 'g',
    };
    struct bench b;
    char request[ADD_BYTES];

    set_up(&b);
    ask(&b, &add);
    assert_true(peer_receive(b.fd, request, sizeof(request)));
    assert_true(wire_send(b.fd, 0, one_way, sizeof(one_way) - 1));
    assert_true(wire_send(b.fd, 0, two_way, sizeof(two_way) - 1));
    assert_fails(await(&b, 1, &add, SOON), &b.err, REASON_TIMEOUT);
    expect_bytes(&b, expected, sizeof(expected));
    assert_false(something_to_read(b.fd));
    answer(&b, 1, 3);
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    tear_down(&b);
}

/* --- ceilings --- */

static void a_request_above_the_ceiling_is_not_written(void **state)
{
    (void)state;
    AUTO(mem_freep) char *text = mem_new(ICE_MESSAGE_MAX + 1, 1);
    struct add_in large = {1, memset(text, 'a', ICE_MESSAGE_MAX)};
    struct bench b;
    int32_t id;

    set_up(&b);
    assert_fails(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &large, AMPLE, &id, &b.err), &b.err, REASON_TOO_LARGE);
    assert_false(something_to_read(b.fd));
    assert_false(ice_conn_is_dead(b.c));
    id = ask(&b, &add);
    answer(&b, id, 4);
    assert_ok(await(&b, id, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 4);
    tear_down(&b);
}

static void requests_in_flight_are_counted(void **state)
{
    (void)state;
    struct bench b;
    int32_t id;
    char request[ADD_BYTES];

    set_up(&b);
    for (unsigned i = 0; i < ICE_IN_FLIGHT_MAX; i++) {
        ask(&b, &add);
        assert_true(peer_receive(b.fd, request, sizeof(request)));
    }
    assert_fails(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &seven, AMPLE, &id, &b.err), &b.err, REASON_TOO_LARGE);
    assert_false(something_to_read(b.fd));
    answer(&b, 1, 1);
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    ask(&b, &add);
    tear_down(&b);
}

static void ids_begin_again_without_those_in_use(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    assert_int_equal(ask(&b, &add), 1);
    b.c->slots.last_id = INT32_MAX - 1;
    assert_int_equal(ask(&b, &add), INT32_MAX);
    assert_int_equal(ask(&b, &add), 2);
    tear_down(&b);
}

/* --- both directions at once --- */

enum { HUGE_BYTES = 16 << 20 };

/* Writes a huge reply first and reads afterwards. */
static void talk_before_listening(struct peer *p, int fd)
{
    uint8_t *body = calloc(HUGE_BYTES, 1);
    uint8_t head[] = {1, 0, 0, 0, ICE_OK, 0, 0, 0, 0, 1, 1, 42, 0, 0, 0};

    memcpy(body, head, sizeof(head));
    wire_i32(body + 5, HUGE_BYTES - 5); /* what follows the int is skipped by the reader */
    p->ok = peer_send(fd, GREETING, sizeof(GREETING)) && peer_receive(fd, body + 100, ADD_BYTES)
            && wire_send(fd, 2, body, HUGE_BYTES);
    p->got = peer_drain(fd);
    free(body);
}

static void two_full_directions_do_not_block_each_other(void **state)
{
    (void)state;
    AUTO(mem_freep) char *text = mem_new(HUGE_BYTES + 1, 1);
    struct add_in large = {1, memset(text, 'a', HUGE_BYTES)};
    struct bench b = {.mem = arena_new(), .fd = -1};
    struct peer p;
    struct link *l;
    int32_t id;

    peer_start(&p, talk_before_listening, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &b.err), &b.err);
    assert_ok(ice_conn_open(&b.c, l, &registry, AMPLE, &b.err), &b.err);
    ask(&b, &add);
    assert_ok(ice_conn_send(b.c, &target, &add, NULL, ICE_ENC_1_1, &large, AMPLE, &id, &b.err), &b.err);
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    assert_int_equal(b.out.ret, 42);
    tear_down(&b);
    peer_stop(&p);
    assert_true(p.ok);
    assert_true(p.got > HUGE_BYTES);
}

/* --- the rest of the door --- */

static void closing_says_farewell(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    ice_conn_close(STEAL(b.c));
    expect_bytes(&b, CLOSING, sizeof(CLOSING));
    assert_int_equal(peer_drain(b.fd), 0);
    tear_down(&b);
}

static void a_heartbeat_is_the_greeting_again(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b);
    int64_t before = ice_conn_last_traffic_ns(b.c);
    peer_sleep_ms(2);
    assert_ok(ice_conn_heartbeat(b.c, AMPLE, &b.err), &b.err);
    expect_bytes(&b, GREETING, sizeof(GREETING));
    assert_true(ice_conn_last_traffic_ns(b.c) > before);
    peer_closes(&b);
    assert_int_equal(ice_conn_heartbeat(b.c, AMPLE, &b.err), -1);
    expect_class(&b, REASON_LOST, ERR_RETRY);
    tear_down(&b);
}

static void write_line(void *arg, bool sent, const struct ice_msg *msg, const struct ice_op *op)
{
    static const char *const types[] = {"request", "batch", "reply", "validate", "close"};

    buf_printf(arg, "%c %s %zu #%d %s %s\n", sent ? '>' : '<', types[msg->type], msg->size, msg->id, op ? op->name : "-",
               msg->target.name);
}

static void every_message_is_traced(void **state)
{
    (void)state;
    static const uint8_t two_way[] = "\5\0\0\0\1x\1c\0\4ping\0\0\6\0\0\0\1\1";
    struct buf lines = BUF_INIT(4096);
    struct bench b;

    set_up(&b);
    ice_conn_trace(b.c, write_line, &lines);
    ask(&b, &add);
    assert_true(peer_send(b.fd, GREETING, sizeof(GREETING)));
    assert_true(wire_send(b.fd, 0, two_way, sizeof(two_way) - 1));
    answer(&b, 1, 1);
    assert_ok(await(&b, 1, &add, AMPLE), &b.err);
    assert_ok(ice_conn_heartbeat(b.c, AMPLE, &b.err), &b.err);
    ice_conn_close(STEAL(b.c));
    AUTO(mem_freep) char *text = buf_take_str(&lines);
    assert_string_equal(text, "> request 42 #1 add n\n"
                              "< validate 14 #0 - \n"
                              "< request 36 #5 - x\n"
                              "> reply 29 #5 - x\n"
                              "< reply 29 #1 add \n"
                              "> validate 14 #0 - \n"
                              "> close 14 #0 - \n");
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_greeting_opens_a_connection),
        cmocka_unit_test(a_greeting_may_come_in_pieces_and_with_more),
        cmocka_unit_test(a_request_has_the_bytes_of_the_protocol),
        cmocka_unit_test(replies_may_come_in_any_order),
        cmocka_unit_test(heartbeats_are_welcome_at_any_time),
        cmocka_unit_test(an_operation_may_return_nothing),
        cmocka_unit_test(a_user_exception_is_handed_over),
        cmocka_unit_test(the_other_statuses_are_told),
        cmocka_unit_test(a_reply_that_cannot_be_read_ends_the_request_only),
        cmocka_unit_test(an_orderly_close_means_not_executed),
        cmocka_unit_test(the_end_without_a_word_leaves_doubt),
        cmocka_unit_test(a_late_reply_leaves_doubt_and_may_still_come),
        cmocka_unit_test(a_close_that_is_there_already_keeps_a_request_unwritten),
        cmocka_unit_test(a_write_that_stops_half_way_ends_the_connection),
        cmocka_unit_test(a_write_that_never_began_may_be_repeated),
        cmocka_unit_test(a_reply_to_nothing_ends_the_connection),
        cmocka_unit_test(a_reply_to_a_forgotten_request_is_dropped),
        cmocka_unit_test(garbage_ends_the_connection),
        cmocka_unit_test(a_request_of_the_peer_is_answered_with_no_such_object),
        cmocka_unit_test(a_request_above_the_ceiling_is_not_written),
        cmocka_unit_test(requests_in_flight_are_counted),
        cmocka_unit_test(ids_begin_again_without_those_in_use),
        cmocka_unit_test(two_full_directions_do_not_block_each_other),
        cmocka_unit_test(closing_says_farewell),
        cmocka_unit_test(a_heartbeat_is_the_greeting_again),
        cmocka_unit_test(every_message_is_traced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
