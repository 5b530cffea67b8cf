/* Imports, as strict as OMERO.server 5.6.17 was with the same calls; paths as OMERO's own path classes made them
 * (tests/data/client-paths.json). */
#include "inside.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/slurp.h"
#include "sandbox/import.h"
#include "sandbox/objects.h"

/* --- the steps of an import --- */

static struct servant *repository(struct inside *in)
{
    struct servant *v = in->server.common;

    while (v->kind != &repository_kind)
        v = v->next;
    return v;
}

struct wanted {
    const char *const *paths;
    size_t n;
    const char *algorithm; /* NULL: none */
    bool no_job;
    const struct om_iobject *target;
    const struct om_annotation *note;
};

static const struct om_fileset *fileset_of(struct arena *mem, const struct wanted *w)
{
    struct om_fileset *fs = object_new(mem, &om_fileset_class);
    const struct om_fileset_entry **entries = arena_alloc(mem, w->n, sizeof(struct om_fileset_entry *));
    const struct om_fileset_job_link **links = arena_alloc(mem, 1, sizeof(struct om_fileset_job_link *));
    struct om_fileset_job_link *link = object_new(mem, &om_fileset_job_link_class);

    for (size_t i = 0; i < w->n; i++) {
        struct om_fileset_entry *e = object_new(mem, &om_fileset_entry_class);
        e->client_path = r_string(mem, w->paths[i]);
        entries[i] = e;
    }
    link->child = object_new(mem, &om_upload_job_class);
    links[0] = link;
    fs->used_files_seq = (struct om_fileset_used_files_seq){.n = w->n, .at = entries};
    fs->job_links_seq = (struct om_fileset_job_links_seq){.n = !w->no_job, .at = links};
    return fs;
}

static const struct om_grid_import_settings *settings_of(struct arena *mem, const struct wanted *w)
{
    struct om_grid_import_settings *s = object_new(mem, &om_grid_import_settings_class);
    const struct om_annotation **notes = arena_alloc(mem, 1, sizeof(struct om_annotation *));

    notes[0] = w->note;
    s->user_specified_target = w->target;
    s->user_specified_annotation_list = (struct om_api_annotation_list){.n = w->note != NULL, .at = notes};
    if (w->algorithm) {
        struct om_checksum_algorithm *a = object_new(mem, &om_checksum_algorithm_class);
        a->value = r_string(mem, w->algorithm);
        s->checksum_algorithm = a;
    }
    return s;
}

static int begin(struct inside *in, const struct wanted *w, struct call *c)
{
    const struct om_grid_managed_repository_import_fileset_in args = {.fs = fileset_of(in->mem, w), .settings = settings_of(in->mem, w)};

    return inside_call(in, in->alice, repository(in), &om_grid_managed_repository_import_fileset_op, &args, c);
}

static const char *const one_path[] = {"home/alice/a.tif"};
static const struct wanted plain = {.paths = one_path, .n = 1, .algorithm = "SHA1-160"};

static struct servant *begun(struct inside *in, const struct wanted *w)
{
    struct call c;

    if (begin(in, w, &c) < 0)
        fail_msg("importFileset: %s", inside_thrown(&c));
    return inside_servant(in, in->alice, ((const struct om_grid_managed_repository_import_fileset_out *)c.out)->ret);
}

static struct servant *uploader(struct inside *in, struct servant *process, int32_t i)
{
    const struct om_grid_import_process_get_uploader_in args = {.i = i};
    struct call c;

    assert_int_equal(inside_call(in, in->alice, process, &om_grid_import_process_get_uploader_op, &args, &c), 0);
    return inside_servant(in, in->alice, ((const struct om_grid_import_process_get_uploader_out *)c.out)->ret);
}

static void sample_bytes(struct buf *out)
{
    AUTO(mem_freep) char *path = mem_printf("%s/Spindle orientation/embryo 1/field_0001.tif", getenv("SAMPLE"));
    struct err err = ERR_INIT;

    assert_ok(slurp(path, out, &err), &err);
}

/* Upload the bytes and close; their SHA-1. */
static const char *upload(struct inside *in, struct servant *process, const struct buf *bytes)
{
    const struct om_api_raw_file_store_write_in args = {
        .buf = {.n = bytes->len, .at = bytes->data}, .position = 0, .length = (int32_t)bytes->len};
    struct servant *store = uploader(in, process, 0);
    AUTO(hash_freep) struct hash *hash = hash_new("SHA1-160");
    char hex[HASH_HEX_MAX];
    struct call c;

    assert_int_equal(inside_call(in, in->alice, store, &om_api_raw_file_store_write_op, &args, &c), 0);
    assert_int_equal(inside_call(in, in->alice, store, &om_api_stateful_service_interface_close_op, NULL, &c), 0);
    hash_add(hash, bytes->data, bytes->len);
    hash_hex(hash, hex);
    return arena_str(in->mem, hex);
}

