#include "bed.h"

static void scan_users(struct bed *b, const char *const *users, size_t n)
{
    static const char *const dirs[] = {"d0", "d1", "d2", "d3"};
    static const char *const shas[] = {"s0", "s1", "s2", "s3"};
    static const char *const files[] = {"d0/0", "d0/1", "d1/2", "d1/3", "d2/4", "d2/5", "d3/6", "d3/7"};
    struct bed_scan s = {0};

    for (size_t i = 0; i < n; i++) {
        bed_target(&s, dirs[i], shas[i], users[i]);
        bed_file(&s, files[2 * i], i, 1);
        bed_file(&s, files[2 * i + 1], i, 1);
    }
    bed_sync(b, &s);
}

static void users_take_turns(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada", "bob", "cy"};
    char order[16] = "";

    bed_begin(&b);
    scan_users(&b, users, 3);
    for (const struct ledger_fileset *f; (f = bed_next(&b));)
        strncat(order, f->user, 1);
    assert_string_equal(order, "abcabc");
    bed_end(&b);
}

static void a_user_with_enough_under_way_gives_way(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada", "bob"};
    const struct ledger_fileset *f = NULL;
    int64_t next = 0, first;

    bed_begin(&b);
    scan_users(&b, users, 2);
    assert_int_equal(ledger_next(b.l, 1, b.a, &f, &next, &b.err), 0);
    first = f->id;
    assert_string_equal(f->user, "ada");
    assert_int_equal(ledger_next(b.l, 1, b.a, &f, &next, &b.err), 0);
    assert_string_equal(f->user, "bob");
    assert_int_equal(ledger_next(b.l, 1, b.a, &f, &next, &b.err), LEDGER_NOTHING);
    assert_ok(ledger_release(b.l, first, &b.err), &b.err);
    assert_int_equal(ledger_next(b.l, 1, b.a, &f, &next, &b.err), 0);
    assert_int_equal(f->id, first);
    bed_end(&b);
}

static void a_waiting_one_comes_back_when_it_is_due(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_fileset *f = NULL;
    struct err why = ERR_INIT;
    int64_t next = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    bed_next(&b);
    err_set(&why, REASON_NO_USER, 0, "no ada");
    err_hint(&why, "ask her");
    assert_ok(ledger_move(b.l, id, LEDGER_WAITING, &why, bed_now + 500, &b.err), &b.err);
    assert_int_equal(ledger_next(b.l, 0, b.a, &f, &next, &b.err), LEDGER_NOTHING);
    assert_int_equal(next, bed_now + 500);
    bed_now += 500;
    f = bed_next(&b);
    assert_int_equal(f->id, id);
    assert_int_equal(f->why, REASON_NO_USER);
    assert_int_equal(f->cls, ERR_WAIT);
    assert_string_equal(f->hint, "ask her");
    assert_int_equal(f->attempts, 1);
    bed_end(&b);
}

