/* Lists, searches and counts: what they hold, in which order, page by page; and that each walks an index. */
#include "bed.h"

static void done(struct bed *b, int64_t id, int64_t omero)
{
    for (enum ledger_call call = LEDGER_CALL_IMPORT; call <= LEDGER_CALL_RUNNING; call++) {
        struct ledger_journal j = {.call = call, .server = "srv", .omero_id = call == LEDGER_CALL_UPLOAD ? omero : 0};

        assert_ok(ledger_journal(b->l, id, &j, &b->err), &b->err);
    }
    assert_ok(ledger_done(b->l, id, 0, &(struct ledger_image){.omero_id = omero + 1000}, 1, &b->err), &b->err);
}

static void plan_at(const void *plans, size_t i, struct arena *a, struct ledger_plan *out)
{
    (void)a;
    *out = ((const struct ledger_plan *)plans)[i];
}

enum { FILES = 9 };

/* d of ada, d0 of bob; the names are such that their order is none of rows or bytes. */
static void fill(struct bed *b)
{
    static const struct ledger_revision ada = {.sha256 = "a", .project = "P", .user = "ada", .comment = ""};
    static const struct ledger_revision bob = {.sha256 = "b", .project = "P", .user = "bob", .comment = ""};
    static const struct ledger_target targets[] = {{.dir = "d", .name = "d", .revision = &ada},
                                                   {.dir = "d0", .name = "d0", .revision = &bob}};
    static const struct ledger_card cards[] = {{.path = "d/c.toml", .dir = "d", .text = "", .revision = &ada},
                                               {.path = "d0/c.toml", .dir = "d0", .text = "", .revision = &bob},
                                               {.path = "e/c.toml", .why = REASON_BROKEN_CARD, .line = 3, .text = "odd"}};
    static const char *const paths[FILES] = {"d/z", "d/a", "d/sub/m", "d", "d0/x", "d/\xE9", "d0/\xFFy", "d.tif", "d/sub/k"};
    static const char *const names[FILES] = {"Zeta", "alpha", "Alpine", "beta", "ALPHA", "gamma", "alp", "al", "delta"};
    static struct ledger_member members[FILES];
    struct ledger_plan plans[FILES];
    struct ledger_scan scan = {.root = b->root, .cards = cards, .n_cards = 3, .targets = targets, .n_targets = 2, .plan = plan_at,
                               .arg = plans, .n_plans = FILES};
    struct ledger_synced out;

    for (size_t i = 0; i < FILES; i++) {
        members[i] = (struct ledger_member){.path = paths[i], .stamp = {.size = 10}};
        plans[i] = (struct ledger_plan){.path = paths[i], .target = paths[i][1] == '0', .name = names[i], .format = "TIFF",
                                        .text = "", .members = &members[i], .n_members = 1};
    }
    assert_ok(ledger_sync(b->l, &scan, &out, &b->err), &b->err);
    assert_int_equal(out.added, FILES);
}

/* A second tree, beside the first: held files of no card. */
static void fill_more(struct bed *b)
{
    static const struct ledger_member member = {.path = "other", .stamp = {.size = 10}};
    const struct ledger_plan plan = {.path = "other",
                                     .target = SIZE_MAX,
                                     .name = "other",
                                     .format = "TIFF",
                                     .why = REASON_CONFLICT,
                                     .text = "",
                                     .members = &member,
                                     .n_members = 1};
    struct ledger_scan scan = {.plan = plan_at, .arg = &plan, .n_plans = 1};
    struct ledger_synced out;

    assert_ok(ledger_root(b->l, "more", "/more", &scan.root, &b->err), &b->err);
    assert_ok(ledger_sync(b->l, &scan, &out, &b->err), &b->err);
}

/* The rows' paths with spaces between them, taken in pages of `max`. */
static const char *paths(struct bed *b, struct ledger_filter f, size_t max)
{
    const char *all = "";
    size_t n = 0;

    f.max = max;
    do {
        const struct ledger_fileset *found;

        assert_ok(ledger_list(b->l, &f, b->a, &found, &n, &b->err), &b->err);
        for (size_t i = 0; i < n; i++)
            all = arena_printf(b->a, "%s%s%s", all, *all ? " " : "", found[i].path);
        f.after = n > 0 ? found[n - 1].id : f.after;
    } while (n == max);
    return all;
}