static int verify(struct inside *in, struct servant *process, const char *const *hashes, size_t n, struct call *c)
{
    const struct om_grid_import_process_verify_upload_in args = {.hash = {.n = n, .at = hashes}};

    return inside_call(in, in->alice, process, &om_grid_import_process_verify_upload_op, &args, c);
}

/* Upload the sample, verify, run; the answer. */
static const struct om_cmd_response *imported(struct inside *in, const struct wanted *w)
{
    AUTO(buf_clear) struct buf bytes = BUF_INIT(1 << 20);
    struct servant *process = begun(in, w);
    const char *hash;
    struct call c;

    sample_bytes(&bytes);
    hash = upload(in, process, &bytes);
    if (verify(in, process, &hash, 1, &c) < 0)
        fail_msg("verifyUpload: %s", inside_thrown(&c));
    inside_run_tasks(in);
    return inside_response(in, in->alice, ((const struct om_grid_import_process_verify_upload_out *)c.out)->ret);
}

static void assert_err(const struct om_cmd_response *r, const char *name)
{
    assert_non_null(r);
    assert_ptr_equal(r->cls, &om_cmd_err_class);
    assert_string_equal(((const struct om_cmd_err *)(const void *)r)->category, "::omero::grid::ImportRequest");
    assert_string_equal(((const struct om_cmd_err *)(const void *)r)->name, name);
}

static void assert_thrown(const struct call *c, const struct ice_class *cls, const char *words)
{
    assert_int_equal(c->status, ICE_USER_EXCEPTION);
    assert_string_equal(c->exception->cls->id, cls->id);
    assert_non_null(strstr(inside_thrown(c), words));
}

/* --- importFileset --- */

static void a_fileset_needs_algorithm_job_and_paths(void **state)
{
    struct inside *in = *state;
    struct wanted w = plain;
    struct call c;

    w.algorithm = NULL;
    assert_int_equal(begin(in, &w, &c), -1);
    assert_thrown(&c, &om_api_usage_exception_class, "must specify checksum algorithm");
    w.algorithm = "SHA9";
    assert_int_equal(begin(in, &w, &c), -1);
    assert_thrown(&c, &om_validation_exception_class, "unknown checksum algorithm: SHA9");
    w = plain;
    w.no_job = true;
    assert_int_equal(begin(in, &w, &c), -1);
    assert_thrown(&c, &om_validation_exception_class, "Found more than one job link");
    w = plain;
    w.n = 0;
    assert_int_equal(begin(in, &w, &c), -1);
    assert_thrown(&c, &om_api_usage_exception_class, "No paths provided");
    assert_int_equal(inside_count(in, "Fileset"), 0);
}

static void a_path_twice_is_refused(void **state)
{
    static const char *const twice[] = {"d/a?.tif", "d/a%.tif"}; /* the same once they are cleaned */
    struct inside *in = *state;
    const struct wanted w = {.paths = twice, .n = 2, .algorithm = "SHA1-160"};
    struct call c;

    assert_int_equal(begin(in, &w, &c), -1);
    assert_thrown(&c, &om_validation_exception_class, "duplicate key");
}

static void a_way_upwards_is_refused(void **state)
{
    static const char *const bad[] = {"../../x.tif", "d/../x.tif", "..", "/", "", "."};
    struct inside *in = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct wanted w = {.paths = &bad[i], .n = 1, .algorithm = "SHA1-160"};
        struct call c;
        assert_int_equal(begin(in, &w, &c), -1);
        assert_thrown(&c, &om_api_usage_exception_class, "upwards");
    }
}

static void names_are_cleaned_as_omero_does(void **state)
{
    struct inside *in = *state;
    AUTO(mem_freep) char *file = mem_printf("%s/client-paths.json", getenv("TEST_DATA"));
    json_t *all = json_load_file(file, 0, NULL), *pair;
    struct call c = {.server = &in->server, .mem = in->mem};
    size_t i;

    assert_true(json_array_size(json_object_get(all, "vectors")) > 10);
    json_array_foreach(json_object_get(all, "vectors"), i, pair)
    {
        const char *sent = json_string_value(json_array_get(pair, 0)), *name;
        int32_t omitted;
        assert_int_equal(import_paths(&c, &sent, 1, NULL, &name, &omitted), 0);
        assert_string_equal(name, json_string_value(json_array_get(pair, 1)));
    }
    json_decref(all);
}

