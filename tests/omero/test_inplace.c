/* Import in place, with a directory that plays OMERO's repository. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake.h"
#include "omero/inplace.h"
#include "omero/inplace_why.h"
#include "omero/object.h"

/* SHA-1 of "abc" (FIPS 180). */
#define SHA1_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"

static char dir[] = "/tmp/impomero-inplace-XXXXXX";
static char in_repository[128], elsewhere[128], source_file[128];

static struct {
    const char *writes_to; /* where a write to the server ends up; NULL = a file system that is not seen here */
    const char *saved_hash, *root;
    const char *reads_from; /* what it sees at the file's place; NULL = in_repository */
    bool last_mode_was_r;
    char class_name[128]; /* of the transfer, as the fileset says it */
    int64_t deleted;      /* filesets */
} server;

static const struct om_original_file *file(struct arena *mem, const char *path, const char *name, const char *hash)
{
    struct om_original_file *o = om_object_new(mem, &om_original_file_class);

    o->path = om_rstring(mem, path);
    o->name = om_rstring(mem, name);
    o->size = om_rlong(mem, 3);
    o->hash = om_rstring(mem, hash);
    return o;
}

static void store(const struct om_api_raw_file_store_write_in *w)
{
    FILE *f = server.writes_to ? fopen(server.writes_to, "w") : NULL;

    if (f) {
        fwrite(w->buf.at, 1, w->buf.n, f);
        fclose(f);
    }
}

/* The first bytes of what the server sees; the count, or -1. */
static int64_t load(uint8_t *at, size_t n)
{
    FILE *f = fopen(server.reads_from ? server.reads_from : in_repository, "r");
    int64_t got = f ? (int64_t)fread(at, 1, n, f) : -1;

    if (f)
        fclose(f);
    return got;
}

static void see_transfer(const struct om_fileset *fs)
{
    if (fs->annotation_links_seq.n != 1)
        return;

    const struct om_comment_annotation *note = (const void *)fs->annotation_links_seq.at[0]->child;

    assert_string_equal(note->ns->val, "openmicroscopy.org/omero/import/fileTransfer");
    snprintf(server.class_name, sizeof(server.class_name), "%s", note->text_value->val);
}

static int answer_read(const struct ice_op *op, void *out, struct fake *f, struct arena *mem, struct err *err)
{
    uint8_t *bytes = arena_alloc(mem, 1000, 1);
    int64_t n = load(bytes, 1000);

    if (n < 0 && op == &om_api_raw_file_store_read_op)
        return fake_throw(f, &om_internal_exception_class, REASON_SERVER_ERROR, "(Permission denied)", err);
    if (op == &om_api_raw_file_store_size_op)
        *(int64_t *)out = n < 0 ? 0 : n;
    else
        *(struct om_ice_byte_seq *)out = (struct om_ice_byte_seq){.n = (size_t)n, .at = bytes};
    return 0;
}

/* What a trial asks afterwards: its fileset, and whether it has images. */
static struct om_rtype_seq_seq rows_for(const void *in, struct arena *mem)
{
    if (strstr(fake_hql(in), "UploadJob"))
        return fake_rows(mem, "l", 1, (int64_t)7);
    return strstr(fake_hql(in), "from Image") ? fake_rows(mem, "lSI", 0) : fake_rows(mem, "ss", 1, "set/", "a.tif");
}

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)to;
    if (op == &om_grid_shared_resources_repositories_op) {
        const struct ice_proxy **p = arena_alloc(mem, 1, sizeof(*p));
        p[0] = ice_proxy_make(mem, "managed", "", NULL, 0);
        ((struct om_grid_repository_map *)out)->proxies = (struct om_grid_repository_proxy_list){.n = 1, .at = p};
    } else if (op == &om_ice_object_ice_is_a_op)
        *(bool *)out = true;
    else if (op == &om_grid_managed_repository_suggest_checksum_algorithm_op) {
        struct om_checksum_algorithm *a = om_object_new(mem, &om_checksum_algorithm_class);
        a->value = om_rstring(mem, "SHA1-160");
        *(const struct om_checksum_algorithm **)out = a;
    } else if (op == &om_grid_managed_repository_import_fileset_op || op == &om_grid_import_process_get_uploader_op) {
        server.last_mode_was_r = f->client->file_mode && strcmp(f->client->file_mode, "r") == 0;
        if (op == &om_grid_managed_repository_import_fileset_op)
            see_transfer(((const struct om_grid_managed_repository_import_fileset_in *)in)->fs);
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "x", "", NULL, 0);
    } else if (op == &om_api_raw_file_store_get_file_id_op)
        *(const struct om_rlong **)out = om_rlong(mem, 5);
    else if (op == &om_api_iquery_projection_op)
        ((struct om_api_iquery_projection_out *)out)->ret = rows_for(in, mem);
    else if (op == &om_grid_repository_root_op)
        *(const struct om_original_file **)out = file(mem, server.root, "repository", "");
    else if (op == &om_api_raw_file_store_write_op)
        store(in);
    else if (op == &om_api_raw_file_store_size_op || op == &om_api_raw_file_store_read_op)
        return answer_read(op, out, f, mem, err);
    else if (op == &om_cmd_session_submit_op) {
        const struct om_cmd_session_submit_in *s = in;
        server.deleted = ((const struct om_cmd_delete2 *)s->req)->target_objects.at[0].value.at[0];
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "handle", "", NULL, 0);
    } else if (op == &om_cmd_handle_get_response_op)
        *(const struct om_cmd_response **)out = om_object_new(mem, &om_cmd_delete2_response_class);
    else if (op == &om_api_raw_file_store_save_op)
        *(const struct om_original_file **)out = file(mem, "", "", server.saved_hash);
    else
        assert_string_equal(op->name, "close");
    return 0;
}

