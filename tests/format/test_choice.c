#include "../test.h"

#include "format/choice.h"

/* What becomes of an importable file of a path and a format. */
static enum reason chosen(const struct format_choice *c, const char *path, const char *format)
{
    const struct format_group g = {.format = format, .text = ""};
    const char *text;

    return format_chosen(&g, c, path, &text);
}

static void patterns_meet_names_and_paths(void **state)
{
    static const struct {
        const char *include, *exclude, *path;
        enum reason want;
    } rows[] = {
        {NULL, NULL, "a/x.czi", REASON_NONE},
        {"*.czi", NULL, "a/x.CZI", REASON_NONE},
        {"*.lif; *.czi ", NULL, "a/x.czi", REASON_NONE},
        {"*.lif", NULL, "a/x.czi", REASON_EXCLUDED},
        {NULL, "thumbs", "a/Thumbs/x.czi", REASON_EXCLUDED},
        {NULL, "a", "b/c/x.czi", REASON_NONE},
        {NULL, "a/*", "a/b/x.czi", REASON_EXCLUDED},
        {NULL, "/a/*", "a/b/x.czi", REASON_EXCLUDED},
        {NULL, "b/*", "a/b/x.czi", REASON_NONE},
        {"*.czi", "old*", "old/x.czi", REASON_EXCLUDED},
        {NULL, " ; ;", "a/x.czi", REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct format_choice c = {.include = rows[i].include, .exclude = rows[i].exclude};

        if (chosen(&c, rows[i].path, "Zeiss CZI") != rows[i].want)
            fail_msg("row %zu: %s", i, rows[i].path);
    }
}

static void formats_are_named(void **state)
{
    const struct format_choice only = {.formats = "zeiss czi; Leica LIF"}, not = {.exclude_formats = "PNG;JPEG"};

    (void)state;
    assert_int_equal(chosen(&only, "x", "Zeiss CZI"), REASON_NONE);
    assert_int_equal(chosen(&only, "x", "PNG"), REASON_EXCLUDED);
    assert_int_equal(chosen(&not, "x", "PNG"), REASON_EXCLUDED);
    assert_int_equal(chosen(&not, "x", "TIFF"), REASON_NONE);
}

static void what_was_left_alone_may_be_allowed(void **state)
{
    const struct format_group by_name = {.why = REASON_DEFERRED, .by_name = true, .format = "EPS", .text = "t"};
    const struct format_group gaps = {.why = REASON_INCOMPLETE, .tolerated = true, .format = "MetaMorph", .text = "t"};
    const struct format_group needed = {.why = REASON_INCOMPLETE, .format = "Olympus OIF", .text = "t"};
    const struct format_group unknown = {.why = REASON_UNKNOWN_FORMAT, .format = "", .text = "t"};
    const struct format_choice none = {0}, eps = {.formats = "EPS;MetaMorph"}, allow = {.gaps = true}, czi = {.include = "*.czi"};
    const char *text;

    (void)state;
    assert_int_equal(format_chosen(&by_name, &none, "x.eps", &text), REASON_DEFERRED);
    assert_string_equal(text, "t");
    assert_int_equal(format_chosen(&by_name, &eps, "x.eps", &text), REASON_NONE);
    assert_int_equal(format_chosen(&gaps, &none, "x.nd", &text), REASON_INCOMPLETE);
    assert_int_equal(format_chosen(&gaps, &allow, "x.nd", &text), REASON_NONE);
    assert_string_equal(text, "");
    assert_int_equal(format_chosen(&needed, &allow, "x.oif", &text), REASON_INCOMPLETE);
    assert_int_equal(format_chosen(&unknown, &czi, "x.txt", &text), REASON_UNKNOWN_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_meet_names_and_paths),
        cmocka_unit_test(formats_are_named),
        cmocka_unit_test(what_was_left_alone_may_be_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
