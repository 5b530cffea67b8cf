/* Recorded conversations of official clients and servers (tests/data/vectors): every message is parsed, its values are compared
 * with the recorded decoded form and written again. */
#include "../test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "ice/message.h"
#include "json_match.h"
#include "model/ops.h"

enum { MAX_CALLS = 1024 };

/* Which request a reply belongs to. */
struct call {
    int64_t connection;
    int32_t id;
    bool from_client;
    const struct ice_op *op;
};

struct run {
    struct call calls[MAX_CALLS];
    size_t n_calls;
    size_t compared, same_bytes, other_order; /* of encapsulations */
};

/* Of several interfaces with an operation of a name, the one that the recordings mean. */
static const struct { const char *name, *interface; } meant[] = {
    {"createSession", "::Glacier2::Router"}, {"fileExists", "::omero::grid::Repository"},
    {"read", "::omero::api::RawFileStore"}, {"save", "::omero::api::RawFileStore"},
    {"close", "::omero::api::StatefulServiceInterface"}, {"submit", "::omero::cmd::Session"},
    {"cancel", "::omero::cmd::Handle"},
};

static const char *interface_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(meant); i++)
        if (strcmp(meant[i].name, name) == 0)
            return meant[i].interface;
    return NULL;
}

static const struct ice_op *find_op(const char *name)
{
    const char *interface = interface_of(name);

    for (size_t i = 0; i < om_n_ops; i++)
        if (strcmp(om_ops[i]->name, name) == 0 && (!interface || strcmp(om_ops[i]->interface, interface) == 0))
            return om_ops[i];
    return NULL;
}

static void add_hex(struct buf *b, const char *hex)
{
    for (unsigned byte; *hex; hex += 2) {
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        buf_add_byte(b, (uint8_t)byte);
    }
}

static json_t *load(const char *name)
{
    char path[512];
    json_error_t e;

    snprintf(path, sizeof(path), "%s/%s.json", getenv("VECTORS"), name);
    json_t *j = json_load_file(path, 0, &e);
    if (!j)
        fail_msg("%s: %s", path, e.text);
    return j;
}

static const char *text(json_t *m, const char *key)
{
    return json_string_value(json_object_get(m, key));
}

static int64_t integer(json_t *m, const char *key)
{
    return json_integer_value(json_object_get(m, key));
}

/* Feed the bytes in pieces and take the one message. */
static void parse(struct ice_parser *p, const struct buf *bytes, size_t piece, struct arena *mem, struct ice_msg *msg)
{
    struct err err = ERR_INIT;

    for (size_t at = 0; at < bytes->len; at += piece) {
        size_t n = bytes->len - at < piece ? bytes->len - at : piece;
        assert_ok(ice_parser_feed(p, bytes->data + at, n, &err), &err);
        int got = ice_parser_next(p, mem, msg, &err);
        assert_ok(got, &err);
        assert_int_equal(got, at + n == bytes->len);
    }
    assert_int_equal(msg->size, bytes->len);
}

static void compare_identity(json_t *m, const struct ice_msg *msg)
{
    char *whole = mem_printf("%s%s%s", msg->target.category, *msg->target.category ? "/" : "", msg->target.name);

    assert_string_equal(whole, text(m, "identity"));
    free(whole);
}

static void compare_header(json_t *m, const struct ice_msg *msg, const uint8_t *start)
{
    static const char *const types[] = {"request", "batch", "reply", "validate", "close"};

    assert_string_equal(types[msg->type], text(m, "type"));
    if (msg->type <= ICE_REPLY)
        assert_int_equal(msg->id, integer(m, "request_id"));
    if (msg->type == ICE_REQUEST) {
        compare_identity(m, msg);
        assert_string_equal(msg->operation, text(m, "operation"));
        assert_int_equal(msg->mode, integer(m, "mode"));
    } else if (msg->type == ICE_REPLY) {
        assert_int_equal(msg->status, integer(m, "status"));
    }
    if (text(m, "encoding")) {
        assert_string_equal(msg->encaps.enc == ICE_ENC_1_1 ? "1.1" : "1.0", text(m, "encoding"));
        assert_int_equal(msg->encaps.at - start, integer(m, "encaps_offset"));
    }
}

