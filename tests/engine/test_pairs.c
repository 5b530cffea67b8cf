#include "../test.h"

#include <string.h>

#include "engine/pairs.h"

/* "a=1 b=2" */
static struct pairs parse(struct arena *a, const char *text)
{
    struct om_pair *rows = arena_alloc(a, strlen(text) + 1, sizeof(*rows));
    char *copy = arena_str(a, text), *save = NULL;
    size_t n = 0;

    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');

        *value = '\0';
        rows[n++] = (struct om_pair){.key = word, .value = value + 1};
    }
    return (struct pairs){.at = rows, .n = n};
}

static const struct row {
    const char *what, *applied, *now, *wanted, *want;
    size_t kept;
} rows[] = {
    {"nobody touched it", "a=1 b=2", "a=1 b=2", "a=1 b=3", "a=1 b=3", 0},
    {"a row more, in the card's order", "a=1 b=2", "a=1 b=2", "a=1 x=9 b=2", "a=1 x=9 b=2", 0},
    {"a row less", "a=1 b=2", "a=1 b=2", "b=2", "b=2", 0},
    {"a person changed a value", "a=1 b=2", "a=7 b=2", "a=1 b=3", "b=3 a=7", 1},
    {"a person changed a value that the card changes too", "a=1", "a=7", "a=2", "a=7", 1},
    {"a person changed it to what the card wants", "a=1", "a=2", "a=2", "a=2", 0},
    {"a person removed a row", "a=1 b=2", "b=2", "a=1 b=3", "b=3", 1},
    {"a person added a row", "a=1", "a=1 mine=x", "a=2", "a=2 mine=x", 0},
    {"a person added a row that the card adds too", "a=1", "a=1 b=2", "a=1 b=2", "a=1 b=2", 0},
    {"two rows of one key, both the card's", "k=1 k=2", "k=1 k=2", "k=1 k=3", "k=1 k=3", 0},
    {"a person renamed a key", "a=1", "A=1", "a=1 b=2", "b=2 A=1", 1},
    {"nothing was there", "", "", "a=1", "a=1", 0},
    {"nothing is wanted any more", "a=1", "a=1", "", "", 0},
    {"nothing is wanted, a person's row stays", "a=1", "a=1 mine=x", "", "mine=x", 0},
};

static void what_people_did_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct pairs applied = parse(a, rows[i].applied), now = parse(a, rows[i].now), wanted = parse(a, rows[i].wanted);
        struct pairs want = parse(a, rows[i].want), got;
        size_t kept = 99;

        got = pairs_merge(&applied, &now, &wanted, a, &kept);
        if (!pairs_equal(&got, &want) || kept != rows[i].kept)
            fail_msg("%s: %zu rows, %zu gave way", rows[i].what, got.n, kept);
    }
}

static void order_and_values_count(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *a = arena_new();
    struct pairs x = parse(a, "a=1 b=2"), y = parse(a, "b=2 a=1"), z = parse(a, "a=1"), w = parse(a, "a=1 b=3");

    assert_true(pairs_equal(&x, &x));
    assert_false(pairs_equal(&x, &y));
    assert_false(pairs_equal(&x, &z));
    assert_false(pairs_equal(&x, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_did_stands),
        cmocka_unit_test(order_and_values_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
