#include "bed.h"

#include "ledger/store.h"

static struct ledger_synced sync_one(struct bed *b, int64_t size, int64_t settle)
{
    struct bed_scan s = {0};

    bed_target(&s, "d", "s1", "ada");
    bed_file(&s, "d/a.tif", 0, size);
    s.scan.settle_ms = settle;
    return bed_sync(b, &s);
}

static void a_new_fileset_settles_and_becomes_ready(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    struct ledger_synced r = sync_one(&b, 1, 30000);
    assert_int_equal(r.added, 1);
    assert_int_equal(r.ready, 0);
    assert_int_equal(r.next_ms, bed_now + 30000);
    assert_null(bed_next(&b));
    bed_now += 29999;
    assert_int_equal(sync_one(&b, 1, 30000).ready, 0);
    bed_now += 1;
    assert_int_equal(sync_one(&b, 1, 30000).ready, 1);
    const struct ledger_fileset *f = bed_next(&b);
    assert_non_null(f);
    assert_string_equal(f->path, "d/a.tif");
    assert_string_equal(f->root_path, "/data");
    assert_string_equal(f->user, "ada");
    assert_string_equal(f->project, "P");
    assert_string_equal(f->group, "lab");
    assert_int_equal(f->n_members, 1);
    assert_int_equal(f->members[0].stamp.ino, 9);
    bed_end(&b);
}

static void a_file_that_grows_settles_anew(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    sync_one(&b, 1, 1000);
    bed_now += 900;
    struct ledger_synced r = sync_one(&b, 2, 1000);
    assert_int_equal(r.changed, 1);
    assert_int_equal(r.next_ms, bed_now + 1000);
    bed_now += 1000;
    assert_int_equal(sync_one(&b, 2, 1000).ready, 1);
    bed_now += 5;
    sync_one(&b, 3, 1000); /* ready, but not taken yet */
    assert_null(bed_next(&b));
    bed_end(&b);
}

static void old_times_count_as_quiet_where_the_clock_is_ours(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    bed_file(&s, "d/a.tif", 0, 1);
    s.scan.settle_ms = 1000;
    s.scan.trust_times = true;
    s.members[0].stamp.ctime_ns = (bed_now - 1000) * NS_PER_MS;
    assert_int_equal(bed_sync(&b, &s).ready, 1);
    bed_end(&b);
}

static void an_unchanged_scan_changes_nothing(void **state)
{
    (void)state;
    struct bed b;
    int64_t before = 0, after = 0;

    bed_begin(&b);
    sync_one(&b, 1, 0);
    sql_int(b.l, &before, &b.err, "SELECT count(*) FROM event", "");
    struct ledger_synced r = sync_one(&b, 1, 0);
    sql_int(b.l, &after, &b.err, "SELECT count(*) FROM event", "");
    assert_int_equal(r.unchanged, 1);
    assert_int_equal(r.added + r.changed + r.gone + r.ready, 0);
    assert_int_equal(before, after);
    bed_end(&b);
}

static void what_the_plan_holds_is_free_when_the_plan_is(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    struct ledger_plan *p;

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    p = bed_file(&s, "d/a.tif", SIZE_MAX, 1);
    p->why = REASON_BROKEN_CARD;
    p->text = "line 3";
    bed_sync(&b, &s);
    const struct ledger_fileset *f = bed_get(&b, 1);
    assert_int_equal(f->state, LEDGER_HELD);
    assert_int_equal(f->why, REASON_BROKEN_CARD);
    assert_string_equal(f->text, "line 3");
    p->why = REASON_INCOMPLETE;
    bed_sync(&b, &s);
    assert_int_equal(bed_get(&b, 1)->state, LEDGER_WAITING);
    bed_now += 1000000000;
    assert_null(bed_next(&b));
    p->why = REASON_NONE;
    p->target = 0;
    bed_sync(&b, &s);
    assert_int_equal(bed_get(&b, 1)->state, LEDGER_READY);
    assert_int_equal(bed_get(&b, 1)->why, REASON_NONE);
    assert_non_null(bed_next(&b));
    bed_end(&b);
}

