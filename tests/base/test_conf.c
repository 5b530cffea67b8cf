#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/mem.h"

struct all {
    const char *host, *file, *mode;
    int64_t port, wait_s;
    bool plain;
    const char *word;
    const char *const *list;
};

struct one {
    int64_t settle_s;
};

static const char *const modes[] = {"upload", "link", NULL};
static const struct conf_key keys[] = {
    {"server", "host", CONF_TEXT, .fallback = "localhost", .offset = offsetof(struct all, host), .env = "OTHER_HOST",
     .option = "server"},
    {"server", "port", CONF_INT, .fallback = "4064", .min = 1, .max = 65535, .offset = offsetof(struct all, port)},
    {"server", "plain_tcp", CONF_BOOL, .fallback = "false", .offset = offsetof(struct all, plain)},
    {"server", "word", CONF_TEXT, .secret = true, .offset = offsetof(struct all, word)},
    {NULL, "file", CONF_PATH, .offset = offsetof(struct all, file)},
    {NULL, "mode", CONF_CHOICE, .fallback = "upload", .choices = modes, .offset = offsetof(struct all, mode)},
    {NULL, "wait", CONF_SECONDS, .fallback = "10m", .min = 0, .max = 86400, .offset = offsetof(struct all, wait_s)},
    {NULL, "list", CONF_LIST, .offset = offsetof(struct all, list)},
    {NULL, "settle", CONF_SECONDS, CONF_ROOT, .fallback = "30", .min = 0, .max = 600, .offset = offsetof(struct one, settle_s)},
};
enum { HOST, PORT, PLAIN, WORD, FILE_, MODE, WAIT, LIST, SETTLE };

static struct conf *fresh(void)
{
    return conf_new(keys, ARRAY_LEN(keys));
}

static int read_text(struct conf *c, const char *text, struct err *err)
{
    return conf_read_text(c, "x.toml", text, strlen(text), err);
}

static void defaults_hold_until_something_else_is_said(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct all all = {0};
    struct one one = {0};

    conf_fill(c, CONF_GLOBAL, CONF_NO_ROOT, &all);
    conf_fill(c, CONF_ROOT, CONF_NO_ROOT, &one);
    assert_string_equal(all.host, "localhost");
    assert_int_equal(all.port, 4064);
    assert_int_equal(all.wait_s, 600);
    assert_false(all.plain);
    assert_null(all.file);
    assert_null(all.word);
    assert_string_equal(all.mode, "upload");
    assert_int_equal(one.settle_s, 30);
    assert_string_equal(conf_get(c, &keys[PORT], CONF_NO_ROOT)->place, "default");
}

static void a_later_source_wins_and_its_place_is_known(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;
    const char *const env[] = {"IMPOMERO_SERVER_PORT=2", "OTHER_HOST=b", "IMPOMERO_WAIT=", "IMPOMERO_SERVER_PLAIN_TCP=on", NULL};

    assert_ok(read_text(c, "wait = \"2h\"\n[server]\nport = 1\nhost = \"a\"\n", &err), &err);
    assert_int_equal(conf_get(c, &keys[PORT], CONF_NO_ROOT)->number, 1);
    assert_string_equal(conf_get(c, &keys[PORT], CONF_NO_ROOT)->place, "x.toml:3");
    assert_ok(conf_read_env(c, env, &err), &err);
    assert_int_equal(conf_get(c, &keys[PORT], CONF_NO_ROOT)->number, 2);
    assert_string_equal(conf_get(c, &keys[HOST], CONF_NO_ROOT)->place, "OTHER_HOST");
    assert_int_equal(conf_get(c, &keys[WAIT], CONF_NO_ROOT)->number, 7200);
    assert_int_equal(conf_get(c, &keys[PLAIN], CONF_NO_ROOT)->number, 1);
    assert_ok(conf_set_option(c, "server-port", "3", &err), &err);
    assert_ok(conf_set_option(c, "server", "c", &err), &err);
    assert_string_equal(conf_get(c, &keys[HOST], CONF_NO_ROOT)->text, "c");
    assert_string_equal(conf_get(c, &keys[PORT], CONF_NO_ROOT)->place, "--server-port");
}