static struct fake f;
static struct om_import *imp;

static int make_dirs(void **state)
{
    (void)state;
    char made[128];

    if (!mkdtemp(dir))
        return -1;
    snprintf(made, sizeof(made), "%s/repository", dir);
    mkdir(made, 0700);
    snprintf(made, sizeof(made), "%s/repository/set", dir);
    mkdir(made, 0700);
    snprintf(in_repository, sizeof(in_repository), "%s/repository/set/a.tif", dir);
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
    snprintf(source_file, sizeof(source_file), "%s/source.tif", dir);
    return 0;
}

static int remove_dirs(void **state)
{
    (void)state;
    char made[128];

    unlink(elsewhere);
    snprintf(made, sizeof(made), "%s/repository/set", dir);
    rmdir(made);
    snprintf(made, sizeof(made), "%s/repository", dir);
    rmdir(made);
    return rmdir(dir);
}

static int source_fd;

static int setup_as(enum om_transfer how)
{
    const struct om_import_file files[] = {{"/a.tif"}};
    const struct om_import_plan plan = {.n_files = 1, .files = files, .token = "t", .transfer = how};
    FILE *source = fopen(source_file, "w");
    struct err err;

    fputs("abc", source);
    fclose(source);
    source_fd = open(source_file, O_RDONLY | O_CLOEXEC);
    unlink(in_repository);
    memset(&server, 0, sizeof(server));
    server.writes_to = in_repository;
    server.saved_hash = SHA1_ABC;
    server.root = dir;
    fake_init(&f, answer);
    return om_import_start(f.client, &plan, &imp, &err);
}

static int setup(void **state)
{
    (void)state;
    return setup_as(OM_LN_S);
}

static int teardown(void **state)
{
    (void)state;
    struct stat st;
    bool whole = fstat(source_fd, &st) == 0 && st.st_size == 3 && access(source_file, F_OK) == 0; /* whatever was done */

    close(source_fd);
    om_import_end(imp);
    fake_clear(&f);
    unlink(in_repository);
    unlink(source_file);
    return whole ? 0 : -1;
}

static ssize_t read_abc(void *arg, void *at, size_t n, struct err *err)
{
    bool *done = arg;

    (void)n, (void)err;
    if (*done)
        return 0;
    *done = true;
    memcpy(at, "abc", 3);
    return 3;
}

static const struct om_paths same;

static int put_as(enum om_transfer how, const struct om_paths *paths, struct err *err)
{
    bool done = false;
    const struct om_source source = {.read = read_abc, .arg = &done, .size = 3};
    const struct om_place place = {.how = how, .paths = paths, .path = source_file, .fd = source_fd};

    return om_import_place(imp, 0, &place, &source, err);
}

static int put_link(struct err *err)
{
    return put_as(OM_LN_S, &same, err);
}

static void expect_fault(const struct err *err, const char *word)
{
    if (strncmp(err->text, "in place: ", 10) != 0 || strncmp(err->text + 10, word, strlen(word)) != 0)
        fail_msg("not a fault of the %s: %s", word, err->text);
}

static void expect_nothing_placed(void)
{
    struct stat st;

    assert_int_equal(lstat(in_repository, &st), -1);
    assert_null(om_import_hash(imp, 0));
}

