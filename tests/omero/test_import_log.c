#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "fake.h"
#include "omero/import.h"

static const char *text;
static int64_t size; /* that the server names */
static int64_t asked_from, asked_n;
static bool present;
static int64_t pending = -1; /* images without checksums of their pixels; -1: nobody asks */

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)to, (void)err;
    if (op == &om_api_iquery_projection_op && pending >= 0 && fake_count(f, "projection") == 1)
        ((struct om_api_iquery_projection_out *)out)->ret = fake_rows(mem, "l", 1, pending);
    else if (op == &om_api_iquery_projection_op)
        ((struct om_api_iquery_projection_out *)out)->ret = fake_rows(mem, "l", present ? 1 : 0, 77);
    else if (op == &om_grid_repository_file_by_id_op) {
        assert_int_equal(((const struct om_grid_repository_file_by_id_in *)in)->id, 77);
        ((struct om_grid_repository_file_by_id_out *)out)->ret = ice_proxy_make(f->mem, "store", "fake", NULL, 0);
    } else if (op == &om_api_raw_file_store_size_op)
        ((struct om_api_raw_file_store_size_out *)out)->ret = size;
    else if (op == &om_api_raw_file_store_read_op) {
        asked_from = ((const struct om_api_raw_file_store_read_in *)in)->position;
        asked_n = ((const struct om_api_raw_file_store_read_in *)in)->length;
        ((struct om_api_raw_file_store_read_out *)out)->ret =
            (struct om_ice_byte_seq){.n = strlen(text), .at = (const uint8_t *)text};
    } else
        assert_ptr_equal(op, &om_api_stateful_service_interface_close_op);
    return 0;
}

static const char *words_of(const char *log, struct fake *f, struct arena *mem)
{
    const char *words = NULL;
    struct err err;

    text = log;
    size = (int64_t)strlen(log);
    assert_ok(om_import_log_words(f->client, 5, mem, &words, &err), &err);
    assert_int_equal(fake_count(f, "close"), 1);
    return words;
}

static void begin(struct fake *f)
{
    present = true;
    fake_init(f, answer);
    f->client->repository = ice_proxy_make(f->mem, "repository", "fake", NULL, 0);
}

/* Lines of real logs. */
static void formats_errors_and_the_readers_warnings_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *log, *words;
    } rows[] = {
        {"2026-11-25 15:30:08,647 INFO  [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-9) File format: "
         "Tagged Image File Format\n"
         "2026-11-25 15:46:05,950 DEBUG [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-8) Step 1\n"
         "2026-11-25 15:46:05,951 INFO  [ o.s.b.r.ManagedImportRequestI.@2e9bb2bb] (2-thread-8) Cancelled\n",
         "read as Tagged Image File Format"},
        {"2026-11-25 15:32:23,488 WARN  [              loci.formats.FormatHandler] (2-thread-2) Not adjusting for unknown "
         "units: \n"
         "2026-11-25 15:49:52,275 WARN  [    ome.security.basic.BasicEventContext] (.Server-21) Ignoring invalid requested "
         "group\n"
         "2026-11-25 15:49:52,279 ERROR [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-2) it went\twrong\n"
         "\tat omero.cmd.HandleI.steps(HandleI.java:448)\n",
         "Not adjusting for unknown units: ; it went wrong"},
        {"", ""},
        {"2026-11-25 15:46:05,950 ERROR [x\n2026-11-25 15:46:05,950 ERROR\nERROR [x] (y) z\n", ""},
        {"2026-11-25 15:46:05,950 ERROR [x] (y) 1\n2026-11-25 15:46:05,950 ERROR [x] (y) 2\n"
         "2026-11-25 15:46:05,950 ERROR [x] (y) 3\n2026-11-25 15:46:05,950 ERROR [x] (y) 4\n",
         "1; 2; 3"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *mem = arena_new();
        struct fake f;
        begin(&f);
        assert_string_equal(words_of(rows[i].log, &f, mem), rows[i].words);
        fake_clear(&f);
        arena_free(mem);
    }
}

