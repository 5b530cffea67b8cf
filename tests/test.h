/* What every test file begins with: cmocka, and checks that print an error's text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* The call must return 0; otherwise the test fails with the error's words. */
#define assert_ok(call, err)                                       \
    do {                                                           \
        if ((call) < 0)                                            \
            fail_msg("%s: %s", #call, (err)->text);                \
    } while (0)

/* The call must return -1 for this reason. */
#define assert_fails(call, err, reason)                                                       \
    do {                                                                                      \
        assert_int_equal((call), -1);                                                         \
        assert_string_equal(reason_row((err)->why)->name, reason_row(reason)->name);          \
    } while (0)
