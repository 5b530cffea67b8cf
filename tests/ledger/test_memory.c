#include "bed.h"

#include <stdio.h>

static const struct ledger_stamp stamp = {.size = 5, .mtime_ns = 7, .ctime_ns = 8, .ino = 9};

static bool knows(struct bed *b, const char *path, const struct ledger_stamp *s, const char *want)
{
    struct ledger_memory *m;
    const void *bytes = NULL;
    size_t n = 0;

    ledger_memory_open(b->l, b->root, &m);
    bool found = ledger_memory_find(m, path, s, &bytes, &n) && n == strlen(want) && memcmp(bytes, want, n) == 0;
    ledger_memory_close(m, NULL, NULL);
    return found;
}

static void what_was_kept_is_found_by_its_exact_stamp(void **state)
{
    struct ledger_stamp others[] = {stamp, stamp, stamp, stamp};
    struct bed b;
    struct ledger_memory *m;

    (void)state;
    bed_begin(&b);
    ledger_memory_open(b.l, b.root, &m);
    ledger_memory_keep(m, "a", &stamp, "old", 3);
    ledger_memory_close(m, NULL, NULL);
    assert_true(knows(&b, "a", &stamp, "old"));
    others[0].size++, others[1].mtime_ns++, others[2].ctime_ns++, others[3].ino++;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(knows(&b, "a", &others[i], "old"));
    ledger_memory_open(b.l, b.root, &m);
    ledger_memory_keep(m, "a", &others[0], "new\0er", 6);
    ledger_memory_close(m, NULL, NULL);
    bed_reopen(&b);
    assert_false(knows(&b, "a", &stamp, "old"));

    const void *bytes;
    size_t n;

    ledger_memory_open(b.l, b.root, &m);
    assert_true(ledger_memory_find(m, "a", &others[0], &bytes, &n));
    assert_int_equal(n, 6);
    assert_memory_equal(bytes, "new\0er", 6);
    ledger_memory_close(m, NULL, NULL);
    bed_end(&b);
}

static void equal_lists_have_one_number(void **state)
{
    struct bed b;
    struct ledger_memory *m;
    const void *bytes;
    size_t n;

    (void)state;
    bed_begin(&b);
    ledger_memory_open(b.l, b.root, &m);

    int64_t one = ledger_memory_keep_list(m, "d1", "list", 4);

    assert_true(one >= 0);
    assert_int_equal(ledger_memory_keep_list(m, "d1", "list", 4), one);
    assert_int_not_equal(ledger_memory_keep_list(m, "d2", "tail", 4), one);
    assert_true(ledger_memory_find_list(m, one, &bytes, &n));
    assert_memory_equal(bytes, "list", 4);
    assert_false(ledger_memory_find_list(m, 999, &bytes, &n));
    ledger_memory_close(m, NULL, NULL);
    bed_end(&b);
}

static bool none_is_there(void *arg, const char *path)
{
    (void)path;
    ++*(int *)arg;
    return false;
}

static void files_that_are_gone_are_forgotten(void **state)
{
    enum { MANY = 5000 };
    struct bed b;
    struct ledger_memory *m;
    int asked = 0;

    (void)state;
    bed_begin(&b);
    ledger_memory_open(b.l, b.root, &m);
    for (int i = 0; i < MANY; i++) {
        char path[16];

        snprintf(path, sizeof(path), "f%d", i);
        ledger_memory_keep(m, path, &stamp, "x", 1);
    }
    ledger_memory_close(m, none_is_there, &asked);
    assert_int_equal(asked, 0); /* all of them were just seen */
    assert_true(knows(&b, "f4999", &stamp, "x"));
    ledger_memory_open(b.l, b.root, &m);
    ledger_memory_close(m, none_is_there, &asked);
    assert_int_equal(asked, MANY);
    assert_false(knows(&b, "f4999", &stamp, "x"));
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_found_by_its_exact_stamp),
        cmocka_unit_test(equal_lists_have_one_number),
        cmocka_unit_test(files_that_are_gone_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
