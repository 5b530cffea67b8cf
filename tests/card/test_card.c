/* Rules of cards that the files of tests/data/cards do not reach, and the ceilings. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/mem.h"
#include "card/card.h"

#define HEAD "# omero annotation file\nproject = \"P\"\nuser = \"john\"\n"

static struct card *good(const char *text)
{
    struct card *c = NULL;
    struct card_fault fault = {0};

    if (card_parse(text, strlen(text), &c, &fault) != 0)
        fail_msg("%d:%d: %s", fault.line, fault.column, fault.message);
    return c;
}

static struct card_fault broken(const char *text, size_t n)
{
    struct card *c = NULL;
    struct card_fault fault = {0};

    assert_int_equal(card_parse(text, n, &c, &fault), CARD_BROKEN);
    assert_null(c);
    assert_true(fault.message[0] && fault.hint[0]);
    return fault;
}

static void names_of_cards(void **state)
{
    (void)state;
    assert_true(card_name_fits("a.toml"));
    assert_true(card_name_fits("a b.c.toml"));
    assert_false(card_name_fits(".toml"));
    assert_false(card_name_fits(".a.toml"));
    assert_false(card_name_fits("a.TOML"));
    assert_false(card_name_fits("a.toml.bak"));
}

static void the_header_ends_with_its_word(void **state)
{
    (void)state;
    static const struct { const char *first_line; bool card; } cases[] = {
        {"# omero annotation file", true},       {"# omero annotation file v2", true}, {"# omero annotation file: x", true},
        {"# omero annotation file_", true},      {"# omero annotation files", false},  {"# omero annotation file2", false},
        {"# omero annotation file\xC3\xA9", false}, {"# omero annotation file\xE2\x80\x94", true},
        {"\xEF\xBB\xBF# omero annotation file", true}, {" # omero annotation file", false}, {"#omero annotation file", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_freep) char *text = mem_printf("%s\nproject = \"P\"\nuser = \"u\"\n", cases[i].first_line);
        AUTO(card_freep) struct card *c = NULL;
        struct card_fault fault;
        assert_int_equal(card_parse(text, strlen(text), &c, &fault), cases[i].card ? 0 : CARD_NOT_A_CARD);
    }
}

static void values_are_written_as_text(void **state)
{
    (void)state;
    static const struct { const char *toml, *text; } cases[] = {
        {"0.65", "0.65"}, {"1.0", "1.0"}, {"1e22", "1e+22"}, {"-0.5e-7", "-5e-08"}, {"123456.75", "123456.75"},
        {"5e15", "5000000000000000.0"},
        {"0.1", "0.1"}, {"1e-4", "0.0001"}, {"inf", "inf"}, {"-inf", "-inf"}, {"nan", "nan"}, {"-17", "-17"}, {"0xff", "255"},
        {"1_000", "1000"}, {"false", "false"}, {"1979-05-27 07:32:00.50z", "1979-05-27T07:32:00.50Z"},
        {"1979-05-27t07:32:00+01:30", "1979-05-27T07:32:00+01:30"}, {"07:32:00.100", "07:32:00.100"},
        {"1979-05-27", "1979-05-27"},
        {"[1979-05-27 , 2]", "1979-05-27, 2"}, {"[[1, 2], [\"a\"]]", "1, 2, a"}, {"[]", ""},
        {"[{a = 1, b = \"x\"}]", "{a = 1, b = x}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_freep) char *text = mem_printf(HEAD "kv_pairs.k = %s\n", cases[i].toml);
        AUTO(card_freep) struct card *c = good(text);
        assert_int_equal(c->n_pairs, 1);
        assert_string_equal(c->pairs[0].value, cases[i].text);
    }
}

static void pairs_stand_in_the_order_of_the_file_with_their_lines(void **state)
{
    (void)state;
    AUTO(card_freep) struct card *c = good(HEAD "[kv_pairs]\nz.b = 1\nm = 2\nz.a = 3\nt = { y = 4, x = 5 }\n"
                                                "[kv_pairs.sub.deep]\nk = 6\n");
    static const struct card_pair want[] = {
        {"z.b", "1", 5}, {"m", "2", 6}, {"z.a", "3", 7}, {"t.y", "4", 8}, {"t.x", "5", 8}, {"sub.deep.k", "6", 10},
    };

    assert_int_equal(c->n_pairs, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(c->pairs[i].key, want[i].key);
        assert_string_equal(c->pairs[i].value, want[i].value);
        assert_int_equal(c->pairs[i].line, want[i].line);
    }
}

static void lines_of_who_and_where_are_known(void **state)
{
    (void)state;
    AUTO(card_freep) struct card *c = good("# omero annotation file\n\nuser = \"u\"\ngroup = \"g\"\nproject = \"p\"\n");
    AUTO(card_freep) struct card *no_group = good(HEAD "group = \"  \"\n");

    assert_int_equal(c->user_line, 3);
    assert_int_equal(c->group_line, 4);
    assert_int_equal(c->project_line, 5);
    assert_null(no_group->group);
    assert_int_equal(no_group->group_line, 0);
}

static void cards_of_equal_meaning_have_equal_hashes(void **state)
{
    (void)state;
    static const char *const same[] = {
        HEAD "tags = [\"a\", \"b\"]\nkv_pairs.k = 1\n",
        HEAD "# another comment\n\ntags = [\"b\", \"a\", \"b\"]\naccessed = \"x\"\n[kv_pairs]\nk = \"1\"\n",
    };
    static const char *const others[] = {
        HEAD "tags = [\"a\"]\nkv_pairs.k = 1\n",
        HEAD "tags = [\"a\", \"b\"]\nkv_pairs.k = 2\n",
        HEAD "tags = [\"a\", \"b\"]\nkv_pairs.k = 1\ngroup = \"g\"\n",
        HEAD "tags = [\"a\", \"b\"]\nkv_pairs.k = 1\ntitle = \"g\"\n",
        HEAD "tags = [\"a\", \"b\"]\nkv_pairs.k = 1\ncomment = \"g\"\n",
        HEAD "tags = [\"ab\"]\nkv_pairs.k = 1\n",
    };
    AUTO(card_freep) struct card *first = good(same[0]);
    AUTO(card_freep) struct card *second = good(same[1]);

    assert_int_equal(strlen(first->sha256), 64);
    assert_string_equal(first->sha256, second->sha256);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        AUTO(card_freep) struct card *c = good(others[i]);
        assert_string_not_equal(first->sha256, c->sha256);
    }
}

static void a_fault_names_the_place_and_shows_the_line(void **state)
{
    (void)state;
    static const struct { const char *rest; int line, column; const char *source; } cases[] = {
        {"kv_pairs = 5\n", 4, 12, "kv_pairs = 5"},
        {"kv_pairs = []\n", 4, 12, "kv_pairs = []"},
        {"tags = 5\n", 4, 8, "tags = 5"},
        {"comment = \"\\u0000\"\n", 4, 12, "comment = \"\\u0000\""},
        {"comment = \"\"\"\nab\\qc\"\"\"\n", 5, 3, "ab\\qc\"\"\""},
        {"comment = \"\"\"\nabc\n", 4, 11, "comment = \"\"\""},
        {"comment = 'it\n", 4, 11, "comment = 'it"},
        {"comment = it's\n", 4, 11, "comment = it's"},
        {"\xC3\xA9 = 1\n", 4, 1, "\xC3\xA9 = 1"},
        {"a = \"\xC3\xA9\xC3\xA9\\z\"\n", 4, 8, "a = \"\xC3\xA9\xC3\xA9\\z\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_freep) char *text = mem_printf(HEAD "%s", cases[i].rest);
        struct card_fault f = broken(text, strlen(text));
        assert_int_equal(f.line, cases[i].line);
        assert_int_equal(f.column, cases[i].column);
        assert_string_equal(f.source, cases[i].source);
    }
}

static void a_wrong_escape_says_how_to_mend_it(void **state)
{
    (void)state;
    static const char text[] = HEAD "comment = \"C:\\Users\"\n";
    struct card_fault f = broken(text, sizeof(text) - 1);

    assert_non_null(strstr(f.hint, "\\\\"));
    assert_non_null(strstr(f.hint, "single quotes"));
}

static void a_card_has_a_largest_size(void **state)
{
    (void)state;
    const size_t n = CARD_MAX_BYTES + 1;
    AUTO(mem_freep) char *text = mem_new(n, 1);
    struct card_fault fault;
    AUTO(card_freep) struct card *c = NULL;

    memset(text, '\n', n);
    memcpy(text, HEAD, sizeof(HEAD) - 1);
    assert_int_equal(card_parse(text, n - 1, &c, &fault), 0);
    assert_int_equal(broken(text, n).line, 1);
}

/* HEAD, then `before`, `n` times "unit" with its number, `after`. */
static char *repeated(const char *before, const char *unit, unsigned n, const char *after)
{
    struct buf out = BUF_INIT(8u << 20);

    buf_add_str(&out, HEAD);
    buf_add_str(&out, before);
    for (unsigned i = 0; i < n; i++)
        buf_printf(&out, unit, i);
    buf_add_str(&out, after);
    assert_false(out.full);
    return buf_take_str(&out);
}

