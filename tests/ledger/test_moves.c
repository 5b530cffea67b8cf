/* Files and directories that were renamed, copied or changed: what becomes of their rows. */
#include "bed.h"

static struct ledger_plan *file_at(struct bed_scan *s, const char *path, size_t target, int64_t mtime, uint64_t ino)
{
    struct ledger_plan *p = bed_file(s, path, target, 10);
    struct ledger_member *m = &s->members[s->scan.n_plans - 1];

    m->stamp.mtime_ns = mtime;
    m->stamp.ino = ino;
    return p;
}

static void card_at(struct bed_scan *s, const char *path)
{
    s->cards[s->scan.n_cards++] = (struct ledger_card){.path = path, .text = "", .revision = &s->revisions[0]};
}

static void made(struct bed *b, int64_t dataset, int64_t omero_id)
{
    const struct ledger_made m = {.server = "srv", .omero_id = omero_id, .project_id = 1, .owner_id = 2, .group_id = 3,
                                  .project = "P", .user = "ada", .group = "lab"};

    assert_ok(ledger_dataset_made(b->l, dataset, &m, &b->err), &b->err);
}

/* Everything that is ready, imported; images 500 and up. */
static void import_all(struct bed *b)
{
    const struct ledger_fileset *f;

    while ((f = bed_next(b))) {
        bed_import(b, f->id, 500 + f->id);
        assert_ok(ledger_hash(b->l, f->id, 0, "SHA1-160", arena_printf(b->a, "hash%lld", (long long)f->id), &b->err), &b->err);
        made(b, f->dataset, 900 + f->dataset);
    }
}

static const struct ledger_dataset *dataset(struct bed *b, int64_t id)
{
    const struct ledger_dataset *d = NULL;

    assert_int_equal(ledger_dataset(b->l, id, b->a, &d, &b->err), 0);
    return d;
}

static void begin_with_two(struct bed *b)
{
    struct bed_scan s = {0};

    bed_begin(b);
    bed_target(&s, "d", "s1", "ada");
    card_at(&s, "d/c.toml");
    file_at(&s, "d/a.tif", 0, 7, 70);
    file_at(&s, "d/b.tif", 0, 8, 80);
    bed_sync(b, &s);
    import_all(b);
}

static void a_renamed_file_keeps_its_row(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    card_at(&s, "d/c.toml");
    file_at(&s, "d/b.tif", 0, 8, 80);
    file_at(&s, "d/sub/c.tif", 0, 7, 70);
    struct ledger_synced out = bed_sync(&b, &s);
    assert_int_equal(out.moved, 1);
    assert_int_equal(out.added + out.changed + out.gone, 0);
    assert_null(bed_next(&b));
    assert_string_equal(bed_get(&b, 1)->path, "d/sub/c.tif");
    assert_string_equal(bed_get(&b, 1)->members[0].path, "d/sub/c.tif");
    assert_string_equal(bed_get(&b, 1)->members[0].hash, "hash1");
    bed_end(&b);
}

static void another_inode_is_no_rename(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/c.tif", 0, 7, 71);
    assert_int_equal(bed_sync(&b, &s).added, 1);
    bed_end(&b);
}

static void a_hard_link_is_no_rename(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/a.tif", 0, 7, 70);
    file_at(&s, "d/b.tif", 0, 8, 80);
    file_at(&s, "d/link.tif", 0, 7, 70);
    struct ledger_synced out = bed_sync(&b, &s);
    assert_int_equal(out.moved, 0);
    assert_int_equal(out.added, 1);
    bed_end(&b);
}

static void files_may_change_places(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/a.tif", 0, 8, 80);
    file_at(&s, "d/b.tif", 0, 7, 70);
    assert_int_equal(bed_sync(&b, &s).moved, 2);
    assert_string_equal(bed_get(&b, 1)->path, "d/b.tif");
    assert_string_equal(bed_get(&b, 2)->path, "d/a.tif");
    assert_string_equal(bed_get(&b, 2)->members[0].hash, "hash2");
    assert_null(bed_next(&b));
    bed_end(&b);
}

/* What was imported from d/b.tif is gone; that is said, and the place is not given away. */
static void a_file_renamed_over_an_imported_one_is_a_change(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/b.tif", 0, 7, 70);
    struct ledger_synced out = bed_sync(&b, &s);
    assert_int_equal(out.moved, 0);
    assert_int_equal(out.gone, 1);
    assert_int_equal(bed_get(&b, 2)->why, REASON_CHANGED);
    bed_end(&b);
}

