/* The rules of an upload, against a scripted server. */
#include "import_bed.h"

#include <string.h>

#include "base/ceilings.h"

/* --- upload --- */

static void a_small_file_is_one_write(void **state)
{
    (void)state;
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_null(om_import_hash(imp, 0));
    assert_ok(upload_abc(&err), &err);
    assert_int_equal(fake_count(&fake, "write"), 1);
    assert_int_equal(fake_count(&fake, "close"), 1);
    assert_string_equal(om_import_hash(imp, 0), SHA1_ABC);
}

static void a_file_of_no_bytes_is_one_empty_write(void **state)
{
    (void)state;
    struct text_source nothing = {0};
    struct err err;

    server.saved_hash = SHA1_EMPTY;
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload(&nothing, 0, &err), &err);
    assert_int_equal(fake_count(&fake, "write"), 1);
    assert_int_equal(server.received, 0);
}

/* 10 MiB: SHA-1 by coreutils (head -c 10485760 /dev/zero | sha1sum). */
static void a_large_file_goes_in_blocks_with_one_write_out_at_a_time(void **state)
{
    (void)state;
    struct text_source zeros = {.left = 10 << 20, .endless_zeros = true};
    struct err err;

    server.saved_hash = "8c206a1a87599f532ce68675536f0b1546900d7a";
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload(&zeros, 10 << 20, &err), &err);
    assert_int_equal(server.received, 10 << 20);
    assert_in_range(server.biggest_write, OM_BLOCK_LEAST, OM_BLOCK_MOST);
    assert_int_equal(fake.most_outstanding, 1);
}

static void a_file_of_whole_blocks_has_no_empty_write_at_its_end(void **state)
{
    (void)state;
    struct text_source zeros = {.left = OM_BLOCK_LEAST, .endless_zeros = true};
    struct err err;

    /* head -c 1048576 /dev/zero | sha1sum */
    server.saved_hash = "3b71f43ff30f4b15b5cd85dd9e95ebc7e84eb5a3";
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload(&zeros, -1, &err), &err);
    assert_int_equal(fake_count(&fake, "write"), 1);
}

static void other_bytes_on_the_server_are_told(void **state)
{
    (void)state;
    struct err err;

    server.saved_hash = SHA1_EMPTY;
    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload_abc(&err), &err, REASON_CHECKSUM);
    assert_int_equal(fake_count(&fake, "close"), 1);
    assert_null(om_import_hash(imp, 0));
}

static void a_file_of_another_size_than_before_is_told_and_may_be_sent_again(void **state)
{
    (void)state;
    struct text_source abc = {.left = 3};
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload(&abc, 4, &err), &err, REASON_CHANGED);
    assert_int_equal(fake_count(&fake, "save"), 0);
    assert_int_equal(fake_count(&fake, "close"), 1);
    assert_ok(upload_abc(&err), &err);
    assert_int_equal(fake_count(&fake, "truncate"), 1);
    assert_int_equal(server.received, 3);
}

static void a_source_that_fails_ends_the_upload_in_order(void **state)
{
    (void)state;
    struct text_source broken = {.left = 9 << 20, .fail_after = 3 << 20, .endless_zeros = true};
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload(&broken, -1, &err), &err, REASON_UNREADABLE);
    assert_int_equal(fake.outstanding, 0);
    assert_int_equal(fake_count(&fake, "close"), 1);
}

static int stop(void *arg, int64_t bytes, struct err *err)
{
    (void)arg, (void)bytes;
    return err_set(err, REASON_STOPPED, 0, "asked to stop");
}

static void a_listener_may_stop_the_upload(void **state)
{
    (void)state;
    struct text_source zeros = {.left = 9 << 20, .endless_zeros = true};
    const struct om_source source = {.read = read_text, .arg = &zeros, .size = -1, .progress = stop};
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(om_import_upload(imp, 0, &source, &err), &err, REASON_STOPPED);
    assert_int_equal(fake_count(&fake, "write"), 1);
    assert_int_equal(fake.outstanding, 0);
}

/* --- several files --- */

static struct {
    struct text_source text[3];
    size_t opened, done, closed, most_open;
} set;

static int open_abc(void *arg, size_t i, struct om_source *out, struct err *err)
{
    (void)arg, (void)err;
    set.text[i] = (struct text_source){.left = 3};
    set.opened++;
    if (set.opened - set.closed > set.most_open)
        set.most_open = set.opened - set.closed;
    *out = (struct om_source){.read = read_text, .arg = &set.text[i], .size = 3};
    return 0;
}

static int note_done(void *arg, size_t i, struct err *err)
{
    (void)arg, (void)i, (void)err;
    assert_string_equal(om_import_hash(imp, i), SHA1_ABC);
    set.done++;
    return 0;
}

static void note_closed(void *arg, size_t i)
{
    (void)arg, (void)i;
    set.closed++;
}

