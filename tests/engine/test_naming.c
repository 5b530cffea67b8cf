#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "engine/naming.h"

static void words_stand_for_parts_of_the_path(void **state)
{
    (void)state;
    static const struct naming_of image = {.root_name = "top", .card_dir = "a b/c", .path = "a b/c/d e/f.g.tif", .project = "P q",
                                           .user = "alice"};
    static const struct naming_of deep = {.root_name = "top", .card_dir = "a b/c", .project = "P q", .user = "alice"};
    static const struct naming_of top = {.root_name = "t p", .card_dir = "", .project = "P", .user = "u"};
    static const struct { const char *template; const struct naming_of *of; const char *name; } cases[] = {
        {"{path}", &image, "d_e-f.g.tif"},     {"{path:_}", &image, "d_e_f.g.tif"}, {"{path: / }", &image, "d_e / f.g.tif"},
        {"{path:}", &image, "d_ef.g.tif"},     {"{file}", &image, "f.g.tif"},       {"{stem}", &image, "f.g"},
        {"{dir} {stem}!", &image, "c f.g!"},   {"{project}", &image, "P q"},        {"{{{user}}}", &image, "{alice}"},
        {"{path}", &deep, "a_b-c"},            {"{dir}", &deep, "c"},               {"{root}/{dir}", &deep, "top/c"},
        {"{path}", &top, "t_p"},               {"{dir}", &top, "t_p"},
    };
    AUTO(arena_freep) struct arena *a = arena_new();
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_ok(naming_check_image(cases[i].template, &err), &err);
        assert_string_equal(naming_make(cases[i].template, cases[i].of, a), cases[i].name);
    }
}

static void a_name_without_extension_is_its_own_stem(void **state)
{
    (void)state;
    const struct naming_of of = {.root_name = "t", .card_dir = "", .path = "x/name", .project = "", .user = ""};
    AUTO(arena_freep) struct arena *a = arena_new();

    assert_string_equal(naming_make("{stem}", &of, a), "name");
}

static void a_name_ends_at_a_character_before_the_ceiling(void **state)
{
    (void)state;
    char path[NAMING_MAX + 10];
    const struct naming_of of = {.root_name = "t", .card_dir = "", .path = path, .project = "", .user = ""};
    AUTO(arena_freep) struct arena *a = arena_new();

    path[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof(path); i += 2)
        memcpy(path + i, "\xC3\xA9", 3);
    assert_int_equal(strlen(naming_make("{path}", &of, a)), NAMING_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_stand_for_parts_of_the_path),
        cmocka_unit_test(a_name_without_extension_is_its_own_stem),
        cmocka_unit_test(a_name_ends_at_a_character_before_the_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