static void a_renamed_card_directory_keeps_its_dataset(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    char *uuid = arena_str(b.a, dataset(&b, 1)->uuid);
    bed_target(&s, "e", "s1", "ada");
    card_at(&s, "e/c.toml");
    file_at(&s, "e/a.tif", 0, 7, 70);
    file_at(&s, "e/b.tif", 0, 8, 80);
    file_at(&s, "e/new.tif", 0, 9, 90);
    struct ledger_synced out = bed_sync(&b, &s);
    assert_int_equal(out.moved, 2);
    assert_int_equal(out.added, 1);
    assert_string_equal(dataset(&b, 1)->dir, "e");
    assert_string_equal(dataset(&b, 1)->uuid, uuid);
    assert_int_equal(bed_next(&b)->dataset, 1);
    bed_end(&b);
}

/* A file of another card's dataset lay in the directory that was renamed: its dataset has a card where it was, and stays. */
static void a_guest_in_a_renamed_directory_does_not_keep_its_dataset_from_following(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan first = {0}, then = {0};

    bed_begin(&b);
    bed_target(&first, "d", "s1", "ada");
    bed_target(&first, "e", "s1", "ada");
    card_at(&first, "d/c.toml");
    card_at(&first, "e/c.toml");
    file_at(&first, "d/guest.tif", 0, 7, 70);
    file_at(&first, "e/own.tif", 1, 8, 80);
    bed_sync(&b, &first);
    import_all(&b);
    bed_target(&then, "f", "s1", "ada");
    card_at(&then, "d/c.toml");
    card_at(&then, "f/c.toml");
    file_at(&then, "f/guest.tif", 0, 7, 70);
    file_at(&then, "f/own.tif", 0, 8, 80);
    assert_int_equal(bed_sync(&b, &then).moved, 2);
    assert_string_equal(dataset(&b, 1)->dir, "d");
    assert_string_equal(dataset(&b, 2)->dir, "f");
    bed_end(&b);
}

static void a_directory_that_keeps_its_card_keeps_its_dataset(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    bed_target(&s, "e", "s1", "ada");
    card_at(&s, "d/c.toml");
    card_at(&s, "e/c.toml");
    file_at(&s, "d/b.tif", 0, 8, 80);
    file_at(&s, "e/a.tif", 1, 7, 70);
    assert_int_equal(bed_sync(&b, &s).moved, 1);
    assert_string_equal(dataset(&b, 1)->dir, "d");
    assert_int_equal(bed_get(&b, 1)->dataset, 1);
    assert_string_equal(dataset(&b, 2)->dir, "e");
    bed_end(&b);
}

static void two_directories_may_change_places(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0}, t = {0};

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    bed_target(&s, "e", "s2", "ada");
    card_at(&s, "d/c.toml");
    card_at(&s, "e/c.toml");
    file_at(&s, "d/a.tif", 0, 7, 70);
    file_at(&s, "e/a.tif", 1, 8, 80);
    bed_sync(&b, &s);
    import_all(&b);
    bed_target(&t, "d", "s2", "ada");
    bed_target(&t, "e", "s1", "ada");
    card_at(&t, "d/c.toml");
    card_at(&t, "e/c.toml");
    file_at(&t, "d/a.tif", 0, 8, 80);
    file_at(&t, "e/a.tif", 1, 7, 70);
    assert_int_equal(bed_sync(&b, &t).moved, 2);
    assert_string_equal(dataset(&b, 1)->dir, "e");
    assert_string_equal(dataset(&b, 2)->dir, "d");
    assert_string_equal(dataset(&b, 1)->wanted->sha256, "s1");
    bed_end(&b);
}

static void what_moves_to_another_root_follows_when_the_first_was_looked_at(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan none = {0}, s = {0}, again = {0};
    int64_t first;

    begin_with_two(&b);
    first = b.root;
    assert_ok(ledger_root(b.l, "more", "/more", &b.root, &b.err), &b.err);
    bed_target(&s, "x", "s1", "ada");
    card_at(&s, "x/c.toml");
    file_at(&s, "x/a.tif", 0, 7, 70);
    assert_int_equal(bed_sync(&b, &s).moved, 0); /* the first root may still have it */
    b.root = first;
    bed_sync(&b, &none);
    b.root = 2;
    bed_target(&again, "x", "s1", "ada");
    card_at(&again, "x/c.toml");
    file_at(&again, "x/a.tif", 0, 7, 70);
    assert_int_equal(bed_sync(&b, &again).moved, 1);
    assert_string_equal(bed_get(&b, 1)->root_path, "/more");
    assert_string_equal(dataset(&b, 1)->root_path, "/more");
    assert_null(bed_next(&b));
    bed_end(&b);
}

