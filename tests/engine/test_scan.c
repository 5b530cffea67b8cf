/* Trees of a temporary directory, taken into a ledger. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/scan.h"
#include "engine/target.h"

/* A grey TIFF of 2 x 1 pixels (TIFF 6.0, bilevel fields left out, 8 bits). */
static const unsigned char tiff[] = {
    'I', 'I', 42, 0, 10, 0, 0, 0, 1, 2, 8, 0,
    0, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0,
    3, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 6, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 17, 1, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0,
    22, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 1, 4, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
};

struct bench {
    char dir[32];
    char *tree, *state;
    struct ledger *l;
    struct arena *a;
    struct settings settings;
    struct err err;
};

static void put(struct bench *b, const char *path, const void *bytes, size_t n)
{
    AUTO(mem_freep) char *full = mem_printf("%s/%s", b->tree, path);
    FILE *f = fopen(full, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void put_card(struct bench *b, const char *path, const char *project)
{
    AUTO(mem_freep) char *text =
        mem_printf("# omero annotation file\nproject = \"%s\"\nuser = \"alice\"\ntags = [\"t\"]\n[kv_pairs]\nk = \"v\"\n",
                   project);

    put(b, path, text, strlen(text));
}

static void make_dir(struct bench *b, const char *path)
{
    AUTO(mem_freep) char *full = mem_printf("%s/%s", b->tree, path);

    assert_int_equal(mkdir(full, 0700), 0);
}

static void begin(struct bench *b)
{
    *b = (struct bench){.dir = "/tmp/impomero-scan-XXXXXX", .a = arena_new(), .err = ERR_INIT,
                        .settings.defaults.names = {NAMING_DATASET, NAMING_IMAGE}};
    assert_non_null(mkdtemp(b->dir));
    b->tree = mem_printf("%s/tree", b->dir);
    b->state = mem_printf("%s/state", b->dir);
    assert_int_equal(mkdir(b->tree, 0700), 0);
    assert_ok(ledger_open(b->state, LEDGER_ENGINE, &b->l, &b->err), &b->err);
    make_dir(b, "day");
    put_card(b, "day/card.toml", "P");
    put(b, "day/a.tif", tiff, sizeof(tiff));
    put(b, "day/notes.txt", "x", 1);
}

static void end(struct bench *b)
{
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", b->dir);

    ledger_close(b->l);
    arena_free(b->a);
    assert_int_equal(system(command), 0);
    free(b->tree);
    free(b->state);
}

static struct engine_place place_of(struct bench *b, const char *below)
{
    AUTO(mem_freep) char *dir = mem_printf("%s%s", b->tree, below);
    struct engine_place p;

    assert_ok(engine_place(&b->settings, b->l, dir, b->a, &p, &b->err), &b->err);
    return p;
}

static struct ledger_synced scan(struct bench *b, const struct engine_place *p)
{
    struct ledger_synced counts = {0};
    int64_t root = 0;

    assert_ok(scan_place(b->l, p, &root, &counts, &b->err), &b->err);
    return counts;
}

static void a_tree_is_taken_in_and_known_the_next_time(void **state)
{
    (void)state;
    struct bench b;

    begin(&b);
    struct engine_place p = place_of(&b, "");
    struct ledger_synced counts = scan(&b, &p);
    assert_int_equal(counts.added, 1);
    assert_int_equal(counts.ready, 1);
    counts = scan(&b, &p);
    assert_int_equal(counts.added, 0);
    assert_int_equal(counts.unchanged, 1);

    const struct ledger_fileset *f;
    int64_t next;
    assert_int_equal(ledger_next(b.l, 0, b.a, &f, &next, &b.err), 0);
    assert_string_equal(f->path, "day/a.tif");
    assert_string_equal(f->name, "a.tif");
    assert_string_equal(f->project, "P");
    assert_string_equal(f->user, "alice");
    assert_null(f->group);
    end(&b);
}

static void a_directory_in_a_known_root_is_part_of_it(void **state)
{
    (void)state;
    struct bench b;

    begin(&b);
    struct engine_place whole = place_of(&b, "");
    scan(&b, &whole);
    struct engine_place part = place_of(&b, "/day");
    assert_string_equal(part.path, b.tree);
    assert_string_equal(part.only, "day");
    assert_int_equal(scan(&b, &part).unchanged, 1);
    end(&b);
}

static void a_directory_in_a_configured_root_has_its_name_and_settings(void **state)
{
    (void)state;
    struct bench b;

    begin(&b);
    struct settings_root root = {.name = "scope", .path = b.tree,
                                 .set = {.settle_s = 7, .names = {NAMING_DATASET, NAMING_IMAGE}}};
    b.settings.roots = &root;
    b.settings.n_roots = 1;
    AUTO(mem_freep) char *dir = mem_printf("%s/day", b.tree);
    struct engine_place p;
    assert_fails(engine_place(&b.settings, b.l, dir, b.a, &p, &b.err), &b.err, REASON_CONFIG);
    root.set.policy = "any";
    p = place_of(&b, "/day");
    assert_string_equal(p.name, "scope");
    assert_string_equal(p.path, b.tree);
    assert_string_equal(p.only, "day");
    assert_int_equal(p.set.settle_s, 7);
    end(&b);
}

static void a_root_above_a_known_one_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct ledger_synced counts;
    int64_t root;

    begin(&b);
    struct engine_place part = place_of(&b, "/day");
    scan(&b, &part);
    struct engine_place whole = place_of(&b, "");
    assert_fails(scan_place(b.l, &whole, &root, &counts, &b.err), &b.err, REASON_CONFIG);
    end(&b);
}

static void an_empty_root_where_files_were_is_away(void **state)
{
    (void)state;
    struct bench b;
    struct ledger_synced counts;
    const struct ledger_root *roots;
    size_t n = 0;
    int64_t root;

    begin(&b);
    struct engine_place p = place_of(&b, "");
    scan(&b, &p);
    AUTO(mem_freep) char *elsewhere = mem_printf("%s/elsewhere", b.dir);
    assert_int_equal(rename(b.tree, elsewhere), 0);
    assert_fails(scan_place(b.l, &p, &root, &counts, &b.err), &b.err, REASON_ROOT_AWAY);
    assert_int_equal(mkdir(b.tree, 0700), 0);
    assert_fails(scan_place(b.l, &p, &root, &counts, &b.err), &b.err, REASON_ROOT_AWAY);
    assert_ok(ledger_roots(b.l, b.a, &roots, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_true(roots[0].away_ms > 0);
    assert_int_equal(rmdir(b.tree), 0);
    assert_int_equal(rename(elsewhere, b.tree), 0);
    counts = scan(&b, &p);
    assert_int_equal(counts.unchanged, 1);
    assert_int_equal(counts.gone, 0);
    end(&b);
}

static void files_that_are_written_are_waited_for(void **state)
{
    (void)state;
    struct bench b;

    begin(&b);
    struct engine_place p = place_of(&b, "");
    p.set.settle_s = 600;
    struct ledger_synced counts = scan(&b, &p);
    assert_int_equal(counts.ready, 0);
    assert_true(counts.next_ms > clock_wall_ms() + 500 * 1000);
    p.set.settle_s = 0;
    assert_int_equal(scan(&b, &p).ready, 1);
    end(&b);
}

static void the_provenance_says_where_a_dataset_comes_from(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_revision r = {.title = "The title"}, untitled = {.title = NULL};
    struct ledger_dataset d = {.uuid = "u-u", .root_name = "scope", .root_path = "/data", .dir = "x/\xE9", .wanted = &r};
    struct om_pair p[SOURCE_PAIRS];

    target_source(&d, "l-l", a, p);
    assert_string_equal(p[0].key, "uuid");
    assert_string_equal(p[0].value, "u-u");
    assert_string_equal(p[1].value, "l-l");
    assert_string_equal(p[2].value, "scope");
    assert_string_equal(p[3].value, "x/\\xE9");
    assert_string_equal(target_description(&d, a), "Imported by impomero from /data/x/\\xE9\nCard: The title");
    d.dir = "";
    d.wanted = &untitled;
    assert_string_equal(target_description(&d, a), "Imported by impomero from /data");
    target_source(&d, "l-l", a, p);
    assert_string_equal(p[3].value, ".");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_taken_in_and_known_the_next_time),
        cmocka_unit_test(a_directory_in_a_known_root_is_part_of_it),
        cmocka_unit_test(a_directory_in_a_configured_root_has_its_name_and_settings),
        cmocka_unit_test(a_root_above_a_known_one_is_refused),
        cmocka_unit_test(an_empty_root_where_files_were_is_away),
        cmocka_unit_test(files_that_are_written_are_waited_for),
        cmocka_unit_test(the_provenance_says_where_a_dataset_comes_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
