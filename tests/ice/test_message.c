/* The push parser and the writers of whole messages: bytes as the Ice manual's "Protocol Messages" gives them. */
#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "ice/message.h"
#include "shapes.h"

#define HEAD(type, compression) "49 63 65 50 01 00 01 00 0" #type " 0" #compression " "

static int parse(const char *notation, struct ice_msg *msg, struct arena *mem, struct err *err)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;

    t_bytes_of(&b, notation);
    return ice_parser_feed(&p, b.data, b.len, err) < 0 ? -1 : ice_parser_next(&p, mem, msg, err);
}

static void wrong_streams_are_refused_and_stay_so(void **state)
{
    static const struct { const char *bytes; enum reason why; const char *text; } cases[] = {
        {"48", REASON_NOT_OMERO, "begin"}, {"49 63 65 51", REASON_NOT_OMERO, "begin"},
        {"49 63 65 50 02", REASON_PROTOCOL, "version"}, {"49 63 65 50 01 01", REASON_PROTOCOL, "version"},
        {"49 63 65 50 01 00 01 01", REASON_PROTOCOL, "version"},
        {HEAD(1, 0), REASON_PROTOCOL, "batch"}, {HEAD(5, 0), REASON_PROTOCOL, "type 5"},
        {HEAD(0, 2), REASON_PROTOCOL, "compressed"}, {HEAD(0, 3), REASON_PROTOCOL, "compression 3"},
        {HEAD(0, 0) "#13", REASON_PROTOCOL, "13 bytes"}, {HEAD(0, 0) "#-1", REASON_PROTOCOL, "-1 bytes"},
        {HEAD(0, 0) "#67108865", REASON_TOO_LARGE, "67108865 bytes"}, {HEAD(0, 0) "#2147483647", REASON_TOO_LARGE, "bytes"},
        {HEAD(3, 0) "#15", REASON_PROTOCOL, "no body"}, {HEAD(4, 0) "#18", REASON_PROTOCOL, "no body"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
        AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
        AUTO(arena_freep) struct arena *mem = arena_new();
        struct err err = ERR_INIT;
        struct ice_msg msg;

        t_bytes_of(&b, cases[i].bytes);
        assert_fails(ice_parser_feed(&p, b.data, b.len, &err), &err, cases[i].why);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%s: %s", cases[i].bytes, err.text);
        assert_fails(ice_parser_feed(&p, "I", 1, &err), &err, REASON_PROTOCOL);
        assert_fails(ice_parser_next(&p, mem, &msg, &err), &err, REASON_PROTOCOL);
    }
}

static void wrong_bodies_are_refused(void **state)
{
    static const struct { const char *bytes, *why; } cases[] = {
        {HEAD(0, 0) "#14 00 00", "end within"},
        {HEAD(0, 0) "#20 #1 05 61", "larger than"},
        {HEAD(0, 0) "#27 #1 'n' 'c' 02 'f' 'g' 00 00", "facets"},
        {HEAD(0, 0) "#27 #1 'n' 'c' 00 'o' 03 00 00", "mode"},
        {HEAD(0, 0) "#27 #1 'n' 'c' 00 'o' 02 64 00", "larger than"},
        {HEAD(2, 0) "#14 00", "end within"},
        {HEAD(2, 0) "#19 #1 08", "status"},
        {HEAD(2, 0) "#20 #1 05 fe", "larger than"},
        {HEAD(2, 0) "#20 #1 02 09", "larger than"},
        {HEAD(2, 0) "#23 #1 05 03 61 00 62", "NUL"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        struct err err = ERR_INIT;
        struct ice_msg msg = {.id = 77};

        if (parse(cases[i].bytes, &msg, mem, &err) != -1)
            fail_msg("%s: was taken", cases[i].bytes);
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: %s", cases[i].bytes, err.text);
        assert_string_equal(reason_row(err.why)->name, "protocol");
        assert_int_equal(msg.id, 77);
    }
}

static void a_request_is_read(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    struct ice_msg msg;

    (void)state;
    t_bytes_of(&b, HEAD(0, 0) "#54 #5 'name' 'category' 01 'f' 'op' 02 01 'k' 'v' {01 01 #7}");
    assert_ok(ice_parser_feed(&p, b.data, b.len, &err), &err);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_int_equal(msg.type, ICE_REQUEST);
    assert_int_equal(msg.size, b.len);
    assert_int_equal(msg.id, 5);
    assert_string_equal(msg.target.name, "name");
    assert_string_equal(msg.target.category, "category");
    assert_string_equal(msg.facet, "f");
    assert_string_equal(msg.operation, "op");
    assert_int_equal(msg.mode, ICE_IDEMPOTENT);
    assert_int_equal(msg.context.n, 1);
    assert_string_equal(msg.context.at[0].key, "k");
    assert_string_equal(msg.context.at[0].value, "v");
    assert_int_equal(msg.encaps.enc, ICE_ENC_1_1);
    assert_int_equal(msg.encaps.end - msg.encaps.at, 10);
}

static void several_messages_in_one_piece_come_one_by_one(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    struct ice_msg msg;

    (void)state;
    t_bytes_of(&b, HEAD(3, 0) "#14 " HEAD(2, 1) "#24 #9 05 'text' " HEAD(4, 0) "#14 49 63");
    assert_ok(ice_parser_feed(&p, b.data, b.len, &err), &err);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_int_equal(msg.type, ICE_VALIDATE);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_int_equal(msg.type, ICE_REPLY);
    assert_int_equal(msg.status, ICE_LOCAL_EXCEPTION);
    assert_string_equal(msg.text, "text");
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_int_equal(msg.type, ICE_CLOSE);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 0);
    assert_fails(ice_parser_feed(&p, "!", 1, &err), &err, REASON_NOT_OMERO);
}

/* A wrong header behind a good message is found when its turn comes. */
static void a_good_message_before_a_wrong_one_is_handed_out(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    struct ice_msg msg;

    (void)state;
    t_bytes_of(&b, HEAD(3, 0) "#14 50");
    assert_ok(ice_parser_feed(&p, b.data, b.len, &err), &err);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_fails(ice_parser_next(&p, mem, &msg, &err), &err, REASON_NOT_OMERO);
}

static void the_largest_message_is_taken_and_no_more(void **state)
{
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(mem_freep) uint8_t *whole = mem_new(ICE_MESSAGE_MAX, 1), *more = mem_new(1 << 17, 1);
    AUTO(buf_clear) struct buf b = BUF_INIT(64);
    struct err err = ERR_INIT;
    struct ice_msg msg;

    (void)state;
    t_bytes_of(&b, HEAD(2, 0) "#67108864 #1 00");
    memcpy(whole, b.data, b.len);
    assert_ok(ice_parser_feed(&p, whole, ICE_MESSAGE_MAX - 1, &err), &err);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 0);
    assert_ok(ice_parser_feed(&p, whole + ICE_MESSAGE_MAX - 1, 1, &err), &err);
    assert_int_equal(ice_parser_next(&p, mem, &msg, &err), 1);
    assert_int_equal(msg.size, ICE_MESSAGE_MAX);
    assert_ok(ice_parser_feed(&p, whole, ICE_MESSAGE_MAX - 1, &err), &err);
    assert_fails(ice_parser_feed(&p, more, 1 << 17, &err), &err, REASON_TOO_LARGE);
}