/* One kind of content of an encapsulation: parameters, results or an exception. */
struct content {
    const struct ice_op *op;
    const struct ice_field *fields; /* NULL with `exception` */
    size_t n, size;
    bool classes, exception;
};

static void read_content(const struct content *c, const uint8_t *at, size_t n, struct arena *mem, void *values)
{
    struct ice_in in = ICE_IN(at, n);
    enum ice_encoding enc;
    const char *id;
    struct err err = ERR_INIT;

    if (c->exception)
        assert_ok(ice_read_exception(&in, &om_registry, mem, values, &id, &enc, &err), &err);
    else
        assert_ok(ice_read_encaps(&in, &om_registry, mem, c->fields, c->n, c->classes, values, &enc, &err), &err);
    assert_ptr_equal(in.at, in.end);
}

static void write_content(const struct content *c, enum ice_encoding enc, const void *values, struct buf *out)
{
    struct err err = ERR_INIT;

    if (c->exception)
        assert_ok(ice_write_exception(out, enc, *(const struct ice_object *const *)values, &err), &err);
    else
        assert_ok(ice_write_encaps(out, enc, c->fields, c->n, c->classes, values, &err), &err);
}

static void assert_same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* What was written in one encoding means the same in both when it is read back. */
static void compare_round_trip(const struct content *c, enum ice_encoding enc, const void *values, struct arena *mem)
{
    AUTO(buf_clear) struct buf once = BUF_INIT(ICE_MESSAGE_MAX), again = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(buf_clear) struct buf direct = BUF_INIT(ICE_MESSAGE_MAX), round = BUF_INIT(ICE_MESSAGE_MAX);
    void *back = arena_alloc(mem, 1, c->size);

    write_content(c, enc, values, &once);
    read_content(c, once.data, once.len, mem, back);
    write_content(c, enc, back, &again);
    assert_same(&once, &again);
    write_content(c, ICE_ENC_1_0, values, &direct);
    write_content(c, ICE_ENC_1_0, back, &round);
    assert_same(&direct, &round);
}

/* Did the sender use what our encoder never writes: the sliced format (all exceptions of a login come so), or the optional
 * result that newer routers append to getClientProxy? */
static bool is_written_otherwise(const struct content *c, const struct ice_in *encaps)
{
    enum { HEAD = 6, SIZED = 0x10 };
    static const uint8_t optional_result[] = {0x08, 0x01};
    const uint8_t *tail = encaps->end - sizeof(optional_result);

    return (c->exception && encaps->enc == ICE_ENC_1_1 && encaps->at[HEAD] & SIZED) ||
           (tail > encaps->at + HEAD && memcmp(tail, optional_result, sizeof(optional_result)) == 0);
}

static void write_message(const struct content *c, const struct ice_msg *msg, const void *values, struct buf *out)
{
    struct err err = ERR_INIT;
    enum ice_encoding enc = msg->encaps.enc;

    if (c->exception)
        assert_ok(ice_write_reply_exception(out, msg->id, enc, *(const struct ice_object *const *)values, &err), &err);
    else if (msg->type == ICE_REPLY)
        assert_ok(ice_write_reply(out, msg->id, c->op, enc, values, &err), &err);
    else
        assert_ok(ice_write_request(out, msg->id, &msg->target, c->op, &msg->context, enc, values, &err), &err);
}

/* The bytes of the whole message that the official side wrote, as far as an encoder has no choice. */
static void compare_bytes(struct run *r, const struct content *c, const struct ice_msg *msg, const void *values)
{
    AUTO(buf_clear) struct buf mine = BUF_INIT(ICE_MESSAGE_MAX);
    const uint8_t *recorded = msg->encaps.end - msg->size;

    if (is_written_otherwise(c, &msg->encaps))
        return;
    write_message(c, msg, values, &mine);
    assert_int_equal(mine.len, msg->size);
    if (msg->encaps.enc == ICE_ENC_1_1)
        assert_memory_equal(mine.data, recorded, msg->size);
    if (memcmp(mine.data, recorded, msg->size) == 0)
        r->same_bytes++;
    else
        r->other_order++;
}

static void compare_values(json_t *m, const char *key, const struct content *c, const void *values, const char *where)
{
    json_t *expected = json_object_get(m, key);
    char why[512];
    bool same;

    if (!expected)
        return;
    if (c->exception)
        same = json_match_exception(expected, *(const struct ice_object *const *)values, why);
    else
        same = json_match_fields(expected, c->fields, c->n, values, why);
    if (!same)
        fail_msg("%s: %s%s", where, key, why);
}

