/* The rules of an import, against a scripted server. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "fake.h"
#include "omero/import.h"
#include "omero/object.h"

/* SHA-1 of no bytes and of "abc" (FIPS 180 examples). */
#define SHA1_EMPTY "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA1_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"

static struct {
    const char *algorithm, *saved_hash;
    int64_t received, biggest_write, lowest_position;
    size_t n_entries;
    char first_path[128], token[64], reader[64];
    int64_t target;
    const char *hashes;
    enum { SAYS_NOTHING, SAYS_FAILURE, SAYS_DONE, SAYS_ERR } says;
    size_t n_images, n_filesets;
    bool bad_verify;
} server;

static void see_fileset(const struct om_grid_managed_repository_import_fileset_in *in)
{
    const struct om_fileset *fs = in->fs;
    const struct om_upload_job *job = (const struct om_upload_job *)fs->job_links_seq.at[0]->child;

    assert_int_equal(fs->job_links_seq.n, 1);
    assert_ptr_equal(job->cls, &om_upload_job_class);
    server.received = 0;
    server.n_entries = fs->used_files_seq.n;
    snprintf(server.first_path, sizeof(server.first_path), "%s", fs->used_files_seq.at[0]->client_path->val);
    for (size_t i = 0; i < job->version_info.n; i++) {
        const struct om_named_value *v = job->version_info.at[i];
        if (strcmp(v->name, OM_JOB_KEY) == 0)
            snprintf(server.token, sizeof(server.token), "%s", v->value);
        if (strcmp(v->name, "bioformats.reader") == 0)
            snprintf(server.reader, sizeof(server.reader), "%s", v->value);
    }
    server.target = om_object_id(in->settings->user_specified_target);
    assert_string_equal(in->settings->checksum_algorithm->value->val, "SHA1-160");
}

static void fill_repositories(struct om_grid_repository_map *map, struct arena *mem)
{
    const struct ice_proxy **p = arena_alloc(mem, 3, sizeof(*p));

    p[0] = ice_proxy_make(mem, "scripts", "", NULL, 0);
    p[2] = ice_proxy_make(mem, "managed", "", NULL, 0);
    map->proxies = (struct om_grid_repository_proxy_list){.n = 3, .at = p};
}

static const struct om_original_file *saved_file(struct arena *mem)
{
    struct om_original_file *o = om_object_new(mem, &om_original_file_class);

    o->size = om_rlong(mem, server.received);
    o->hash = om_rstring(mem, server.saved_hash);
    return o;
}

static const struct om_cmd_request *request(struct arena *mem)
{
    struct om_grid_import_request *r = om_object_new(mem, &om_grid_import_request_class);
    struct om_fileset_job_link *link = om_object_new(mem, &om_fileset_job_link_class);

    link->parent = om_object_ref(mem, &om_fileset_class, 99);
    r->activity = link;
    return (const struct om_cmd_request *)r;
}

static const struct om_cmd_response *response(struct arena *mem)
{
    if (server.says == SAYS_DONE)
        return om_object_new(mem, &om_grid_import_response_class);
    if (server.says != SAYS_ERR)
        return NULL;

    struct om_cmd_err *e = om_object_new(mem, &om_cmd_err_class);

    e->name = "import-unknown-format";
    e->category = "";
    return (const struct om_cmd_response *)e;
}

static const struct om_cmd_status *status(struct arena *mem)
{
    static const int32_t failed[] = {OM_CMD_STATE_FAILURE, OM_CMD_STATE_CANCELLED};
    struct om_cmd_status *s = om_object_new(mem, &om_cmd_status_class);

    if (server.says == SAYS_FAILURE)
        s->flags = (struct om_cmd_state_list){.n = 2, .at = failed};
    return s;
}

static void query(const void *in, struct om_rtype_seq_seq *out, struct arena *mem)
{
    if (strstr(fake_hql(in), "UploadJob"))
        *out = fake_rows(mem, "l", server.n_filesets, 98, 99);
    else if (strstr(fake_hql(in), "WellSample"))
        *out = fake_rows(mem, "ls", 0);
    else if (strstr(fake_hql(in), "originalFileLinks"))
        *out = fake_rows(mem, "", 1);
    else
        *out = fake_rows(mem, "lsi", server.n_images, 7, "one", 0, 8, "two", 1);
}