static void leading_directories_go_as_far_as_omero_lets_them(void **state)
{
    static const struct {
        const char *reader, *sent[2], *kept[2];
        size_t n;
    } cases[] = {
        {NULL, {"home/alice/data/exp1/a.tif"}, {"alice/data/exp1/a.tif"}, 1},
        {"loci.formats.in.TiffReader", {"home/alice/x y.tif"}, {"x y.tif"}, 1},
        {NULL, {"a/b/c/d/e/1.tif", "a/b/c/d/f/2.tif"}, {"c/d/e/1.tif", "c/d/f/2.tif"}, 2},
    };
    struct inside *in = *state;
    struct call c = {.server = &in->server, .mem = in->mem};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *names[2];
        int32_t omitted;
        assert_int_equal(import_paths(&c, cases[i].sent, cases[i].n, cases[i].reader, names, &omitted), 0);
        for (size_t k = 0; k < cases[i].n; k++)
            assert_string_equal(names[k], cases[i].kept[k]);
    }
}

/* --- uploads --- */

static void a_write_is_no_longer_than_its_bytes(void **state)
{
    struct inside *in = *state;
    const struct om_api_raw_file_store_write_in args = {.buf = {.n = 3, .at = (const uint8_t *)"abc"}, .position = 0, .length = 4};
    struct call c;

    assert_int_equal(inside_call(in, in->alice, uploader(in, begun(in, &plain), 0), &om_api_raw_file_store_write_op, &args, &c), -1);
    assert_thrown(&c, &om_api_usage_exception_class, "newLimit > capacity");
}

static void an_uploader_is_the_same_until_it_is_closed(void **state)
{
    struct inside *in = *state;
    struct servant *process = begun(in, &plain), *first = uploader(in, process, 0);
    const struct om_api_raw_file_store_write_in args = {.buf = {.n = 3, .at = (const uint8_t *)"abc"}, .position = 10, .length = 3};
    const struct om_grid_import_process_get_upload_offset_in zero = {0};
    struct call c;

    assert_ptr_equal(uploader(in, process, 0), first);
    assert_int_equal(inside_call(in, in->alice, first, &om_api_raw_file_store_write_op, &args, &c), 0);
    assert_int_equal(inside_call(in, in->alice, first, &om_api_raw_file_store_size_op, NULL, &c), 0);
    assert_int_equal(((const struct om_api_raw_file_store_size_out *)c.out)->ret, 13);
    assert_int_equal(inside_call(in, in->alice, process, &om_grid_import_process_get_upload_offset_op, &zero, &c), 0);
    assert_int_equal(((const struct om_grid_import_process_get_upload_offset_out *)c.out)->ret, 13);
    assert_int_equal(inside_call(in, in->alice, first, &om_api_stateful_service_interface_close_op, NULL, &c), 0);
    assert_int_equal(inside_call(in, in->alice, process, &om_grid_import_process_get_upload_offset_op, &zero, &c), 0);
    assert_int_equal(((const struct om_grid_import_process_get_upload_offset_out *)c.out)->ret, 0);
}

static void an_index_out_of_range_is_status_7(void **state)
{
    struct inside *in = *state;
    const struct om_grid_import_process_get_uploader_in args = {.i = 1};
    struct call c;

    assert_int_equal(inside_call(in, in->alice, begun(in, &plain), &om_grid_import_process_get_uploader_op, &args, &c), -1);
    assert_int_equal(c.status, ICE_UNKNOWN);
}

/* --- verification --- */