static void the_own_name_goes_before_the_alias(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;
    const char *const env[] = {"OTHER_HOST=b", "IMPOMERO_SERVER_HOST=a", NULL};

    assert_ok(conf_read_env(c, env, &err), &err);
    assert_string_equal(conf_get(c, &keys[HOST], CONF_NO_ROOT)->text, "a");
}

static void a_root_has_its_own_value_until_environment_or_option_say_otherwise(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;
    struct one one = {0};

    assert_ok(read_text(c, "settle = 60\n[[root]]\nname = \"a\"\npath = \"/a\"\nsettle = 5\n"
                           "[[root]]\nname = \"b\"\npath = \"/b\"\n", &err), &err);
    assert_int_equal(conf_n_roots(c), 2);
    assert_string_equal(conf_root(c, 1)->path, "/b");
    conf_fill(c, CONF_ROOT, 0, &one);
    assert_int_equal(one.settle_s, 5);
    conf_fill(c, CONF_ROOT, 1, &one);
    assert_int_equal(one.settle_s, 60);
    assert_ok(conf_set_option(c, "settle", "0", &err), &err);
    conf_fill(c, CONF_ROOT, 0, &one);
    assert_int_equal(one.settle_s, 0);
}

static void what_is_wrong_is_said_with_line_and_suggestion(void **state)
{
    (void)state;
    static const struct { const char *toml, *text, *hint; } cases[] = {
        {"\n[server]\nprot = 1\n", "x.toml:3: unknown key 'server.prot'", "did you mean 'server.port'?"},
        {"setle = 1\n", "x.toml:1: unknown key 'setle'", "did you mean 'settle'?"},
        {"qqqqqqqq = 1\n", "x.toml:1: unknown key 'qqqqqqqq'", ""},
        {"[[root]]\nname = \"a\"\npath = \"/a\"\nmode = \"link\"\n", "x.toml:4: unknown key 'mode' in [[root]]", ""},
        {"[server]\nport = \"x\"\n", "x.toml:2: 'server.port' must be a whole number, not text", "for example 4064"},
        {"[server]\nport = 70000\n", "x.toml:2: 'server.port' must be between 1 and 65535, not 70000", ""},
        {"[server]\nplain_tcp = 1\n", "x.toml:2: 'server.plain_tcp' must be true or false, not a whole number",
         "for example false"},
        {"[server]\nword = 123\n", "x.toml:2: 'server.word' must be text in quotes", ""},
        {"server = 1\n", "x.toml:1: 'server' is a section: [server]", ""},
        {"mode = \"linkk\"\n", "x.toml:1: 'mode' knows no 'linkk'", "did you mean 'link'?"},
        {"wait = \"5 fortnights\"\n", "x.toml:1: 'wait' must be seconds", "for example 10m"},
        {"wait = \"99999999999999999999\"\n", "x.toml:1: 'wait' must be seconds", "for example 10m"},
        {"wait = \"2d\"\n", "x.toml:1: 'wait' must be between 0 and 86400, not 172800", ""},
        {"file = \"x/y\"\n", "x.toml:1: 'file' must be an absolute path in quotes, not x/y", ""},
        {"list = \"a\"\n", "x.toml:1: 'list' must be a list of texts", ""},
        {"list = [\"a\", 1]\n", "x.toml:1: 'list' must be a list of texts", ""},
        {"list = [\" \"]\n", "x.toml:1: 'list' must be a list of texts", ""},
        {"a = [\n", "x.toml:1:5: ", ""},
        {"[root]\nname = \"a\"\n", "x.toml:1: a root is written as a table [[root]]", ""},
        {"root = [1]\n", "x.toml:1: a root is written as a table [[root]]", ""},
        {"[[root]]\nname = \"a\"\n", "x.toml:1: a [[root]] needs 'name' and 'path'", ""},
        {"[[root]]\nname = \"a\"\npath = \"a\"\n", "x.toml:1: the 'path' of a [[root]] must be absolute", ""},
        {"[[root]]\nname = 1\n", "x.toml:2: 'name' of a [[root]] must be text", ""},
        {"[[root]]\nname = \"a\"\npath = \"/a\"\n[[root]]\nname = \"a\"\npath = \"/b\"\n",
         "x.toml:4: another [[root]] has the same 'name': x.toml:1", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(conf_freep) struct conf *c = fresh();
        struct err err = ERR_INIT;
        assert_fails(read_text(c, cases[i].toml, &err), &err, REASON_CONFIG);
        if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0 || strcmp(err.hint, cases[i].hint) != 0)
            fail_msg("'%s' hint '%s' for '%s' hint '%s'", err.text, err.hint, cases[i].text, cases[i].hint);
    }
}