static void tags_and_pairs_have_a_largest_number(void **state)
{
    (void)state;
    static const struct { const char *before, *unit, *after; unsigned max; } cases[] = {
        {"tags = [", "\"t%u\",", "]\n", CARD_TAGS_MAX}, {"[kv_pairs]\n", "k%u = 1\n", "", CARD_PAIRS_MAX},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_freep) char *fits = repeated(cases[i].before, cases[i].unit, cases[i].max, cases[i].after);
        AUTO(mem_freep) char *over = repeated(cases[i].before, cases[i].unit, cases[i].max + 1, cases[i].after);
        AUTO(card_freep) struct card *c = good(fits);
        assert_int_equal(c->n_tags + c->n_pairs, cases[i].max);
        assert_true(broken(over, strlen(over)).line >= 4);
    }
}

static void dotted_keys_cannot_make_a_small_card_large(void **state)
{
    (void)state;
    AUTO(mem_freep) char *key = mem_new(100001, 1);
    AUTO(mem_freep) char *before = NULL;

    memset(key, 'k', 100000);
    before = mem_printf("[kv_pairs.%s]\n", key);
    AUTO(mem_freep) char *text = repeated(before, "k%u = 1\n", 100, "");
    struct card_fault f = broken(text, strlen(text));
    assert_non_null(strstr(f.message, "together"));
}

