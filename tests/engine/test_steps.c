/* The table of states, and what failures lead to. */
#include "../test.h"

#include "engine/steps.h"

static void the_way_leads_from_ready_to_done(void **state)
{
    (void)state;
    static const struct { enum ledger_state at, next; } way[] = {
        {LEDGER_READY, LEDGER_SENT}, {LEDGER_SENT, LEDGER_STARTED}, {LEDGER_STARTED, LEDGER_DONE}};

    for (size_t i = 0; i < ARRAY_LEN(way); i++) {
        assert_non_null(steps[way[i].at].run);
        assert_int_equal(steps[way[i].at].next, way[i].next);
    }
}

static void nothing_is_run_in_other_states(void **state)
{
    (void)state;
    static const enum ledger_state others[] = {LEDGER_SEEN, LEDGER_SETTLING, LEDGER_DONE, LEDGER_WAITING, LEDGER_HELD};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_null(steps[others[i]].run);
}

static const struct left_row {
    enum ledger_call call;
    enum reason why;
    enum step_left want;
} left[] = {
    {LEDGER_CALL_NONE, REASON_CHANGED, LEFT_NOTHING},
    {LEDGER_CALL_NONE, REASON_TARGET_GONE, LEFT_NOTHING},
    {LEDGER_CALL_NONE, REASON_LOST, LEFT_NOTHING},
    {LEDGER_CALL_FINISHED, REASON_CHANGED, LEFT_NOTHING},
    {LEDGER_CALL_IMPORT, REASON_NO_RIGHT, LEFT_UPLOAD},    /* answered by an exception */
    {LEDGER_CALL_IMPORT, REASON_SERVER_ERROR, LEFT_UPLOAD},
    {LEDGER_CALL_IMPORT, REASON_LOST, LEFT_UNKNOWN},       /* it may still be carried out */
    {LEDGER_CALL_IMPORT, REASON_TIMEOUT, LEFT_UNKNOWN},
    {LEDGER_CALL_UPLOAD, REASON_CHANGED, LEFT_UPLOAD},
    {LEDGER_CALL_UPLOAD, REASON_STOPPED, LEFT_UPLOAD},
    {LEDGER_CALL_UPLOAD, REASON_CHECKSUM, LEFT_UPLOAD},
    {LEDGER_CALL_VERIFY, REASON_CHECKSUM, LEFT_UPLOAD},    /* refused before anything was started */
    {LEDGER_CALL_VERIFY, REASON_LOST, LEFT_UNKNOWN},
    {LEDGER_CALL_VERIFY, REASON_SERVER_ERROR, LEFT_UNKNOWN},
    {LEDGER_CALL_VERIFY, REASON_PROTOCOL, LEFT_UNKNOWN},
    {LEDGER_CALL_RUNNING, REASON_IMPORT_FAILED, LEFT_OVER},
    {LEDGER_CALL_RUNNING, REASON_TARGET_GONE, LEFT_OVER},
    {LEDGER_CALL_RUNNING, REASON_LOST, LEFT_UNKNOWN},
    {LEDGER_CALL_RUNNING, REASON_TIMEOUT, LEFT_UNKNOWN},
    {LEDGER_CALL_RUNNING, REASON_STOPPED, LEFT_UNKNOWN},
    {LEDGER_CALL_RUNNING, REASON_SESSION, LEFT_UNKNOWN},
};

static void what_is_left_follows_from_the_last_call_and_the_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(left); i++)
        if (step_left(left[i].call, left[i].why) != left[i].want)
            fail_msg("after %s, %s: %d, not %d", ledger_call_name(left[i].call), reason_row(left[i].why)->name,
                     (int)step_left(left[i].call, left[i].why), (int)left[i].want);
}

static void after_verify_nothing_is_ever_taken_as_unsent(void **state)
{
    (void)state;
    for (int why = 1; why < N_REASONS; why++)
        for (int call = LEDGER_CALL_VERIFY; call <= LEDGER_CALL_RUNNING; call++)
            assert_true(step_left((enum ledger_call)call, (enum reason)why) != LEFT_NOTHING &&
                        (why == REASON_CHECKSUM || step_left((enum ledger_call)call, (enum reason)why) != LEFT_UPLOAD));
}

static const struct failed_row {
    enum reason why;
    bool clean;
    enum ledger_state want;
} fails[] = {
    {REASON_CHANGED, true, LEDGER_WAITING},     {REASON_LOST, false, LEDGER_WAITING},
    {REASON_NO_USER, true, LEDGER_WAITING},     {REASON_SETTLING, true, LEDGER_WAITING},
    {REASON_REFUSED, true, LEDGER_HELD},        {REASON_IMPORT_FAILED, true, LEDGER_HELD},
    {REASON_TARGET_GONE, true, LEDGER_HELD},    {REASON_TARGET_MOVED, true, LEDGER_HELD},
    {REASON_IMPORT_FAILED, false, LEDGER_WAITING}, /* what is left on the server comes first */
    {REASON_STOPPED, true, LEDGER_READY},       {REASON_STOPPED, false, LEDGER_READY},
    {REASON_NO_SERVER, true, LEDGER_READY},     {REASON_LOGIN, true, LEDGER_READY},
    {REASON_REPOSITORY_FULL, true, LEDGER_READY},
};

static void a_failure_leads_to_waiting_held_or_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fails); i++)
        if (step_failed(fails[i].why, reason_row(fails[i].why)->cls, fails[i].clean) != fails[i].want)
            fail_msg("%s: not %s", reason_row(fails[i].why)->name, ledger_state_name(fails[i].want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_leads_from_ready_to_done),
        cmocka_unit_test(nothing_is_run_in_other_states),
        cmocka_unit_test(what_is_left_follows_from_the_last_call_and_the_failure),
        cmocka_unit_test(after_verify_nothing_is_ever_taken_as_unsent),
        cmocka_unit_test(a_failure_leads_to_waiting_held_or_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