static void the_file_becomes_a_link_and_is_read_through_it(void **state)
{
    (void)state;
    char target[128] = "";
    struct err err;

    assert_ok(put_link(&err), &err);
    assert_int_equal(readlink(in_repository, target, sizeof(target) - 1), strlen(source_file));
    assert_string_equal(target, source_file);
    assert_string_equal(om_import_hash(imp, 0), SHA1_ABC);
    assert_true(server.last_mode_was_r);
    assert_string_equal(server.class_name, "ome.formats.importer.transfers.SymlinkFileTransfer");
}

static void a_hard_link_is_the_file_itself(void **state)
{
    (void)state;
    struct stat here, there;
    struct err err;

    teardown(state);
    assert_int_equal(setup_as(OM_LN), 0);
    assert_ok(put_as(OM_LN, &same, &err), &err);
    assert_int_equal(lstat(in_repository, &there), 0);
    assert_int_equal(fstat(source_fd, &here), 0);
    assert_int_equal(here.st_ino, there.st_ino);
    assert_string_equal(server.class_name, "ome.formats.importer.transfers.HardlinkFileTransfer");
}

static void a_copy_is_a_file_of_its_own_that_the_server_may_read(void **state)
{
    (void)state;
    uint8_t bytes[10];
    struct stat here, there;
    struct err err;

    teardown(state);
    assert_int_equal(setup_as(OM_CP), 0);
    assert_ok(put_as(OM_CP, &same, &err), &err);
    assert_int_equal(load(bytes, sizeof(bytes)), 3);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(lstat(in_repository, &there), 0);
    assert_int_equal(fstat(source_fd, &here), 0);
    assert_int_not_equal(here.st_ino, there.st_ino);
    assert_int_equal(there.st_mode & 0777, 0644);
    assert_string_equal(server.class_name, "ome.formats.importer.transfers.CopyFileTransfer");
}

/* The server calls the directory "/srv", and the repository in it is "/srv/repository". */
static void both_sides_may_name_the_directories_differently(void **state)
{
    (void)state;
    const struct om_path_pair pair = {dir, "/srv"};
    const struct om_paths paths = {1, &pair};
    char target[128] = "";
    struct err err;

    server.root = "/srv";
    server.reads_from = source_file; /* its own link would lead there */
    assert_ok(put_as(OM_LN_S, &paths, &err), &err);
    assert_true(readlink(in_repository, target, sizeof(target) - 1) > 0);
    assert_string_equal(target, "/srv/source.tif");
}

static void what_was_placed_is_not_written_again(void **state)
{
    (void)state;
    bool done = false;
    const struct om_source source = {.read = read_abc, .arg = &done, .size = 3};
    struct err err;

    assert_ok(put_link(&err), &err);
    assert_fails(put_link(&err), &err, REASON_BUG);
    assert_fails(om_import_upload(imp, 0, &source, &err), &err, REASON_BUG);
    assert_int_equal(fake_count(&f, "write"), 1); /* the text of the proof */
}

static void a_repository_that_is_not_seen_is_told(void **state)
{
    (void)state;
    struct stat st;
    struct err err;

    server.writes_to = NULL;
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    assert_int_equal(lstat(in_repository, &st), -1);
    expect_fault(&err, "mount");
}

static void a_repository_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct err err;

    server.root = "/nowhere/OMERO";
    server.writes_to = NULL;
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    expect_fault(&err, "path");
    assert_non_null(strstr(err.text, "'/nowhere'"));
}

static void a_server_that_sees_nothing_through_the_link_is_told(void **state)
{
    (void)state;
    struct err err;

    server.reads_from = "/nowhere/source.tif";
    assert_int_equal(chmod(dir, 0755), 0);
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    expect_fault(&err, "path"); /* its account may read it here: the server has another name for it */
    expect_nothing_placed();
}

static void a_server_that_sees_another_file_is_told(void **state)
{
    (void)state;
    FILE *other = fopen(elsewhere, "w");
    struct err err;

    fputs("xyz", other);
    fclose(other);
    server.reads_from = elsewhere;
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    expect_fault(&err, "mount");
    expect_nothing_placed();
}

/* The account of the server is 12345 in these; the files are this process's. */
static void the_part_that_keeps_the_server_out_is_named(void **state)
{
    (void)state;
    struct err err;

    assert_int_equal(chmod(source_file, 0600), 0);
    assert_int_equal(chmod(dir, 0711), 0);
    assert_fails(place_why_there(source_file, "/srv/source.tif", 12345, 12345, &err), &err, REASON_IN_PLACE);
    assert_int_equal(strncmp(err.text, "owner: ", 7), 0);
    assert_non_null(strstr(err.text, "mode 0600"));
    assert_non_null(strstr(err.text, "user 12345"));

    assert_int_equal(chmod(source_file, 0644), 0);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_fails(place_why_there(source_file, "/srv/source.tif", 12345, 12345, &err), &err, REASON_IN_PLACE);
    assert_int_equal(strncmp(err.text, "owner: ", 7), 0);
    assert_non_null(strstr(err.text, dir));
}

