#include "import_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "fake.h"
#include "omero/import.h"
#include "omero/object.h"

struct import_server server;

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

    o->size = om_rlong(mem, server.several ? 3 : server.received);
    o->hash = om_rstring(mem, server.saved_hash);
    return o;
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

    s->stop_time = server.says != SAYS_NOTHING;
    if (server.says == SAYS_FAILURE || server.says == SAYS_ERR)
        s->flags = (struct om_cmd_state_list){.n = 2, .at = failed};
    return s;
}

static void query(const void *in, struct om_rtype_seq_seq *out, struct arena *mem)
{
    if (strstr(fake_hql(in), "UploadJob"))
        *out = fake_rows(mem, "l", server.n_filesets, 99, 98);
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

static int lose(struct fake *f, struct err *err)
{
    server.lose_at = NULL;
    f->client->dead = true;
    return err_set(err, REASON_LOST, 0, "cut");
}

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    if (server.lose_at && strcmp(op->name, server.lose_at) == 0)
        return lose(f, err);
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
    else if (op == &om_api_raw_file_store_write_op && !server.several)
        write_block(in);
    else if (op == &om_api_raw_file_store_truncate_op)
        server.received = 0;
    else if (op == &om_api_raw_file_store_save_op)
        *(const struct om_original_file **)out = saved_file(mem);
    else if (op == &om_grid_import_process_verify_upload_op && server.bad_verify)
        return fake_throw(f, &om_checksum_validation_exception_class, REASON_CHECKSUM, "bytes", err);
    else if (op == &om_grid_import_process_verify_upload_op)
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "handle", "", NULL, 0);
    else if (op == &om_cmd_handle_get_response_op)
        *(const struct om_cmd_response **)out = response(mem);
    else if (op == &om_cmd_handle_get_status_op)
        *(const struct om_cmd_status **)out = status(mem);
    else if (op == &om_api_iquery_projection_op)
        query(in, out, mem);
    else if (op == &om_cmd_session_submit_op)
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "handle", "", NULL, 0);
    else
        assert_true(strcmp(op->name, "close") == 0 || strcmp(op->name, "keepAlive") == 0 || strcmp(op->name, "write") == 0 ||
                    strstr(op->name, "OnDestroy"));
    return 0;
}

struct fake fake;
struct arena *test_mem;
struct om_import *imp;

int setup(void **state)
{
    (void)state;
    memset(&server, 0, sizeof(server));
    server.algorithm = "SHA1-160";
    server.saved_hash = SHA1_ABC;
    imp = NULL;
    test_mem = arena_new();
    fake_init(&fake, answer);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    om_import_end(imp);
    fake_clear(&fake);
    arena_free(test_mem);
    clock_inject(NULL);
    return 0;
}

int start(const char *first, const char *second, struct err *err)
{
    const struct om_import_file files[] = {{first}, {second}};
    const struct om_import_plan plan = {
        .n_files = second ? 2 : 1, .files = files, .dataset = 12, .token = "job-token", .reader = "loci.formats.in.TiffReader"};

    return om_import_start(fake.client, &plan, &imp, err);
}

/* --- a source of bytes --- */


ssize_t read_text(void *arg, void *at, size_t n, struct err *err)
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

int upload(struct text_source *s, int64_t expected, struct err *err)
{
    const struct om_source source = {.read = read_text, .arg = s, .size = expected};

    return om_import_upload(imp, 0, &source, err);
}

int upload_abc(struct err *err)
{
    struct text_source abc = {.left = 3};

    return upload(&abc, 3, err);
}