static const struct ice_field number[] = {{"n", &ice_type_int, 0}};
static const struct ice_op op = {.interface = "::T::I", .name = "op", .mode = ICE_NONMUTATING, .in = number, .n_in = 1,
                                 .out = number, .n_out = 1, .in_size = 4, .out_size = 4};
static const struct ice_identity target = {"name", "category"};

static void assert_bytes(struct buf *b, const char *notation)
{
    AUTO(buf_clear) struct buf expected = BUF_INIT(1 << 16);

    t_bytes_of(&expected, notation);
    assert_int_equal(b->len, expected.len);
    assert_memory_equal(b->data, expected.data, b->len);
    buf_reset(b);
}

static void messages_are_written(void **state)
{
    static const struct ice_pair pairs[] = {{"k", "v"}};
    const struct ice_context ctx = {1, pairs};
    const struct t_error exc = {&t_error_class, "why"};
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;
    int32_t seven = 7;

    (void)state;
    assert_ok(ice_write_request(&b, 5, &target, &op, &ctx, ICE_ENC_1_1, &seven, &err), &err);
    assert_bytes(&b, HEAD(0, 0) "#52 #5 'name' 'category' 00 'op' 01 01 'k' 'v' {01 01 #7}");
    assert_ok(ice_write_request(&b, 5, &target, &op, NULL, ICE_ENC_1_0, &seven, &err), &err);
    assert_bytes(&b, HEAD(0, 0) "#48 #5 'name' 'category' 00 'op' 01 00 {01 00 #7}");
    assert_ok(ice_write_reply(&b, 6, &op, ICE_ENC_1_1, &seven, &err), &err);
    assert_bytes(&b, HEAD(2, 0) "#29 #6 00 {01 01 #7}");
    assert_ok(ice_write_reply_exception(&b, 6, ICE_ENC_1_1, (const struct ice_object *)&exc, &err), &err);
    assert_bytes(&b, HEAD(2, 0) "#41 #6 01 {01 01 20 '::T::Error' 'why'}");
    ice_write_reply_missing(&b, 6, ICE_NO_OPERATION, &target, "op");
    assert_bytes(&b, HEAD(2, 0) "#37 #6 04 'name' 'category' 00 'op'");
    ice_write_reply_text(&b, 6, ICE_UNKNOWN, "text");
    assert_bytes(&b, HEAD(2, 0) "#24 #6 07 'text'");
    ice_write_bare(&b, ICE_CLOSE);
    assert_bytes(&b, HEAD(4, 0) "#14");
}