static void write_block(const struct om_api_raw_file_store_write_in *w)
{
    assert_int_equal(w->buf.n, w->length);
    assert_int_equal(w->position, server.received);
    server.received += w->length;
    if (w->length > server.biggest_write)
        server.biggest_write = w->length;
}

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    if (op == &om_grid_shared_resources_repositories_op)
        fill_repositories(out, mem);
    else if (op == &om_ice_object_ice_is_a_op)
        *(bool *)out = strcmp(to->id.name, "managed") == 0;
    else if (op == &om_grid_managed_repository_suggest_checksum_algorithm_op) {
        struct om_checksum_algorithm *a = om_object_new(mem, &om_checksum_algorithm_class);
        a->value = om_rstring(mem, server.algorithm);
        *(const struct om_checksum_algorithm **)out = server.algorithm ? a : NULL;
    } else if (op == &om_grid_managed_repository_import_fileset_op) {
        see_fileset(in);
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "process", "", NULL, 0);
    } else if (op == &om_grid_import_process_get_uploader_op)
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "uploader", "", NULL, 0);
    else if (op == &om_api_raw_file_store_write_op)
        write_block(in);
    else if (op == &om_api_raw_file_store_truncate_op)
        server.received = 0;
    else if (op == &om_api_raw_file_store_save_op)
        *(const struct om_original_file **)out = saved_file(mem);
    else if (op == &om_grid_import_process_verify_upload_op && server.bad_verify)
        return fake_throw(f, &om_checksum_validation_exception_class, REASON_CHECKSUM, "bytes", err);
    else if (op == &om_grid_import_process_verify_upload_op)
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "handle", "", NULL, 0);
    else if (op == &om_cmd_handle_get_request_op)
        *(const struct om_cmd_request **)out = request(mem);
    else if (op == &om_cmd_handle_get_response_op)
        *(const struct om_cmd_response **)out = response(mem);
    else if (op == &om_cmd_handle_get_status_op)
        *(const struct om_cmd_status **)out = status(mem);
    else if (op == &om_api_iquery_projection_op)
        query(in, out, mem);
    else if (op == &om_cmd_session_submit_op)
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "handle", "", NULL, 0);
    else
        assert_true(strcmp(op->name, "close") == 0 || strcmp(op->name, "keepAlive") == 0);
    return 0;
}

static struct fake f;
static struct arena *mem;
static struct om_import *imp;

static int setup(void **state)
{
    (void)state;
    memset(&server, 0, sizeof(server));
    server.algorithm = "SHA1-160";
    server.saved_hash = SHA1_ABC;
    imp = NULL;
    mem = arena_new();
    fake_init(&f, answer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    om_import_end(imp);
    fake_clear(&f);
    arena_free(mem);
    clock_inject(NULL);
    return 0;
}

static int start(const char *first, const char *second, struct err *err)
{
    const struct om_import_file files[] = {{first}, {second}};
    const struct om_import_plan plan = {
        .n_files = second ? 2 : 1, .files = files, .dataset = 12, .token = "job-token", .reader = "loci.formats.in.TiffReader"};

    return om_import_start(f.client, &plan, &imp, err);
}

/* --- a source of bytes --- */

struct text_source {
    size_t left, fail_after;
    bool endless_zeros;
};

static ssize_t read_text(void *arg, void *at, size_t n, struct err *err)
{
    struct text_source *s = arg;
    size_t now = n < s->left ? n : s->left;

    if (s->fail_after && s->left <= s->fail_after)
        return err_set(err, REASON_UNREADABLE, 0, "no more");
    if (s->endless_zeros)
        memset(at, 0, now);
    else
        memcpy(at, "abc", now);
    s->left -= now;
    return (ssize_t)now;
}

static int upload(struct text_source *s, int64_t expected, struct err *err)
{
    const struct om_source source = {.read = read_text, .arg = s, .size = expected};

    return om_import_upload(imp, 0, &source, err);
}

static int upload_abc(struct err *err)
{
    struct text_source abc = {.left = 3};

    return upload(&abc, 3, err);
}

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
    assert_int_equal(fake_count(&f, "importFileset"), 0);
}

static void steps_up_never_reach_the_server(void **state)
{
    (void)state;
    struct err err;

    assert_fails(start("/data/../etc/x.tif", NULL, &err), &err, REASON_BUG);
    assert_int_equal(fake_count(&f, "importFileset"), 0);
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

    assert_fails(om_import_start(f.client, &none, &imp, &err), &err, REASON_TOO_LARGE);
    assert_fails(om_import_start(f.client, &many, &imp, &err), &err, REASON_TOO_LARGE);
}

static void the_repository_is_asked_for_once_a_session(void **state)
{
    (void)state;
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    om_import_end(imp);
    imp = NULL;
    assert_ok(start("/a", NULL, &err), &err);
    assert_int_equal(fake_count(&f, "repositories"), 1);
}

/* --- upload --- */

static void a_small_file_is_one_write(void **state)
{
    (void)state;
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_null(om_import_hash(imp, 0));
    assert_ok(upload_abc(&err), &err);
    assert_int_equal(fake_count(&f, "write"), 1);
    assert_int_equal(fake_count(&f, "close"), 1);
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
    assert_int_equal(fake_count(&f, "write"), 1);
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
    assert_int_equal(fake_count(&f, "write"), 3);
    assert_int_equal(server.biggest_write, OM_BLOCK_BYTES);
    assert_int_equal(f.most_outstanding, 1);
}