static void the_journal_is_kept_through_a_crash(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    struct ledger_journal j = {.call = LEDGER_CALL_IMPORT, .server = "srv", .session_id = 12};

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    assert_ok(ledger_journal(b.l, id, &j, &b.err), &b.err);
    assert_int_equal(strlen(j.job), 36);
    bed_reopen(&b);
    const struct ledger_fileset *f = bed_next(&b);
    assert_int_equal(f->id, id);
    assert_int_equal(f->state, LEDGER_SENT);
    assert_int_equal(f->call, LEDGER_CALL_IMPORT);
    assert_string_equal(f->job, j.job);
    assert_string_equal(f->server, "srv");
    assert_int_equal(f->session_id, 12);

    int64_t n = 0;

    assert_ok(ledger_session_users(b.l, 12, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_ok(ledger_session_users(b.l, 13, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    j = (struct ledger_journal){.call = LEDGER_CALL_UPLOAD, .omero_id = 77, .process = "p-1"};
    assert_ok(ledger_journal(b.l, id, &j, &b.err), &b.err);
    assert_ok(ledger_hash(b.l, id, 0, "SHA1-160", "abc", &b.err), &b.err);
    assert_fails(ledger_hash(b.l, id, 1, "SHA1-160", "abc", &b.err), &b.err, REASON_BUG);
    j = (struct ledger_journal){.call = LEDGER_CALL_VERIFY};
    assert_ok(ledger_journal(b.l, id, &j, &b.err), &b.err);
    bed_reopen(&b);
    f = bed_next(&b);
    assert_int_equal(f->state, LEDGER_STARTED);
    assert_int_equal(f->omero_id, 77);
    assert_string_equal(f->process, "p-1");
    assert_string_equal(f->members[0].hash, "abc");
    bed_end(&b);
}

static void fails_call(struct bed *b, int64_t id, enum ledger_call call)
{
    struct ledger_journal j = {.call = call};

    assert_fails(ledger_journal(b->l, id, &j, &b->err), &b->err, REASON_BUG);
}

static void nothing_is_sent_twice(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    fails_call(&b, id, LEDGER_CALL_VERIFY);
    bed_call(&b, id, LEDGER_CALL_IMPORT);
    fails_call(&b, id, LEDGER_CALL_IMPORT);
    assert_fails(ledger_move(b.l, id, LEDGER_READY, NULL, 0, &b.err), &b.err, REASON_BUG);
    assert_fails(ledger_move(b.l, id, LEDGER_SETTLING, NULL, 0, &b.err), &b.err, REASON_BUG);
    bed_call(&b, id, LEDGER_CALL_UPLOAD);
    bed_call(&b, id, LEDGER_CALL_VERIFY);
    fails_call(&b, id, LEDGER_CALL_VERIFY);
    bed_call(&b, id, LEDGER_CALL_NONE);
    assert_null(bed_get(&b, id)->job);
    assert_int_equal(bed_get(&b, id)->omero_id, 0);
    bed_import(&b, id, 500);
    fails_call(&b, id, LEDGER_CALL_IMPORT);
    assert_fails(ledger_move(b.l, id, LEDGER_WAITING, NULL, 0, &b.err), &b.err, REASON_BUG);
    assert_fails(ledger_done(b.l, id, 0, NULL, 0, &b.err), &b.err, REASON_BUG);
    fails_call(&b, 999, LEDGER_CALL_IMPORT);
    bed_end(&b);
}

static void every_try_has_a_token_of_its_own(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    struct ledger_journal one = {.call = LEDGER_CALL_IMPORT}, two = {.call = LEDGER_CALL_IMPORT};

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    assert_ok(ledger_journal(b.l, id, &one, &b.err), &b.err);
    bed_call(&b, id, LEDGER_CALL_NONE);
    assert_ok(ledger_journal(b.l, id, &two, &b.err), &b.err);
    assert_string_not_equal(one.job, two.job);
    bed_end(&b);
}

static const struct ledger_dataset *dataset(struct bed *b, int64_t id)
{
    const struct ledger_dataset *d = NULL;

    assert_int_equal(ledger_dataset(b->l, id, b->a, &d, &b->err), 0);
    return d;
}

static const struct ledger_made made = {.server = "srv", .omero_id = 30, .project_id = 20, .owner_id = 5, .group_id = 3,
                                        .project = "P", .user = "ada", .group = "lab"};

static void a_changed_card_is_followed_until_it_is_everywhere(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    const struct ledger_dataset *d = NULL;
    const struct ledger_image *images = NULL;
    int64_t next_ms = 0;
    const struct ledger_note notes[] = {{LEDGER_NOTE_MAP, "", 40, true, true}, {LEDGER_NOTE_TAG, "red", 41, false, true}};
    size_t n = 0;

    bed_begin(&b);
    bed_target(&s, "d", "s1", "ada");
    bed_file(&s, "d/a", 0, 1);
    bed_file(&s, "d/b", 0, 1);
    bed_sync(&b, &s);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), LEDGER_NOTHING); /* not made yet */
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_ok(ledger_applied(b.l, 1, dataset(&b, 1)->wanted->id, 0, notes, 2, &b.err), &b.err);
    assert_false(dataset(&b, 1)->stale);
    int64_t first = bed_next(&b)->id, second = bed_next(&b)->id;
    bed_import(&b, first, 500);
    assert_false(dataset(&b, 1)->stale);
    bed_call(&b, second, LEDGER_CALL_IMPORT);

    s.revisions[0].sha256 = "s2";
    bed_sync(&b, &s);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), 0);
    assert_string_equal(d->wanted->sha256, "s2");
    assert_string_equal(d->applied->sha256, "s1");
    assert_int_equal(d->n_notes, 2);
    assert_string_equal(d->notes[1].text, "red");
    assert_false(d->notes[1].made);
    assert_int_equal(d->omero_id, 30);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), LEDGER_NOTHING); /* claimed */
    assert_ok(ledger_images(b.l, 1, 0, 0, b.a, &images, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_ok(ledger_applied(b.l, 1, dataset(&b, 1)->wanted->id, images[0].row, notes, 1, &b.err), &b.err);
    assert_false(dataset(&b, 1)->stale);

    bed_call(&b, second, LEDGER_CALL_UPLOAD);
    bed_call(&b, second, LEDGER_CALL_VERIFY);
    assert_ok(ledger_done(b.l, second, 42, &(struct ledger_image){.omero_id = 501}, 1, &b.err), &b.err);
    assert_true(dataset(&b, 1)->stale); /* it was sent with the old card */
    assert_ok(ledger_images(b.l, 1, images[0].row, 0, b.a, &images, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_int_equal(images[0].omero_id, 501);
    bed_end(&b);
}

static void a_dataset_that_was_deleted_is_as_if_never_made(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_note note = {LEDGER_NOTE_MAP, "", 40, true, true};
    const struct ledger_dataset *d;
    int64_t next_ms = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_ok(ledger_applied(b.l, 1, dataset(&b, 1)->wanted->id, 0, &note, 1, &b.err), &b.err);

    const char *uuid = dataset(&b, 1)->uuid;

    assert_ok(ledger_dataset_unmade(b.l, 1, &b.err), &b.err);
    d = dataset(&b, 1);
    assert_string_equal(d->uuid, uuid);
    assert_null(d->server);
    assert_null(d->made_project);
    assert_null(d->applied);
    assert_int_equal(d->omero_id, 0);
    assert_int_equal(d->n_notes, 0);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), LEDGER_NOTHING);
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_int_equal(dataset(&b, 1)->omero_id, 30);
    bed_end(&b);
}

static void a_description_is_known_until_people_write_their_own(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    struct ledger_made with = made;
    const struct ledger_dataset *d;

    bed_begin(&b);
    scan_users(&b, users, 1);
    with.description = "from here";
    assert_ok(ledger_dataset_made(b.l, 1, &with, &b.err), &b.err);
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_ok(ledger_dataset(b.l, 1, b.a, &d, &b.err), &b.err);
    assert_string_equal(d->described, "from here");
    assert_ok(ledger_dataset_described(b.l, 1, "from there", &b.err), &b.err);
    assert_ok(ledger_dataset(b.l, 1, b.a, &d, &b.err), &b.err);
    assert_string_equal(d->described, "from there");
    assert_ok(ledger_dataset_described(b.l, 1, NULL, &b.err), &b.err);
    assert_ok(ledger_dataset(b.l, 1, b.a, &d, &b.err), &b.err);
    assert_null(d->described);
    assert_ok(ledger_dataset_described(b.l, 1, "from here", &b.err), &b.err);
    assert_ok(ledger_dataset_unmade(b.l, 1, &b.err), &b.err);
    assert_ok(ledger_dataset(b.l, 1, b.a, &d, &b.err), &b.err);
    assert_null(d->described);
    bed_end(&b);
}

static void following_a_card_waits_and_is_retried(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_dataset *d = NULL;
    struct err why = ERR_INIT;
    int64_t next_ms = 0;
    size_t n = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), 0);
    err_set(&why, REASON_SETTLING, 0, "soon");
    assert_ok(ledger_dataset_wait(b.l, 1, &why, bed_now + 1000, &b.err), &b.err);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), LEDGER_NOTHING);
    assert_int_equal(next_ms, bed_now + 1000);
    bed_now += 1000;
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), 0);
    err_set(&why, REASON_TARGET_GONE, 0, "deleted");
    assert_ok(ledger_dataset_wait(b.l, 1, &why, CLOCK_NEVER, &b.err), &b.err);
    bed_now += 1000000000;
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), LEDGER_NOTHING);
    assert_ok(ledger_datasets(b.l, true, b.a, &d, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_int_equal(d[0].why, REASON_TARGET_GONE);
    int64_t id = 0;
    const struct ledger_request *q = NULL;
    assert_ok(ledger_request_add(b.l, LEDGER_VERB_RETRY, "/data/d0", &id, &b.err), &b.err);
    assert_int_equal(ledger_request_take(b.l, b.a, &q, &b.err), 0);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), 0);
    assert_ok(ledger_dataset_release(b.l, 1, &b.err), &b.err);
    assert_int_equal(ledger_next_card(b.l, b.a, &d, &next_ms, &b.err), 0);
    assert_ok(ledger_dataset_notes(b.l, 1, &(struct ledger_note){LEDGER_NOTE_SOURCE, "", 9, true, true}, 1, &b.err), &b.err);
    assert_int_equal(dataset(&b, 1)->notes[0].kind, LEDGER_NOTE_SOURCE);
    bed_end(&b);
}

