/* Expected values: what OMERO's own path classes made of these paths (tests/data/client-paths.json). */
#include "../test.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "omero/path.h"

static void paths_become_what_omero_makes_of_them(void **state)
{
    (void)state;
    AUTO(mem_freep) char *name = mem_printf("%s/client-paths.json", getenv("TEST_DATA"));
    json_t *file = json_load_file(name, 0, NULL), *pair;
    struct err err = ERR_INIT;
    size_t i;

    assert_non_null(file);
    assert_true(json_array_size(json_object_get(file, "vectors")) > 10);
    json_array_foreach(json_object_get(file, "vectors"), i, pair)
    {
        AUTO(mem_freep) char *clean = NULL;
        assert_ok(om_path_clean(json_string_value(json_array_get(pair, 0)), &clean, &err), &err);
        assert_string_equal(clean, json_string_value(json_array_get(pair, 1)));
    }
    json_decref(file);
}

static void steps_up_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"/a/../b", "../x", "/..", "/a/./b", ".", "/a/.."};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(mem_freep) char *clean = NULL;
        assert_fails(om_path_clean(bad[i], &clean, &err), &err, REASON_BUG);
        assert_null(clean);
    }
}

static void dots_in_names_are_no_steps(void **state)
{
    (void)state;
    AUTO(mem_freep) char *clean = NULL;
    struct err err;

    assert_ok(om_path_clean("/a/..b/c../...", &clean, &err), &err);
    assert_string_equal(clean, "a/..b/c../...");
}

static void paths_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    AUTO(mem_freep) char *clean = NULL;
    struct err err;

    assert_fails(om_path_clean("/a/\xe9.tif", &clean, &err), &err, REASON_NOT_UTF8);
}

static void a_path_of_nothing_is_refused(void **state)
{
    (void)state;
    AUTO(mem_freep) char *clean = NULL;
    struct err err;

    assert_fails(om_path_clean("//", &clean, &err), &err, REASON_BUG);
    assert_fails(om_path_clean("", &clean, &err), &err, REASON_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_what_omero_makes_of_them),
        cmocka_unit_test(steps_up_are_refused),
        cmocka_unit_test(dots_in_names_are_no_steps),
        cmocka_unit_test(paths_that_are_not_utf8_are_refused),
        cmocka_unit_test(a_path_of_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
