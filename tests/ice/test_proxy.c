/* Proxies: raw bytes are kept, the other encoding is made field by field, our own have one TCP endpoint. */
#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "shapes.h"

/* The same proxies in both encodings: versions and UDP's extra bytes are all that differs. */
static const struct { const char *in_1_0, *in_1_1; } pairs[] = {
    {"'n' 'c' 00 00 00 00 'adapter'", "'n' 'c' 00 00 00 01 00 01 00 00 'adapter'"},
    {"'n' '' 01 'f' 01 01 00 ''", "'n' '' 01 'f' 01 01 01 00 01 00 00 ''"},
    {"'n' 'c' 00 00 00 01 01 00 {01 00 'host' #4064 #-1 00}",
     "'n' 'c' 00 00 00 01 00 01 00 01 01 00 {01 01 'host' #4064 #-1 00}"},
    {"'n' 'c' 00 00 01 02 02 00 {01 00 'h' #1 #2 01} 05 00 {01 00 'h' #1 #2 00 '/res'}",
     "'n' 'c' 00 00 01 01 00 01 00 02 02 00 {01 01 'h' #1 #2 01} 05 00 {01 01 'h' #1 #2 00 '/res'}"},
    {"'n' 'c' 00 03 00 01 03 00 {01 00 'h' #1 01 00 01 00 01}", "'n' 'c' 00 03 00 01 00 01 00 01 03 00 {01 01 'h' #1 01}"},
    /* an endpoint of unknown type stays as it is */
    {"'n' 'c' 00 00 00 01 63 00 {01 00 aa bb}", "'n' 'c' 00 00 00 01 00 01 00 01 63 00 {01 00 aa bb}"},
};

static const struct ice_proxy *read_proxy(enum ice_encoding enc, const char *bytes, struct arena *mem)
{
    const struct ice_proxy *p = NULL;
    struct err err = ERR_INIT;

    assert_ok(t_read(enc, bytes, &ice_type_proxy, mem, &p, &err), &err);
    return p;
}

static void assert_written(enum ice_encoding enc, const struct ice_proxy *p, const char *bytes)
{
    AUTO(buf_clear) struct buf mine = BUF_INIT(1 << 16), expected = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;

    assert_ok(t_write(&mine, enc, &ice_type_proxy, &p, &err), &err);
    t_encaps(&expected, enc, bytes);
    assert_int_equal(mine.len, expected.len);
    assert_memory_equal(mine.data, expected.data, mine.len);
}

static void proxies_are_written_in_either_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct ice_proxy *old = read_proxy(ICE_ENC_1_0, pairs[i].in_1_0, mem);
        const struct ice_proxy *new = read_proxy(ICE_ENC_1_1, pairs[i].in_1_1, mem);

        assert_string_equal(old->id.name, "n");
        assert_int_equal(old->encoding_minor, 0);
        assert_int_equal(new->encoding_minor, 1);
        assert_written(ICE_ENC_1_0, old, pairs[i].in_1_0);
        assert_written(ICE_ENC_1_1, old, pairs[i].in_1_1);
        assert_written(ICE_ENC_1_1, new, pairs[i].in_1_1);
        assert_written(ICE_ENC_1_0, new, pairs[i].in_1_0);
    }
}

static void the_null_proxy_is_two_empty_strings(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    (void)state;
    assert_null(read_proxy(ICE_ENC_1_0, "00 00", mem));
    assert_null(read_proxy(ICE_ENC_1_1, "00 00", mem));
    assert_written(ICE_ENC_1_0, NULL, "00 00");
    assert_written(ICE_ENC_1_1, NULL, "00 00");
    assert_null(ice_proxy_copy(mem, NULL));
}

static void our_own_proxy_has_one_tcp_endpoint(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *direct = ice_proxy_make(mem, "n", "c", "host", 4064);
    const struct ice_proxy *indirect = ice_proxy_make(mem, "n", "c", NULL, 0);

    (void)state;
    assert_written(ICE_ENC_1_0, direct, pairs[2].in_1_0);
    assert_written(ICE_ENC_1_1, direct, "'n' 'c' 00 00 00 01 00 01 01 01 01 00 {01 01 'host' #4064 #-1 00}");
    assert_written(ICE_ENC_1_1, indirect, "'n' 'c' 00 00 00 01 00 01 01 00 ''");
}

static void a_copy_outlives_the_arena_of_the_first(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct arena *first = arena_new();
    const struct ice_proxy *received = ice_proxy_copy(mem, read_proxy(ICE_ENC_1_1, pairs[2].in_1_1, first));
    const struct ice_proxy *made = ice_proxy_copy(mem, ice_proxy_make(first, "n", "c", "host", 4064));

    (void)state;
    arena_free(first);
    assert_written(ICE_ENC_1_1, received, pairs[2].in_1_1);
    assert_written(ICE_ENC_1_0, made, pairs[2].in_1_0);
    assert_true(ice_identity_equal(&received->id, &made->id));
    assert_false(ice_identity_equal(&made->id, &(struct ice_identity){"n", ""}));
    assert_false(ice_identity_equal(&made->id, &(struct ice_identity){"m", "c"}));
}

/* A UDP endpoint that is shorter than its fields can be kept, but not made into the other encoding. */
static void an_endpoint_that_makes_no_sense_is_not_converted(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    const char *bytes = "'n' 'c' 00 03 00 01 03 00 {01 00 05 61}";
    const struct ice_proxy *p = read_proxy(ICE_ENC_1_0, bytes, mem);
    struct err err = ERR_INIT;

    (void)state;
    assert_written(ICE_ENC_1_0, p, bytes);
    assert_fails(t_write(&b, ICE_ENC_1_1, &ice_type_proxy, &p, &err), &err, REASON_PROTOCOL);
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proxies_are_written_in_either_encoding),
        cmocka_unit_test(the_null_proxy_is_two_empty_strings),
        cmocka_unit_test(our_own_proxy_has_one_tcp_endpoint),
        cmocka_unit_test(a_copy_outlives_the_arena_of_the_first),
        cmocka_unit_test(an_endpoint_that_makes_no_sense_is_not_converted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
