#include "../test.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const struct { const char *bytes; bool ok; } cases[] = {
        {"plain", true}, {"\xC3\xA9", true}, {"\xF0\x9F\x94\xAC", true}, {"\xE9", false}, {"\xC0\x80", false},
        {"\xED\xA0\x80", false}, {"\xF4\x90\x80\x80", false}, {"\xE2\x82", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(str_is_utf8(cases[i].bytes, strlen(cases[i].bytes)), cases[i].ok);
}

static void any_bytes_can_be_shown(void **state)
{
    (void)state;
    char *shown = str_show("a\xE9\n\x1B[1mé");

    assert_string_equal(shown, "a\\xE9\\n\\x1B[1mé");
    free(shown);
    shown = str_show("a\u202Egpj.exe\u2028\u061C\xC2\x85 \xC2\xA0\u4E2D"); /* Unicode Standard, 23.2 Layout Controls */
    assert_string_equal(shown, "a\\xE2\\x80\\xAEgpj.exe\\xE2\\x80\\xA8\\xD8\\x9C\\xC2\\x85 \u00A0\u4E2D");
    free(shown);
}

static void what_lies_below_a_directory_is_told_from_its_neighbours(void **state)
{
    (void)state;
    static const struct { const char *path, *dir, *rest; } cases[] = {
        {"/a/b", "/a", "b"}, {"/a", "/a", ""},      {"/ab", "/a", NULL},  {"/", "/", ""},   {"/a/b", "/", "a/b"},
        {"/b/a", "/a", NULL}, {"a/b/c", "a/b", "c"}, {"a/bc", "a/b", NULL}, {"a", "", "a"}, {"", "", ""}, {"", "a", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *rest = str_below(cases[i].path, cases[i].dir);

        if (!cases[i].rest)
            assert_null(rest);
        else
            assert_string_equal(rest, cases[i].rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(any_bytes_can_be_shown),
        cmocka_unit_test(what_lies_below_a_directory_is_told_from_its_neighbours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
