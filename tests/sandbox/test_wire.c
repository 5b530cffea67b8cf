/* Imports and deletes over a connection: what a real server refuses, and what it lets happen. */
#include "bench.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/uuid.h"

enum { TIFF_BYTES = 146 };

static int start(void **state)
{
    struct bench *b = mem_new(1, sizeof(*b));

    bench_start(b);
    *state = b;
    return 0;
}

static int stop(void **state)
{
    bench_stop(*state);
    mem_freep(state);
    return 0;
}

/* --- a grey TIFF of 4 x 4 pixels, by the specification (TIFF 6.0) --- */

static void put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}

static size_t make_tiff(uint8_t out[TIFF_BYTES])
{
    static const unsigned entries[][3] = {{256, 3, 4}, {257, 3, 4}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8},
                                          {277, 3, 1}, {278, 3, 4}, {279, 4, 16}};
    size_t at = 24;

    memset(out, 0, TIFF_BYTES);
    memcpy(out, "II*\0\x18", 5);
    put16(out + at, ARRAY_LEN(entries));
    at += 2;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++, at += 12) {
        put16(out + at, entries[i][0]);
        put16(out + at + 2, entries[i][1]);
        put16(out + at + 4, 1);
        put16(out + at + 8, entries[i][2]);
    }
    return at + 4;
}

/* --- an import --- */

struct import {
    struct om_fileset *fileset;
    struct om_grid_import_settings *settings;
    const struct ice_proxy *process;
    char hash[HASH_HEX_MAX];
};

static void add_job(struct client *c, struct om_fileset *fs)
{
    const struct om_fileset_job_link **links = arena_alloc(c->mem, 1, sizeof(struct om_fileset_job_link *));
    struct om_fileset_job_link *link = make(c, &om_fileset_job_link_class);

    link->parent = fs;
    link->child = make(c, &om_upload_job_class);
    links[0] = link;
    fs->job_links_seq = (struct om_fileset_job_links_seq){.n = 1, .at = links};
}

static void plan(struct client *c, struct import *imp, const char *path)
{
    struct om_fileset *fs = make(c, &om_fileset_class);
    struct om_fileset_entry *entry = make(c, &om_fileset_entry_class);
    const struct om_fileset_entry **entries = arena_alloc(c->mem, 1, sizeof(struct om_fileset_entry *));
    struct om_checksum_algorithm *a = make(c, &om_checksum_algorithm_class);

    *imp = (struct import){.fileset = fs, .settings = arena_alloc(c->mem, 1, sizeof(*imp->settings))};
    entry->fileset = fs;
    entry->client_path = text(c, path);
    entries[0] = entry;
    fs->used_files_seq = (struct om_fileset_used_files_seq){.n = 1, .at = entries};
    add_job(c, fs);
    a->value = text(c, "SHA1-160");
    imp->settings->cls = &om_grid_import_settings_class;
    imp->settings->checksum_algorithm = a;
}

static void begin(struct client *c, struct import *imp)
{
    const struct om_grid_managed_repository_import_fileset_in in = {.fs = imp->fileset, .settings = imp->settings};
    struct om_grid_managed_repository_import_fileset_out out = {0};

    client_must(c, c->repository, &om_grid_managed_repository_import_fileset_op, &in, &out);
    imp->process = out.ret;
}

static void refuse_begin(struct client *c, const struct import *imp, const struct ice_class *cls, const char *words)
{
    const struct om_grid_managed_repository_import_fileset_in in = {.fs = imp->fileset, .settings = imp->settings};

    client_throws(c, c->repository, &om_grid_managed_repository_import_fileset_op, &in, cls, words);
}

static const struct ice_proxy *uploader(struct client *c, const struct import *imp)
{
    const struct om_grid_import_process_get_uploader_in in = {.i = 0};
    struct om_grid_import_process_get_uploader_out out = {0};

    client_must(c, imp->process, &om_grid_import_process_get_uploader_op, &in, &out);
    return out.ret;
}

