#include "../test.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/slurp.h"
#include "base/str.h"
#include "base/toml.h"

static struct toml_doc *read_text(const char *text)
{
    struct toml_fault fault;
    struct toml_doc *t = toml_read(text, strlen(text), &fault);

    if (!t)
        fail_msg("%d:%d: %s", fault.line, fault.column, fault.text);
    return t;
}

/* --- whole documents against the tagged form of the toml-test suite --- */

static void same(const char *file, const struct toml_node *got, const json_t *want);

static void same_value(const char *file, const struct toml_node *got, const char *type, const char *value)
{
    static const struct { const char *name; enum toml_type type; } types[] = {
        {"string", TOML_STRING}, {"integer", TOML_INTEGER}, {"float", TOML_FLOAT}, {"bool", TOML_BOOL},
        {"datetime", TOML_DATETIME},
        {"datetime-local", TOML_DATETIME}, {"date-local", TOML_DATETIME}, {"time-local", TOML_DATETIME},
    };
    size_t t = 0;

    while (strcmp(types[t].name, type) != 0)
        t++;
    assert_int_equal(got->type, types[t].type);
    if (got->type == TOML_FLOAT) {
        assert_true(fabs(got->real - atof(value)) == 0);
        return;
    }
    AUTO(mem_freep) char *text = toml_value_text(got, 1u << 20);
    if (strcmp(text, value) != 0 && !strchr(value, '\n'))
        fail_msg("%s: '%s' for '%s'", file, text, value);
}

static void same_table(const char *file, const struct toml_node *got, const json_t *want)
{
    const char *key;
    json_t *value;

    assert_int_equal(got->type, TOML_TABLE);
    assert_int_equal(got->n_items, json_object_size(want));
    json_object_foreach((json_t *)want, key, value) {
        const struct toml_node *item = toml_get(got, key);
        if (!item)
            fail_msg("%s: no key '%s'", file, key);
        same(file, item, value);
    }
}

static void same(const char *file, const struct toml_node *got, const json_t *want)
{
    const json_t *type = json_object_get(want, "type"), *value = json_object_get(want, "value");

    if (json_is_array(want)) {
        assert_int_equal(got->type, TOML_ARRAY);
        assert_int_equal(got->n_items, json_array_size(want));
        for (size_t i = 0; i < got->n_items; i++)
            same(file, &got->items[i], json_array_get(want, i));
    } else if (json_is_string(type) && json_is_string(value))
        same_value(file, got, json_string_value(type), json_string_value(value));
    else
        same_table(file, got, want);
}

static void check_document(const char *dir, const char *name)
{
    AUTO(mem_freep) char *path = mem_printf("%s/%s", dir, name);
    AUTO(mem_freep) char *expectation = mem_printf("%.*s.json", (int)(strlen(path) - strlen(".toml")), path);
    AUTO(js_freep) json_t *want = json_load_file(expectation, 0, NULL);
    AUTO(buf_clear) struct buf text = BUF_INIT(1u << 20);
    struct err err = ERR_INIT;
    struct toml_fault fault;

    assert_ok(slurp(path, &text, &err), &err);
    AUTO(toml_freep) struct toml_doc *t = toml_read((const char *)text.data, text.len, &fault);
    assert_non_null(t);
    same(name, toml_root(t), json_object_get(want, "toml"));
}

static void documents_are_read_as_expected(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = mem_printf("%s/cards/good", getenv("TEST_DATA"));
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (str_ends(e->d_name, ".toml")) {
            check_document(path, e->d_name);
            n++;
        }
    closedir(dir);
    assert_int_equal(n, 19);
}

/* --- places and order --- */

static void keys_stand_in_the_order_of_the_file_with_their_places(void **state)
{
    (void)state;
    AUTO(toml_freep) struct toml_doc *t = read_text("z = 1\na = \"\xC3\xA9\" # x\n"
                                                    "[m]\n  \"\xC3\xA9.y\" = { q = 1, b = [ 5,\n 6 ] }\n[[l]]\n");
    const struct toml_node *root = toml_root(t);
    static const struct { const char *key; int key_line, key_column, line, column; } want[] = {
        {"z", 1, 1, 1, 5}, {"a", 2, 1, 2, 5}, {"m", 3, 2, 3, 1}, {"l", 6, 3, 6, 1},
    };

    assert_int_equal(root->n_items, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct toml_node *n = &root->items[i];
        assert_string_equal(n->key, want[i].key);
        assert_int_equal(n->key_line, want[i].key_line);
        assert_int_equal(n->key_column, want[i].key_column);
        assert_int_equal(n->line, want[i].line);
        assert_int_equal(n->column, want[i].column);
    }
    const struct toml_node *b = toml_get(toml_get(&root->items[2], "\xC3\xA9.y"), "b");
    assert_int_equal(b->key_column, 20);
    assert_int_equal(b->items[1].line, 5);
    assert_int_equal(b->items[1].column, 2);
}

static void a_byte_order_mark_is_skipped_and_not_counted(void **state)
{
    (void)state;
    AUTO(toml_freep) struct toml_doc *t = read_text("\xEF\xBB\xBF" "a = 1\r\n");

    assert_int_equal(toml_get(toml_root(t), "a")->key_column, 1);
}

