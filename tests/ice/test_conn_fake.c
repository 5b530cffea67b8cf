/* A connection on a link that is nothing but a table: moments that no socket gives at will. */
#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ice/conn.h"
#include "ice/link_ops.h"
#include "wire.h"

#define SOON clock_after_ns(50 * NS_PER_MS)
#define AMPLE clock_after_ns(10 * NS_PER_S)

struct text_in {
    const char *text;
};
static const struct ice_field text_fields[] = {{"text", &ice_type_string, offsetof(struct text_in, text)}};
static const struct ice_op tell = {.interface = "::T::Ear", .name = "tell", .mode = ICE_NORMAL, .in = text_fields, .n_in = 1,
                                   .in_size = sizeof(struct text_in)};
static const struct ice_registry registry = {NULL, 0};
static const struct ice_identity target = {"n", "c"};

struct fake {
    struct link link;
    const uint8_t *come; /* what can be read once, and then for ever again when `endless` */
    size_t n_come, at;
    bool endless;
    size_t takes;        /* bytes that writing takes before it would block */
    bool write_fails;    /* instead of blocking */
    void (*on_block)(struct fake *f);
    bool *closed;
};

static int fake_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err)
{
    struct fake *f = (struct fake *)l;
    size_t left = f->n_come - f->at;

    (void)err;
    *moved = n < left ? n : left;
    if (*moved)
        memcpy(at, f->come + f->at, *moved);
    f->at += *moved;
    if (f->endless && f->at == f->n_come)
        f->at = 0;
    return 0;
}

static int fake_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err)
{
    struct fake *f = (struct fake *)l;

    (void)bytes;
    *moved = n < f->takes ? n : f->takes;
    f->takes -= *moved;
    if (*moved)
        return 0;
    if (f->on_block)
        f->on_block(f);
    return f->write_fails ? err_set(err, REASON_LOST, 0, "the pipe broke") : 0;
}

static short fake_events(const struct link *l, int what)
{
    (void)l;
    (void)what;
    return 0;
}

static bool fake_holds(const struct link *l)
{
    const struct fake *f = (const struct fake *)l;

    return f->at < f->n_come;
}

static bool fake_readable(struct link *l)
{
    return fake_holds(l);
}

static void fake_close(struct link *l)
{
    struct fake *f = (struct fake *)l;

    *f->closed = true;
    close(l->fd);
    free(f);
}

static const struct link_ops fake_ops = {fake_read, fake_write, fake_events, fake_holds, fake_readable, fake_close};

static struct ice_conn *open_fake(struct fake **out, bool *closed)
{
    struct fake *f = mem_new(1, sizeof(*f));
    int fds[2];
    struct ice_conn *c;
    struct err err = ERR_INIT;

    assert_int_equal(pipe(fds), 0);
    close(fds[1]);
    *f = (struct fake){.link = {.ops = &fake_ops, .fd = fds[0], .peer = "fake"}, .come = GREETING, .n_come = sizeof(GREETING),
                       .takes = SIZE_MAX, .closed = closed};
    *closed = false;
    assert_ok(ice_conn_open(&c, &f->link, &registry, AMPLE, &err), &err);
    *out = f;
    return c;
}

static void closing_comes(struct fake *f)
{
    f->come = CLOSING;
    f->n_come = sizeof(CLOSING);
    f->at = 0;
}

static void reply_comes(struct fake *f)
{
    static const uint8_t reply[] = {'I', 'c', 'e', 'P', 1, 0, 1, 0, 2, 0, 25, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1};

    f->come = reply;
    f->n_come = sizeof(reply);
    f->at = 0;
}

static const struct text_in hi = {"hi"};

/* A server that closes says so, and then its socket refuses: the word counts, though writing fails first. */
static void the_last_words_of_a_peer_are_read(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct fake *f;
    bool closed;
    struct ice_conn *c = open_fake(&f, &closed);
    int32_t id;

    f->takes = 10;
    f->write_fails = true;
    f->on_block = closing_comes;
    assert_fails(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, AMPLE, &id, &err), &err, REASON_LOST);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_non_null(strstr(err.text, "closed the connection"));
    assert_true(closed);
    ice_conn_close(c);
}

