#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/settings.h"

static char dir[] = "/tmp/impomero-settings-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"x.toml", "password", "impomero.password"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(mem_freep) char *path = mem_printf("%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static char *put(const char *name, const char *text, mode_t mode)
{
    char *path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static int load(struct settings *s, const char *toml, const char *const *env, struct err *err)
{
    AUTO(mem_freep) char *path = put("x.toml", toml, 0600);

    return settings_load(s, path, env, NULL, 0, err);
}

static const char *const only_home[] = {"HOME=/home/u", NULL};

static void the_seeds_variables_are_understood(void **state)
{
    (void)state;
    const char *const env[] = {"HOME=/h", "OMERO_SERVER=omero.example", "OMERO_PORT=4063", "OMERO_ROOT_PASSWORD=pw",
                               "OMERO_ROOT_USER=adm", NULL};
    AUTO(settings_clear) struct settings s = {0};
    struct err err = ERR_INIT;

    assert_ok(load(&s, "", env, &err), &err);
    assert_string_equal(s.server.host, "omero.example");
    assert_int_equal(s.server.port, 4063);
    assert_string_equal(s.server.password, "pw");
    assert_string_equal(s.server.user, "adm");
    assert_string_equal(s.defaults.annotations_namespace, "impomero/card");
    assert_int_equal(s.defaults.settle_s, 30);
    assert_int_equal(s.defaults.rescan_s, 900);
    assert_int_equal(s.defaults.poll_s, 60);
}

static void the_state_directory_follows_its_rule(void **state)
{
    (void)state;
    static const struct { const char *toml; const char *env[4]; const char *dir; } cases[] = {
        {"state = \"/a\"", {"STATE_DIRECTORY=/s", "HOME=/h"}, "/a"},
        {"", {"STATE_DIRECTORY=/s:/t", "XDG_STATE_HOME=/x", "HOME=/h"}, "/s"},
        {"", {"XDG_STATE_HOME=/x", "HOME=/h"}, "/x/impomero"},
        {"", {"XDG_STATE_HOME=relative", "HOME=/h"}, "/h/.local/state/impomero"},
    };
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(settings_clear) struct settings s = {0};
        assert_ok(load(&s, cases[i].toml, cases[i].env, &err), &err);
        assert_string_equal(s.state_dir, cases[i].dir);
    }
    AUTO(settings_clear) struct settings s = {0};
    const char *const nothing[] = {NULL};
    assert_fails(load(&s, "", nothing, &err), &err, REASON_CONFIG);
}

static void the_password_comes_from_the_first_place_that_has_one(void **state)
{
    (void)state;
    AUTO(mem_freep) char *file = put("password", "from file\nrest\n", 0600);
    AUTO(mem_freep) char *credential = put("impomero.password", "from credential", 0600);
    AUTO(mem_freep) char *variable = mem_printf("CREDENTIALS_DIRECTORY=%s", dir);
    AUTO(mem_freep) char *named = mem_printf("[server]\npassword_file = \"%s\"\n", file);
    assert_non_null(credential);
    const struct { const char *toml, *more, *password; } cases[] = {
        {named, "OMERO_ROOT_PASSWORD=from env", "from env"},
        {"[server]\npassword = \"written\"\n", "X=", "written"},
        {named, "X=", "from file"},
        {"", "X=", "from credential"},
    };
    const char *const no_credential[] = {"HOME=/h", NULL};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const env[] = {"HOME=/h", variable, cases[i].more, NULL};
        AUTO(settings_clear) struct settings s = {0};
        assert_ok(load(&s, cases[i].toml, env, &err), &err);
        assert_string_equal(s.server.password, cases[i].password);
    }
    AUTO(settings_clear) struct settings beside = {0};
    assert_ok(load(&beside, "", no_credential, &err), &err);
    assert_string_equal(beside.server.password, "from file");

    AUTO(mem_freep) char *empty = put("impomero.password", "\n", 0600);
    AUTO(mem_freep) char *empty_too = put("password", "\n", 0600);
    const char *const env[] = {"HOME=/h", variable, NULL};
    AUTO(settings_clear) struct settings without = {0};
    assert_non_null(empty);
    assert_non_null(empty_too);
    assert_ok(load(&without, "", env, &err), &err);
    assert_null(without.server.password);

    AUTO(settings_clear) struct settings none = {0};
    assert_ok(load(&none, "", only_home, &err), &err);
    assert_null(none.server.password);
}

static void a_password_that_everybody_can_read_is_refused(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = put("x.toml", "[server]\npassword = \"secretive\"\n", 0644);
    AUTO(settings_clear) struct settings s = {0};
    struct err err = ERR_INIT;

    assert_fails(settings_load(&s, path, only_home, NULL, 0, &err), &err, REASON_CONFIG);
    assert_null(strstr(err.text, "secretive"));
    assert_non_null(strstr(err.text, ":2"));
}

