/* Libraries that are loaded when they are first needed. */
#include "../test.h"

#include <math.h>
#include <string.h>

#include "base/late.h"

#define CALLS(X) X(hypot) X(ldexp)

LATE_STRUCT(calls, CALLS);
LATE_NAMES(names, CALLS);

static void functions_are_found_by_their_names(void **state)
{
    struct calls f = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(late_load("libm.so.6", names, ARRAY_LEN(names), &f, &err), &err);
    assert_true(f.hypot(3, 4) > 4.99 && f.hypot(3, 4) < 5.01);
    assert_true(f.ldexp(1, 3) > 7.99 && f.ldexp(1, 3) < 8.01);
}

static void what_is_not_there_is_named_and_nothing_written(void **state)
{
    static const char *const none[] = {"hypot", "no_such_function"};
    struct calls f = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(late_load("libnone.so.1", names, ARRAY_LEN(names), &f, &err), &err, REASON_CONFIG);
    assert_non_null(strstr(err.text, "'libnone.so.1' cannot be loaded"));
    err = (struct err)ERR_INIT;
    assert_fails(late_load("libm.so.6", none, ARRAY_LEN(none), &f, &err), &err, REASON_CONFIG);
    assert_non_null(strstr(err.text, "no_such_function"));
    assert_true(!f.hypot && !f.ldexp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_found_by_their_names),
        cmocka_unit_test(what_is_not_there_is_named_and_nothing_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