static void retry(struct bed *b, const char *path)
{
    const struct ledger_request *q = NULL;
    int64_t id = 0;

    assert_int_equal(ledger_request_next(b->l, b->a, &q, &b->err), LEDGER_NOTHING);
    assert_ok(ledger_request_add(b->l, LEDGER_VERB_RETRY, path, &id, &b->err), &b->err);
    assert_int_equal(ledger_request_next(b->l, b->a, &q, &b->err), 0);
    assert_int_equal(q->id, id);
    assert_null(q->answer);
    assert_int_equal(ledger_request_take(b->l, b->a, &q, &b->err), 0);
    assert_int_equal(q->id, id);
    assert_non_null(q->answer);
    assert_int_equal(ledger_request_take(b->l, b->a, &q, &b->err), LEDGER_NOTHING);
    assert_int_equal(ledger_request(b->l, id, b->a, &q, &b->err), 0);
    assert_int_equal(q->taken_ms, bed_now);
}

static void a_retry_frees_what_is_held_and_asks_before_it_sends_again(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    struct err why = ERR_INIT;

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t fresh = bed_next(&b)->id, sent = bed_next(&b)->id;
    err_set(&why, REASON_UNKNOWN_OUTCOME, 0, "who knows");
    bed_call(&b, sent, LEDGER_CALL_IMPORT);
    assert_ok(ledger_move(b.l, fresh, LEDGER_HELD, &why, 0, &b.err), &b.err);
    assert_ok(ledger_move(b.l, sent, LEDGER_HELD, &why, 0, &b.err), &b.err);
    assert_null(bed_next(&b));
    retry(&b, "/data/d0/0");
    assert_int_equal(bed_next(&b)->id, fresh);
    assert_null(bed_next(&b));
    retry(&b, NULL);
    const struct ledger_fileset *f = bed_next(&b);
    assert_int_equal(f->id, sent);
    assert_int_equal(f->call, LEDGER_CALL_IMPORT);
    assert_int_equal(f->state, LEDGER_WAITING);
    bed_end(&b);
}

