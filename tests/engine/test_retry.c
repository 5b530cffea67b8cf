#include "../test.h"

#include "base/clock.h"
#include "engine/retry.h"

enum { QUIET = UINT32_MAX };

static int64_t delay(enum reason why, int attempts)
{
    int64_t low = retry_delay_ms(why, reason_row(why)->cls, attempts, 0);

    return low * 4 / 3; /* without the jitter */
}

static void the_delay_doubles_up_to_its_ceiling(void **state)
{
    (void)state;
    assert_int_equal(delay(REASON_LOST, 0), 1000);
    assert_int_equal(delay(REASON_LOST, 1), 2000);
    assert_int_equal(delay(REASON_LOST, 4), 16000);
    assert_int_equal(delay(REASON_LOST, 20), 300000);
    assert_int_equal(delay(REASON_LOST, 1000000), 300000);
}

static void people_get_more_time_than_connections(void **state)
{
    (void)state;
    static const enum reason people[] = {REASON_NO_USER, REASON_NO_GROUP, REASON_NOT_MEMBER, REASON_DEACTIVATED};

    for (size_t i = 0; i < ARRAY_LEN(people); i++)
        assert_true(delay(people[i], 0) >= 100 * delay(REASON_LOST, 0));
}

static void what_needs_a_person_is_not_tried_again(void **state)
{
    (void)state;
    for (int why = 1; why < N_REASONS; why++)
        if (reason_row((enum reason)why)->cls == ERR_FINAL)
            assert_true(retry_delay_ms((enum reason)why, ERR_FINAL, 3, 0) == CLOCK_NEVER);
}

static void every_other_reason_has_a_delay(void **state)
{
    (void)state;
    for (int why = 1; why < N_REASONS; why++) {
        enum err_class cls = reason_row((enum reason)why)->cls;

        if (cls == ERR_FINAL)
            continue;
        assert_true(retry_delay_ms((enum reason)why, cls, 0, 0) > 0);
        assert_true(retry_delay_ms((enum reason)why, cls, 99, QUIET) <= 2 * 3600 * INT64_C(1000));
    }
}

static void the_jitter_is_a_quarter_to_each_side(void **state)
{
    (void)state;
    int64_t least = INT64_MAX, most = 0;

    for (uint32_t random = 0; random < 100000; random++) {
        int64_t d = retry_delay_ms(REASON_TIMEOUT, ERR_WAIT, 0, random);

        least = d < least ? d : least;
        most = d > most ? d : most;
    }
    assert_int_equal(least, 22500);
    assert_int_equal(most, 37500);
}

static void a_file_or_a_card_never_stops_all_work(void **state)
{
    (void)state;
    static const enum reason ones[] = {REASON_BROKEN_FILE, REASON_CHANGED,   REASON_GONE,          REASON_NO_USER,
                                       REASON_NO_GROUP,    REASON_NOT_MEMBER, REASON_REFUSED,      REASON_IMPORT_FAILED,
                                       REASON_CHECKSUM,    REASON_NO_RIGHT,  REASON_TARGET_GONE,   REASON_TARGET_MOVED,
                                       REASON_DEACTIVATED, REASON_TOO_LONG,  REASON_LOST};

    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        assert_false(retry_is_for_all(ones[i]));
    assert_true(retry_is_for_all(REASON_NO_SERVER));
    assert_true(retry_is_for_all(REASON_LOGIN));
    assert_true(retry_is_for_all(REASON_CERTIFICATE));
    assert_true(retry_is_for_all(REASON_REPOSITORY_FULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_doubles_up_to_its_ceiling),  cmocka_unit_test(people_get_more_time_than_connections),
        cmocka_unit_test(what_needs_a_person_is_not_tried_again), cmocka_unit_test(every_other_reason_has_a_delay),
        cmocka_unit_test(the_jitter_is_a_quarter_to_each_side), cmocka_unit_test(a_file_or_a_card_never_stops_all_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
