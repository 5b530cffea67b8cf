/* Attempts to act for somebody else, or to take what is somebody else's: the policies `list` and `owner`, as a table. */
#include "../test.h"

#include <stdio.h>
#include <string.h>

#include "engine/policy.h"

enum { ALICE = 1001, BOB = 1002, DAEMON = 1, UNKNOWN = 4711 };

static bool account(uid_t uid, char *out, size_t size)
{
    static const struct {
        uid_t uid;
        const char *name;
    } known[] = {{0, "root"}, {DAEMON, "daemon"}, {ALICE, "alice"}, {BOB, "bob"}, {POLICY_UID_NOBODY, "nobody"}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].uid == uid)
            return snprintf(out, size, "%s", known[i].name) > 0;
    return false;
}

static const char *const shares[] = {". = carol", "people/{user} = *", "people/*/common = *", "teams/fly = alice, bob",
                                     "teams/fly/secret=alice", "a = b/c = alice", NULL};

/* NULL says: allowed. */
static const struct list_row {
    const char *what, *dir, *user, *says;
} list_rows[] = {
    {"in one's own directory", "people/alice", "alice", NULL},
    {"deep below it", "people/alice/2026/day 1", "alice", NULL},
    {"where all may", "people/alice/common/x", "bob", NULL},
    {"in a team's directory", "teams/fly", "bob", NULL},
    {"where the deepest row names her", "teams/fly/secret/x", "alice", NULL},
    {"at the top", "", "carol", NULL},
    {"below the top, where no other row is", "other/place", "carol", NULL},
    {"in a directory with a sign of its own", "a = b/c", "alice", NULL},
    {"in somebody else's directory", "people/alice", "bob", "'allow' does not name user 'bob'"},
    {"a deeper row takes away what the one above gives", "teams/fly/secret", "bob", "'allow' does not name user 'bob'"},
    {"a row at the top is not for what deeper rows are about", "teams/fly", "carol", "'allow' does not name user 'carol'"},
    {"at the top without a row", "", "alice", "'allow' does not name user 'alice' for the directory '.'"},
    {"a user who is named like a way up", "people/..", "../alice", "'allow' does not name user '../alice'"},
    {"a user with a wildcard for a name", "people/alice", "*", "'allow' does not name user '*'"},
    {"a part that only begins alike", "teams/flyers", "alice", "'allow' does not name user 'alice'"},
    {"a wildcard does not cross a slash", "people/alice/x/common", "bob", "'allow' does not name user 'bob'"},
    {"another letter case", "people/alice", "Alice", "'allow' does not name user 'Alice'"},
    {"a row at the top does not reach into people's own", "people/alice", "carol", "'allow' does not name user 'carol'"},
    {"half a name", "teams/fly", "bo", "'allow' does not name user 'bo'"},
};

static void a_list_says_who_may_act_where(void **state)
{
    (void)state;
    const struct root_settings set = {.policy = "list", .allow = shares};
    const struct policy_owner any = {UNKNOWN, 7};

    for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
        const struct list_row *row = &list_rows[i];
        struct policy p;
        struct err card = ERR_INIT, file = ERR_INIT;

        assert_ok(policy_of(&set, &p, &card), &card);
        int c = policy_card(&p, row->dir, row->user, &any, UNKNOWN, &card), f = policy_file(&p, row->dir, row->user, &any, &file);
        if (c != (row->says ? -1 : 0) || f != c)
            fail_msg("%s: card %d, file %d, %s", row->what, c, f, card.text);
        if (row->says && (card.why != REASON_REFUSED || !strstr(card.text, row->says) || strcmp(card.text, file.text) != 0))
            fail_msg("%s: '%s' does not say \"%s\"", row->what, card.text, row->says);
    }
}

