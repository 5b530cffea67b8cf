/* A connection: greeting, requests and replies, heartbeats, farewell, trace. */
#include "bench.h"

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
    assert_string_equal(text, "< validate 14 #0 - \n"
                              "> request 42 #1 add n\n"
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
        cmocka_unit_test(two_full_directions_do_not_block_each_other),
        cmocka_unit_test(closing_says_farewell),
        cmocka_unit_test(a_heartbeat_is_the_greeting_again),
        cmocka_unit_test(every_message_is_traced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
