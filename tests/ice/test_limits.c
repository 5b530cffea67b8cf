/* Every ceiling of the codec is reached: depth, number of instances, memory; and what lies below it is quick. */
#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "shapes.h"

static void add(struct buf *b, const char *notation)
{
    t_bytes_of(b, notation);
}

static int read_one(struct buf *b, const struct ice_type *t, struct arena *mem, void *out, struct err *err)
{
    const struct ice_field field = {.name = "value", .type = t};
    enum ice_encoding enc;

    ice_put_i32(b, 0, (int32_t)b->len);
    struct ice_in in = ICE_IN(b->data, b->len);
    return ice_read_encaps(&in, &t_registry, mem, &field, 1, t->kind == ICE_CLASS, out, &enc, err);
}

/* A chain of nodes, each inside the one before, as 1.1 writes them. */
static void nest_1_1(struct buf *b, size_t levels)
{
    add(b, "#0 01 01");
    for (size_t i = 0; i < levels; i++)
        add(b, i ? "01 02 01 'n'" : "01 01 '::T::Node' 'n'");
    add(b, "00");
    for (size_t i = 0; i < levels; i++)
        add(b, "20 #1");
}

static void a_chain_of_64_levels_is_read_and_none_deeper(void **state)
{
    (void)state;
    for (size_t levels = ICE_DEPTH_MAX; levels <= ICE_DEPTH_MAX + 1; levels++) {
        AUTO(buf_clear) struct buf b = BUF_INIT(1 << 20);
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_node *node = NULL;
        struct err err = ERR_INIT;

        nest_1_1(&b, levels);
        if (levels == ICE_DEPTH_MAX) {
            assert_ok(read_one(&b, &t_node, mem, &node, &err), &err);
            continue;
        }
        assert_fails(read_one(&b, &t_node, mem, &node, &err), &err, REASON_PROTOCOL);
        assert_non_null(strstr(err.text, "too deep"));
    }
}

static void a_depth_bomb_ends_early(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_node *node = NULL;
    struct err err = ERR_INIT;

    (void)state;
    nest_1_1(&b, 1000000);
    assert_fails(read_one(&b, &t_node, mem, &node, &err), &err, REASON_PROTOCOL);
    assert_true(arena_bytes(mem) < 100000);
}

/* n nodes in a row, `nodes` an array of that many. */
static const struct t_node *chain(struct t_node *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        nodes[i] = (struct t_node){&t_node_class, (int32_t)i, "n", i + 1 < n ? &nodes[i + 1] : NULL};
    return nodes;
}

/* 1.0 lists instances flat, so that a chain has no depth there; 1.1 nests them. */
static void a_long_chain_is_written_in_1_0_and_refused_in_1_1(void **state)
{
    enum { N = 200000 };
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(mem_freep) struct t_node *nodes = mem_new(N, sizeof(*nodes));
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_node *first = chain(nodes, N), *node = NULL;
    struct err err = ERR_INIT;
    size_t n = 0;

    (void)state;
    assert_fails(t_write(&b, ICE_ENC_1_1, &t_node, &first, &err), &err, REASON_TOO_LARGE);
    assert_int_equal(b.len, 0);
    assert_ok(t_write(&b, ICE_ENC_1_0, &t_node, &first, &err), &err);
    assert_ok(read_one(&b, &t_node, mem, &node, &err), &err);
    for (; node; node = node->next)
        assert_int_equal(node->id, n++);
    assert_int_equal(n, N);
}

/* A type whose struct holds a sequence of itself: depth without classes. */
struct tree { struct { size_t n; const struct tree *at; } below; };
extern const struct ice_type tree_type;
static const struct ice_type trees = {.kind = ICE_SEQUENCE, .id = "trees", .size = sizeof(struct tree), .item = &tree_type};
static const struct ice_field tree_fields[] = {{"below", &trees, 0}};
const struct ice_type tree_type = {.kind = ICE_STRUCT, .id = "tree", .size = sizeof(struct tree), .fields = tree_fields,
                                   .n_fields = 1};

static int read_tree(size_t pairs, struct arena *mem, struct tree *out, struct err *err)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);

    add(&b, "#0 01 00");
    for (size_t i = 0; i < pairs; i++)
        add(&b, "01");
    add(&b, "00");
    return read_one(&b, &tree_type, mem, out, err);
}

static void nested_sequences_have_the_same_ceiling(void **state)
{
    static const struct ice_field field = {"value", &tree_type, 0};
    enum { MOST_PAIRS = ICE_DEPTH_MAX / 2 - 1 }; /* of a struct and a sequence; the last struct is a level more */
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    struct tree deep;

    (void)state;
    assert_ok(read_tree(MOST_PAIRS, mem, &deep, &err), &err);
    assert_fails(read_tree(MOST_PAIRS + 1, mem, &deep, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "too deep"));

    const struct tree deeper = {{1, &deep}};
    assert_ok(ice_write_encaps(&b, ICE_ENC_1_0, &field, 1, false, &deep, &err), &err);
    assert_fails(ice_write_encaps(&b, ICE_ENC_1_0, &field, 1, false, &deeper, &err), &err, REASON_TOO_LARGE);
}

