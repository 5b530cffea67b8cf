/* The planner on trees of its own making: what the mapping cases do not reach. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/mem.h"
#include "engine/plan.h"

/* A directory with the cards of a test; files are made up as entries. */
struct scene {
    char dir[64];
    struct tree *tree;
    struct cards cards;
    struct format_group sets[4];
    struct format_kept kept[4];
    struct format_groups groups;
    struct plan plan;
};

static void put(const struct scene *s, const char *path, const char *text)
{
    AUTO(mem_freep) char *full = mem_printf("%s/%s", s->dir, path);
    char *slash = full + strlen(s->dir);
    FILE *f;

    while ((slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void put_card(const struct scene *s, const char *path, const char *project, const char *more)
{
    AUTO(mem_freep) char *text = mem_printf("# omero annotation file\nproject = \"%s\"\nuser = \"ada\"\n%s", project, more);

    put(s, path, text);
}

static void begin(struct scene *s)
{
    *s = (struct scene){.dir = "/tmp/impomero-plan-XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
}

static struct policy any = {.kind = POLICY_ANY};

static const struct tree_entry *entry(const struct scene *s, const char *path)
{
    const struct tree_entry *e = tree_find(s->tree, path);

    assert_non_null(e);
    return e;
}

static void scan(struct scene *s)
{
    struct err err = ERR_INIT;

    assert_ok(tree_scan(s->dir, &s->tree, &err), &err);
    cards_read(s->tree, &any, &s->cards);
}

static void make(struct scene *s, const struct format_group *groups, size_t n)
{
    assert_true(n <= ARRAY_LEN(s->kept));
    for (size_t i = 0; i < n; i++) {
        s->sets[i] = groups[i];
        s->kept[i] = (struct format_kept){.target = groups[i].members[0], .set = &s->sets[i]};
    }
    s->groups = (struct format_groups){.at = s->kept, .n = n};
    plan_make(s->tree, &s->groups, &s->cards, NULL, "top", NULL, &any, &s->plan);
}

/* A fileset of the plan; until the end of the scene. */
static struct plan_fileset at(struct scene *s, size_t i)
{
    struct plan_fileset f;

    plan_fileset_at(&s->plan, i, s->plan.arena, &f);
    return f;
}

static void end(struct scene *s)
{
    char *const argv[] = {"rm", "-rf", s->dir, NULL};
    pid_t pid = fork();

    if (pid == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    plan_clear(&s->plan);
    cards_clear(&s->cards);
    tree_free(s->tree);
}

static void a_set_goes_where_its_target_belongs_and_is_named_after_it(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "exp/c.toml", "P", "");
    put(&s, "exp/sub/a.vsi", "1");
    put(&s, "exp/sub/_a_/stack.ets", "22");
    scan(&s);
    const struct tree_entry *members[] = {entry(&s, "exp/sub/a.vsi"), entry(&s, "exp/sub/_a_/stack.ets")};
    make(&s, &(struct format_group){.members = members, .n_members = 2, .format = "VSI", .text = ""}, 1);

    assert_int_equal(s.plan.n_filesets, 1);
    assert_int_equal(at(&s, 0).why, REASON_NONE);
    assert_string_equal(at(&s, 0).name, "sub-a.vsi");
    assert_int_equal(plan_fileset_bytes(&(struct plan_fileset[]){at(&s, 0)}[0]), 3);
    assert_string_equal(s.plan.targets[at(&s, 0).target].dir, "exp");
    end(&s);
}

static void a_member_with_a_nearer_card_holds_its_set(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "exp/c.toml", "P", "");
    put_card(&s, "exp/in/c.toml", "Q", "");
    put(&s, "exp/a.xml", "1");
    put(&s, "exp/in/a.bin", "2");
    scan(&s);
    const struct tree_entry *members[] = {entry(&s, "exp/a.xml"), entry(&s, "exp/in/a.bin")};
    make(&s, &(struct format_group){.members = members, .n_members = 2, .format = "X", .text = ""}, 1);

    assert_int_equal(at(&s, 0).why, REASON_CONFLICT);
    assert_non_null(strstr(at(&s, 0).text, "exp/in/a.bin"));
    assert_int_equal(s.plan.n_targets, 0);
    end(&s);
}

static void a_plate_goes_to_a_screen_beside_the_dataset(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "c.toml", "P", "");
    put(&s, "a.tif", "1");
    put(&s, "p.xdce", "1");
    scan(&s);
    const struct tree_entry *image[] = {entry(&s, "a.tif")}, *plate[] = {entry(&s, "p.xdce")};
    const struct format_group groups[] = {
        {.members = image, .n_members = 1, .format = "TIFF", .text = ""},
        {.members = plate, .n_members = 1, .format = "InCell", .plate = true, .text = ""},
    };
    make(&s, groups, 2);

    assert_int_equal(s.plan.n_targets, 2);
    assert_false(s.plan.targets[0].screen);
    assert_string_equal(s.plan.targets[0].name, "top");
    assert_true(s.plan.targets[1].screen);
    assert_string_equal(s.plan.targets[1].name, "P / top");
    end(&s);
}

static void equal_cards_in_one_directory_count_as_one(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "c.toml", "P", "");
    put_card(&s, "c (1).toml", "P", "# a comment only\n");
    put(&s, "a.tif", "1");
    scan(&s);
    const struct tree_entry *image[] = {entry(&s, "a.tif")};
    make(&s, &(struct format_group){.members = image, .n_members = 1, .format = "TIFF", .text = ""}, 1);
    assert_int_equal(s.cards.n, 2);
    assert_int_equal(at(&s, 0).why, REASON_NONE);
    end(&s);
}

static void a_good_card_beside_a_broken_one_applies(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put(&s, "a.toml", "# omero annotation file\nproject = \n");
    put_card(&s, "b.toml", "P", "");
    put(&s, "a.tif", "1");
    scan(&s);
    const struct tree_entry *image[] = {entry(&s, "a.tif")};
    make(&s, &(struct format_group){.members = image, .n_members = 1, .format = "TIFF", .text = ""}, 1);
    assert_int_equal(s.cards.at[0].why, REASON_BROKEN_CARD);
    assert_int_equal(at(&s, 0).why, REASON_NONE);
    end(&s);
}

static void a_pair_that_omero_cannot_store_holds_the_card_with_its_line(void **state)
{
    (void)state;
    struct scene s;
    char value[OM_PAIR_MAX + 2], *pairs;

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    begin(&s);
    pairs = mem_printf("[kv_pairs]\nfine = \"1\"\nlong = \"%s\"\n", value);
    put_card(&s, "c.toml", "P", pairs);
    free(pairs);
    pairs = mem_printf("[kv_pairs]\nfits = \"%s\"\n", value + 1);
    put_card(&s, "sub/c.toml", "P", pairs);
    free(pairs);
    put(&s, "a.tif", "1");
    scan(&s);
    const struct tree_entry *image[] = {entry(&s, "a.tif")};
    make(&s, &(struct format_group){.members = image, .n_members = 1, .format = "TIFF", .text = ""}, 1);
    assert_int_equal(s.cards.at[0].why, REASON_TOO_LONG);
    assert_int_equal(s.cards.at[0].line, 6);
    assert_int_equal(at(&s, 0).why, REASON_TOO_LONG);
    assert_int_equal(s.cards.at[1].why, REASON_NONE);
    end(&s);
}

static void a_path_that_is_not_utf8_is_held_and_not_renamed(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "c.toml", "P", "");
    put(&s, "a\xE9.tif", "1");
    scan(&s);
    const struct tree_entry *image[] = {entry(&s, "a\xE9.tif")};
    make(&s, &(struct format_group){.members = image, .n_members = 1, .format = "TIFF", .text = ""}, 1);
    assert_int_equal(at(&s, 0).why, REASON_NOT_UTF8);
    assert_null(at(&s, 0).name);
    assert_non_null(strstr(at(&s, 0).text, "a\\xE9.tif"));
    end(&s);
}