static void upload(struct client *c, struct import *imp)
{
    uint8_t bytes[TIFF_BYTES];
    size_t n = make_tiff(bytes);
    const struct om_api_raw_file_store_write_in in = {.buf = {.n = n, .at = bytes}, .length = (int32_t)n};
    struct om_api_raw_file_store_save_out saved = {0};
    AUTO(hash_freep) struct hash *h = hash_new("SHA1-160");
    const struct ice_proxy *store = uploader(c, imp);

    hash_add(h, bytes, n);
    hash_hex(h, imp->hash);
    client_must(c, store, &om_api_raw_file_store_write_op, &in, NULL);
    client_must(c, store, &om_api_raw_file_store_save_op, NULL, &saved);
    assert_string_equal(saved.ret->hash->val, imp->hash);
    assert_int_equal(saved.ret->size->val, n);
    client_must(c, store, &om_api_stateful_service_interface_close_op, NULL, NULL);
}

static const struct ice_proxy *verify(struct client *c, const struct import *imp)
{
    const char *hash = imp->hash;
    const struct om_grid_import_process_verify_upload_in in = {.hash = {.n = 1, .at = &hash}};
    struct om_grid_import_process_verify_upload_out out = {0};

    client_must(c, imp->process, &om_grid_import_process_verify_upload_op, &in, &out);
    assert_non_null(out.ret);
    return out.ret;
}

static const struct om_cmd_response *wait_for(struct client *c, const struct ice_proxy *handle)
{
    for (int i = 0; i < 1000; i++) {
        struct om_cmd_handle_get_response_out out = {0};
        client_must(c, handle, &om_cmd_handle_get_response_op, NULL, &out);
        if (out.ret)
            return out.ret;
        usleep(5000);
    }
    fail_msg("no response came");
    return NULL;
}

static void has_failed(struct client *c, const struct ice_proxy *handle, const char *name, const char *words)
{
    const struct om_cmd_response *r = wait_for(c, handle);
    const struct om_cmd_err *e = (const struct om_cmd_err *)r;
    struct om_cmd_handle_get_status_out status = {0};

    assert_string_equal(r->cls->id, om_cmd_err_class.id);
    assert_string_equal(e->category, "::omero::grid::ImportRequest");
    assert_string_equal(e->name, name);
    if (!strstr(e->parameters.at[0].value, words))
        fail_msg("nothing about '%s' in: %s", words, e->parameters.at[0].value);
    client_must(c, handle, &om_cmd_handle_get_status_op, NULL, &status);
    assert_int_equal(status.ret->flags.n, 2);
    assert_int_equal(status.ret->flags.at[0], OM_CMD_STATE_FAILURE);
    assert_int_equal(status.ret->flags.at[1], OM_CMD_STATE_CANCELLED);
}

static void uploaded(struct bench *b, struct client *c, struct import *imp)
{
    client_login(b, c, "alice");
    plan(c, imp, "home/x/a.tif");
    begin(c, imp);
    upload(c, imp);
}

/* --- beginning --- */

static void dots_in_a_client_path_are_refused(void **state)
{
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "../../etc/x.tif");
    refuse_begin(&c, &imp, &om_api_usage_exception_class, "..");
    client_close(&c);
}

static void a_checksum_algorithm_is_needed_and_known(void **state)
{
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");
    imp.settings->checksum_algorithm = NULL;
    refuse_begin(&c, &imp, &om_api_usage_exception_class, "must specify checksum algorithm");
    plan(&c, &imp, "a.tif");
    ((struct om_checksum_algorithm *)(uintptr_t)imp.settings->checksum_algorithm)->value = text(&c, "SHA-256");
    refuse_begin(&c, &imp, &om_validation_exception_class, "unknown checksum algorithm: SHA-256");
    client_close(&c);
}

static void exactly_one_upload_job_and_a_path_are_needed(void **state)
{
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");
    imp.fileset->job_links_seq.n = 0;
    refuse_begin(&c, &imp, &om_validation_exception_class, "Found more than one job link");
    plan(&c, &imp, "a.tif");
    imp.fileset->used_files_seq.n = 0;
    refuse_begin(&c, &imp, &om_api_usage_exception_class, "No paths provided");
    client_close(&c);
}