static void wrong_values_of_environment_and_options_name_their_place(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;
    const char *const env[] = {"IMPOMERO_SERVER_PORT=http", NULL};

    assert_fails(conf_read_env(c, env, &err), &err, REASON_CONFIG);
    assert_string_equal(err.text, "IMPOMERO_SERVER_PORT: 'server.port' must be a whole number, not http");
    assert_fails(conf_set_option(c, "settle", "601", &err), &err, REASON_CONFIG);
    assert_non_null(strstr(err.text, "--settle"));
    assert_fails(conf_set_option(c, "server-word", "x", &err), &err, REASON_CONFIG);
}

static void a_secret_has_no_option(void **state)
{
    (void)state;
    assert_null(conf_option(keys, ARRAY_LEN(keys), "server-word"));
    assert_null(conf_option(keys, ARRAY_LEN(keys), ""));
    assert_ptr_equal(conf_option(keys, ARRAY_LEN(keys), "server-plain-tcp"), &keys[PLAIN]);
}

static void a_missing_file_matters_only_if_it_was_asked_for(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;

    assert_ok(conf_read_file(c, "/nonexistent/x.toml", false, &err), &err);
    assert_fails(conf_read_file(c, "/nonexistent/x.toml", true, &err), &err, REASON_CONFIG);
    assert_fails(conf_read_file(c, "/", false, &err), &err, REASON_CONFIG);
}

static char *put(const char *dir, const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void drop_ins_are_read_by_name_and_their_roots_add_up(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    struct err err = ERR_INIT;
    char dir[] = "/tmp/impomero-conf-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *paths[] = {put(dir, "20-b.toml", "wait = 2\n[[root]]\nname = \"b\"\npath = \"/b\"\n"),
                     put(dir, "10-a.toml", "wait = 1\nmode = \"link\"\n"),
                     put(dir, ".hidden.toml", "x"), put(dir, "note.txt", "x")};

    assert_ok(read_text(c, "wait = 9\n[[root]]\nname = \"a\"\npath = \"/a\"\n", &err), &err);
    assert_ok(conf_read_dir(c, dir, &err), &err);
    assert_int_equal(conf_get(c, &keys[WAIT], CONF_NO_ROOT)->number, 2);
    assert_string_equal(conf_get(c, &keys[WAIT], CONF_NO_ROOT)->file, paths[0]);
    assert_string_equal(conf_get(c, &keys[MODE], CONF_NO_ROOT)->text, "link");
    assert_int_equal(conf_n_roots(c), 2);
    assert_int_equal(conf_n_files(c), 3);
    assert_string_equal(conf_file(c, 1), paths[1]);

    char *wrong = put(dir, "30-c.toml", "\nwaite = 1\n");
    AUTO(mem_freep) char *text = mem_printf("%s:2: unknown key 'waite'", wrong);
    AUTO(conf_freep) struct conf *again = fresh();
    assert_fails(conf_read_dir(again, dir, &err), &err, REASON_CONFIG);
    assert_string_equal(err.text, text);
    assert_ok(conf_read_dir(c, "/nonexistent.d", &err), &err);
    assert_fails(conf_read_dir(c, wrong, &err), &err, REASON_CONFIG);
    unlink(wrong);
    free(wrong);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
    rmdir(dir);
}