static void what_this_host_cannot_do_is_told(void **state)
{
    (void)state;
    static const struct {
        int sys;
        enum reason why;
        const char *begins;
    } cases[] = {
        {EROFS, REASON_IN_PLACE, "mount: "},
        {EXDEV, REASON_IN_PLACE, "mount: "},
        {ENOSPC, REASON_REPOSITORY_FULL, ""},
        {EDQUOT, REASON_REPOSITORY_FULL, ""},
        {EACCES, REASON_IN_PLACE, "mode: "}, /* the directory is this process's own */
    };
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_fails(place_why_here(dir, in_repository, cases[i].sys, &err), &err, cases[i].why);
        assert_int_equal(strncmp(err.text, cases[i].begins, strlen(cases[i].begins)), 0);
    }
}

/* --- the trial --- */

static int try_as(enum om_transfer how, struct err *err)
{
    const struct om_place place = {.how = how, .paths = &same, .path = source_file, .fd = source_fd};

    return om_place_try(f.client, &place, err);
}

static void a_trial_leaves_nothing_behind(void **state)
{
    (void)state;
    static const enum om_transfer ways[] = {OM_LN_S, OM_LN, OM_CP};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        server.deleted = 0;
        assert_ok(try_as(ways[i], &err), &err);
        expect_nothing_placed();
        assert_int_equal(server.deleted, 7);
    }
    assert_int_equal(fake_count(&f, "save"), 0);
    assert_int_equal(fake_count(&f, "verifyUpload"), 0);
}

static void a_trial_that_fails_leaves_nothing_either(void **state)
{
    (void)state;
    struct err err;

    server.reads_from = "/nowhere/source.tif";
    assert_fails(try_as(OM_LN_S, &err), &err, REASON_IN_PLACE);
    expect_nothing_placed();
    assert_int_equal(server.deleted, 7);
}

static void a_file_that_is_not_omeros_is_left_alone(void **state)
{
    (void)state;
    FILE *other = fopen(in_repository, "w");
    struct stat st;
    struct err err;

    fputs("somebody's", other);
    fclose(other);
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    assert_int_equal(fake_count(&f, "write"), 0);
    assert_int_equal(lstat(in_repository, &st), 0);
    assert_int_equal(st.st_size, 10);
}

static void a_path_of_the_same_name_elsewhere_is_no_proof(void **state)
{
    (void)state;
    FILE *empty = fopen(in_repository, "w");
    struct stat st;
    struct err err;

    fclose(empty);
    server.writes_to = elsewhere;
    assert_fails(put_link(&err), &err, REASON_IN_PLACE);
    assert_int_equal(lstat(in_repository, &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void other_bytes_through_the_link_are_told(void **state)
{
    (void)state;
    struct err err;

    server.saved_hash = "0000";
    assert_fails(put_link(&err), &err, REASON_CHECKSUM);
    expect_nothing_placed();
}

static void a_root_that_steps_up_is_refused(void **state)
{
    (void)state;
    struct err err;

    server.root = "/tmp/../etc";
    assert_fails(put_link(&err), &err, REASON_PROTOCOL);
    assert_int_equal(fake_count(&f, "write"), 0);
    teardown(state);
    assert_int_equal(setup(state), 0);
    server.root = "relative";
    assert_fails(put_link(&err), &err, REASON_PROTOCOL);
    assert_int_equal(fake_count(&f, "write"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_file_becomes_a_link_and_is_read_through_it),
        T(a_hard_link_is_the_file_itself),
        T(a_copy_is_a_file_of_its_own_that_the_server_may_read),
        T(both_sides_may_name_the_directories_differently),
        T(what_was_placed_is_not_written_again),
        T(a_repository_that_is_not_seen_is_told),
        T(a_repository_that_is_not_there_is_told),
        T(a_file_that_is_not_omeros_is_left_alone),
        T(a_path_of_the_same_name_elsewhere_is_no_proof),
        T(a_server_that_sees_nothing_through_the_link_is_told),
        T(a_server_that_sees_another_file_is_told),
        T(other_bytes_through_the_link_are_told),
        T(a_root_that_steps_up_is_refused),
        T(the_part_that_keeps_the_server_out_is_named),
        T(what_this_host_cannot_do_is_told),
        T(a_trial_leaves_nothing_behind),
        T(a_trial_that_fails_leaves_nothing_either),
    };

    return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