static void lists_are_the_same_in_pages_of_any_size(void **state)
{
    static const struct {
        struct ledger_filter filter;
        const char *want;
    } table[] = {
        {{.path = "/data/d"}, "d/z d/a d/sub/m d d/\xE9 d/sub/k"},
        {{.path = "/data/d", .in_order = true}, "d/a d/sub/k d/sub/m d/z d/\xE9"},
        {{.path = "/data", .in_order = true}, "d d.tif d/a d/sub/k d/sub/m d/z d/\xE9 d0/x d0/\xFFy"},
        {{.path = "/", .states = 1u << LEDGER_READY}, "d/z d/a d/sub/m d d0/x d/\xE9 d0/\xFFy d.tif d/sub/k"},
        {{.path = "/", .in_order = true}, "d d.tif d/a d/sub/k d/sub/m d/z d/\xE9 d0/x d0/\xFFy other"},
        {{.path = "/elsew", .in_order = true}, ""},
        {{.path = "/dat"}, ""},
        {{.path = "/data/d/sub"}, "d/sub/m d/sub/k"},
        {{.path = "/data/d0"}, "d0/x d0/\xFFy"},
        {{.path = "/elsewhere"}, ""},
        {{.file = "/data/d/sub/m"}, "d/sub/m"},
        {{.file = "/data/d/sub"}, ""},
        {{.user = "bob"}, "d0/x d0/\xFFy"},
        {{.user = "Bob"}, ""},
        {{.name = "al"}, "d.tif d0/\xFFy d/a d0/x d/sub/m"},
        {{.name = "ALPH"}, "d/a d0/x"},
        {{.name = "x' OR '1'='1"}, ""},
        {{.states = 1u << LEDGER_READY}, "d/z d/a d/sub/m d d0/x d/\xE9 d0/\xFFy d.tif d/sub/k"},
        {{.states = 1u << LEDGER_HELD | 1u << LEDGER_DONE}, "other"},
        {{.states = 1u << LEDGER_HELD}, "other"},
    };
    struct bed b;

    (void)state;
    bed_begin(&b);
    fill(&b);
    fill_more(&b);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (size_t max = 1; max < 12; max++)
            assert_string_equal(paths(&b, table[i].filter, max), table[i].want);
    bed_end(&b);
}

static void numbers_of_omero_are_found(void **state)
{
    struct bed b;

    (void)state;
    bed_begin(&b);
    fill(&b);
    done(&b, 2, 70);
    done(&b, 5, 71);
    assert_ok(ledger_dataset_made(b.l, 1, &(struct ledger_made){.server = "s", .omero_id = 33}, &b.err), &b.err);
    assert_string_equal(paths(&b, (struct ledger_filter){.image = 1070}, 10), "d/a");
    assert_string_equal(paths(&b, (struct ledger_filter){.omero_fileset = 71}, 10), "d0/x");
    assert_string_equal(paths(&b, (struct ledger_filter){.omero_dataset = 33, .states = 1u << LEDGER_DONE}, 10), "d/a");
    assert_string_equal(paths(&b, (struct ledger_filter){.dataset = 2}, 1), "d0/x d0/\xFFy");
    assert_string_equal(paths(&b, (struct ledger_filter){.image = 1}, 10), "");
    bed_end(&b);
}

static void members_are_cut_and_that_is_said(void **state)
{
    const struct ledger_fileset *f;
    struct bed b;
    size_t n = 0;

    (void)state;
    bed_begin(&b);
    fill(&b);
    const struct ledger_filter one = {.max = 1, .members = true, .members_max = 1};
    assert_ok(ledger_list(b.l, &one, b.a, &f, &n, &b.err), &b.err);
    assert_int_equal(f->n_members, 1);
    assert_false(f->more_members);
    bed_end(&b);
}