static void a_password_file_must_be_there_and_hold_one(void **state)
{
    (void)state;
    AUTO(mem_freep) char *empty = put("password", "\nx\n", 0600);
    AUTO(mem_freep) char *named = mem_printf("[server]\npassword_file = \"%s\"\n", empty);
    struct err err = ERR_INIT;
    AUTO(settings_clear) struct settings s = {0};

    assert_fails(load(&s, named, only_home, &err), &err, REASON_CONFIG);
    assert_fails(load(&s, "[server]\npassword_file = \"/nonexistent/p\"\n", only_home, &err), &err, REASON_CONFIG);
    assert_int_equal(unlink(empty), 0);
}

static void roots_are_cleaned_found_and_apart(void **state)
{
    (void)state;
    static const char two[] = "settle = 7\npolicy = \"any\"\n[[root]]\nname = \"a\"\npath = \"/data//a/./x/..\"\nsettle = 1\n"
                              "[[root]]\nname = \"b\"\npath = \"/data/ab\"\n";
    AUTO(settings_clear) struct settings s = {0};
    struct err err = ERR_INIT;

    assert_ok(load(&s, two, only_home, &err), &err);
    assert_string_equal(s.roots[0].path, "/data/a");
    assert_int_equal(s.roots[0].set.settle_s, 1);
    assert_int_equal(s.roots[1].set.settle_s, 7);
    assert_ptr_equal(settings_root_of(&s, "/data/a/x"), &s.roots[0]);
    assert_ptr_equal(settings_root_of(&s, "/data/ab"), &s.roots[1]);
    assert_null(settings_root_of(&s, "/data/abc"));

    AUTO(settings_clear) struct settings nested = {0};
    assert_fails(load(&nested, "[[root]]\nname = \"a\"\npath = \"/d\"\n[[root]]\nname = \"b\"\npath = \"/d/e\"\n", only_home,
                      &err), &err, REASON_CONFIG);
}

static void a_root_has_names_and_a_namespace_of_its_own(void **state)
{
    (void)state;
    static const char text[] = "image_name = \"{stem}\"\n[annotations]\nnamespace = \"lab/card\"\n"
                               "[[root]]\nname = \"a\"\npath = \"/a\"\n"
                               "dataset_name = \"{path:_} of {user}\"\n[root.annotations]\nnamespace = \"a/card\"\n"
                               "each = true\n"
                               "[[root]]\nname = \"b\"\npath = \"/b\"\n";
    AUTO(settings_clear) struct settings s = {0};
    struct err err = ERR_INIT;

    assert_ok(load(&s, text, only_home, &err), &err);
    assert_string_equal(settings_for(&s, "/a")->annotations_namespace, "a/card");
    assert_string_equal(settings_for(&s, "/b")->annotations_namespace, "lab/card");
    assert_true(settings_for(&s, "/a")->annotations_each);
    assert_false(settings_for(&s, "/b")->annotations_each);
    assert_string_equal(settings_for(&s, "/c")->names.image, "{stem}");
    assert_string_equal(settings_for(&s, "/a")->names.dataset, "{path:_} of {user}");
    assert_string_equal(settings_for(&s, "/b")->names.dataset, "{dir}");
}