static void compare_content(struct run *r, json_t *m, const struct content *c, const struct ice_msg *msg, struct arena *mem,
                            const char *where, bool compact)
{
    void *values = arena_alloc(mem, 1, c->size);

    read_content(c, msg->encaps.at, (size_t)(msg->encaps.end - msg->encaps.at), mem, values);
    compare_values(m, msg->type == ICE_REQUEST ? "params" : "result", c, values, where);
    compare_round_trip(c, ICE_ENC_1_0, values, mem);
    compare_round_trip(c, ICE_ENC_1_1, values, mem);
    if (compact)
        compare_bytes(r, c, msg, values);
    r->compared++;
}

static const struct ice_op *op_of_reply(const struct run *r, json_t *m, const struct ice_msg *msg)
{
    for (size_t i = r->n_calls; i-- > 0;) {
        const struct call *c = &r->calls[i];
        if (c->id == msg->id && c->connection == integer(m, "connection") && c->from_client != (*text(m, "from") == 'c'))
            return c->op;
    }
    return NULL;
}

static void remember(struct run *r, json_t *m, const struct ice_msg *msg, const struct ice_op *op)
{
    assert_true(r->n_calls < MAX_CALLS);
    r->calls[r->n_calls++] = (struct call){
        .connection = integer(m, "connection"), .id = msg->id, .from_client = *text(m, "from") == 'c', .op = op,
    };
}

static void compare_request(struct run *r, json_t *m, const struct ice_msg *msg, struct arena *mem, const char *where,
                            bool compact)
{
    const struct ice_op *op = find_op(msg->operation);

    remember(r, m, msg, op);
    if (!op) { /* one step asks for an operation that no interface has */
        assert_string_equal(msg->operation, "nosuchop");
        return;
    }
    assert_int_equal(op->mode, msg->mode);
    struct content c = {.op = op, .fields = op->in, .n = op->n_in, .size = op->in_size, .classes = op->in_classes};
    compare_content(r, m, &c, msg, mem, where, compact);
}

static void compare_reply(struct run *r, json_t *m, const struct ice_msg *msg, struct arena *mem, const char *where, bool compact)
{
    const struct ice_op *op = op_of_reply(r, m, msg);
    json_t *result = json_object_get(m, "result");

    if (msg->status == ICE_OK && op) {
        struct content c = {.op = op, .fields = op->out, .n = op->n_out, .size = op->out_size, .classes = op->out_classes};
        compare_content(r, m, &c, msg, mem, where, compact);
    } else if (msg->status == ICE_USER_EXCEPTION) {
        struct content c = {.size = sizeof(void *), .exception = true};
        compare_content(r, m, &c, msg, mem, where, compact);
    } else if (result && msg->status >= ICE_LOCAL_EXCEPTION) {
        assert_string_equal(msg->text, text(result, "reason"));
    } else if (result && msg->status >= ICE_NO_OBJECT) {
        json_t *id = json_object_get(result, "identity");
        assert_string_equal(msg->target.name, json_string_value(json_array_get(id, 0)));
        assert_string_equal(msg->target.category, json_string_value(json_array_get(id, 1)));
        assert_string_equal(msg->operation, text(result, "operation"));
    }
}

/* Whole messages of our own writers, from what was parsed. */
static void compare_message(json_t *m, const struct buf *bytes, const struct ice_msg *msg)
{
    AUTO(buf_clear) struct buf mine = BUF_INIT(ICE_MESSAGE_MAX);

    if (msg->type >= ICE_VALIDATE)
        ice_write_bare(&mine, msg->type);
    else if (msg->type == ICE_REPLY && msg->text)
        ice_write_reply_text(&mine, msg->id, msg->status, msg->text);
    else if (msg->type == ICE_REPLY && msg->operation[0])
        ice_write_reply_missing(&mine, msg->id, msg->status, &msg->target, msg->operation);
    else
        return;
    if (!integer(m, "compression_status"))
        assert_same(&mine, bytes);
}