static void depth_is_refused_before_it_hurts(void **state)
{
    (void)state;
    static const struct { const char *before, *unit, *after; } cases[] = {
        {"a", ".a", " = 1\n"}, {"[a", ".a", "]\n"}, {"a = ", "[", ""}, {"a = ", "{a=", ""},
        {"[kv_pairs]\na = ", "{b.c.d=", "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_freep) char *text = repeated(cases[i].before, cases[i].unit, 100000, cases[i].after);
        assert_true(broken(text, strlen(text)).line >= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_cards),
        cmocka_unit_test(the_header_ends_with_its_word),
        cmocka_unit_test(values_are_written_as_text),
        cmocka_unit_test(pairs_stand_in_the_order_of_the_file_with_their_lines),
        cmocka_unit_test(lines_of_who_and_where_are_known),
        cmocka_unit_test(cards_of_equal_meaning_have_equal_hashes),
        cmocka_unit_test(a_fault_names_the_place_and_shows_the_line),
        cmocka_unit_test(a_wrong_escape_says_how_to_mend_it),
        cmocka_unit_test(a_card_has_a_largest_size),
        cmocka_unit_test(tags_and_pairs_have_a_largest_number),
        cmocka_unit_test(dotted_keys_cannot_make_a_small_card_large),
        cmocka_unit_test(depth_is_refused_before_it_hurts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
