/* The rules of an import, against a scripted server. */
#include "import_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "omero/object.h"

/* --- start --- */

static void the_fileset_carries_what_identifies_it(void **state)
{
    (void)state;
    struct err err;

    assert_ok(start("/data/x:y.tif", "/data/z.tif", &err), &err);
    assert_int_equal(server.n_entries, 2);
    assert_string_equal(server.first_path, "data/x;y.tif");
    assert_string_equal(server.token, "job-token");
    assert_string_equal(server.reader, "loci.formats.in.TiffReader");
    assert_int_equal(server.target, 12);
    assert_string_equal(om_import_algorithm(imp), "SHA1-160");
}

static void files_that_become_one_path_are_refused_before_the_server_sees_them(void **state)
{
    (void)state;
    struct err err;

    assert_fails(start("/data/a:b", "/data/a;b", &err), &err, REASON_CONFLICT);
    assert_int_equal(fake_count(&fake, "importFileset"), 0);
}

static void steps_up_never_reach_the_server(void **state)
{
    (void)state;
    struct err err;

    assert_fails(start("/data/../etc/x.tif", NULL, &err), &err, REASON_BUG);
    assert_int_equal(fake_count(&fake, "importFileset"), 0);
}

static void a_checksum_nobody_knows_is_refused(void **state)
{
    (void)state;
    struct err err;

    server.algorithm = "SHA-9";
    assert_fails(start("/a", NULL, &err), &err, REASON_PROTOCOL);
    server.algorithm = NULL;
    assert_fails(start("/a", NULL, &err), &err, REASON_PROTOCOL);
}

static void a_set_of_none_or_too_many_is_refused(void **state)
{
    (void)state;
    const struct om_import_plan none = {.token = "t"}, many = {.n_files = OM_FILESET_FILES_MAX + 1, .token = "t"};
    struct err err;

    assert_fails(om_import_start(fake.client, &none, &imp, &err), &err, REASON_TOO_LARGE);
    assert_fails(om_import_start(fake.client, &many, &imp, &err), &err, REASON_TOO_LARGE);
}

static void the_repository_is_asked_for_once_a_session(void **state)
{
    (void)state;
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    om_import_end(imp);
    imp = NULL;
    assert_ok(start("/a", NULL, &err), &err);
    assert_int_equal(fake_count(&fake, "repositories"), 1);
}

/* --- verify, poll --- */

static void verify(void)
{
    int64_t fileset = 0;
    struct err err;

    server.n_filesets = 1;
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload_abc(&err), &err);
    assert_ok(om_import_verify(imp, &fileset, &err), &err);
    assert_int_equal(fileset, 99);
}

static void an_upload_is_verified_once_and_only_when_complete(void **state)
{
    (void)state;
    int64_t fileset;
    struct err err;

    verify();
    assert_fails(om_import_verify(imp, &fileset, &err), &err, REASON_BUG);
    assert_fails(upload_abc(&err), &err, REASON_BUG);
    om_import_end(imp);
    imp = NULL;
    assert_ok(start("/a", "/b", &err), &err);
    assert_ok(upload_abc(&err), &err);
    assert_fails(om_import_verify(imp, &fileset, &err), &err, REASON_BUG);
    assert_int_equal(fake_count(&fake, "verifyUpload"), 1);
}

static void a_mismatch_starts_nothing_and_can_be_mended(void **state)
{
    (void)state;
    int64_t fileset;
    struct err err;

    server.bad_verify = true;
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload_abc(&err), &err);
    assert_fails(om_import_verify(imp, &fileset, &err), &err, REASON_CHECKSUM);
    server.bad_verify = false;
    server.n_filesets = 1;
    assert_ok(upload_abc(&err), &err);
    assert_ok(om_import_verify(imp, &fileset, &err), &err);
}

static int poll_once(struct om_import_result *out, struct err *err)
{
    return om_import_poll(imp, test_mem, out, err);
}

static void a_running_import_is_running_and_a_done_one_has_images(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    assert_int_equal(poll_once(&r, &err), OM_RUNNING);
    server.says = SAYS_DONE;
    server.n_images = 2;
    assert_ok(poll_once(&r, &err), &err);
    assert_int_equal(r.fileset, 99);
    assert_int_equal(r.n_images, 2);
    assert_string_equal(r.images[1].name, "two");
    assert_int_equal(r.images[1].series, 1);
}

/* Both grow with the set, and can be larger than a message may be. */
static void neither_request_nor_answer_of_a_good_import_is_asked_for(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    server.says = SAYS_DONE;
    server.n_images = 1;
    assert_ok(poll_once(&r, &err), &err);
    assert_int_equal(fake_count(&fake, "getRequest"), 0);
    assert_int_equal(fake_count(&fake, "getResponse"), 0);
}

static void a_set_whose_paths_do_not_fit_into_a_message_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    enum { N = 20000, EACH = 3500 }; /* 70 MB of paths */
    struct om_import_file *files = arena_alloc(test_mem, N, sizeof(*files));
    const struct om_import_plan plan = {.n_files = N, .files = files, .token = "t"};
    struct err err;

    for (size_t i = 0; i < N; i++)
        files[i].client_path = arena_printf(test_mem, "/%0*zu", EACH, i);
    assert_fails(om_import_start(fake.client, &plan, &imp, &err), &err, REASON_TOO_LARGE);
    assert_int_equal(fake_count(&fake, "importFileset"), 0);
    assert_non_null(strstr(err.text, "20000 files"));
    assert_non_null(strstr(err.hint, "shorter"));
}