static void a_write_that_fails_half_way_leaves_doubt(void **state)
{
    (void)state;
    struct err err = ERR_INIT;

    for (size_t taken = 0; taken < 20; taken += 10) {
        struct fake *f;
        bool closed;
        struct ice_conn *c = open_fake(&f, &closed);
        int32_t id;
        f->takes = taken;
        f->write_fails = true;
        assert_fails(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, AMPLE, &id, &err), &err, REASON_LOST);
        assert_int_equal(err.cls, taken ? ERR_WAIT : ERR_RETRY);
        assert_non_null(strstr(err.text, "the pipe broke"));
        ice_conn_close(c);
    }
}

static void a_reply_before_its_request_is_out_ends_the_connection(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct fake *f;
    bool closed;
    struct ice_conn *c = open_fake(&f, &closed);
    int32_t id;

    f->takes = 20;
    f->on_block = reply_comes;
    assert_fails(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, AMPLE, &id, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "before the request was written"));
    assert_true(closed);
    ice_conn_close(c);
}

static void endless_heartbeats_do_not_move_a_deadline(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    struct ice_reply reply;
    struct fake *f;
    bool closed;
    struct ice_conn *c = open_fake(&f, &closed);
    int32_t id;

    f->at = 0;
    f->endless = true;
    assert_ok(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, AMPLE, &id, &err), &err);
    int64_t before = clock_mono_ns();
    assert_fails(ice_conn_wait(c, id, &tell, SOON, mem, NULL, &reply, &err), &err, REASON_TIMEOUT);
    assert_true(clock_mono_ns() - before < NS_PER_S);
    f->takes = 5;
    assert_fails(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, SOON, &id, &err), &err, REASON_TIMEOUT);
    assert_int_equal(err.cls, ERR_WAIT);
    ice_conn_close(c);
}

/* Two-way requests without end, and never a byte taken of the answers: the queue has a ceiling. */
static void a_peer_that_asks_and_never_reads_is_left(void **state)
{
    (void)state;
    enum { NAME = 60000, BODY = 4 + 4 + 1 + 5 + NAME + 2 + 6 };
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(mem_freep) uint8_t *ask = mem_new(14 + BODY, 1);
    const uint8_t head[] = {'I', 'c', 'e', 'P', 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 'n', 1, 'c', 0, 255};
    const uint8_t tail[] = {0, 0, 6, 0, 0, 0, 1, 1};
    struct err err = ERR_INIT;
    struct ice_reply reply;
    struct fake *f;
    bool closed;
    struct ice_conn *c = open_fake(&f, &closed);
    int32_t id;

    memset(ask, 'a', 14 + BODY);
    memcpy(ask, head, sizeof(head));
    wire_i32(ask + 10, 14 + BODY);
    wire_i32(ask + sizeof(head), NAME);
    memcpy(ask + 14 + BODY - sizeof(tail), tail, sizeof(tail));
    assert_ok(ice_conn_send(c, &target, &tell, NULL, ICE_ENC_1_1, &hi, AMPLE, &id, &err), &err);
    f->takes = 0;
    f->come = ask;
    f->n_come = 14 + BODY;
    f->at = 0;
    f->endless = true;
    assert_fails(ice_conn_wait(c, id, &tell, AMPLE, mem, NULL, &reply, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "more requests than it takes answers"));
    assert_true(closed);
    ice_conn_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_words_of_a_peer_are_read),
        cmocka_unit_test(a_write_that_fails_half_way_leaves_doubt),
        cmocka_unit_test(a_reply_before_its_request_is_out_ends_the_connection),
        cmocka_unit_test(endless_heartbeats_do_not_move_a_deadline),
        cmocka_unit_test(a_peer_that_asks_and_never_reads_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