static void what_is_renamed_while_it_is_imported_waits_for_that(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0}, t = {0};

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/a.tif", 0, 7, 70);
    bed_sync(&b, &s);
    bed_call(&b, bed_next(&b)->id, LEDGER_CALL_IMPORT);
    bed_target(&t, "d", "s1", "ada");
    file_at(&t, "d/b.tif", 0, 7, 70);
    bed_sync(&b, &t);
    assert_int_equal(bed_get(&b, 2)->state, LEDGER_WAITING);
    assert_int_equal(bed_get(&b, 2)->why, REASON_UNDER_WAY);
    bed_call(&b, 1, LEDGER_CALL_UPLOAD);
    bed_call(&b, 1, LEDGER_CALL_VERIFY);
    bed_call(&b, 1, LEDGER_CALL_RUNNING);
    assert_ok(ledger_done(b.l, 1, 0, &(struct ledger_image){.omero_id = 5, .name = "a"}, 1, &b.err), &b.err);
    assert_int_equal(bed_sync(&b, &t).moved, 1);
    assert_string_equal(bed_get(&b, 1)->path, "d/b.tif");
    const struct ledger_fileset *f = NULL;
    assert_int_equal(ledger_fileset(b.l, 2, b.a, &f, &b.err), LEDGER_NOTHING);
    bed_end(&b);
}

/* A reboot or another mount: other inode numbers and times of change. */
static void another_inode_and_ctime_at_the_same_path_are_no_news(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    card_at(&s, "d/c.toml");
    file_at(&s, "d/a.tif", 0, 7, 1);
    file_at(&s, "d/b.tif", 0, 8, 2);
    s.members[0].stamp.ctime_ns = s.members[1].stamp.ctime_ns = 99;
    struct ledger_synced out = bed_sync(&b, &s);
    assert_int_equal(out.unchanged, 2);
    assert_int_equal(out.added + out.changed + out.gone + out.moved, 0);
    assert_null(bed_next(&b));
    bed_end(&b);
}

/* ---- by checksum ---- */

static void begin_with_a_newcomer(struct bed *b, bool gone, const char *card)
{
    struct bed_scan s = {0};

    begin_with_two(b);
    bed_target(&s, "d", "s1", "ada");
    bed_target(&s, "e", card, "ada");
    card_at(&s, "e/c.toml");
    if (!gone) {
        file_at(&s, "d/a.tif", 0, 7, 70);
        card_at(&s, "d/c.toml");
    }
    file_at(&s, "d/b.tif", 0, 8, 80);
    file_at(&s, "e/a.tif", 1, 99, 99);
    bed_sync(b, &s);
}