static void the_session_must_be_in_the_context(void **state)
{
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");

    const struct om_grid_managed_repository_import_fileset_in in = {.fs = imp.fileset, .settings = imp.settings};

    c.session = NULL;

    struct ice_reply r = client_call(&c, c.repository, &om_grid_managed_repository_import_fileset_op, &in, NULL);

    assert_int_equal(r.status, ICE_UNKNOWN);
    assert_non_null(strstr(r.text, "Uuid cannot be null"));
    client_close(&c);
}

/* --- verifying --- */

static void a_hash_in_capitals_is_a_mismatch_and_can_be_mended(void **state)
{
    struct bench *b = *state;
    struct import imp;
    struct client c;
    char capitals[HASH_HEX_MAX] = "";
    const char *hash = capitals;
    const struct om_grid_import_process_verify_upload_in in = {.hash = {.n = 1, .at = &hash}};

    uploaded(b, &c, &imp);
    for (size_t i = 0; imp.hash[i]; i++)
        capitals[i] = (char)toupper((unsigned char)imp.hash[i]);

    struct ice_reply r = client_call(&c, imp.process, &om_grid_import_process_verify_upload_op, &in, NULL);
    const struct om_checksum_validation_exception *e = (const void *)r.exception;

    assert_string_equal(e->cls->id, om_checksum_validation_exception_class.id);
    assert_int_equal(e->failing_checksums.n, 1);
    assert_int_equal(e->failing_checksums.at[0].key, 0);
    assert_string_equal(e->failing_checksums.at[0].value, imp.hash);
    assert_string_equal(wait_for(&c, verify(&c, &imp))->cls->id, om_grid_import_response_class.id);
    client_close(&c);
}

static void as_many_hashes_as_files_are_needed(void **state)
{
    const struct om_grid_import_process_verify_upload_in in = {0};
    struct import imp;
    struct client c;

    uploaded(*state, &c, &imp);
    client_throws(&c, imp.process, &om_grid_import_process_verify_upload_op, &in, &om_api_usage_exception_class,
                  "hashes size should be 1 not 0");
    client_close(&c);
}

static void a_file_that_was_never_opened_is_a_null_pointer(void **state)
{
    const char *hash = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    const struct om_grid_import_process_verify_upload_in in = {.hash = {.n = 1, .at = &hash}};
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");
    begin(&c, &imp);

    struct ice_reply r = client_call(&c, imp.process, &om_grid_import_process_verify_upload_op, &in, NULL);

    assert_int_equal(r.status, ICE_UNKNOWN);
    assert_non_null(strstr(r.text, "NullPointerException"));
    client_close(&c);
}

static void an_index_out_of_range_is_unknown(void **state)
{
    const struct om_grid_import_process_get_uploader_in in = {.i = 1};
    struct import imp;
    struct client c;

    uploaded(*state, &c, &imp);
    assert_int_equal(client_call(&c, imp.process, &om_grid_import_process_get_uploader_op, &in, NULL).status, ICE_UNKNOWN);
    client_close(&c);
}

static void a_second_verification_imports_twice(void **state)
{
    struct bench *b = *state;
    struct import imp;
    struct client c;
    int64_t before = count(b, "select count(*) from Image");

    uploaded(b, &c, &imp);
    for (int i = 0; i < 2; i++)
        assert_string_equal(wait_for(&c, verify(&c, &imp))->cls->id, om_grid_import_response_class.id);
    assert_int_equal(count(b, "select count(*) from Image"), before + 2);
    assert_int_equal(count(b, "select count(distinct fileset) from Image where id > (select max(id) - 2 from Image)"), 1);
    client_close(&c);
}

/* --- after it --- */

static void an_import_has_its_images_name_and_sizes(void **state)
{
    struct bench *b = *state;
    struct import imp;
    struct client c;

    uploaded(b, &c, &imp);

    const struct om_cmd_response *r = wait_for(&c, verify(&c, &imp));

    assert_string_equal(r->cls->id, om_grid_import_response_class.id);

    const struct om_grid_import_response *done = (const struct om_grid_import_response *)r;

    assert_int_equal(done->pixels.n, 1);
    assert_int_equal(done->objects.n, 1);
    assert_string_equal(((const struct om_image *)(const void *)done->objects.at[0])->name->val, "a.tif");
    assert_int_equal(done->pixels.at[0]->size_x->val, 4);
    assert_int_equal(done->pixels.at[0]->size_y->val, 4);
    assert_true(count(b,
            "select size from OriginalFile where mimetype = 'application/omero-log-file' order by id desc limit 1") > 0);
    client_close(&c);
}

