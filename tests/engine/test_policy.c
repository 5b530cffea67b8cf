#include "../test.h"

#include <string.h>

#include "engine/policy.h"

static const struct om_group lab_groups[] = {{3, "lab"}, {1, "user"}, {4, "priv"}};
static const struct om_group system_groups[] = {{3, "lab"}, {1, "user"}, {0, "system"}};

#define ORDINARY .id = 7, .name = "alice", .active = true, .main = {3, "lab"}, .n_groups = 3, .groups = lab_groups
static const struct om_user ordinary = {ORDINARY};
static const struct om_user root = {ORDINARY, .root = true, .admin = true};
static const struct om_user root_alone = {ORDINARY, .root = true};
static const struct om_user guest = {ORDINARY, .guest = true};
static const struct om_user off = {.id = 7, .name = "dave", .main = {3, "lab"}, .n_groups = 1, .groups = lab_groups};
static const struct om_user off_admin = {.id = 7, .name = "eve", .admin = true, .main = {3, "lab"}, .n_groups = 3,
                                         .groups = system_groups};
static const struct om_user restricted = {.id = 7, .name = "importer", .active = true, .admin = true, .main = {3, "lab"},
                                          .n_groups = 3, .groups = system_groups};
static const struct om_user homeless = {.id = 7, .name = "newcomer", .active = true, .main = {-1, ""}, .n_groups = 1,
                                        .groups = lab_groups + 1};

static const struct row {
    const char *what;
    struct policy_ask ask;
    enum reason why;
    const char *group;
} rows[] = {
    {"an ordinary user in the default group", {"alice", NULL, &ordinary, false}, REASON_NONE, "lab"},
    {"an ordinary user in another group of hers", {"alice", "priv", &ordinary, true}, REASON_NONE, "priv"},
    {"nobody by that name", {"alice", NULL, NULL, false}, REASON_NO_USER, NULL},
    {"nobody by that name, in a group that exists", {"alice", "lab", NULL, true}, REASON_NO_USER, NULL},
    {"root", {"root", NULL, &root, false}, REASON_REFUSED, NULL},
    {"root who was taken out of system", {"root", "lab", &root_alone, true}, REASON_REFUSED, NULL},
    {"an administrator with few privileges", {"importer", "lab", &restricted, true}, REASON_REFUSED, NULL},
    {"an administrator who is switched off", {"eve", "lab", &off_admin, true}, REASON_REFUSED, NULL},
    {"the guest", {"guest", NULL, &guest, false}, REASON_REFUSED, NULL},
    {"somebody who is switched off", {"dave", NULL, &off, false}, REASON_DEACTIVATED, NULL},
    {"a group that is none", {"alice", "nowhere", &ordinary, false}, REASON_NO_GROUP, NULL},
    {"a group of others", {"alice", "theirs", &ordinary, true}, REASON_NOT_MEMBER, NULL},
    {"the group system", {"alice", "system", &ordinary, true}, REASON_REFUSED, NULL},
    {"the group user, in which everybody is", {"alice", "user", &ordinary, true}, REASON_REFUSED, NULL},
    {"the group guest", {"alice", "guest", &ordinary, true}, REASON_REFUSED, NULL},
    {"no group to go to", {"newcomer", NULL, &homeless, false}, REASON_NOT_MEMBER, NULL},
    {"a user with another letter case in the group", {"alice", "Lab", &ordinary, true}, REASON_NOT_MEMBER, NULL},
};

static void a_card_acts_for_ordinary_users_in_their_groups_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        const char *group = NULL;
        int r = policy_may(&rows[i].ask, &group, &err);

        if (r != (rows[i].why == REASON_NONE ? 0 : -1) || err.why != rows[i].why)
            fail_msg("%s: %s, not %s", rows[i].what, reason_row(err.why)->name, reason_row(rows[i].why)->name);
        if (rows[i].group)
            assert_string_equal(group, rows[i].group);
    }
}

static void a_refusal_names_who_was_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        const char *group;

        if (policy_may(&rows[i].ask, &group, &err) < 0 && !strstr(err.text, rows[i].ask.user) &&
            !(rows[i].ask.group && strstr(err.text, rows[i].ask.group)))
            fail_msg("%s: '%s' names nobody", rows[i].what, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_acts_for_ordinary_users_in_their_groups_alone),
        cmocka_unit_test(a_refusal_names_who_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
