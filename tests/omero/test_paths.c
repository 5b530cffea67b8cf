/* Directories under two names. */
#include "../test.h"

#include "omero/paths.h"

static void a_list_of_pairs_is_read(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_paths p;
    struct err err;

    assert_ok(om_paths_parse("/mnt/data/=/data,/mnt/omero=/OMERO//", mem, &p, &err), &err);
    assert_int_equal(p.n, 2);
    assert_string_equal(p.at[0].host, "/mnt/data");
    assert_string_equal(p.at[0].server, "/data");
    assert_string_equal(p.at[1].server, "/OMERO");
    assert_ok(om_paths_parse(NULL, mem, &p, &err), &err);
    assert_int_equal(p.n, 0);
}

static void what_is_no_list_of_pairs_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "/mnt/data", "/a=", "=/b", "a=/b", "/a=b", "/a/../b=/c", "/a=/./c", "/a=/b,,", ",", "/a=/b,/a=/c", "/a=/b,/c=/b",
    };
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_paths p;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_fails(om_paths_parse(cases[i], mem, &p, &err), &err, REASON_CONFIG);
}

static void a_path_is_renamed_both_ways_by_its_nearest_pair(void **state)
{
    (void)state;
    static const struct {
        const char *host, *server;
    } cases[] = {
        {"/mnt/data/x/y.tif", "/data/x/y.tif"},   {"/mnt/data", "/data"},         {"/mnt/database/z", "/mnt/database/z"},
        {"/mnt/data/deep/y.tif", "/other/y.tif"}, {"/elsewhere", "/elsewhere"},   {"/container/z", "/z"},
        {"/container", "/"},
    };
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_paths p;
    struct err err;

    assert_ok(om_paths_parse("/mnt/data=/data,/mnt/data/deep=/other", mem, &p, &err), &err);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(om_paths_to_server(&p, cases[i].host, mem), cases[i].server);
        assert_string_equal(om_paths_to_host(&p, cases[i].server, mem), cases[i].host);
    }
    assert_ok(om_paths_parse("/container=/", mem, &p, &err), &err);
    for (size_t i = 5; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(om_paths_to_server(&p, cases[i].host, mem), cases[i].server);
        assert_string_equal(om_paths_to_host(&p, cases[i].server, mem), cases[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_pairs_is_read),
        cmocka_unit_test(what_is_no_list_of_pairs_is_refused),
        cmocka_unit_test(a_path_is_renamed_both_ways_by_its_nearest_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
