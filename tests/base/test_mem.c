#include "../test.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void arena_values_are_zeroed_and_separate(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *first = arena_strn(a, "abc", 3);
    char *large = arena_alloc(a, 100000, 1);
    char *second = arena_str(a, "def");

    memset(large, 1, 100000);
    assert_string_equal(first, "abc");
    assert_string_equal(second, "def");
    assert_true(arena_bytes(a) >= 100008);
    arena_free(a);
}

static void an_arena_takes_over_another(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct arena *b = arena_new(), *empty = arena_new();
    char *first = arena_str(a, "abc"), *large = arena_alloc(b, 100000, 1), *second = arena_str(b, "def");

    (void)state;
    large[99999] = 'x';
    arena_join(a, empty);
    arena_join(a, b);
    assert_true(arena_bytes(a) >= 100008);
    assert_string_equal(first, "abc");
    assert_string_equal(second, "def");
    assert_string_equal(arena_str(a, "ghi"), "ghi");
    assert_string_equal(first, "abc");
}

static void a_buffer_stops_at_its_ceiling_and_stays_full(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(4);

    buf_add(&b, "abc", 3);
    assert_false(b.full);
    buf_add(&b, "de", 2);
    assert_true(b.full);
    buf_add_byte(&b, 'x');
    assert_int_equal(b.len, 3);
    buf_clear(&b);
}

static void an_error_text_is_cut_at_a_character(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char text[2000];

    memset(text, 'a', sizeof(text));
    memcpy(text + 1022, "\xC3\xA9", 2);
    text[1999] = '\0';
    assert_int_equal(err_set(&err, REASON_GONE, 0, "%s", text), -1);
    assert_int_equal(strlen(err.text), 1022);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_values_are_zeroed_and_separate),
        cmocka_unit_test(an_arena_takes_over_another),
        cmocka_unit_test(a_buffer_stops_at_its_ceiling_and_stays_full),
        cmocka_unit_test(an_error_text_is_cut_at_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