static void impossible_values_are_refused_with_place_and_hint(void **state)
{
    (void)state;
    static const struct { const char *toml, *text, *hint; } cases[] = {
        {"image_name = \"{pth}\"", ":1: 'image_name': there is no {pth}", "did you mean {path}?"},
        {"dataset_name = \"{file}\"", ":1: 'dataset_name': there is no {file}", "did you mean {path}?"},
        {"image_name = \"{path\"", ":1: 'image_name': a brace", "a brace itself is written twice: {{ or }}"},
        {"image_name = \"path}\"", ":1: 'image_name': a brace", "a brace itself is written twice: {{ or }}"},
        {"image_name = \"image\"", ":1: 'image_name': all would get one name", "use {path} or another word in braces"},
        {"\nskip = \"minmaks\"", ":2: 'skip': ", ""},
        {"[[root]]\nname = \"a\"\npath = \"/a\"\n[root.server]\nhost = \"x\"", ":5: unknown key 'server.host' in [[root]]", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(settings_clear) struct settings s = {0};
        struct err err = ERR_INIT;
        assert_fails(load(&s, cases[i].toml, only_home, &err), &err, REASON_CONFIG);
        if (!strstr(err.text, cases[i].text) || (cases[i].hint[0] && strcmp(err.hint, cases[i].hint) != 0))
            fail_msg("'%s' hint '%s' for '%s'", err.text, err.hint, cases[i].text);
    }
}

static void what_only_a_restart_can_take_is_named(void **state)
{
    (void)state;
    AUTO(settings_clear) struct settings old = {0}, now = {0};
    struct err err = ERR_INIT;

    assert_ok(load(&old, "settle = 1\n", only_home, &err), &err);
    assert_ok(load(&now, "settle = 2\nworkers = 3\n[server]\nhost = \"b\"\npassword = \"new\"\n", only_home, &err), &err);
    AUTO(mem_freep) char *names = settings_need_restart(&old, &now);
    assert_string_equal(names, "server.host, workers");
    assert_null(settings_need_restart(&old, &old));
}

/* Every line of the example, taken out of its comment, says what holds anyway, or is an example that is right. */
static void the_example_is_a_configuration(void **state)
{
    (void)state;
    AUTO(mem_freep) char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    AUTO(settings_clear) struct settings as_it_is = {0}, uncommented = {0};
    struct err err = ERR_INIT;

    conf_write_example(settings_keys, settings_n_keys, f);
    fclose(f);
    assert_ok(load(&as_it_is, text, only_home, &err), &err);
    assert_string_equal(conf_get(as_it_is.conf, &settings_keys[0], CONF_NO_ROOT)->place, "default");
    for (char *s = text; *s; s++)
        if ((s == text || s[-1] == '\n') && s[0] == '#' && s[1] != ' ')
            *s = ' ';
    AUTO(mem_freep) char *password = put("password", "x\n", 0600);
    char *named = strstr(text, "/etc/impomero/password");
    assert_non_null(named);
    assert_true(strlen(password) > strlen("/etc/impomero/password"));
    AUTO(mem_freep) char *all = mem_printf("%.*s%s%s", (int)(named - text), text, password,
                                           named + strlen("/etc/impomero/password"));
    assert_ok(load(&uncommented, all, only_home, &err), &err);
    assert_int_equal(uncommented.n_roots, 1);
    for (size_t i = 0; i < settings_n_keys; i++)
        assert_int_equal(conf_get(uncommented.conf, &settings_keys[i], CONF_NO_ROOT)->from, CONF_FROM_FILE);
}

static void a_root_says_whom_its_cards_may_act_for(void **state)
{
    (void)state;
#define ROOT "[[root]]\nname = \"a\"\npath = \"/d\"\n"
    static const struct { const char *toml, *says; } bad[] = {
        {ROOT "policy = \"everybody\"\n", "'policy' knows no 'everybody'"},
        {ROOT "policy = \"list\"\n", "policy = \"list\" needs 'allow'"},
        {ROOT "policy = \"list\"\nallow = [\"alice\"]\n", "in 'alice'"},
        {ROOT "policy = \"list\"\nallow = \"x = alice\"\n", "'allow' must be a list of texts"},
        {ROOT "policy = \"list\"\nallow = [1]\n", "'allow' must be a list of texts"},
        {ROOT "policy = \"any\"\nfollow_links_into = [\"x/y\"]\n", "absolute paths, not 'x/y'"},
    };
    static const char good[] = "policy = \"owner\"\nfollow_links_into = [\"/store\", \"/raw data\"]\n" ROOT
                               "policy = \"list\"\nallow = [\"people/{user} = *\", \". = ann, bob\"]\n";
    const char *const env[] = {"HOME=/h", "IMPOMERO_ALLOW= a;b = x ; c = y, z;", NULL};
    AUTO(settings_clear) struct settings s = {0}, none = {0};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(settings_clear) struct settings wrong = {0};

        assert_fails(load(&wrong, bad[i].toml, only_home, &err), &err, REASON_CONFIG);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' does not say \"%s\"", err.text, bad[i].says);
    }
    assert_ok(load(&s, good, only_home, &err), &err);
    assert_string_equal(s.defaults.policy, "owner");
    assert_null(s.defaults.allow);
    assert_string_equal(s.roots[0].set.policy, "list");
    assert_string_equal(s.roots[0].set.allow[1], ". = ann, bob");
    assert_null(s.roots[0].set.allow[2]);
    assert_string_equal(s.roots[0].set.follow_into[1], "/raw data");
    assert_fails(load(&none, "", env, &err), &err, REASON_CONFIG);
    assert_non_null(strstr(err.text, "in 'a'"));
    assert_ok(load(&none, "", only_home, &err), &err);
    assert_null(none.defaults.policy);
}

static void options_go_before_all(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = put("x.toml", "[server]\nhost = \"a\"\n", 0600);
    const char *const env[] = {"HOME=/h", "OMERO_SERVER=b", NULL};
    const struct settings_option options[] = {{"server", "c"}, {"plain-tcp", ""}, {"settle", "2m"}};
    AUTO(settings_clear) struct settings s = {0};
    struct err err = ERR_INIT;

    assert_ok(settings_load(&s, path, env, options, ARRAY_LEN(options), &err), &err);
    assert_string_equal(s.server.host, "c");
    assert_true(s.server.plain_tcp);
    assert_int_equal(s.defaults.settle_s, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_variables_are_understood),
        cmocka_unit_test(the_state_directory_follows_its_rule),
        cmocka_unit_test(the_password_comes_from_the_first_place_that_has_one),
        cmocka_unit_test(a_password_that_everybody_can_read_is_refused),
        cmocka_unit_test(a_password_file_must_be_there_and_hold_one),
        cmocka_unit_test(roots_are_cleaned_found_and_apart),
        cmocka_unit_test(a_root_has_names_and_a_namespace_of_its_own),
        cmocka_unit_test(impossible_values_are_refused_with_place_and_hint),
        cmocka_unit_test(what_only_a_restart_can_take_is_named),
        cmocka_unit_test(the_example_is_a_configuration),
        cmocka_unit_test(a_root_says_whom_its_cards_may_act_for),
        cmocka_unit_test(options_go_before_all),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