static void hashes_are_counted_and_compared_in_lower_case(void **state)
{
    struct inside *in = *state;
    struct servant *process = begun(in, &plain);
    const struct buf bytes = {.data = (uint8_t[]){'a', 'b', 'c'}, .len = 3};
    const char *right, *upper = "A9993E364706816ABA3E25717850C26C9CD0D89D"; /* FIPS 180-1, "abc" */
    struct call c;

    assert_int_equal(verify(in, process, &upper, 1, &c), -1);
    assert_int_equal(c.status, ICE_UNKNOWN); /* never opened: a NullPointerException */
    right = upload(in, process, &bytes);
    assert_int_equal(verify(in, process, NULL, 0, &c), -1);
    assert_thrown(&c, &om_api_usage_exception_class, "hashes size should be 1 not 0");
    assert_int_equal(verify(in, process, &upper, 1, &c), -1);
    assert_thrown(&c, &om_checksum_validation_exception_class, "checksum mismatch");

    const struct om_checksum_validation_exception *e = (const void *)c.exception;

    assert_int_equal(e->failing_checksums.n, 1);
    assert_int_equal(e->failing_checksums.at[0].key, 0);
    assert_string_equal(e->failing_checksums.at[0].value, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(verify(in, process, &right, 1, &c), 0);
}

static void a_second_verification_imports_a_second_time(void **state)
{
    struct inside *in = *state;
    AUTO(buf_clear) struct buf bytes = BUF_INIT(1 << 20);
    struct servant *process = begun(in, &plain);
    const char *hash;
    struct call c;

    sample_bytes(&bytes);
    hash = upload(in, process, &bytes);
    assert_int_equal(verify(in, process, &hash, 1, &c), 0);
    assert_int_equal(verify(in, process, &hash, 1, &c), 0);
    inside_run_tasks(in);
    assert_int_equal(inside_count(in, "Image"), 2);
    assert_int_equal(inside_count(in, "Fileset"), 1);
}

/* --- what comes of it --- */

static void an_image_is_in_the_dataset_with_its_annotation(void **state)
{
    struct inside *in = *state;
    int64_t dataset = inside_add(in, in->alice, "Dataset", "d"), tag = inside_add(in, in->alice, "TagAnnotation", "t");
    struct wanted w = plain;

    w.target = object_ref(in->mem, &om_dataset_class, dataset);
    w.note = (const void *)object_ref(in->mem, &om_tag_annotation_class, tag);

    const struct om_grid_import_response *r = (const void *)imported(in, &w);

    assert_ptr_equal(r->cls, &om_grid_import_response_class);
    assert_int_equal(r->objects.n, 1);
    assert_string_equal(((const struct om_image *)(const void *)r->objects.at[0])->name->val, "a.tif");
    assert_int_equal(r->pixels.at[0]->size_x->val, 64);
    assert_int_equal(r->pixels.at[0]->size_y->val, 48);
    assert_int_equal(inside_count(in, "DatasetImageLink"), 1);
    assert_int_equal(inside_count(in, "ImageAnnotationLink"), 1);
}

static void a_dead_annotation_or_target_fails_after_the_upload(void **state)
{
    struct inside *in = *state;
    struct wanted w = plain;

    w.note = (const void *)object_ref(in->mem, &om_tag_annotation_class, 4711);
    assert_err(imported(in, &w), "error-on-init");
    w = plain;
    w.target = object_ref(in->mem, &om_dataset_class, 4711);
    assert_err(imported(in, &w), "import-request-failure");
    w.target = object_ref(in->mem, &om_project_class, inside_add(in, in->alice, "Project", "p"));
    assert_err(imported(in, &w), "import-request-failure");
    w.target = object_ref(in->mem, &om_dataset_class, inside_add(in, in->bob, "Dataset", "his")); /* rwra--: no links into it */
    assert_err(imported(in, &w), "import-request-failure");
    assert_int_equal(inside_count(in, "Image"), 0);
}

static int64_t log_size(struct inside *in)
{
    return store_long(in->server.store, -1, "select size from OriginalFile where mimetype = 'application/omero-log-file'", "");
}

static void the_log_has_a_size_once_the_import_failed(void **state)
{
    struct inside *in = *state;
    struct servant *process = begun(in, &plain);
    const struct buf bytes = {.data = (uint8_t[]){'I', 'I', '*', 0}, .len = 4};
    const char *hash = upload(in, process, &bytes);
    struct call c;

    assert_int_equal(verify(in, process, &hash, 1, &c), 0);
    assert_int_equal(log_size(in), -1);
    inside_run_tasks(in);
    assert_true(log_size(in) > 0);
    assert_err(inside_response(in, in->alice, ((const struct om_grid_import_process_verify_upload_out *)c.out)->ret), "error-on-init");
}

static void a_cancelled_import_is_not_ready(void **state)
{
    struct inside *in = *state;
    AUTO(buf_clear) struct buf bytes = BUF_INIT(1 << 20);
    struct servant *process = begun(in, &plain);
    const char *hash;
    struct call c;

    sample_bytes(&bytes);
    hash = upload(in, process, &bytes);
    assert_int_equal(verify(in, process, &hash, 1, &c), 0);

    const struct ice_proxy *handle = ((const struct om_grid_import_process_verify_upload_out *)c.out)->ret;

    assert_int_equal(inside_call(in, in->alice, inside_servant(in, in->alice, handle), &om_cmd_handle_cancel_op, NULL, &c), 0);
    inside_run_tasks(in);
    assert_err(inside_response(in, in->alice, handle), "not-ready");
    assert_int_equal(inside_count(in, "Image"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, inside_set_up, inside_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_fileset_needs_algorithm_job_and_paths),
        TEST(a_path_twice_is_refused),
        TEST(a_way_upwards_is_refused),
        TEST(names_are_cleaned_as_omero_does),
        TEST(leading_directories_go_as_far_as_omero_lets_them),
        TEST(a_write_is_no_longer_than_its_bytes),
        TEST(an_uploader_is_the_same_until_it_is_closed),
        TEST(an_index_out_of_range_is_status_7),
        TEST(hashes_are_counted_and_compared_in_lower_case),
        TEST(a_second_verification_imports_a_second_time),
        TEST(an_image_is_in_the_dataset_with_its_annotation),
        TEST(a_dead_annotation_or_target_fails_after_the_upload),
        TEST(the_log_has_a_size_once_the_import_failed),
        TEST(a_cancelled_import_is_not_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