static void what_is_wrong_is_named_by_kind_and_place(void **state)
{
    (void)state;
    static const struct { const char *text; enum toml_kind kind; int line, column; } cases[] = {
        {"a = \"\\x\"", TOML_ESCAPE, 1, 6},
        {"a = \"\\uD800\"", TOML_ESCAPE, 1, 6},
        {"a = \"\\U00110000\"", TOML_ESCAPE, 1, 6},
        {"a = \"\\u0000\"", TOML_ESCAPE, 1, 6},
        {"a = \"\"\"\n\\   \n x\\y\"\"\"", TOML_ESCAPE, 3, 3},
        {"a = \"x\ny", TOML_OPEN_STRING, 1, 5},
        {"a = '''x\ny", TOML_OPEN_STRING, 1, 5},
        {"a = \"\"\"x\"\"", TOML_OPEN_STRING, 1, 5},
        {"a = 1\n# \x01\n", TOML_CONTROL, 2, 3},
        {"a = '\x7F'", TOML_CONTROL, 1, 6},
        {"a = 1\rb = 2", TOML_CONTROL, 1, 6},
        {"a = 1\na = 2", TOML_TWICE, 2, 1},
        {"[a]\n[b]\n  [a]\n", TOML_TWICE, 3, 3},
        {"a = [1,\n[2,\n3]\n", TOML_SYNTAX, 1, 5},
        {"a = 1\nb = \xC3(", TOML_NOT_UTF8, 2, 5},
        {"a = 1\nb = it's\nc = \"\\x\"\n", TOML_SYNTAX, 2, 5}, /* the first of two */
        {"a", TOML_SYNTAX, 1, 2},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct toml_fault f = {0};
        assert_null(toml_read(cases[i].text, strlen(cases[i].text), &f));
        if (f.kind != cases[i].kind || f.line != cases[i].line || f.column != cases[i].column)
            fail_msg("%s: kind %d at %d:%d: %s", cases[i].text, (int)f.kind, f.line, f.column, f.text);
    }
}

static void strings_may_hold_quotes_and_hashes(void **state)
{
    (void)state;
    AUTO(toml_freep) struct toml_doc *t =
        read_text("a = \"\"\"x\"\"\"\"\"\nb = '''it's \\x'''\nc = \"# [ \\\" '\" # \"\nd = \"\"\ne = ''\n");
    static const char *const want[] = {"x\"\"", "it's \\x", "# [ \" '", "", ""};

    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(toml_root(t)->items[i].text, want[i]);
}

static void a_text_has_a_largest_size_and_depth(void **state)
{
    (void)state;
    AUTO(mem_freep) char *text = mem_new(TOML_MAX_BYTES + 1, 1);
    struct toml_fault f = {0};

    memset(text, '\n', TOML_MAX_BYTES + 1);
    toml_free(toml_read(text, TOML_MAX_BYTES, &f));
    assert_null(toml_read(text, TOML_MAX_BYTES + 1, &f));
    assert_int_equal(f.kind, TOML_TOO_LARGE);

    struct buf nested = BUF_INIT(10000);
    buf_add_str(&nested, "a = ");
    for (unsigned i = 0; i < TOML_DEPTH_MAX; i++)
        buf_add_str(&nested, "[");
    for (unsigned i = 0; i < TOML_DEPTH_MAX; i++)
        buf_add_str(&nested, "]");
    AUTO(mem_freep) char *fits = buf_take_str(&nested);
    toml_free(read_text(fits));
    AUTO(mem_freep) char *over = mem_printf("b = [%s]", fits + 4);
    assert_null(toml_read(over, strlen(over), &f));
    assert_int_equal(f.kind, TOML_TOO_LARGE);
    assert_int_equal(f.column, 5 + (int)TOML_DEPTH_MAX);
}

static void levels_that_dotted_keys_add_up_to_are_bounded(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(10000);
    struct toml_fault f = {0};

    for (int i = 0; i < 5; i++)
        buf_add_str(&text, i ? "{a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = " : "a.a.a.a.a.a.a.a.a.a.a = ");
    buf_add_str(&text, "1}}}}");
    AUTO(mem_freep) char *deep = buf_take_str(&text);
    assert_null(toml_read(deep, strlen(deep), &f));
    assert_int_equal(f.kind, TOML_TOO_LARGE);
}

static void a_line_is_shown_safely_and_cut(void **state)
{
    (void)state;
    char line[12];
    static const char text[] = "one\r\ntwo\x1B[1m\n\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\n";

    toml_show_line(text, sizeof(text) - 1, 1, line, sizeof(line));
    assert_string_equal(line, "one");
    toml_show_line(text, sizeof(text) - 1, 2, line, sizeof(line));
    assert_string_equal(line, "two\\x1B[1m");
    toml_show_line(text, sizeof(text) - 1, 3, line, sizeof(line));
    assert_string_equal(line, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
    toml_show_line(text, sizeof(text) - 1, 9, line, sizeof(line));
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_read_as_expected),
        cmocka_unit_test(keys_stand_in_the_order_of_the_file_with_their_places),
        cmocka_unit_test(a_byte_order_mark_is_skipped_and_not_counted),
        cmocka_unit_test(what_is_wrong_is_named_by_kind_and_place),
        cmocka_unit_test(strings_may_hold_quotes_and_hashes),
        cmocka_unit_test(a_text_has_a_largest_size_and_depth),
        cmocka_unit_test(levels_that_dotted_keys_add_up_to_are_bounded),
        cmocka_unit_test(a_line_is_shown_safely_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