static void a_message_that_is_too_large_is_not_written(void **state)
{
    static const struct ice_field fields[] = {{"bytes", &t_bytes, 0}};
    static const struct ice_op large = {.name = "large", .in = fields, .n_in = 1, .out = fields, .n_out = 1};
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX + 4096);
    AUTO(mem_freep) uint8_t *bytes = mem_new(ICE_MESSAGE_MAX, 1);
    const struct t_bytes values = {ICE_MESSAGE_MAX - 16, bytes};
    const struct ice_object *exc;
    AUTO(mem_freep) char *text = mem_new(ICE_MESSAGE_MAX, 1);
    const struct t_error error = {&t_error_class, memset(text, 'x', ICE_MESSAGE_MAX - 16)};
    struct err err = ERR_INIT;

    (void)state;
    exc = (const struct ice_object *)&error;
    buf_add(&b, "before", 6);
    assert_fails(ice_write_request(&b, 1, &target, &large, NULL, ICE_ENC_1_1, &values, &err), &err, REASON_TOO_LARGE);
    assert_non_null(strstr(err.text, "large"));
    assert_fails(ice_write_reply(&b, 1, &large, ICE_ENC_1_1, &values, &err), &err, REASON_TOO_LARGE);
    assert_fails(ice_write_reply_exception(&b, 1, ICE_ENC_1_1, exc, &err), &err, REASON_TOO_LARGE);
    assert_int_equal(b.len, 6);
}

/* With the bytes put back where they belong it is the message that has them copied. */
static void a_large_sequence_may_be_left_out_of_a_request(void **state)
{
    static const struct ice_field fields[] = {{"bytes", &t_bytes, 0}, {"after", &ice_type_int, sizeof(struct t_bytes)}};
    static const struct ice_op write_op = {.name = "write", .in = fields, .n_in = 2};
    static uint8_t data[100000];
    const struct { struct t_bytes bytes; int32_t after; } values = {{sizeof(data), data}, 7}, few = {{1000, data}, 7};
    AUTO(buf_clear) struct buf whole = BUF_INIT(1 << 20), parts = BUF_INIT(1 << 20), joined = BUF_INIT(1 << 20);
    struct ice_gap gap = {0}, none = {0};
    struct err err = ERR_INIT;

    (void)state;
    memset(data, 'x', sizeof(data));
    buf_add(&whole, "before", 6);
    buf_add(&parts, "before", 6);
    assert_ok(ice_write_request(&whole, 5, &target, &write_op, NULL, ICE_ENC_1_0, &values, &err), &err);
    assert_ok(ice_write_request_around(&parts, 5, &target, &write_op, NULL, ICE_ENC_1_0, &values, &gap, &err), &err);
    assert_ptr_equal(gap.bytes, data);
    assert_int_equal(gap.n, sizeof(data));
    buf_add(&joined, parts.data, gap.at);
    buf_add(&joined, gap.bytes, gap.n);
    buf_add(&joined, parts.data + gap.at, parts.len - gap.at);
    assert_int_equal(joined.len, whole.len);
    assert_memory_equal(joined.data, whole.data, whole.len);

    assert_ok(ice_write_request_around(&parts, 6, &target, &write_op, NULL, ICE_ENC_1_0, &few, &none, &err), &err);
    assert_int_equal(none.n, 0);
}

static void a_left_out_sequence_counts_against_the_ceiling(void **state)
{
    static const struct ice_field fields[] = {{"bytes", &t_bytes, 0}};
    static const struct ice_op write_op = {.name = "write", .in = fields, .n_in = 1};
    const struct t_bytes values = {ICE_MESSAGE_MAX - 32, (const uint8_t *)""}; /* never looked at */
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 20);
    struct ice_gap gap = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(ice_write_request_around(&b, 1, &target, &write_op, NULL, ICE_ENC_1_0, &values, &gap, &err), &err,
                 REASON_TOO_LARGE);
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_streams_are_refused_and_stay_so),
        cmocka_unit_test(wrong_bodies_are_refused),
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(several_messages_in_one_piece_come_one_by_one),
        cmocka_unit_test(a_good_message_before_a_wrong_one_is_handed_out),
        cmocka_unit_test(the_largest_message_is_taken_and_no_more),
        cmocka_unit_test(messages_are_written),
        cmocka_unit_test(a_message_that_is_too_large_is_not_written),
        cmocka_unit_test(a_large_sequence_may_be_left_out_of_a_request),
        cmocka_unit_test(a_left_out_sequence_counts_against_the_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