static void what_the_driver_refuses_is_held_below_a_card_and_left_out_elsewhere(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "in/c.toml", "P", "");
    put(&s, "in/a.zvi", "1");
    put(&s, "in/notes.txt", "1");
    put(&s, "out.zvi", "1");
    scan(&s);
    const struct tree_entry *a[] = {entry(&s, "in/a.zvi")}, *b[] = {entry(&s, "in/notes.txt")}, *c[] = {entry(&s, "out.zvi")};
    const struct format_group groups[] = {
        {.members = a, .n_members = 1, .format = "ZVI", .why = REASON_DEFERRED, .text = "later"},
        {.members = b, .n_members = 1, .format = "", .why = REASON_UNKNOWN_FORMAT, .text = ""},
        {.members = c, .n_members = 1, .format = "ZVI", .why = REASON_DEFERRED, .text = "later"},
    };
    make(&s, groups, 3);
    assert_int_equal(s.plan.n_filesets, 1);
    assert_int_equal(at(&s, 0).why, REASON_DEFERRED);
    assert_string_equal(at(&s, 0).text, "later");
    assert_int_equal(s.plan.n_skips, 2);
    assert_int_equal(s.plan.skips[0].why, REASON_UNKNOWN_FORMAT);
    assert_int_equal(s.plan.skips[1].why, REASON_NO_CARD);
    end(&s);
}

