/* What is done about an earlier try: the rules of exactly once, case by case. */
#include "../test.h"

#include "engine/recover.h"

#define HOUR (INT64_C(3600) * 1000)

static const struct row {
    const char *what;
    struct recover_facts facts;
    enum recover_act want;
} rows[] = {
    {"nothing was sent", {.call = LEDGER_CALL_NONE}, RECOVER_FRESH},
    {"the last try was finished", {.call = LEDGER_CALL_FINISHED}, RECOVER_FRESH},

    {"importFileset may still arrive", {.call = LEDGER_CALL_IMPORT}, RECOVER_WAIT},
    {"importFileset may still arrive, a minute later", {.call = LEDGER_CALL_IMPORT, .age_ms = 60 * 1000}, RECOVER_WAIT},
    {"importFileset did not come true for more than a minute", {.call = LEDGER_CALL_IMPORT, .age_ms = 60 * 1000 + 1},
     RECOVER_FRESH},
    {"importFileset never arrived", {.call = LEDGER_CALL_IMPORT, .over = true}, RECOVER_FRESH},
    {"it made a fileset, and its session is there", {.call = LEDGER_CALL_IMPORT, .found = true}, RECOVER_DELETE},
    {"it made a fileset", {.call = LEDGER_CALL_IMPORT, .over = true, .found = true}, RECOVER_DELETE},

    {"uploading was cut short, its session is there", {.call = LEDGER_CALL_UPLOAD, .found = true}, RECOVER_DELETE},
    {"uploading was cut short", {.call = LEDGER_CALL_UPLOAD, .over = true, .found = true}, RECOVER_DELETE},
    {"uploading was cut short long ago", {.call = LEDGER_CALL_UPLOAD, .over = true, .found = true, .age_ms = 100 * HOUR},
     RECOVER_DELETE},
    {"its fileset is gone", {.call = LEDGER_CALL_UPLOAD, .over = true}, RECOVER_FRESH},

    {"verifyUpload may have arrived", {.call = LEDGER_CALL_VERIFY, .over = true, .found = true}, RECOVER_WAIT},
    {"verifyUpload may have arrived, and the import failed", {.call = LEDGER_CALL_VERIFY, .found = true, .log_has_size = true},
     RECOVER_FAILED},
    {"verifyUpload did not come true, and its session is gone for a minute",
     {.call = LEDGER_CALL_VERIFY, .over = true, .found = true, .unverified = true, .age_ms = 60 * 1000}, RECOVER_WAIT},
    {"verifyUpload did not come true, and its session is gone for more than a minute",
     {.call = LEDGER_CALL_VERIFY, .over = true, .found = true, .unverified = true, .age_ms = 60 * 1000 + 1}, RECOVER_DELETE},
    {"verifyUpload did not come true, and its session is there",
     {.call = LEDGER_CALL_VERIFY, .found = true, .unverified = true, .age_ms = 60 * 1000}, RECOVER_WAIT},
    {"verifyUpload did not come true for more than a minute, and its session is there",
     {.call = LEDGER_CALL_VERIFY, .found = true, .unverified = true, .age_ms = 60 * 1000 + 1}, RECOVER_END},
    {"the server may still read the files in verifyUpload",
     {.call = LEDGER_CALL_VERIFY, .found = true, .unverified = true, .age_ms = HOUR, .hashing_ms = HOUR}, RECOVER_WAIT},
    {"the server has read the files, and verifyUpload did nothing all the same",
     {.call = LEDGER_CALL_VERIFY, .found = true, .unverified = true, .age_ms = 9 * HOUR, .hashing_ms = HOUR}, RECOVER_END},
    {"verifyUpload was answered, and the job is not finished",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .unverified = true, .age_ms = HOUR}, RECOVER_WAIT},
    {"no word for an hour", {.call = LEDGER_CALL_VERIFY, .over = true, .found = true, .age_ms = HOUR}, RECOVER_WAIT},
    {"no word for more than an hour", {.call = LEDGER_CALL_VERIFY, .over = true, .found = true, .age_ms = HOUR + 1},
     RECOVER_PERSON},
    {"images, although verifyUpload was not answered", {.call = LEDGER_CALL_VERIFY, .found = true, .n_images = 2}, RECOVER_ADOPT},

    {"the import runs", {.call = LEDGER_CALL_RUNNING, .over = true, .found = true}, RECOVER_WAIT},
    {"the import runs in a session that is there", {.call = LEDGER_CALL_RUNNING, .found = true}, RECOVER_WAIT},
    {"the import failed", {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .log_has_size = true}, RECOVER_FAILED},
    {"the import succeeded", {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .log_has_size = true, .n_images = 1},
     RECOVER_ADOPT},
    {"images without pixels, and the import has ended",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .log_has_size = true, .n_images = 1, .way = OM_IMPORT_GHOSTS},
     RECOVER_FAILED},
    {"images without pixels, although verifyUpload was not answered",
     {.call = LEDGER_CALL_VERIFY, .found = true, .n_images = 1, .way = OM_IMPORT_GHOSTS}, RECOVER_FAILED},
    {"images without pixels so far",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .log_has_size = true, .n_images = 1,
      .way = OM_IMPORT_UNDER_WAY, .age_ms = HOUR}, RECOVER_WAIT},
    {"images without pixels so far, for more than an hour",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .log_has_size = true, .n_images = 1,
      .way = OM_IMPORT_UNDER_WAY, .age_ms = HOUR + 1}, RECOVER_PERSON},
    {"images, the log not closed yet", {.call = LEDGER_CALL_RUNNING, .found = true, .n_images = 1}, RECOVER_ADOPT},
    {"a running import's fileset is gone, the session is there", {.call = LEDGER_CALL_RUNNING}, RECOVER_WAIT},
    {"a running import's fileset is gone for long, the session is there", {.call = LEDGER_CALL_RUNNING, .age_ms = 9 * HOUR},
     RECOVER_WAIT},
    {"a running import's fileset is gone", {.call = LEDGER_CALL_RUNNING, .over = true}, RECOVER_FRESH},
    {"the import says nothing for a day", {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .age_ms = 24 * HOUR},
     RECOVER_PERSON},

    {"the server dropped a queued import with its session, a minute ago",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .unbegun = true, .age_ms = 60 * 1000}, RECOVER_WAIT},
    {"the server dropped a queued import with its session, more than a minute ago",
     {.call = LEDGER_CALL_RUNNING, .over = true, .found = true, .unbegun = true, .age_ms = 60 * 1000 + 1}, RECOVER_DELETE},
    {"the same, and verifyUpload was not answered",
     {.call = LEDGER_CALL_VERIFY, .over = true, .found = true, .unbegun = true, .age_ms = HOUR}, RECOVER_DELETE},
    {"an import is still queued",
     {.call = LEDGER_CALL_RUNNING, .found = true, .unbegun = true, .age_ms = HOUR}, RECOVER_WAIT},

    {"another server was asked", {.call = LEDGER_CALL_UPLOAD, .other_server = true, .over = true}, RECOVER_PERSON},
    {"another server imports", {.call = LEDGER_CALL_RUNNING, .other_server = true}, RECOVER_PERSON},
    {"another server, but nothing was sent", {.call = LEDGER_CALL_NONE, .other_server = true}, RECOVER_FRESH},
};

