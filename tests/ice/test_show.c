/* Messages as text.  Their bytes are written by hand from the Ice manual ("Data Encoding", "Protocol Messages"). */
#include "../test.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "ice/message.h"
#include "ice/show.h"
#include "shapes.h"

static const struct ice_field in_fields[] = {{"colour", &t_colour, 0}, {"at", &t_point, 8}, {"counts", &t_counts, 24}};
static const struct ice_field out_fields[] = {{"ints", &t_ints, 0}, {"bytes", &t_bytes, 16}, {"ret", &t_base, 32}};
static const struct ice_op paint = {.interface = "::T::Deep::Painter", .name = "paint", .mode = ICE_NORMAL, .in = in_fields,
                                    .n_in = 3, .in_size = 40, .out = out_fields, .n_out = 3, .out_size = 40, .out_classes = true};

/* Texts as they are, and what was said about their places. */
static void put_text(void *arg, struct buf *out, const struct ice_op *op, const char *field, const char *text)
{
    (void)arg;
    if (op && field && strcmp(field, "label") == 0)
        text = "masked";
    buf_add_str(out, text);
}

static char *shown(bool sent, const struct ice_msg *msg, const struct ice_op *op)
{
    const struct ice_show show = {.registry = &t_registry, .text = put_text};
    struct buf out = BUF_INIT(2 * ICE_LINE_MAX);

    ice_show_message(&show, sent, msg, op, &out);
    return buf_take_str(&out);
}

static struct ice_msg message(enum ice_msg_type type, enum ice_status status, const struct buf *encaps, enum ice_encoding enc)
{
    struct ice_msg m = {.type = type, .id = 7, .status = status, .target = {"name", "category"}, .facet = "",
                        .operation = "paint"};

    if (encaps) {
        m.encaps = (struct ice_in)ICE_IN(encaps->data, encaps->len);
        m.encaps.enc = enc;
    }
    return m;
}

static void expect_shown(bool sent, const struct ice_msg *msg, const struct ice_op *op, const char *text)
{
    AUTO(mem_freep) char *line = shown(sent, msg, op);

    assert_string_equal(line, text);
}

static void a_request_shows_its_values_target_and_context(void **state)
{
    (void)state;
    static const struct ice_pair pairs[] = {{"k", "v"}, {"l", "w"}};
    struct buf b = BUF_INIT(1000);

    t_encaps(&b, ICE_ENC_1_1, "01 #5 'spot' 01 'a' #3");

    struct ice_msg m = message(ICE_REQUEST, ICE_OK, &b, ICE_ENC_1_1);

    m.context = (struct ice_context){2, pairs};
    expect_shown(true, &m, &paint,
                 "> 7 Painter.paint colour=green at={x=5 label=\"masked\"} counts={\"a\"=3} to=<name category> [k=v l=w]");
    expect_shown(true, &m, NULL, "> 7 paint to=<name category> [k=v l=w]");
    buf_clear(&b);
}

/* A node that points at itself; empty sequences are left out. */
static void a_reply_shows_a_graph_once(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1000);

    t_encaps(&b, ICE_ENC_1_1, "00 02 aa bb 01 01 '::T::Node' 'self' 02 20 #1");

    const struct ice_msg m = message(ICE_REPLY, ICE_OK, &b, ICE_ENC_1_1);

    expect_shown(false, &m, &paint, "< 7 Painter.paint ok bytes=(2 bytes) ret=Node{id=1 name=\"self\" next=#1}");
    buf_clear(&b);
}

static void a_failure_shows_what_it_is(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1000), broken = BUF_INIT(1000);

    t_encaps(&b, ICE_ENC_1_1, "20 '::T::Error' 'no paint'");
    t_encaps(&broken, ICE_ENC_1_1, "FF");

    struct ice_msg m = message(ICE_REPLY, ICE_USER_EXCEPTION, &b, ICE_ENC_1_1);

    expect_shown(false, &m, &paint, "< 7 Painter.paint throws Error(\"no paint\")");
    m = message(ICE_REPLY, ICE_NO_OBJECT, NULL, ICE_ENC_1_1);
    expect_shown(false, &m, &paint, "< 7 Painter.paint no such object <name category>");
    m = message(ICE_REPLY, ICE_UNKNOWN, NULL, ICE_ENC_1_1);
    m.text = "java";
    expect_shown(false, &m, &paint, "< 7 Painter.paint fails: java");

    m = message(ICE_REPLY, ICE_OK, &broken, ICE_ENC_1_1);
    AUTO(mem_freep) char *line = shown(false, &m, &paint);
    assert_non_null(strstr(line, "ok unreadable: "));
    buf_clear(&b);
    buf_clear(&broken);
}

static void other_messages_have_a_word(void **state)
{
    (void)state;
    const struct ice_msg beat = message(ICE_VALIDATE, ICE_OK, NULL, ICE_ENC_1_0);
    const struct ice_msg end = message(ICE_CLOSE, ICE_OK, NULL, ICE_ENC_1_0);

    expect_shown(false, &beat, NULL, "< validate");
    expect_shown(true, &end, NULL, "> close");
}

/* 40,000 numbers of two digits and a space are more than ICE_LINE_MAX. */
static void a_line_has_an_end(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct buf b = BUF_INIT(5 * N);
    const int32_t size = 6 + 5 + 4 * N + 1 + 1;

    ice_write_i32(&b, size);
    buf_add(&b, "\1\1", 2);
    ice_write_size(&b, N);
    for (int i = 0; i < N; i++)
        ice_write_i32(&b, 42);
    buf_add(&b, "\0\0", 2);

    const struct ice_msg m = message(ICE_REPLY, ICE_OK, &b, ICE_ENC_1_1);
    AUTO(mem_freep) char *line = shown(false, &m, &paint);

    assert_true(strlen(line) > ICE_LINE_MAX - 100 && strlen(line) <= ICE_LINE_MAX + 10);
    assert_string_equal(line + strlen(line) - 8, " ... cut");
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_shows_its_values_target_and_context), cmocka_unit_test(a_reply_shows_a_graph_once),
        cmocka_unit_test(a_failure_shows_what_it_is),                    cmocka_unit_test(other_messages_have_a_word),
        cmocka_unit_test(a_line_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