/* References take a byte each, instances more: the lowest number that is too many cannot be reached by honest bytes alone. */
static void too_many_instances_are_refused(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_parent *parent = NULL;
    struct err err = ERR_INIT;
    size_t n = ICE_INSTANCES_MAX + 1;

    (void)state;
    add(&b, "#0 01 01 01 21 '::T::Parent'");
    ice_write_size(&b, n);
    for (size_t i = 0; i < n && !b.full; i++)
        buf_add(&b, i ? "\x01\x02\x02\x00\x00\x20\x01\x00\x00\x00" : "\x01\x01\x09::T::Node\x00\x00\x20\x01\x00\x00\x00",
                i ? 10 : 19);
    assert_false(b.full);
    assert_fails(read_one(&b, &t_parent, mem, &parent, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "more class instances"));
}

static void too_many_instances_are_not_written(void **state)
{
    const size_t n = ICE_INSTANCES_MAX + 1;
    AUTO(mem_freep) struct t_node *nodes = mem_new(n, sizeof(*nodes));
    AUTO(mem_freep) const struct t_node **at = mem_new(n, sizeof(*at));
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    const struct t_parent parent = {&t_parent_class, {n - 1, at}}, *in = &parent;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        nodes[i].cls = &t_node_class;
        at[i] = &nodes[i];
    }
    assert_fails(t_write(&b, ICE_ENC_1_0, &t_parent, &in, &err), &err, REASON_TOO_LARGE);
    assert_non_null(strstr(err.text, "more class instances"));
}

/* 64 MiB of references to one instance, a byte each: eight times as much memory is allowed, twenty-four times is not. */
static void memory_has_a_ceiling(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_parent *parent = NULL;
    struct err err = ERR_INIT;
    size_t n = ICE_MESSAGE_MAX - 64;

    (void)state;
    add(&b, "#0 01 01 01 39 '::T::Parent'");
    size_t slice = b.len;
    ice_write_i32(&b, 0);
    ice_write_size(&b, n);
    memset(buf_reserve(&b, n), 1, n);
    ice_put_i32(&b, slice, (int32_t)(b.len - slice));
    add(&b, "01 02");
    assert_fails(read_one(&b, &t_parent, mem, &parent, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "more memory"));
}

/* A count that fits into the bytes, of values that are far larger in C than on the wire. */
static void a_count_bomb_is_refused_before_memory_is_taken(void **state)
{
    static const struct ice_field wide[] = {{"x", &ice_type_bool, 0}, {"y", &ice_type_bool, 60}};
    static const struct ice_type item = {.kind = ICE_STRUCT, .id = "wide", .size = 64, .fields = wide, .n_fields = 2};
    static const struct ice_type list = {.kind = ICE_SEQUENCE, .id = "wides", .size = sizeof(struct t_ints), .item = &item};
    AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct t_ints out;
    struct err err = ERR_INIT;
    size_t n = ICE_MESSAGE_MAX / 2 - 16;

    (void)state;
    add(&b, "#0 01 00");
    ice_write_size(&b, n);
    memset(buf_reserve(&b, 2 * n), 0, 2 * n);
    assert_fails(read_one(&b, &list, mem, &out, &err), &err, REASON_PROTOCOL);
    assert_non_null(strstr(err.text, "more memory"));
    assert_true(arena_bytes(mem) < 1000);
}

/* As many instances as a save of 20,000 links has, all referring to one: seconds would mean that identity is searched for. */
static void many_instances_are_quick(void **state)
{
    enum { N = 400000 };
    AUTO(mem_freep) struct t_node *nodes = mem_new(N, sizeof(*nodes));
    AUTO(mem_freep) const struct t_node **at = mem_new(N, sizeof(*at));
    const struct t_parent parent = {&t_parent_class, {N, at}}, *in = &parent;
    int64_t start = clock_mono_ns();
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        nodes[i] = (struct t_node){&t_node_class, (int32_t)i, "n", &nodes[0]};
        at[i] = &nodes[i];
    }
    for (int enc = ICE_ENC_1_0; enc <= ICE_ENC_1_1; enc++) {
        AUTO(buf_clear) struct buf b = BUF_INIT(ICE_MESSAGE_MAX);
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_parent *back = NULL;

        assert_ok(t_write(&b, (enum ice_encoding)enc, &t_parent, &in, &err), &err);
        assert_ok(read_one(&b, &t_parent, mem, &back, &err), &err);
        assert_int_equal(back->kids.n, N);
        assert_ptr_equal(back->kids.at[N - 1]->next, back->kids.at[0]);
        assert_int_equal(back->kids.at[N - 1]->id, N - 1);
    }
    assert_true(clock_mono_ns() - start < 20 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_64_levels_is_read_and_none_deeper),
        cmocka_unit_test(a_depth_bomb_ends_early),
        cmocka_unit_test(a_long_chain_is_written_in_1_0_and_refused_in_1_1),
        cmocka_unit_test(nested_sequences_have_the_same_ceiling),
        cmocka_unit_test(too_many_instances_are_refused),
        cmocka_unit_test(too_many_instances_are_not_written),
        cmocka_unit_test(memory_has_a_ceiling),
        cmocka_unit_test(a_count_bomb_is_refused_before_memory_is_taken),
        cmocka_unit_test(many_instances_are_quick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