static void a_dead_annotation_fails_after_the_upload(void **state)
{
    struct bench *b = *state;
    struct import imp;
    struct client c;
    const struct om_annotation *notes[1];
    int64_t before = count(b, "select count(*) from Image");

    client_login(b, &c, "alice");
    plan(&c, &imp, "a.tif");
    notes[0] = refer(&c, &om_tag_annotation_class, 999999);
    imp.settings->user_specified_annotation_list = (struct om_api_annotation_list){.n = 1, .at = notes};
    begin(&c, &imp);
    upload(&c, &imp);
    has_failed(&c, verify(&c, &imp), "error-on-init", "No row with the given identifier exists");
    assert_int_equal(count(b, "select count(*) from Image"), before);
    assert_true(count(b,
            "select size from OriginalFile where mimetype = 'application/omero-log-file' order by id desc limit 1") > 0);
    client_close(&c);
}

static void a_dead_target_fails_after_the_upload(void **state)
{
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");
    imp.settings->user_specified_target = refer(&c, &om_dataset_class, 999999);
    begin(&c, &imp);
    upload(&c, &imp);
    has_failed(&c, verify(&c, &imp), "import-request-failure", "No row with the given identifier exists");
    client_close(&c);
}

static void a_file_that_cannot_be_read_fails_at_the_start(void **state)
{
    const struct om_api_raw_file_store_write_in in = {.buf = {.n = 8, .at = (const uint8_t *)"II*\0\xff\xff\0\0"}, .length = 8};
    AUTO(hash_freep) struct hash *h = hash_new("SHA1-160");
    const struct om_cmd_response *r;
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "broken.tif");
    begin(&c, &imp);

    const struct ice_proxy *store = uploader(&c, &imp);

    client_must(&c, store, &om_api_raw_file_store_write_op, &in, NULL);
    client_must(&c, store, &om_api_stateful_service_interface_close_op, NULL, NULL);
    hash_add(h, in.buf.at, in.buf.n);
    hash_hex(h, imp.hash);
    r = wait_for(&c, verify(&c, &imp));
    assert_string_equal(r->cls->id, om_cmd_err_class.id);
    assert_string_equal(((const struct om_cmd_err *)r)->name, "error-on-init");
    client_close(&c);
}

/* --- writing --- */

static void more_than_was_sent_is_not_written(void **state)
{
    const struct om_api_raw_file_store_write_in in = {.buf = {.n = 1, .at = (const uint8_t *)"x"}, .length = 2};
    struct import imp;
    struct client c;

    client_login(*state, &c, "alice");
    plan(&c, &imp, "a.tif");
    begin(&c, &imp);
    client_throws(&c, uploader(&c, &imp), &om_api_raw_file_store_write_op, &in, &om_api_usage_exception_class,
                  "newLimit > capacity");
    client_close(&c);
}

static unsigned overlaps(struct bench *b)
{
    pthread_mutex_lock(&b->server.lock);
    unsigned n = b->server.overlaps;
    pthread_mutex_unlock(&b->server.lock);
    return n;
}

/* Hashing takes a while, during which the second call comes. */
static void two_calls_at_a_time_on_an_uploader_are_counted(void **state)
{
    struct bench *b = *state;
    const struct om_api_raw_file_store_write_in in = {
        .buf = {.n = 1, .at = (const uint8_t *)"x"}, .position = INT64_C(200) << 20, .length = 1};
    const struct ice_op *const ops[] = {&om_api_raw_file_store_save_op, &om_api_raw_file_store_size_op};
    struct err err = ERR_INIT;
    struct import imp;
    struct client c;
    int32_t ids[2];

    client_login(b, &c, "alice");
    plan(&c, &imp, "a.tif");
    begin(&c, &imp);

    const struct ice_proxy *store = uploader(&c, &imp);
    const struct ice_pair pair = {"omero.session.uuid", c.session};
    const struct ice_context ctx = {.n = 1, .at = &pair};

    client_must(&c, store, &om_api_raw_file_store_write_op, &in, NULL);
    client_must(&c, store, &om_api_raw_file_store_size_op, NULL, NULL);
    assert_int_equal(overlaps(b), 0);
    for (int i = 0; i < 2; i++)
        assert_ok(ice_conn_send(c.conn, &store->id, ops[i], &ctx, ICE_ENC_1_1, NULL, INT64_MAX, &ids[i], &err), &err);
    for (int i = 0; i < 2; i++) {
        struct ice_reply reply = {0};
        void *out = arena_alloc(c.mem, ops[i]->out_size, 1);
        assert_ok(ice_conn_wait(c.conn, ids[i], ops[i], INT64_MAX, c.mem, out, &reply, &err), &err);
        assert_int_equal(reply.status, ICE_OK);
    }
    assert_int_equal(overlaps(b), 1);
    client_close(&c);
}