static void a_list_comes_from_an_array_or_from_text_with_semicolons(void **state)
{
    (void)state;
    const char *const env[] = {"IMPOMERO_LIST= one ;; two, 2;\tthree", NULL};
    AUTO(conf_freep) struct conf *c = fresh();
    struct all all = {0};
    struct err err = ERR_INIT;

    conf_fill(c, CONF_GLOBAL, CONF_NO_ROOT, &all);
    assert_null(all.list);
    assert_ok(read_text(c, "list = [ \"a; b\", \"c\" ]\n", &err), &err);
    conf_fill(c, CONF_GLOBAL, CONF_NO_ROOT, &all);
    assert_string_equal(all.list[0], "a; b");
    assert_string_equal(all.list[1], "c");
    assert_null(all.list[2]);
    assert_string_equal(conf_get(c, &keys[LIST], CONF_NO_ROOT)->text, "a; b; c");
    assert_ok(conf_read_env(c, env, &err), &err);
    conf_fill(c, CONF_GLOBAL, CONF_NO_ROOT, &all);
    assert_string_equal(all.list[0], "one");
    assert_string_equal(all.list[1], "two, 2");
    assert_string_equal(all.list[2], "three");
    assert_null(all.list[3]);
}

static void a_list_has_a_largest_length(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    AUTO(buf_clear) struct buf text = BUF_INIT(1u << 20);
    struct err err = ERR_INIT;

    buf_printf(&text, "list = [");
    for (unsigned i = 0; i <= CONF_LIST_MAX; i++)
        buf_printf(&text, "\"x\",");
    buf_printf(&text, "]\n");
    assert_fails(conf_read_text(c, "x", (const char *)text.data, text.len, &err), &err, REASON_CONFIG);

    AUTO(mem_freep) char *word = mem_new(CONF_LIST_MAX + 2, 1);

    memset(word, 'x', CONF_LIST_MAX + 1);
    assert_fails(conf_set_option(c, "list", word, &err), &err, REASON_CONFIG);
    word[CONF_LIST_MAX] = '\0';
    assert_ok(conf_set_option(c, "list", word, &err), &err);
}

static void roots_have_a_largest_number(void **state)
{
    (void)state;
    AUTO(conf_freep) struct conf *c = fresh();
    AUTO(buf_clear) struct buf text = BUF_INIT(1u << 20);
    struct err err = ERR_INIT;

    for (unsigned i = 0; i <= CONF_ROOTS_MAX; i++)
        buf_printf(&text, "[[root]]\nname = \"%u\"\npath = \"/%u\"\n", i, i);
    assert_fails(conf_read_text(c, "x", (const char *)text.data, text.len, &err), &err, REASON_CONFIG);
    assert_int_equal(conf_n_roots(c), CONF_ROOTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_until_something_else_is_said),
        cmocka_unit_test(a_later_source_wins_and_its_place_is_known),
        cmocka_unit_test(the_own_name_goes_before_the_alias),
        cmocka_unit_test(a_root_has_its_own_value_until_environment_or_option_say_otherwise),
        cmocka_unit_test(what_is_wrong_is_said_with_line_and_suggestion),
        cmocka_unit_test(wrong_values_of_environment_and_options_name_their_place),
        cmocka_unit_test(a_secret_has_no_option),
        cmocka_unit_test(a_missing_file_matters_only_if_it_was_asked_for),
        cmocka_unit_test(drop_ins_are_read_by_name_and_their_roots_add_up),
        cmocka_unit_test(a_list_comes_from_an_array_or_from_text_with_semicolons),
        cmocka_unit_test(a_list_has_a_largest_length),
        cmocka_unit_test(roots_have_a_largest_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