static void a_card_that_cannot_be_read_keeps_its_files_waiting(void **state)
{
    (void)state;
    struct scene s;

    begin(&s);
    put_card(&s, "c.toml", "P", "");
    put(&s, "a.tif", "1");
    AUTO(mem_freep) char *card = mem_printf("%s/c.toml", s.dir);
    chmod(card, 0);
    bool root = geteuid() == 0;
    if (root) { /* whom rights do not stop */
        assert_int_equal(chown(s.dir, 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    scan(&s);
    if (root)
        assert_int_equal(seteuid(0), 0);
    const struct tree_entry *image[] = {entry(&s, "a.tif")};
    make(&s, &(struct format_group){.members = image, .n_members = 1, .format = "TIFF", .text = ""}, 1);
    assert_int_equal(at(&s, 0).why, REASON_UNREADABLE);
    end(&s);
}

static void names_lose_blanks_and_control_characters_and_nothing_else(void **state)
{
    (void)state;
    static const struct { const char *template; struct naming_of of; const char *name; } cases[] = {
        {NAMING_IMAGE, {.card_dir = "x", .path = "x/sub dir/a\tb\n\x7F.tif"}, "sub_dir-a_b__.tif"},
        {NAMING_IMAGE, {.card_dir = "", .path = "a\xC2\x85z\xC3\xA9.tif"}, "a_z\xC3\xA9.tif"},
        {NAMING_DATASET, {.card_dir = "p/day 1", .root_name = "top"}, "day_1"},
        {NAMING_DATASET, {.card_dir = "", .root_name = "my top"}, "my_top"},
    };
    struct arena *a = arena_new();

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(naming_make(cases[i].template, &cases[i].of, a), cases[i].name);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_goes_where_its_target_belongs_and_is_named_after_it),
        cmocka_unit_test(a_member_with_a_nearer_card_holds_its_set),
        cmocka_unit_test(a_plate_goes_to_a_screen_beside_the_dataset),
        cmocka_unit_test(equal_cards_in_one_directory_count_as_one),
        cmocka_unit_test(a_good_card_beside_a_broken_one_applies),
        cmocka_unit_test(a_pair_that_omero_cannot_store_holds_the_card_with_its_line),
        cmocka_unit_test(a_path_that_is_not_utf8_is_held_and_not_renamed),
        cmocka_unit_test(what_the_driver_refuses_is_held_below_a_card_and_left_out_elsewhere),
        cmocka_unit_test(a_card_that_cannot_be_read_keeps_its_files_waiting),
        cmocka_unit_test(names_lose_blanks_and_control_characters_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