static void a_plan_without_target_and_reason_is_a_fault(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    struct ledger_synced out;

    bed_begin(&b);
    bed_file(&s, "a.tif", SIZE_MAX, 1);
    s.scan.root = b.root;
    s.scan.plan = bed_plan;
    s.scan.arg = s.plans;
    assert_fails(ledger_sync(b.l, &s.scan, &out, &b.err), &b.err, REASON_BUG);
    bed_end(&b);
}

static void what_vanished_is_not_handed_out_until_it_is_back(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan none = {0};

    bed_begin(&b);
    sync_one(&b, 1, 0);
    assert_int_equal(bed_sync(&b, &none).gone, 1);
    assert_null(bed_next(&b));
    assert_true(bed_get(&b, 1)->gone_ms > 0);
    assert_int_equal(bed_sync(&b, &none).gone, 0);
    assert_int_equal(sync_one(&b, 1, 0).ready, 1);
    assert_int_equal(bed_next(&b)->gone_ms, 0);
    bed_end(&b);
}

static void what_may_be_on_the_server_is_handed_out_though_it_vanished(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan none = {0};

    bed_begin(&b);
    sync_one(&b, 1, 0);
    bed_call(&b, bed_next(&b)->id, LEDGER_CALL_IMPORT);
    bed_reopen(&b);
    bed_sync(&b, &none);
    const struct ledger_fileset *f = bed_next(&b);
    assert_non_null(f);
    assert_int_equal(f->call, LEDGER_CALL_IMPORT);
    bed_end(&b);
}

static void what_was_imported_and_changes_is_reported_and_stays(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    sync_one(&b, 1, 0);
    bed_import(&b, bed_next(&b)->id, 500);
    sync_one(&b, 2, 0);
    const struct ledger_fileset *f = bed_get(&b, 1);
    assert_int_equal(f->state, LEDGER_DONE);
    assert_int_equal(f->why, REASON_CHANGED);
    assert_int_equal(f->members[0].stamp.size, 1);
    f = bed_next(&b); /* to be compared */
    assert_int_equal(f->state, LEDGER_DONE);
    assert_ok(ledger_not_compared(b.l, 1, &b.err), &b.err);
    assert_null(bed_next(&b));
    sync_one(&b, 1, 0);
    assert_int_equal(bed_get(&b, 1)->why, REASON_NONE);
    assert_null(bed_next(&b));
    bed_end(&b);
}

static void a_new_set_with_an_imported_member_is_a_duplicate(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    bed_begin(&b);
    sync_one(&b, 1, 0);
    bed_import(&b, bed_next(&b)->id, 500);
    bed_target(&s, "d", "s1", "ada");
    struct ledger_plan *p = bed_file(&s, "d/all.ome", 0, 5);
    s.members[1] = (struct ledger_member){.path = "d/a.tif", .stamp = {.size = 99}};
    p->n_members = 2;
    bed_sync(&b, &s);
    const struct ledger_fileset *f = bed_get(&b, 2);
    assert_int_equal(f->state, LEDGER_HELD);
    assert_int_equal(f->why, REASON_DUPLICATE);
    assert_non_null(strstr(f->text, "d/a.tif"));
    assert_int_equal(bed_get(&b, 1)->members[0].stamp.size, 1);
    bed_end(&b);
}

static void a_shared_companion_holds_nothing_up(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};

    bed_begin(&b);
    sync_one(&b, 1, 0);
    bed_import(&b, bed_next(&b)->id, 500);
    bed_target(&s, "d", "s1", "ada");
    struct ledger_plan *p = bed_file(&s, "d/all.ome", 0, 5);
    s.members[1] = (struct ledger_member){.path = "d/a.tif", .stamp = {.size = 1}, .shared = true};
    p->n_members = 2;
    bed_sync(&b, &s);
    assert_int_not_equal(bed_get(&b, 2)->state, LEDGER_HELD);
    bed_end(&b);
}