static void a_deleted_image_is_imported_again_on_request_alone(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_image *images = NULL;
    size_t n = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    bed_next(&b);
    bed_import(&b, id, 500);
    retry(&b, "/data/d0/0");
    assert_int_equal(bed_get(&b, id)->state, LEDGER_DONE);
    assert_ok(ledger_fileset_images(b.l, id, 0, b.a, &images, &n, &b.err), &b.err);
    assert_ok(ledger_image_deleted(b.l, images[0].row, &b.err), &b.err);
    scan_users(&b, users, 1);
    assert_null(bed_next(&b));
    retry(&b, "/data/d0/0");
    assert_int_equal(bed_next(&b)->id, id);
    bed_import(&b, id, 501);
    assert_ok(ledger_fileset_images(b.l, id, 0, b.a, &images, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_int_equal(images[1].deleted_ms, 0);
    bed_end(&b);
}

static void an_image_keeps_whose_its_map_is(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_image *images = NULL;
    size_t n = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t id = bed_next(&b)->id;
    bed_import(&b, id, 500);
    assert_ok(ledger_fileset_images(b.l, id, 0, b.a, &images, &n, &b.err), &b.err);
    assert_false(images[0].own);

    struct ledger_image own = images[0];

    own.own = true;
    own.map = 70;
    assert_ok(ledger_image_maps(b.l, &own, 1, &b.err), &b.err);
    bed_reopen(&b);
    assert_ok(ledger_fileset_images(b.l, id, 0, b.a, &images, &n, &b.err), &b.err);
    assert_true(images[0].own);
    assert_int_equal(images[0].map, 70);
    bed_end(&b);
}

static void forget_drops_what_is_not_under_way(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada"};
    const struct ledger_request *q = NULL;
    const struct ledger_fileset *f = NULL;
    int64_t id = 0;

    bed_begin(&b);
    scan_users(&b, users, 1);
    int64_t done = bed_next(&b)->id, sent = bed_next(&b)->id;
    bed_import(&b, done, 500);
    bed_call(&b, sent, LEDGER_CALL_IMPORT);
    assert_ok(ledger_request_add(b.l, LEDGER_VERB_FORGET, "/data", &id, &b.err), &b.err);
    assert_int_equal(ledger_request_take(b.l, b.a, &q, &b.err), 0);
    assert_int_equal(ledger_fileset(b.l, done, b.a, &f, &b.err), LEDGER_NOTHING);
    assert_int_equal(ledger_fileset(b.l, sent, b.a, &f, &b.err), 0);
    scan_users(&b, users, 1);
    assert_string_equal(bed_next(&b)->path, "d0/0");
    bed_end(&b);
}

static size_t count(struct bed *b, struct ledger_filter f)
{
    const struct ledger_fileset *all = NULL;
    size_t n = 0;

    assert_ok(ledger_list(b->l, &f, b->a, &all, &n, &b->err), &b->err);
    return n;
}

static void a_list_is_filtered_by_state_path_and_numbers(void **state)
{
    (void)state;
    struct bed b;
    static const char *const users[] = {"ada", "bob"};
    const struct ledger_count *counts = NULL;
    size_t n = 0;

    bed_begin(&b);
    scan_users(&b, users, 2);
    bed_import(&b, bed_next(&b)->id, 500);
    assert_ok(ledger_dataset_made(b.l, 1, &made, &b.err), &b.err);
    assert_int_equal(count(&b, (struct ledger_filter){0}), 4);
    assert_int_equal(count(&b, (struct ledger_filter){.max = 3}), 3);
    assert_int_equal(count(&b, (struct ledger_filter){.after = 3}), 1);
    assert_int_equal(count(&b, (struct ledger_filter){.states = 1u << LEDGER_DONE}), 1);
    assert_int_equal(count(&b, (struct ledger_filter){.states = 1u << LEDGER_READY | 1u << LEDGER_HELD}), 3);
    assert_int_equal(count(&b, (struct ledger_filter){.path = "/data/d0/1"}), 1);
    assert_int_equal(count(&b, (struct ledger_filter){.path = "/data/d0"}), 2);
    assert_int_equal(count(&b, (struct ledger_filter){.path = "/data/d"}), 0);
    assert_int_equal(count(&b, (struct ledger_filter){.path = "/data"}), 4);
    assert_int_equal(count(&b, (struct ledger_filter){.path = "/dat"}), 0);
    assert_int_equal(count(&b, (struct ledger_filter){.image = 500}), 1);
    assert_int_equal(count(&b, (struct ledger_filter){.image = 501}), 0);
    assert_int_equal(count(&b, (struct ledger_filter){.omero_fileset = 77}), 1);
    assert_int_equal(count(&b, (struct ledger_filter){.omero_dataset = 30}), 2);
    assert_int_equal(count(&b, (struct ledger_filter){.changed = true}), 0);
    assert_ok(ledger_counts(b.l, b.a, &counts, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_int_equal(counts[0].state, LEDGER_DONE);
    assert_int_equal(counts[1].n, 3);
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_take_turns),
        cmocka_unit_test(a_user_with_enough_under_way_gives_way),
        cmocka_unit_test(a_waiting_one_comes_back_when_it_is_due),
        cmocka_unit_test(the_journal_is_kept_through_a_crash),
        cmocka_unit_test(nothing_is_sent_twice),
        cmocka_unit_test(every_try_has_a_token_of_its_own),
        cmocka_unit_test(a_changed_card_is_followed_until_it_is_everywhere),
        cmocka_unit_test(a_dataset_that_was_deleted_is_as_if_never_made),
        cmocka_unit_test(a_description_is_known_until_people_write_their_own),
        cmocka_unit_test(following_a_card_waits_and_is_retried),
        cmocka_unit_test(a_retry_frees_what_is_held_and_asks_before_it_sends_again),
        cmocka_unit_test(a_deleted_image_is_imported_again_on_request_alone),
        cmocka_unit_test(an_image_keeps_whose_its_map_is),
        cmocka_unit_test(forget_drops_what_is_not_under_way),
        cmocka_unit_test(a_list_is_filtered_by_state_path_and_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
