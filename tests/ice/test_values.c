/* Values of all kinds but classes: bytes as the Ice manual's "Data Encoding" gives them, and the refusals. */
#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "shapes.h"

struct refusal {
    const char *why; /* a part of the error's text */
    const struct ice_type *type;
    const char *bytes;
};

static void assert_refused(enum ice_encoding enc, const struct refusal *r)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    union { struct t_ints ints; int64_t n; void *p; struct t_point point; } out, before;
    struct err err = ERR_INIT;

    memset(&out, 0x5A, sizeof(out));
    before = out;
    if (t_read(enc, r->bytes, r->type, mem, &out, &err) == 0)
        fail_msg("%s: was taken", r->bytes);
    assert_string_equal(reason_row(err.why)->name, "protocol");
    if (!strstr(err.text, r->why))
        fail_msg("%s: refused by other words: %s", r->bytes, err.text);
    assert_memory_equal(&out, &before, sizeof(out));
}

static void wrong_values_are_refused_and_leave_the_result_alone(void **state)
{
    static const struct refusal cases[] = {
        {"end within", &ice_type_int, "01 02 03"},
        {"end within", &ice_type_long, ""},
        {"negative", &ice_type_string, "ff #-1"},
        {"larger than", &ice_type_string, "05 61 62 63 64"},
        {"NUL", &ice_type_string, "03 61 00 62"},
        {"UTF-8", &ice_type_string, "02 c3 28"},
        {"UTF-8", &ice_type_string, "03 ed a0 80"},
        {"enumerator", &t_colour, "03"},
        {"larger than", &t_ints, "ff #2147483647 #1 #2"},
        {"larger than", &t_ints, "03 #1 #2"},
        {"larger than", &t_bytes, "03 01 02"},
        {"larger than", &t_points, "03 #1 'a' #2 'b'"},
        {"larger than", &t_counts, "02 'a' #1 'b'"},
        {"facets", &ice_type_proxy, "'n' 'c' 02 'f' 'g' 00 00 01 00 01 01 00 00"},
        {"mode", &ice_type_proxy, "'n' 'c' 00 05 00 01 00 01 01 00 00"},
        {"larger than", &ice_type_proxy, "'n' 'c' 00 00 00 01 00 01 01 02 01 00 {01 01}"},
        {"endpoint", &ice_type_proxy, "'n' 'c' 00 00 00 01 00 01 01 01 01 00 #5 01 01"},
        {"end within", &ice_type_proxy, "'n' 'c' 00 00 00 01 00 01 01 01 01 00 #100 01 01"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(ICE_ENC_1_1, &cases[i]);
    for (size_t i = 0; i < 13; i++) /* up to the proxies both encodings agree */
        assert_refused(ICE_ENC_1_0, &cases[i]);
}

/* Encapsulation heads: what the size and the version may be. */
static void wrong_encapsulations_are_refused(void **state)
{
    static const struct { const char *bytes, *why; } cases[] = {
        {"", "end within"}, {"#6 01", "end within"}, {"#5 01 01 00", "size of an encapsulation"},
        {"#-6 01 01", "size of an encapsulation"}, {"#7 01 01", "size of an encapsulation"},
        {"#6 01 02", "encoding"}, {"#6 02 00", "encoding"}, {"#6 00 01", "encoding"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf b = BUF_INIT(64);
        AUTO(arena_freep) struct arena *mem = arena_new();
        struct err err = ERR_INIT;
        enum ice_encoding enc;

        t_bytes_of(&b, cases[i].bytes);
        buf_add_byte(&b, 0); /* beyond the end, so that there is memory even for nothing */
        struct ice_in in = ICE_IN(b.data, b.len - 1);
        assert_fails(ice_read_encaps(&in, &t_registry, mem, NULL, 0, false, NULL, &enc, &err), &err, REASON_PROTOCOL);
        assert_non_null(strstr(err.text, cases[i].why));
    }
}

static void bytes_after_the_last_value_are_skipped(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(64);
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_field field = {"value", &ice_type_int, 0};
    struct err err = ERR_INIT;
    enum ice_encoding enc;
    int32_t n = 0;

    (void)state;
    t_bytes_of(&b, "{01 01 #7 08 01} 99");
    struct ice_in in = ICE_IN(b.data, b.len);
    assert_ok(ice_read_encaps(&in, &t_registry, mem, &field, 1, false, &n, &enc, &err), &err);
    assert_int_equal(n, 7);
    assert_int_equal(enc, ICE_ENC_1_1);
    assert_int_equal(ice_read_u8(&in), 0x99);
    assert_ptr_equal(in.at, in.end);
}

static void a_failed_cursor_gives_nothing_more(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct ice_in in = ICE_IN(bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(ice_read_i32(&in), 0);
    assert_true(in.bad);
    ice_fail(&in, "another");
    assert_non_null(strstr(in.why, "end within"));
    assert_int_equal(ice_read_u8(&in), 0);
    assert_int_equal(ice_read_i16(&in), 0);
    assert_int_equal(ice_read_i64(&in), 0);
    assert_int_equal(ice_read_size(&in, 1), 0);
    assert_false(ice_read_bool(&in));
    assert_null(ice_take(&in, 0));
    assert_string_equal(ice_read_string(&in, mem), "");
    assert_ptr_equal(in.at, bytes);
}

static void assert_written(enum ice_encoding enc, const struct ice_type *t, const void *value, const char *bytes)
{
    AUTO(buf_clear) struct buf mine = BUF_INIT(1 << 16), expected = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;

    assert_ok(t_write(&mine, enc, t, value, &err), &err);
    t_encaps(&expected, enc, bytes);
    assert_int_equal(mine.len, expected.len);
    assert_memory_equal(mine.data, expected.data, mine.len);
}

static void numbers_are_little_endian(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;
    int16_t s = 0;
    int64_t l = 0;
    double d = 0;
    float f = 0;

    (void)state;
    assert_ok(t_read(ICE_ENC_1_0, "fe ff", &ice_type_short, mem, &s, &err), &err);
    assert_int_equal(s, -2);
    assert_ok(t_read(ICE_ENC_1_0, "08 07 06 05 04 03 02 01", &ice_type_long, mem, &l, &err), &err);
    assert_int_equal(l, INT64_C(0x0102030405060708));
    assert_ok(t_read(ICE_ENC_1_0, "00 00 00 00 00 00 f8 3f", &ice_type_double, mem, &d, &err), &err);
    assert_true(d > 1.4 && d < 1.6);
    assert_ok(t_read(ICE_ENC_1_0, "00 00 c0 3f", &ice_type_float, mem, &f, &err), &err);
    assert_true(f > 1.4F && f < 1.6F);
    assert_written(ICE_ENC_1_1, &ice_type_short, &s, "fe ff");
    assert_written(ICE_ENC_1_1, &ice_type_long, &l, "08 07 06 05 04 03 02 01");
    assert_written(ICE_ENC_1_1, &ice_type_double, &d, "00 00 00 00 00 00 f8 3f");
    assert_written(ICE_ENC_1_1, &ice_type_float, &f, "00 00 c0 3f");
}

static void sizes_from_255_on_take_five_bytes(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(64);

    (void)state;
    ice_write_size(&b, 254);
    ice_write_size(&b, 255);
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.data, "\xfe\xff\xff\x00\x00\x00", 6);
    struct ice_in in = ICE_IN(b.data, b.len);
    assert_int_equal(ice_read_size(&in, 0), 254);
    assert_int_equal(ice_read_size(&in, 0), 255);
    ice_write_size(&b, (size_t)INT32_MAX + 1);
    assert_true(b.full);
}

/* 1.0: a byte up to 127 enumerators, then a short, then an int; 1.1: always a size. */
static void enumerators_are_as_wide_as_their_enum(void **state)
{
    static const char *const names[40000];
    static const struct ice_type small = {.kind = ICE_ENUM, .id = "small", .size = 4, .names = names, .n_names = 127};
    static const struct ice_type middle = {.kind = ICE_ENUM, .id = "middle", .size = 4, .names = names, .n_names = 128};
    static const struct ice_type large = {.kind = ICE_ENUM, .id = "large", .size = 4, .names = names, .n_names = 32768};
    static const struct { const struct ice_type *t; const char *bytes; } cases[] = {
        {&small, "05"}, {&middle, "05 00"}, {&large, "05 00 00 00"},
    };
    int32_t five = 5, wrong = 128;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        int32_t n = 0;

        assert_written(ICE_ENC_1_0, cases[i].t, &five, cases[i].bytes);
        assert_written(ICE_ENC_1_1, cases[i].t, &five, "05");
        assert_ok(t_read(ICE_ENC_1_0, cases[i].bytes, cases[i].t, mem, &n, &err), &err);
        assert_int_equal(n, 5);
    }
    AUTO(buf_clear) struct buf b = BUF_INIT(64);
    assert_fails(t_write(&b, ICE_ENC_1_1, &small, &wrong, &err), &err, REASON_BUG);
    assert_int_equal(b.len, 0);
}

static void collections_keep_their_order_and_null_strings_are_empty(void **state)
{
    static const struct t_count pairs[] = {{"z", 1}, {"a", 2}, {NULL, 3}};
    static const struct t_point points[] = {{1, "p"}, {-1, ""}};
    const struct t_counts counts = {3, pairs};
    const struct t_points list = {2, points};
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct t_counts back;
    struct err err = ERR_INIT;

    (void)state;
    assert_written(ICE_ENC_1_0, &t_counts, &counts, "03 'z' #1 'a' #2 '' #3");
    assert_written(ICE_ENC_1_1, &t_points, &list, "02 #1 'p' #-1 ''");
    assert_ok(t_read(ICE_ENC_1_1, "03 'z' #1 'a' #2 '' #3", &t_counts, mem, &back, &err), &err);
    assert_int_equal(back.n, 3);
    assert_string_equal(back.at[0].key, "z");
    assert_string_equal(back.at[2].key, "");
    assert_int_equal(back.at[2].value, 3);
}

static void a_full_buffer_is_an_error_and_nothing_stays_in_it(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(16);
    const char *text = "longer than what is left";
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(t_write(&b, ICE_ENC_1_1, &ice_type_string, &text, &err), &err, REASON_TOO_LARGE);
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_values_are_refused_and_leave_the_result_alone),
        cmocka_unit_test(wrong_encapsulations_are_refused),
        cmocka_unit_test(bytes_after_the_last_value_are_skipped),
        cmocka_unit_test(a_failed_cursor_gives_nothing_more),
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(sizes_from_255_on_take_five_bytes),
        cmocka_unit_test(enumerators_are_as_wide_as_their_enum),
        cmocka_unit_test(collections_keep_their_order_and_null_strings_are_empty),
        cmocka_unit_test(a_full_buffer_is_an_error_and_nothing_stays_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