static void a_held_one_is_free_when_its_card_changes(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    struct err why = ERR_INIT;

    bed_begin(&b);
    sync_one(&b, 1, 0);
    err_set(&why, REASON_NO_USER, 0, "ada");
    assert_ok(ledger_move(b.l, bed_next(&b)->id, LEDGER_HELD, &why, 0, &b.err), &b.err);
    sync_one(&b, 1, 0);
    assert_int_equal(bed_get(&b, 1)->state, LEDGER_HELD);
    bed_target(&s, "d", "s2", "bob");
    bed_file(&s, "d/a.tif", 0, 1);
    bed_sync(&b, &s);
    assert_int_equal(bed_get(&b, 1)->state, LEDGER_READY);
    assert_string_equal(bed_get(&b, 1)->user, "bob");
    bed_end(&b);
}

static void cards_and_their_faults_are_kept(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    const struct ledger_card *cards = NULL;
    size_t n = 0;

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    s.cards[0] = (struct ledger_card){.path = "d/c.toml", .text = "", .revision = &s.revisions[0]};
    s.cards[1] = (struct ledger_card){.path = "e/c.toml", .why = REASON_BROKEN_CARD, .line = 3, .text = "odd"};
    s.scan.n_cards = 2;
    bed_sync(&b, &s);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){0}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_int_equal(cards[0].line, 3);
    assert_int_equal(cards[0].since_ms, bed_now);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.all = true}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_string_equal(cards[0].revision->tags[1], "blue");
    assert_string_equal(cards[0].revision->pairs[1].key, "caf\xC3\xA9");
    assert_string_equal(cards[0].revision->pairs[1].value, "\"quoted\"");
    s.scan.n_cards = 1;
    bed_sync(&b, &s);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){0}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    bed_end(&b);
}

static bool card_is_told(struct bed *b)
{
    const struct ledger_card *cards = NULL;
    size_t n = 0;

    assert_ok(ledger_cards(b->l, &(struct ledger_card_filter){0}, b->a, &cards, &n, &b->err), &b->err);
    assert_int_equal(n, 1);
    return cards[0].told;
}

static void what_people_were_told_holds_until_something_else_is_wrong(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    const struct ledger_card *cards = NULL;
    const struct ledger_dataset *d = NULL;
    size_t n = 0;

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    bed_file(&s, "d/a.png", 0, 5);
    s.cards[0] = (struct ledger_card){.path = "e/c.toml", .why = REASON_BROKEN_CARD, .line = 3, .text = "odd"};
    s.scan.n_cards = 1;
    bed_sync(&b, &s);
    assert_false(card_is_told(&b));
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){0}, b.a, &cards, &n, &b.err), &b.err);
    assert_ok(ledger_card_told(b.l, cards[0].id, &b.err), &b.err);
    assert_true(card_is_told(&b));
    bed_reopen(&b);
    s.scan.n_cards = 0; /* saved by another name and back */
    bed_sync(&b, &s);
    s.scan.n_cards = 1;
    s.cards[0].line = 4;
    bed_sync(&b, &s);
    assert_true(card_is_told(&b));
    s.cards[0].text = "odder";
    bed_sync(&b, &s);
    assert_false(card_is_told(&b));

    assert_ok(ledger_dataset_told(b.l, 1, UINT64_MAX - 1, &b.err), &b.err);
    assert_ok(ledger_dataset(b.l, 1, b.a, &d, &b.err), &b.err);
    assert_true(d->told == UINT64_MAX - 1);
    bed_end(&b);
}