static void only_the_end_of_a_long_log_is_read(void **state)
{
    (void)state;
    struct arena *mem = arena_new();
    const char *words;
    struct fake f;
    struct err err;

    begin(&f);
    text = "";
    size = (INT64_C(5) << 30) + 7;
    assert_ok(om_import_log_words(f.client, 5, mem, &words, &err), &err);
    assert_int_equal(asked_n, OM_IMPORT_LOG_BYTES);
    assert_int_equal(asked_from, size - OM_IMPORT_LOG_BYTES);
    fake_clear(&f);
    arena_free(mem);
}

static void a_fileset_without_a_log_has_none(void **state)
{
    (void)state;
    struct arena *mem = arena_new();
    const char *words;
    struct fake f;
    struct err err;

    begin(&f);
    present = false;
    assert_int_equal(om_import_log_words(f.client, 5, mem, &words, &err), OM_ABSENT);
    fake_clear(&f);
    arena_free(mem);
}

/* Lines of real logs: what was cut short by damage, what was imported with skip = minmax, what is on its way. */
#define STEP(n) "2026-11-25 15:46:05,950 DEBUG [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-8) Step " n "\n"
#define END "2026-11-25 15:46:05,973 INFO  [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-8) Cleaning up import.\n"
#define TALK "2026-11-25 15:46:05,981 INFO  [         ome.security.basic.EventHandler] (.Server-13) Step 4\n"

static void images_without_pixels_are_told_from_whole_ones(void **state)
{
    (void)state;
    static const struct {
        const char *log;
        bool present;
        int64_t pending;
        enum om_import_way way;
    } rows[] = {
        {STEP("0") STEP("1") END TALK, true, 1, OM_IMPORT_GHOSTS},
        {STEP("0") END, true, 3, OM_IMPORT_GHOSTS},
        {STEP("0") STEP("1") TALK, true, 1, OM_IMPORT_UNDER_WAY},
        {STEP("0") TALK, true, 1200, OM_IMPORT_UNDER_WAY},
        {STEP("0") STEP("1") STEP("2") STEP("3") STEP("4") END, true, 1, OM_IMPORT_WHOLE},
        {STEP("0") STEP("1") STEP("2"), true, 1, OM_IMPORT_WHOLE},
        {STEP("0") STEP("1") END, true, 0, OM_IMPORT_WHOLE},
        {END, true, 1, OM_IMPORT_WHOLE}, /* a server that does not log its steps */
        {"", false, 1, OM_IMPORT_WHOLE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum om_import_way way;
        struct fake f;
        struct err err;

        begin(&f);
        text = rows[i].log;
        size = (int64_t)strlen(text);
        present = rows[i].present;
        pending = rows[i].pending;
        assert_ok(om_import_way(f.client, 5, &way, &err), &err);
        assert_int_equal(way, rows[i].way);
        fake_clear(&f);
        pending = -1;
    }
}

/* A log of an import that was dropped from the queue, and of one that has just begun. */
static void an_import_that_has_not_begun_is_told_by_its_log(void **state)
{
    (void)state;
    static const char queued[] =
        "2026-11-25 18:42:45,700 INFO  [       ome.formats.importer.ImportConfig] (.Server-14) OMERO.blitz Version: null\n"
        "2026-11-25 18:42:45,771 INFO  [       ome.formats.importer.ImportConfig] (.Server-14) Bioformats version: 7.3.1\n";
    static const struct {
        const char *log;
        bool present, begun;
    } rows[] = {
        {queued, true, false},
        {"2026-11-25 16:44:01,193 INFO  [    o.s.blitz.repo.ManagedImportRequestI] (2-thread-4) File format: OME-TIFF\n", true,
         true},
        {"", false, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake f;
        struct err err;
        bool begun = !rows[i].begun;

        begin(&f);
        text = rows[i].log;
        size = (int64_t)strlen(text);
        present = rows[i].present;
        assert_ok(om_import_has_begun(f.client, 5, &begun, &err), &err);
        assert_int_equal(begun, rows[i].begun);
        fake_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_errors_and_the_readers_warnings_are_taken),
        cmocka_unit_test(only_the_end_of_a_long_log_is_read),
        cmocka_unit_test(images_without_pixels_are_told_from_whole_ones),
        cmocka_unit_test(an_import_that_has_not_begun_is_told_by_its_log),
        cmocka_unit_test(a_fileset_without_a_log_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
