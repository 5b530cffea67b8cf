/* Import in place, with a directory that plays OMERO's repository. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake.h"
#include "omero/import.h"
#include "omero/object.h"

/* SHA-1 of "abc" (FIPS 180). */
#define SHA1_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"

static char dir[] = "/tmp/impomero-inplace-XXXXXX";
static char in_repository[128], elsewhere[128], source_file[128];

static struct {
    const char *writes_to; /* where a write to the server ends up; NULL = a file system that is not seen here */
    const char *saved_hash, *root;
    bool last_mode_was_r;
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

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)to, (void)err;
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
        *(const struct ice_proxy **)out = ice_proxy_make(mem, "x", "", NULL, 0);
    } else if (op == &om_api_raw_file_store_get_file_id_op)
        *(const struct om_rlong **)out = om_rlong(mem, 5);
    else if (op == &om_api_iquery_projection_op)
        ((struct om_api_iquery_projection_out *)out)->ret = fake_rows(mem, "ss", 1, "set/", "a.tif");
    else if (op == &om_grid_repository_root_op)
        *(const struct om_original_file **)out = file(mem, server.root, "repository", "");
    else if (op == &om_api_raw_file_store_write_op)
        store(in);
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

static int setup(void **state)
{
    (void)state;
    const struct om_import_file files[] = {{"/a.tif"}};
    const struct om_import_plan plan = {.n_files = 1, .files = files, .token = "t"};
    struct err err;

    unlink(in_repository);
    memset(&server, 0, sizeof(server));
    server.writes_to = in_repository;
    server.saved_hash = SHA1_ABC;
    server.root = dir;
    fake_init(&f, answer);
    return om_import_start(f.client, &plan, &imp, &err);
}

static int teardown(void **state)
{
    (void)state;
    om_import_end(imp);
    fake_clear(&f);
    unlink(in_repository);
    return 0;
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

static int put_link(struct err *err)
{
    bool done = false;
    const struct om_source source = {.read = read_abc, .arg = &done, .size = 3};

    return om_import_link(imp, 0, source_file, &source, err);
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
}

static void a_repository_that_is_not_seen_is_told(void **state)
{
    (void)state;
    struct stat st;
    struct err err;

    server.writes_to = NULL;
    assert_fails(put_link(&err), &err, REASON_CONFIG);
    assert_int_equal(lstat(in_repository, &st), -1);
}

static void a_file_that_is_not_omeros_is_left_alone(void **state)
{
    (void)state;
    FILE *other = fopen(in_repository, "w");
    struct stat st;
    struct err err;

    fputs("somebody's", other);
    fclose(other);
    assert_fails(put_link(&err), &err, REASON_CONFIG);
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
    assert_fails(put_link(&err), &err, REASON_CONFIG);
    assert_int_equal(lstat(in_repository, &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void other_bytes_through_the_link_are_told(void **state)
{
    (void)state;
    struct err err;

    server.saved_hash = "0000";
    assert_fails(put_link(&err), &err, REASON_CHECKSUM);
    assert_null(om_import_hash(imp, 0));
}

static void a_root_that_steps_up_is_refused(void **state)
{
    (void)state;
    struct err err;

    server.root = "/tmp/../etc";
    assert_fails(put_link(&err), &err, REASON_PROTOCOL);
    server.root = "relative";
    assert_fails(put_link(&err), &err, REASON_PROTOCOL);
    assert_int_equal(fake_count(&f, "write"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_file_becomes_a_link_and_is_read_through_it), T(a_repository_that_is_not_seen_is_told),
        T(a_file_that_is_not_omeros_is_left_alone),        T(a_path_of_the_same_name_elsewhere_is_no_proof),
        T(other_bytes_through_the_link_are_told),          T(a_root_that_steps_up_is_refused),
    };

    return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