static void a_file_of_whole_blocks_has_no_empty_write_at_its_end(void **state)
{
    (void)state;
    struct text_source zeros = {.left = OM_BLOCK_BYTES, .endless_zeros = true};
    struct err err;

    /* head -c 4194304 /dev/zero | sha1sum */
    server.saved_hash = "2bccbd2f38f15c13eb7d5a89fd9d85f595e23bc3";
    assert_ok(start("/a", NULL, &err), &err);
    assert_ok(upload(&zeros, -1, &err), &err);
    assert_int_equal(fake_count(&f, "write"), 1);
}

static void other_bytes_on_the_server_are_told(void **state)
{
    (void)state;
    struct err err;

    server.saved_hash = SHA1_EMPTY;
    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload_abc(&err), &err, REASON_CHECKSUM);
    assert_int_equal(fake_count(&f, "close"), 1);
    assert_null(om_import_hash(imp, 0));
}

static void a_file_of_another_size_than_before_is_told_and_may_be_sent_again(void **state)
{
    (void)state;
    struct text_source abc = {.left = 3};
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload(&abc, 4, &err), &err, REASON_CHANGED);
    assert_int_equal(fake_count(&f, "save"), 0);
    assert_int_equal(fake_count(&f, "close"), 1);
    assert_ok(upload_abc(&err), &err);
    assert_int_equal(fake_count(&f, "truncate"), 1);
    assert_int_equal(server.received, 3);
}

static void a_source_that_fails_ends_the_upload_in_order(void **state)
{
    (void)state;
    struct text_source broken = {.left = 9 << 20, .fail_after = 3 << 20, .endless_zeros = true};
    struct err err;

    assert_ok(start("/a", NULL, &err), &err);
    assert_fails(upload(&broken, -1, &err), &err, REASON_UNREADABLE);
    assert_int_equal(f.outstanding, 0);
    assert_int_equal(fake_count(&f, "close"), 1);
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
    assert_int_equal(fake_count(&f, "write"), 1);
    assert_int_equal(f.outstanding, 0);
}

/* --- verify, poll --- */

static void verify(void)
{
    int64_t fileset = 0;
    struct err err;

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
    assert_int_equal(fake_count(&f, "verifyUpload"), 1);
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
    assert_ok(upload_abc(&err), &err);
    assert_ok(om_import_verify(imp, &fileset, &err), &err);
}

static int poll_once(struct om_import_result *out, struct err *err)
{
    return om_import_poll(imp, mem, out, err);
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
    assert_fails(om_import_wait(imp, clock_after_ns(250 * NS_PER_MS), NULL, NULL, mem, &r, &err), &err, REASON_TIMEOUT);
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
    assert_fails(om_import_wait(imp, CLOCK_NEVER, no_longer, NULL, mem, &r, &err), &err, REASON_STOPPED);
}

static void a_handle_without_an_answer_is_never_closed(void **state)
{
    (void)state;
    verify();

    size_t closed = fake_count(&f, "close");

    om_import_end(imp);
    imp = NULL;
    assert_int_equal(fake_count(&f, "close"), closed + 1); /* the process, not the handle */
}

/* --- afterwards --- */

static void a_job_is_found_by_its_token_in_all_groups(void **state)
{
    (void)state;
    int64_t id = 0, size = 0;
    struct err err;

    assert_int_equal(om_import_find(f.client, "t", &id, &err), OM_ABSENT);
    server.n_filesets = 1;
    assert_int_equal(om_import_find(f.client, "t", &id, &err), 0);
    assert_int_equal(id, 98);
    assert_int_equal(f.groups[0], OM_GROUP_ALL);
    server.n_filesets = 2;
    assert_fails(om_import_find(f.client, "t", &id, &err), &err, REASON_UNKNOWN_OUTCOME);
    assert_ok(om_import_log_size(f.client, 98, &size, &err), &err);
    assert_int_equal(size, -1);
}

static void a_fileset_with_images_is_never_deleted(void **state)
{
    (void)state;
    struct err err;

    server.n_images = 1;
    assert_fails(om_fileset_delete_empty(f.client, 99, &err), &err, REASON_DUPLICATE);
    assert_int_equal(fake_count(&f, "submit"), 0);
    server.n_images = 0;
    server.says = SAYS_DONE;
    assert_ok(om_fileset_delete_empty(f.client, 99, &err), &err);
    assert_int_equal(fake_count(&f, "submit"), 1);
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
        T(a_small_file_is_one_write),
        T(a_file_of_no_bytes_is_one_empty_write),
        T(a_large_file_goes_in_blocks_with_one_write_out_at_a_time),
        T(a_file_of_whole_blocks_has_no_empty_write_at_its_end),
        T(other_bytes_on_the_server_are_told),
        T(a_file_of_another_size_than_before_is_told_and_may_be_sent_again),
        T(a_source_that_fails_ends_the_upload_in_order),
        T(a_listener_may_stop_the_upload),
        T(an_upload_is_verified_once_and_only_when_complete),
        T(a_mismatch_starts_nothing_and_can_be_mended),
        T(a_running_import_is_running_and_a_done_one_has_images),
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
