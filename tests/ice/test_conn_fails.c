/* A connection that fails: what may have been executed, what a peer must not do, ceilings. */
#include "bench.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