static void what_no_row_is_for_is_refused(void **state)
{
    (void)state;
    static const char *const one[] = {"teams/fly = alice", NULL};
    const struct root_settings set = {.policy = "list", .allow = one};
    const struct policy_owner any = {ALICE, 1};
    struct policy p;
    struct err err = ERR_INIT;

    assert_ok(policy_of(&set, &p, &err), &err);
    assert_fails(policy_card(&p, "teams", "alice", &any, ALICE, &err), &err, REASON_REFUSED);
    assert_non_null(strstr(err.text, "no row of 'allow' is for the directory 'teams'"));
}

static const struct owner_row {
    const char *what;
    struct policy_owner card;
    uid_t dir;
    struct policy_owner file;
    const char *says;
} owner_rows[] = {
    {"all hers", {ALICE, 1}, ALICE, {ALICE, 1}, NULL},
    {"a card by another owner", {BOB, 1}, ALICE, {ALICE, 1}, "the card belongs to 'bob', not to user 'alice'"},
    {"a card in somebody else's directory", {ALICE, 1}, BOB, {ALICE, 1}, "its directory belongs to 'bob'"},
    {"her card above somebody else's file", {ALICE, 1}, ALICE, {BOB, 1}, "the file belongs to 'bob', not to user 'alice'"},
    {"a hard link to a file of hers", {ALICE, 1}, ALICE, {ALICE, 2}, "the file has 2 hard links"},
    {"a hard link to a card of hers", {ALICE, 2}, ALICE, {ALICE, 1}, "the card has 2 hard links"},
    {"root's card", {0, 1}, ALICE, {ALICE, 1}, "the card belongs to 'root', which is no person's account"},
    {"root's directory", {ALICE, 1}, 0, {ALICE, 1}, "its directory belongs to 'root', which is no person's account"},
    {"root's file", {ALICE, 1}, ALICE, {0, 1}, "the file belongs to 'root', which is no person's account"},
    {"a system account's file", {ALICE, 1}, ALICE, {DAEMON, 1}, "the file belongs to 'daemon', which is no person's account"},
    {"a file of nobody", {ALICE, 1}, ALICE, {POLICY_UID_NOBODY, 1}, "the file belongs to 'nobody', which is no person's"},
    {"a file of an account that is not here", {ALICE, 1}, ALICE, {UNKNOWN, 1}, "number 4711, which is no account here"},
    {"a file that was never looked at", {ALICE, 1}, ALICE, {0, 0}, "the file belongs to 'root'"},
};

static void an_owner_acts_for_herself_with_what_is_hers(void **state)
{
    (void)state;
    const struct root_settings set = {.policy = "owner"};

    for (size_t i = 0; i < ARRAY_LEN(owner_rows); i++) {
        const struct owner_row *row = &owner_rows[i];
        struct policy p;
        struct err err = ERR_INIT;

        assert_ok(policy_of(&set, &p, &err), &err);
        p.account = account;
        int r = policy_card(&p, "d", "alice", &row->card, row->dir, &err);
        r = r < 0 ? r : policy_file(&p, "d", "alice", &row->file, &err);
        if (r != (row->says ? -1 : 0))
            fail_msg("%s: %d %s", row->what, r, err.text);
        if (row->says && (err.why != REASON_REFUSED || !strstr(err.text, row->says)))
            fail_msg("%s: '%s' does not say \"%s\"", row->what, err.text, row->says);
    }
}

static void rows_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"alice",          "= alice",      "x =",        "/data = alice",
                                       "a/../b = alice", "a//b = alice", "./a = alice"};
    struct policy p;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const allow[] = {rows[i], NULL};
        const struct root_settings set = {.policy = "list", .allow = allow};
        struct err err = ERR_INIT;

        assert_fails(policy_of(&set, &p, &err), &err, REASON_CONFIG);
        assert_non_null(strstr(err.text, rows[i]));
    }

    const struct root_settings none = {.policy = "list"};
    struct err err = ERR_INIT;

    assert_fails(policy_of(&none, &p, &err), &err, REASON_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_says_who_may_act_where),
        cmocka_unit_test(what_no_row_is_for_is_refused),
        cmocka_unit_test(an_owner_acts_for_herself_with_what_is_hers),
        cmocka_unit_test(rows_that_cannot_be_read_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