static void counts_by_state_dataset_and_hour(void **state)
{
    const struct ledger_count *counts;
    const struct ledger_hour *hours;
    int64_t tally[N_LEDGER_STATES];
    struct err why = ERR_INIT;
    struct bed b;
    size_t n = 0;

    (void)state;
    bed_begin(&b);
    bed_now = INT64_C(3600000) * 100;
    fill(&b);
    done(&b, 2, 70);
    bed_now += 2 * 3600000;
    done(&b, 5, 71);
    err_set(&why, REASON_NO_USER, 0, "nobody");
    assert_ok(ledger_move(b.l, 1, LEDGER_WAITING, &why, bed_now + 1, &b.err), &b.err);
    assert_ok(ledger_counts(b.l, b.a, &counts, &n, &b.err), &b.err);
    assert_int_equal(n, 3);
    assert_int_equal(counts[0].state, LEDGER_DONE);
    assert_int_equal(counts[0].n, 2);
    assert_int_equal(counts[0].bytes, 20);
    assert_int_equal(counts[2].state, LEDGER_WAITING);
    assert_int_equal(counts[2].why, REASON_NO_USER);
    assert_int_equal(counts[2].oldest_ms, bed_now);
    assert_ok(ledger_tally(b.l, 2, tally, &b.err), &b.err);
    assert_int_equal(tally[LEDGER_DONE], 1);
    assert_int_equal(tally[LEDGER_READY], 1);
    assert_ok(ledger_pace(b.l, 0, b.a, &hours, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_int_equal(hours[0].hour, 100);
    assert_int_equal(hours[0].done, 1);
    assert_int_equal(hours[0].bytes, 10);
    assert_int_equal(hours[0].queue, 8);
    assert_int_equal(hours[1].hour, 102);
    assert_int_equal(hours[1].stuck, 1);
    assert_int_equal(hours[1].queue, 7);
    assert_ok(ledger_pace(b.l, 101, b.a, &hours, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    bed_end(&b);
}

static void cards_and_datasets_come_in_pages(void **state)
{
    const struct ledger_card *cards;
    const struct ledger_dataset *datasets;
    struct bed b;
    size_t n = 0;

    (void)state;
    bed_begin(&b);
    fill(&b);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.all = true, .max = 2}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_string_equal(cards[1].path, "d0/c.toml");
    const struct ledger_card_filter rest = {.all = true, .max = 2, .after = cards[1].id};
    assert_ok(ledger_cards(b.l, &rest, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_string_equal(cards[0].path, "e/c.toml");
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){0}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.user = "bob"}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_string_equal(cards[0].path, "d0/c.toml");
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.path = "/data/d"}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.path = "/"}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 3);
    assert_ok(ledger_cards(b.l, &(struct ledger_card_filter){.path = "/dat"}, b.a, &cards, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    assert_ok(ledger_datasets_page(b.l, false, 1, 5, b.a, &datasets, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_string_equal(datasets[0].dir, "d0");
    assert_ok(ledger_datasets_at(b.l, b.root, "d", b.a, &datasets, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    bed_end(&b);
}

/* Of a user with very many cards the pages are the same, found in another way. */
static void many_cards_of_one_user_come_in_pages(void **state)
{
    enum { MANY = 1100 };
    static struct ledger_revision revisions[MANY];
    static struct ledger_card cards[MANY];
    const struct ledger_card *found;
    struct ledger_scan scan = {.cards = cards, .n_cards = MANY};
    struct ledger_synced out;
    struct bed b;
    size_t n = 0, seen = 0, of_eve = 0;

    (void)state;
    bed_begin(&b);
    for (size_t i = 0; i < MANY; i++) {
        revisions[i] = (struct ledger_revision){.sha256 = arena_printf(b.a, "s%zu", i), .project = "P", .comment = "",
                                                .user = i % 50 == 7 ? "eve" : "adam"};
        cards[i] = (struct ledger_card){.path = arena_printf(b.a, "%04zu.toml", i), .text = "", .revision = &revisions[i]};
    }
    scan.root = b.root;
    assert_ok(ledger_sync(b.l, &scan, &out, &b.err), &b.err);
    struct ledger_card_filter f = {.user = "adam", .max = 300};
    do {
        assert_ok(ledger_cards(b.l, &f, b.a, &found, &n, &b.err), &b.err);
        for (size_t i = 0; i < n; i++, seen++)
            assert_string_equal(found[i].revision->user, "adam");
        f.after = n > 0 ? found[n - 1].id : 0;
    } while (n == f.max);
    f = (struct ledger_card_filter){.user = "eve"};
    assert_ok(ledger_cards(b.l, &f, b.a, &found, &of_eve, &b.err), &b.err);
    assert_int_equal(of_eve, 22);
    assert_int_equal(seen, MANY - of_eve);
    bed_end(&b);
}

static void events_go_backwards(void **state)
{
    const struct ledger_event *events;
    int64_t last = 0;
    struct bed b;
    size_t n = 0;

    (void)state;
    bed_begin(&b);
    fill(&b);
    done(&b, 2, 70);
    assert_ok(ledger_events(b.l, 0, 0, 1, b.a, &events, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_string_equal(events[0].what, "done");
    assert_string_equal(events[0].path, "d/a");
    assert_string_equal(events[0].root_path, "/data");
    last = events[0].id;
    assert_ok(ledger_events(b.l, last, 2, 100, b.a, &events, &n, &b.err), &b.err);
    assert_true(n >= 2);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(events[i].fileset, 2);
        assert_true(events[i].id < last);
        last = events[i].id;
    }
    bed_end(&b);
}

static void trouble_is_kept_until_it_is_over(void **state)
{
    const struct ledger_trouble *t;
    struct err why = ERR_INIT;
    struct bed b;

    (void)state;
    bed_begin(&b);
    assert_int_equal(ledger_trouble(b.l, b.a, &t, &b.err), LEDGER_NOTHING);
    err_set(&why, REASON_NO_SERVER, 0, "first");
    assert_ok(ledger_trouble_set(b.l, &why, &b.err), &b.err);
    int64_t began = bed_now;
    bed_now += 5000;
    err_set(&why, REASON_LOGIN, 0, "second");
    assert_ok(ledger_trouble_set(b.l, &why, &b.err), &b.err);
    assert_ok(ledger_trouble(b.l, b.a, &t, &b.err), &b.err);
    assert_int_equal(t->why, REASON_LOGIN);
    assert_string_equal(t->text, "second");
    assert_int_equal(t->since_ms, began);
    assert_ok(ledger_trouble_set(b.l, NULL, &b.err), &b.err);
    assert_int_equal(ledger_trouble(b.l, b.a, &t, &b.err), LEDGER_NOTHING);
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_same_in_pages_of_any_size),
        cmocka_unit_test(numbers_of_omero_are_found),
        cmocka_unit_test(members_are_cut_and_that_is_said),
        cmocka_unit_test(counts_by_state_dataset_and_hour),
        cmocka_unit_test(cards_and_datasets_come_in_pages),
        cmocka_unit_test(many_cards_of_one_user_come_in_pages),
        cmocka_unit_test(events_go_backwards),
        cmocka_unit_test(trouble_is_kept_until_it_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