static void a_root_that_is_away_is_said_and_forgotten_when_it_is_back(void **state)
{
    (void)state;
    struct bed b;
    const struct ledger_root *roots = NULL;
    size_t n = 0;
    int64_t since = bed_now;

    bed_begin(&b);
    assert_ok(ledger_root_away(b.l, b.root, "empty", &b.err), &b.err);
    bed_now += 10;
    assert_ok(ledger_root_away(b.l, b.root, "still empty", &b.err), &b.err);
    assert_ok(ledger_roots(b.l, b.a, &roots, &n, &b.err), &b.err);
    assert_int_equal(roots[0].away_ms, since);
    assert_string_equal(roots[0].away_text, "still empty");
    sync_one(&b, 1, 0);
    assert_ok(ledger_roots(b.l, b.a, &roots, &n, &b.err), &b.err);
    assert_int_equal(roots[0].away_ms, 0);
    assert_int_equal(roots[0].scanned_ms, bed_now);
    bed_end(&b);
}

static void a_directory_keeps_its_identity_whatever_its_card_says(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    const struct ledger_dataset *d = NULL;
    char uuid[UUID_TEXT];

    bed_begin(&b);
    sync_one(&b, 1, 0);
    assert_int_equal(ledger_dataset(b.l, 1, b.a, &d, &b.err), 0);
    memcpy(uuid, d->uuid, sizeof(uuid));
    assert_int_equal(strlen(uuid), 36);
    bed_target(&s, "d", "s2", "bob");
    bed_file(&s, "d/a.tif", 0, 1);
    bed_sync(&b, &s);
    assert_int_equal(ledger_dataset(b.l, 1, b.a, &d, &b.err), 0);
    assert_string_equal(d->uuid, uuid);
    assert_string_equal(d->wanted->sha256, "s2");
    assert_int_equal(ledger_dataset(b.l, 2, b.a, &d, &b.err), LEDGER_NOTHING);
    bed_end(&b);
}

static void a_card_is_followed_though_no_file_is_left_below_it(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    const struct ledger_dataset *d = NULL;

    bed_begin(&b);
    sync_one(&b, 1, 0);
    bed_target(&s, "d", "s2", "ada");
    s.scan.n_targets = 0;
    s.cards[s.scan.n_cards++] = (struct ledger_card){.path = "d/c.toml", .dir = "d", .text = "", .revision = &s.revisions[0]};
    bed_sync(&b, &s);
    assert_int_equal(ledger_dataset(b.l, 1, b.a, &d, &b.err), 0);
    assert_string_equal(d->wanted->sha256, "s2");
    assert_true(d->stale);
    s.cards[0].dir = NULL; /* as beside one that contradicts it */
    s.revisions[0].sha256 = "s3";
    bed_sync(&b, &s);
    assert_int_equal(ledger_dataset(b.l, 1, b.a, &d, &b.err), 0);
    assert_string_equal(d->wanted->sha256, "s2");
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_fileset_settles_and_becomes_ready),
        cmocka_unit_test(a_file_that_grows_settles_anew),
        cmocka_unit_test(old_times_count_as_quiet_where_the_clock_is_ours),
        cmocka_unit_test(an_unchanged_scan_changes_nothing),
        cmocka_unit_test(what_the_plan_holds_is_free_when_the_plan_is),
        cmocka_unit_test(a_plan_without_target_and_reason_is_a_fault),
        cmocka_unit_test(what_vanished_is_not_handed_out_until_it_is_back),
        cmocka_unit_test(what_may_be_on_the_server_is_handed_out_though_it_vanished),
        cmocka_unit_test(what_was_imported_and_changes_is_reported_and_stays),
        cmocka_unit_test(a_new_set_with_an_imported_member_is_a_duplicate),
        cmocka_unit_test(a_shared_companion_holds_nothing_up),
        cmocka_unit_test(a_held_one_is_free_when_its_card_changes),
        cmocka_unit_test(cards_and_their_faults_are_kept),
        cmocka_unit_test(what_people_were_told_holds_until_something_else_is_wrong),
        cmocka_unit_test(a_root_that_is_away_is_said_and_forgotten_when_it_is_back),
        cmocka_unit_test(a_directory_keeps_its_identity_whatever_its_card_says),
        cmocka_unit_test(a_card_is_followed_though_no_file_is_left_below_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