static void compare_one(struct run *r, json_t *m, const char *where, bool compact)
{
    AUTO(buf_clear) struct buf bytes = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(ice_parser_clear) struct ice_parser whole = ICE_PARSER_INIT, single = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct ice_msg msg, again;

    if (!text(m, "hex")) /* the end of a stream */
        return;
    add_hex(&bytes, text(m, "hex"));
    parse(&whole, &bytes, bytes.len, mem, &msg);
    parse(&single, &bytes, 1, mem, &again);
    compare_header(m, &msg, whole.in.data);
    compare_header(m, &again, single.in.data);
    compare_message(m, &bytes, &msg);
    if (msg.type == ICE_REQUEST)
        compare_request(r, m, &msg, mem, where, compact);
    else if (msg.type == ICE_REPLY)
        compare_reply(r, m, &msg, mem, where, compact);
}

static void compare_file(struct run *r, const char *name, bool compact)
{
    json_t *file = load(name), *step, *m;
    size_t i, k;

    json_array_foreach(json_object_get(file, "vectors"), i, step) {
        json_array_foreach(json_object_get(step, "messages"), k, m) {
            char where[256];
            snprintf(where, sizeof(where), "%s, step %s, message %zu", name, text(step, "name"), k);
            compare_one(r, m, where, compact);
        }
    }
    json_decref(file);
}

static void compact_1_1_of_the_python_client_is_read_and_written_the_same(void **state)
{
    struct run r = {0};

    (void)state;
    compare_file(&r, "encoding-1.1", true);
    assert_true(r.compared > 200);
    assert_true(r.same_bytes > 200);
    assert_int_equal(r.other_order, 0);
}

static void encoding_1_0_is_read_and_written_the_same_up_to_the_order_of_instances(void **state)
{
    struct run r = {0};

    (void)state;
    compare_file(&r, "encoding-1.0", true);
    assert_true(r.compared > 200);
    assert_true(r.same_bytes > 3 * r.other_order);
}

static void sliced_1_1_is_read(void **state)
{
    struct run r = {0};

    (void)state;
    compare_file(&r, "encoding-1.1-sliced", false);
    assert_true(r.compared > 60);
}

static void a_session_of_the_java_client_is_read_and_written_the_same(void **state)
{
    struct run r = {0};

    (void)state;
    compare_file(&r, "java-client-1.1", true);
    assert_true(r.compared > 60);
    assert_true(r.same_bytes > 60);
}

static void messages_of_a_real_server_are_read_and_written_the_same(void **state)
{
    struct run r = {0};

    (void)state;
    compare_file(&r, "real-server-1.1", true);
    compare_file(&r, "java-importer-real-server", true);
    assert_true(r.compared > 140);
    assert_true(r.same_bytes > 140);
}

/* framing.json: compressed requests and a batch are refused, the replies that surround them are read. */
static void compressed_and_batch_messages_are_refused_by_name(void **state)
{
    json_t *file = load("framing"), *step, *m;
    size_t i, k, refused = 0;

    (void)state;
    json_array_foreach(json_object_get(file, "vectors"), i, step) {
        json_array_foreach(json_object_get(step, "messages"), k, m) {
            AUTO(buf_clear) struct buf bytes = BUF_INIT(ICE_MESSAGE_MAX);
            AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
            AUTO(arena_freep) struct arena *mem = arena_new();
            struct err err = ERR_INIT;
            struct ice_msg msg;
            bool batch = strcmp(text(m, "type"), "batch") == 0;

            add_hex(&bytes, text(m, "hex"));
            if (!batch && integer(m, "compression_status") != 2) {
                parse(&p, &bytes, bytes.len, mem, &msg);
                continue;
            }
            assert_fails(ice_parser_feed(&p, bytes.data, bytes.len, &err), &err, REASON_PROTOCOL);
            assert_non_null(strstr(err.text, batch ? "batch" : "compressed"));
            refused++;
        }
    }
    assert_int_equal(refused, 3);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_1_1_of_the_python_client_is_read_and_written_the_same),
        cmocka_unit_test(encoding_1_0_is_read_and_written_the_same_up_to_the_order_of_instances),
        cmocka_unit_test(sliced_1_1_is_read),
        cmocka_unit_test(a_session_of_the_java_client_is_read_and_written_the_same),
        cmocka_unit_test(messages_of_a_real_server_are_read_and_written_the_same),
        cmocka_unit_test(compressed_and_batch_messages_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