static void a_set_of_20000_files_is_one_message(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct om_import_file *files = arena_alloc(test_mem, N, sizeof(*files));
    const struct om_import_plan plan = {.n_files = N, .files = files, .token = "t"};
    struct err err;

    for (size_t i = 0; i < N; i++)
        files[i].client_path = arena_printf(test_mem, "/%0*zu", 200, i);
    assert_ok(om_import_start(fake.client, &plan, &imp, &err), &err);
    assert_int_equal(fake_count(&fake, "importFileset"), 1);
    assert_int_equal(server.n_entries, N);
}

static void success_without_images_is_a_failure(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    server.says = SAYS_DONE;
    assert_fails(poll_once(&r, &err), &err, REASON_IMPORT_FAILED);
}

static void omeros_words_are_handed_on(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    server.says = SAYS_ERR;
    assert_fails(poll_once(&r, &err), &err, REASON_IMPORT_FAILED);
    assert_non_null(strstr(err.text, "does not know this format"));
}

static int64_t fake_now;

static int64_t now_ns(void)
{
    return fake_now;
}

static void a_failure_without_an_answer_ends_after_a_moment(void **state)
{
    (void)state;
    const struct clock_source source = {.mono_ns = now_ns};
    struct om_import_result r;
    struct err err;

    verify();
    fake_now = clock_mono_ns();
    clock_inject(&source);
    server.says = SAYS_FAILURE;
    assert_int_equal(poll_once(&r, &err), OM_RUNNING);
    fake_now += 9 * NS_PER_S;
    assert_int_equal(poll_once(&r, &err), OM_RUNNING);
    fake_now += 2 * NS_PER_S;
    assert_fails(poll_once(&r, &err), &err, REASON_SERVER_ERROR);
}

static void a_failure_whose_answer_comes_late_has_its_words(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    server.says = SAYS_FAILURE;
    assert_int_equal(poll_once(&r, &err), OM_RUNNING);
    server.says = SAYS_ERR;
    assert_fails(poll_once(&r, &err), &err, REASON_IMPORT_FAILED);
}

static void waiting_has_an_end(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    assert_fails(om_import_wait(imp, clock_after_ns(250 * NS_PER_MS), NULL, NULL, test_mem, &r, &err), &err, REASON_TIMEOUT);
    assert_int_equal(err.cls, ERR_WAIT);
}

static int no_longer(void *arg, struct err *err)
{
    (void)arg;
    return err_set(err, REASON_STOPPED, 0, "asked to stop");
}

static void waiting_can_be_stopped(void **state)
{
    (void)state;
    struct om_import_result r;
    struct err err;

    verify();
    assert_fails(om_import_wait(imp, CLOCK_NEVER, no_longer, NULL, test_mem, &r, &err), &err, REASON_STOPPED);
}

static void a_handle_without_an_answer_is_never_closed(void **state)
{
    (void)state;
    verify();

    size_t closed = fake_count(&fake, "close");

    om_import_end(imp);
    imp = NULL;
    assert_int_equal(fake_count(&fake, "close"), closed + 1); /* the process, not the handle */
}

/* --- afterwards --- */

static void a_job_is_found_by_its_token_in_all_groups(void **state)
{
    (void)state;
    int64_t id = 0, size = 0;
    struct err err;

    assert_int_equal(om_import_find(fake.client, "t", &id, &err), OM_ABSENT);
    server.n_filesets = 1;
    assert_int_equal(om_import_find(fake.client, "t", &id, &err), 0);
    assert_int_equal(id, 99);
    assert_int_equal(fake.groups[0], OM_GROUP_ALL);
    server.n_filesets = 2;
    assert_fails(om_import_find(fake.client, "t", &id, &err), &err, REASON_UNKNOWN_OUTCOME);
    assert_ok(om_import_log_size(fake.client, 99, &size, &err), &err);
    assert_int_equal(size, -1);
}

static void a_fileset_with_images_is_never_deleted(void **state)
{
    (void)state;
    struct err err;

    server.n_images = 1;
    assert_fails(om_fileset_delete_empty(fake.client, 99, &err), &err, REASON_DUPLICATE);
    assert_int_equal(fake_count(&fake, "submit"), 0);
    server.n_images = 0;
    server.says = SAYS_DONE;
    assert_ok(om_fileset_delete_empty(fake.client, 99, &err), &err);
    assert_int_equal(fake_count(&fake, "submit"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_fileset_carries_what_identifies_it),
        T(files_that_become_one_path_are_refused_before_the_server_sees_them),
        T(steps_up_never_reach_the_server),
        T(a_checksum_nobody_knows_is_refused),
        T(a_set_of_none_or_too_many_is_refused),
        T(the_repository_is_asked_for_once_a_session),
        T(an_upload_is_verified_once_and_only_when_complete),
        T(a_mismatch_starts_nothing_and_can_be_mended),
        T(a_running_import_is_running_and_a_done_one_has_images),
        T(neither_request_nor_answer_of_a_good_import_is_asked_for),
        T(a_set_whose_paths_do_not_fit_into_a_message_is_refused_before_anything_is_sent),
        T(a_set_of_20000_files_is_one_message),
        T(success_without_images_is_a_failure),
        T(omeros_words_are_handed_on),
        T(a_failure_without_an_answer_ends_after_a_moment),
        T(a_failure_whose_answer_comes_late_has_its_words),
        T(waiting_has_an_end),
        T(waiting_can_be_stopped),
        T(a_handle_without_an_answer_is_never_closed),
        T(a_job_is_found_by_its_token_in_all_groups),
        T(a_fileset_with_images_is_never_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