static int start_three(struct err *err)
{
    const struct om_import_file files[] = {{"/a"}, {"/b"}, {"/c"}};
    const struct om_import_plan plan = {.n_files = 3, .files = files, .token = "t"};

    memset(&set, 0, sizeof(set));
    server.several = true;
    return om_import_start(fake.client, &plan, &imp, err);
}

static struct om_upload all_three(size_t at_once, bool resumes)
{
    return (struct om_upload){.open = open_abc, .done = note_done, .close = note_closed, .at_once = at_once, .resumes = resumes};
}

static void several_files_go_side_by_side(void **state)
{
    (void)state;
    const struct om_upload two = all_three(2, false);
    struct err err;

    assert_ok(start_three(&err), &err);
    assert_ok(om_import_upload_all(imp, &two, &err), &err);
    assert_int_equal(set.opened, 3);
    assert_int_equal(set.done, 3);
    assert_int_equal(set.closed, 3);
    assert_int_equal(set.most_open, 2);
    assert_int_equal(fake.most_outstanding, 2);
    assert_int_equal(fake.outstanding, 0);
    assert_int_equal(fake_count(&fake, "detachOnDestroy"), 0);
}

/* Among what was asked. */
static size_t place_of(const char *op, size_t nth)
{
    for (size_t i = 0; i < fake.n_sent; i++)
        if (strcmp(fake.sent[i], op) == 0 && nth-- == 0)
            return i;
    return SIZE_MAX;
}

/* Nobody waits for the way there and back of an opening: the next one is asked for before the first block goes out. */
static void the_next_file_is_opened_while_one_is_sent(void **state)
{
    (void)state;
    const struct om_upload three = all_three(3, false);
    struct err err;

    assert_ok(start_three(&err), &err);
    assert_ok(om_import_upload_all(imp, &three, &err), &err);
    assert_int_equal(fake_count(&fake, "getUploader"), 3);
    assert_int_equal(fake_count(&fake, "write"), 3);
    assert_true(place_of("getUploader", 1) < place_of("write", 0));
    assert_true(place_of("getUploader", 2) < place_of("write", 1));
    assert_true(place_of("write", 0) < place_of("getUploader", 2)); /* one at a time is asked of the import itself */
}

static void one_file_that_fails_ends_all_of_them_in_order(void **state)
{
    (void)state;
    const struct om_upload three = all_three(3, false);
    struct err err;

    assert_ok(start_three(&err), &err);
    server.saved_hash = SHA1_EMPTY;
    assert_fails(om_import_upload_all(imp, &three, &err), &err, REASON_CHECKSUM);
    assert_int_equal(set.done, 0);
    assert_int_equal(set.closed, set.opened);
    assert_int_equal(fake.outstanding, 0);
    assert_int_equal(fake_count(&fake, "close"), 3);
}

/* --- a connection that is lost --- */

static void an_upload_goes_on_in_the_same_session(void **state)
{
    (void)state;
    static const char *const at[] = {"write", "save", "close", "getUploader"};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        const struct om_upload three = all_three(3, true);

        assert_ok(start_three(&err), &err);
        server.lose_at = at[i];
        fake.rejoins = fake.n_log = 0;
        assert_ok(om_import_upload_all(imp, &three, &err), &err);
        if (fake.rejoins != 1)
            fail_msg("lost at %s: joined again %zu times", at[i], fake.rejoins);
        assert_int_equal(set.done, 3);
        assert_int_equal(set.closed, set.opened);
        assert_int_equal(fake_count(&fake, "detachOnDestroy"), 2);
        assert_int_equal(fake_count(&fake, "closeOnDestroy"), 1);
        om_import_end(STEAL(imp));
    }
}

static void without_that_wish_a_lost_connection_ends_it(void **state)
{
    (void)state;
    const struct om_upload three = all_three(3, false);
    struct err err;

    assert_ok(start_three(&err), &err);
    server.lose_at = "save";
    assert_fails(om_import_upload_all(imp, &three, &err), &err, REASON_LOST);
    assert_int_equal(fake.rejoins, 0);
    assert_int_equal(set.closed, set.opened);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_small_file_is_one_write),
        T(a_file_of_no_bytes_is_one_empty_write),
        T(a_large_file_goes_in_blocks_with_one_write_out_at_a_time),
        T(a_file_of_whole_blocks_has_no_empty_write_at_its_end),
        T(other_bytes_on_the_server_are_told),
        T(a_file_of_another_size_than_before_is_told_and_may_be_sent_again),
        T(a_source_that_fails_ends_the_upload_in_order),
        T(a_listener_may_stop_the_upload),
        T(several_files_go_side_by_side),
        T(the_next_file_is_opened_while_one_is_sent),
        T(one_file_that_fails_ends_all_of_them_in_order),
        T(an_upload_goes_on_in_the_same_session),
        T(without_that_wish_a_lost_connection_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