static void a_copy_is_told_by_its_checksum(void **state)
{
    (void)state;
    struct bed b;
    const char *const *names = NULL;
    const struct ledger_twin *twins = NULL;
    size_t n = 0;
    bool waits = true;

    begin_with_a_newcomer(&b, false, "s1");
    assert_ok(ledger_twin_sums(b.l, 3, true, b.a, &names, &waits, &b.err), &b.err);
    assert_null(names[0]); /* nothing of that size is gone: no reading */
    assert_false(waits);
    assert_ok(ledger_twin_sums(b.l, 3, false, b.a, &names, &waits, &b.err), &b.err);
    assert_string_equal(names[0], "SHA1-160");
    assert_ok(ledger_twins(b.l, 3, "SHA1-160", (const char *const[]){"hash1"}, b.a, &twins, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_int_equal(twins[0].id, 1);
    assert_true(twins[0].done && !twins[0].gone);
    assert_ok(ledger_twins(b.l, 3, "MD5-128", (const char *const[]){"hash1"}, b.a, &twins, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    assert_ok(ledger_twins(b.l, 3, "SHA1-160", (const char *const[]){"other"}, b.a, &twins, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    bed_end(&b);
}

static void a_proved_move_leaves_one_row_and_takes_the_dataset_along(void **state)
{
    (void)state;
    struct bed b;
    const struct ledger_fileset *f = NULL;
    const struct ledger_dataset *d = NULL;

    begin_with_a_newcomer(&b, true, "s1");
    assert_ok(ledger_moved(b.l, 1, 3, false, &b.err), &b.err);
    assert_string_equal(bed_get(&b, 1)->path, "e/a.tif");
    assert_int_equal(bed_get(&b, 1)->members[0].stamp.mtime_ns, 99);
    assert_string_equal(bed_get(&b, 1)->members[0].hash, "hash1");
    assert_int_equal(ledger_fileset(b.l, 3, b.a, &f, &b.err), LEDGER_NOTHING);
    assert_string_equal(dataset(&b, 1)->dir, "e");
    assert_int_equal(ledger_dataset(b.l, 2, b.a, &d, &b.err), LEDGER_NOTHING);
    assert_null(bed_next(&b));
    assert_fails(ledger_moved(b.l, 1, 2, false, &b.err), &b.err, REASON_BUG);
    bed_end(&b);
}

static void a_dataset_that_is_taken_along_wants_what_the_card_there_says(void **state)
{
    (void)state;
    struct bed b;

    begin_with_a_newcomer(&b, true, "s2");
    assert_string_equal(dataset(&b, 1)->wanted->sha256, "s1");
    assert_ok(ledger_moved(b.l, 1, 3, false, &b.err), &b.err);
    assert_string_equal(dataset(&b, 1)->dir, "e");
    assert_string_equal(dataset(&b, 1)->wanted->sha256, "s2");
    assert_true(dataset(&b, 1)->stale);
    bed_end(&b);
}

static void a_changed_file_is_compared_once(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    struct ledger_member now = {.path = "d/a.tif", .stamp = {.size = 10, .mtime_ns = 55}, .algorithm = "SHA1-160", .hash = "new"};
    bool same = true;

    begin_with_two(&b);
    bed_target(&s, "d", "s1", "ada");
    file_at(&s, "d/a.tif", 0, 55, 70);
    file_at(&s, "d/b.tif", 0, 8, 80);
    bed_sync(&b, &s);
    assert_int_equal(bed_next(&b)->state, LEDGER_DONE);
    assert_ok(ledger_compared(b.l, 1, &now, &same, &b.err), &b.err);
    assert_false(same);
    assert_non_null(strstr(bed_get(&b, 1)->text, "hash1"));
    assert_non_null(strstr(bed_get(&b, 1)->text, "new"));
    bed_sync(&b, &s);
    assert_null(bed_next(&b));
    assert_non_null(strstr(bed_get(&b, 1)->text, "hash1"));
    s.members[0].stamp.mtime_ns = 56;
    bed_sync(&b, &s);
    assert_int_equal(bed_next(&b)->id, 1);
    now.stamp.mtime_ns = 56;
    now.hash = "hash1";
    assert_ok(ledger_compared(b.l, 1, &now, &same, &b.err), &b.err);
    assert_true(same);
    assert_int_equal(bed_sync(&b, &s).unchanged, 2);
    assert_int_equal(bed_get(&b, 1)->why, REASON_NONE);
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renamed_file_keeps_its_row),
        cmocka_unit_test(another_inode_is_no_rename),
        cmocka_unit_test(a_hard_link_is_no_rename),
        cmocka_unit_test(files_may_change_places),
        cmocka_unit_test(a_file_renamed_over_an_imported_one_is_a_change),
        cmocka_unit_test(a_renamed_card_directory_keeps_its_dataset),
        cmocka_unit_test(a_directory_that_keeps_its_card_keeps_its_dataset),
        cmocka_unit_test(a_guest_in_a_renamed_directory_does_not_keep_its_dataset_from_following),
        cmocka_unit_test(two_directories_may_change_places),
        cmocka_unit_test(what_moves_to_another_root_follows_when_the_first_was_looked_at),
        cmocka_unit_test(what_is_renamed_while_it_is_imported_waits_for_that),
        cmocka_unit_test(another_inode_and_ctime_at_the_same_path_are_no_news),
        cmocka_unit_test(a_copy_is_told_by_its_checksum),
        cmocka_unit_test(a_proved_move_leaves_one_row_and_takes_the_dataset_along),
        cmocka_unit_test(a_dataset_that_is_taken_along_wants_what_the_card_there_says),
        cmocka_unit_test(a_changed_file_is_compared_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