static void each_case_has_its_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (recover_decide(&rows[i].facts) != rows[i].want)
            fail_msg("%s: %d, not %d", rows[i].what, (int)recover_decide(&rows[i].facts), (int)rows[i].want);
}

/* Over all facts there are: what has images is never deleted nor sent again, and nothing is deleted while an import may run. */
static void nothing_is_deleted_or_repeated_that_may_be_there(void **state)
{
    (void)state;
    for (unsigned call = 0; call < N_LEDGER_CALLS; call++)
        for (unsigned bits = 0; bits < 1024; bits++) {
            struct recover_facts f = {.call = (enum ledger_call)call, .other_server = bits & 1, .over = bits & 2,
                                      .found = bits & 4, .log_has_size = bits & 8, .n_images = bits & 16 ? 3 : 0,
                                      .age_ms = bits & 32 ? 9 * HOUR : 0, .unverified = bits & 64, .unbegun = bits & 512,
                                      .way = bits & 128 ? OM_IMPORT_GHOSTS : bits & 256 ? OM_IMPORT_UNDER_WAY : OM_IMPORT_WHOLE};
            bool sent = call != LEDGER_CALL_NONE && call != LEDGER_CALL_FINISHED;
            bool verified = call == LEDGER_CALL_VERIFY || call == LEDGER_CALL_RUNNING;
            enum recover_act act = recover_decide(&f);

            if (sent && ((f.n_images > 0 && f.way == OM_IMPORT_WHOLE) || f.other_server))
                assert_true(act == RECOVER_ADOPT || act == RECOVER_PERSON);
            if (sent && f.n_images > 0 && f.way == OM_IMPORT_UNDER_WAY)
                assert_true(act == RECOVER_WAIT || act == RECOVER_PERSON);
            if (act == RECOVER_FAILED)
                assert_true((f.n_images > 0 && f.way == OM_IMPORT_GHOSTS) || (verified && f.log_has_size && f.found));
            if (act == RECOVER_DELETE)
                assert_true(sent && f.found &&
                            (!verified || (f.over && (f.unbegun || (call == LEDGER_CALL_VERIFY && f.unverified)))));
            if (sent && act == RECOVER_FRESH)
                assert_true(!f.found && (f.over || (!verified && f.age_ms > 0)));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_its_rule),
        cmocka_unit_test(nothing_is_deleted_or_repeated_that_may_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