/* --- deleting --- */

static const struct om_cmd_response *delete_one(struct client *c, const char *type, int64_t id)
{
    const struct om_api_string_long_list_map_entry target = {.key = type, .value = {.n = 1, .at = &id}};
    const struct om_cmd_delete2 command = {.cls = &om_cmd_delete2_class, .target_objects = {.n = 1, .at = &target}};
    const struct om_cmd_session_submit_in in = {.req = (const struct om_cmd_request *)&command};
    struct om_cmd_session_submit_out out = {0};

    client_must(c, c->factory, &om_cmd_session_submit_op, &in, &out);
    return wait_for(c, out.ret);
}

static void a_missing_id_fails_a_delete(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");

    const struct om_cmd_response *r = delete_one(&c, "Dataset", 999999);

    assert_string_equal(r->cls->id, om_cmd_graph_exception_class.id);

    const struct om_cmd_err *e = (const struct om_cmd_err *)r;
    const char *stack = "";

    assert_string_equal(e->name, "graph-fail");
    for (size_t i = 0; i < e->parameters.n; i++)
        if (strcmp(e->parameters.at[i].key, "stacktrace") == 0)
            stack = e->parameters.at[i].value;
    assert_non_null(strstr(stack, "cannot read ome.model.containers.Dataset[999999]"));
    client_close(&c);
}

static void one_of_two_images_of_a_fileset_is_not_deleted(void **state)
{
    struct bench *b = *state;
    struct import imp;
    struct client c;

    uploaded(b, &c, &imp);
    for (int i = 0; i < 2; i++)
        (void)wait_for(&c, verify(&c, &imp));

    int64_t image = count(b, "select max(id) from Image");

    assert_string_equal(delete_one(&c, "Image", image)->cls->id, om_cmd_graph_exception_class.id);
    assert_int_equal(count(b, "select max(id) from Image"), image);
    assert_string_equal(delete_one(&c, "Fileset", count(b, "select max(id) from Fileset"))->cls->id,
                        om_cmd_delete2_response_class.id);
    assert_true(count(b, "select max(id) from Image") < image);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_in_a_client_path_are_refused),
        cmocka_unit_test(a_checksum_algorithm_is_needed_and_known),
        cmocka_unit_test(exactly_one_upload_job_and_a_path_are_needed),
        cmocka_unit_test(the_session_must_be_in_the_context),
        cmocka_unit_test(a_hash_in_capitals_is_a_mismatch_and_can_be_mended),
        cmocka_unit_test(as_many_hashes_as_files_are_needed),
        cmocka_unit_test(a_file_that_was_never_opened_is_a_null_pointer),
        cmocka_unit_test(an_index_out_of_range_is_unknown),
        cmocka_unit_test(a_second_verification_imports_twice),
        cmocka_unit_test(an_import_has_its_images_name_and_sizes),
        cmocka_unit_test(a_dead_annotation_fails_after_the_upload),
        cmocka_unit_test(a_dead_target_fails_after_the_upload),
        cmocka_unit_test(a_file_that_cannot_be_read_fails_at_the_start),
        cmocka_unit_test(more_than_was_sent_is_not_written),
        cmocka_unit_test(two_calls_at_a_time_on_an_uploader_are_counted),
        cmocka_unit_test(a_missing_id_fails_a_delete),
        cmocka_unit_test(one_of_two_images_of_a_fileset_is_not_deleted),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
