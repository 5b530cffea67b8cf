#include "bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <sqlite3.h>

#include "ledger/store.h"

static void a_new_ledger_has_a_uuid_that_stays(void **state)
{
    (void)state;
    struct bed b;
    char uuid[UUID_TEXT];

    bed_begin(&b);
    assert_int_equal(strlen(ledger_uuid(b.l)), 36);
    memcpy(uuid, ledger_uuid(b.l), sizeof(uuid));
    bed_reopen(&b);
    assert_string_equal(ledger_uuid(b.l), uuid);
    bed_end(&b);
}

static void guests_never_make_a_ledger(void **state)
{
    (void)state;
    struct bed b;

    bed_dir(&b);
    assert_int_equal(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), LEDGER_NOTHING);
    assert_int_equal(ledger_open(b.dir, LEDGER_REQUEST, &b.l, &b.err), LEDGER_NOTHING);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    assert_int_equal(access(path, F_OK), -1);
    bed_end(&b);
}

static void a_second_engine_is_told_who_has_it(void **state)
{
    (void)state;
    struct bed b;
    struct ledger *second = NULL;
    char pid[32], who[128];

    bed_begin(&b);
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &second, &b.err), &b.err, REASON_BUSY);
    snprintf(pid, sizeof(pid), "process %ld since 1970-", (long)getpid());
    assert_non_null(strstr(b.err.text, pid));
    assert_int_equal(ledger_who(b.dir, who, &b.err), 0);
    assert_non_null(strstr(who, pid));
    ledger_closep(&b.l);
    assert_int_equal(ledger_who(b.dir, who, &b.err), LEDGER_NOTHING);
    bed_open(&b);
    bed_end(&b);
}

/* Another process that dies without a word gives its lock back. */
static void the_lock_goes_with_its_process(void **state)
{
    (void)state;
    struct bed b;
    int status = 0;

    bed_dir(&b);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct ledger *l = NULL;

        _exit(ledger_open(b.dir, LEDGER_ENGINE, &l, &err) == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    bed_open(&b);
    bed_end(&b);
}

static void raw(const struct bed *b, const char *sql)
{
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b->dir);
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_ledger_of_a_newer_version_is_refused(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    ledger_closep(&b.l);
    raw(&b, "PRAGMA user_version = 999");
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "version 999"));
    assert_fails(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), &b.err, REASON_LEDGER);
    bed_end(&b);
}

static void a_reader_leaves_an_older_version_alone(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    ledger_closep(&b.l);
    raw(&b, "PRAGMA user_version = 0");
    assert_fails(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "older"));
    bed_end(&b);
}

static void the_database_of_another_program_is_refused(void **state)
{
    (void)state;
    struct bed b;

    bed_dir(&b);
    raw(&b, "CREATE TABLE t (a)");
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "another program"));
    bed_end(&b);
}

static void write_file(const struct bed *b, const char *name, const char *text, size_t n)
{
    AUTO(mem_freep) char *path = mem_printf("%s/%s", b->dir, name);
    FILE *f = fopen(path, "r+");

    if (!f)
        f = fopen(path, "w");
    assert_non_null(f);
    fwrite(text, 1, n, f);
    fclose(f);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct bed b;
    char noise[4096];

    memset(noise, 'x', sizeof(noise));
    bed_dir(&b);
    write_file(&b, "ledger.db", noise, sizeof(noise));
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "no database"));
    assert_fails(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), &b.err, REASON_LEDGER);
    bed_end(&b);
}

static void a_damaged_ledger_is_refused(void **state)
{
    (void)state;
    struct bed b;
    AUTO(mem_freep) char *noise = mem_new(1, 40000);

    bed_begin(&b);
    ledger_closep(&b.l);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    int fd = open(path, O_WRONLY);
    memset(noise, 0xAA, 40000);
    assert_true(pwrite(fd, noise, 40000, 200) == 40000);
    close(fd);
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "damaged"));
    bed_end(&b);
}

static void an_empty_file_is_a_new_ledger_only_where_none_was(void **state)
{
    (void)state;
    struct bed b;

    bed_dir(&b);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    fclose(fopen(path, "w")); /* what a crash in the first moment leaves */
    assert_ok(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err);
    ledger_closep(&b.l);
    assert_ok(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err);
    ledger_closep(&b.l);

    assert_int_equal(truncate(path, 0), 0);
    for (int i = 0; i < 2; i++) {
        assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
        assert_non_null(strstr(b.err.text, "it is empty, and was not"));
        assert_non_null(strstr(err_hint_text(&b.err), "ledger rebuild"));
    }
    assert_fails(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_int_equal(unlink(path), 0);
    assert_ok(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err);
    bed_end(&b);
}

static void a_directory_in_its_place_is_refused(void **state)
{
    (void)state;
    struct bed b;

    bed_dir(&b);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    bed_end(&b);
}

static void a_ledger_that_cannot_be_written_is_refused_by_the_engine_and_read_by_readers(void **state)
{
    (void)state;
    struct bed b;

    bed_begin(&b);
    ledger_closep(&b.l);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    AUTO(mem_freep) char *lock = mem_printf("%s/lock", b.dir);
    chmod(path, 0400);
    bool root = geteuid() == 0;
    if (root) { /* whom rights do not stop */
        assert_int_equal(chown(b.dir, 65534, 65534) | chown(path, 65534, 65534) | chown(lock, 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    assert_fails(ledger_open(b.dir, LEDGER_ENGINE, &b.l, &b.err), &b.err, REASON_LEDGER);
    assert_non_null(strstr(b.err.text, "read-only"));
    assert_ok(ledger_open(b.dir, LEDGER_READ, &b.l, &b.err), &b.err);
    if (root)
        assert_int_equal(seteuid(0), 0);
    bed_end(&b);
}

static void a_ledger_locked_by_another_program_is_busy(void **state)
{
    (void)state;
    struct bed b;
    sqlite3 *db = NULL;

    bed_begin(&b);
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(b.l->db, 10);
    assert_fails(ledger_root_away(b.l, b.root, "x", &b.err), &b.err, REASON_BUSY);
    assert_non_null(strstr(b.err.text, "locked"));
    sqlite3_close(db);
    assert_ok(ledger_root_away(b.l, b.root, "x", &b.err), &b.err);
    bed_end(&b);
}

static void a_full_disk_fails_the_transaction_and_nothing_else(void **state)
{
    (void)state;
    struct bed b;
    struct bed_scan s = {0};
    struct ledger_synced out;
    AUTO(mem_freep) char *name = mem_new(1, 200001);

    bed_begin(&b);
    memset(name, 'n', 200000);
    sqlite3_exec(b.l->db, "PRAGMA max_page_count = 40", NULL, NULL, NULL);
    bed_target(&s, "d", "s1", "ada");
    bed_file(&s, "d/a.tif", 0, 1)->name = name;
    s.scan.root = b.root;
    s.scan.targets = s.targets;
    s.scan.plan = bed_plan;
    s.scan.arg = s.plans;
    assert_fails(ledger_sync(b.l, &s.scan, &out, &b.err), &b.err, REASON_DISK_FULL);
    s.plans[0].name = "short";
    assert_int_equal(bed_sync(&b, &s).added, 1);
    bed_end(&b);
}

static void network_file_systems_are_refused_by_name(void **state)
{
    (void)state;
    struct err err = ERR_INIT;

    assert_fails(place_check("/x", 0x6969, &err), &err, REASON_LEDGER);
    assert_non_null(strstr(err.text, "NFS"));
    assert_non_null(strstr(err_hint_text(&err), "local disk"));
    assert_fails(place_check("/x", (long)0xFF534D42, &err), &err, REASON_LEDGER);
    assert_int_equal(place_check("/x", 0xEF53, &err), 0); /* ext4 */
    assert_fails(ledger_place("/does/not/exist", &err), &err, REASON_LEDGER);
}

static void a_transaction_that_is_not_committed_is_gone(void **state)
{
    (void)state;
    struct bed b;
    const struct ledger_root *roots = NULL;
    size_t n = 0;

    bed_dir(&b);
    pid_t pid = fork();
    if (pid == 0) {
        struct tx tx = {0};
        struct err err = ERR_INIT;
        struct ledger *l = NULL;

        if (ledger_open(b.dir, LEDGER_ENGINE, &l, &err) < 0 || tx_begin(&tx, l, LEDGER_ENGINE, &err) < 0 ||
            sql_do(l, &err, "INSERT INTO root (name, path) VALUES ('half', x'2f68')", "") < 0)
            _exit(1);
        _exit(0); /* as by a crash: no rollback, no close */
    }
    int status = 1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    bed_open(&b);
    assert_ok(ledger_roots(b.l, b.a, &roots, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_string_equal(roots[0].name, "data");
    bed_end(&b);
}

static void guests_may_not_write_what_is_the_engines(void **state)
{
    (void)state;
    struct bed b;
    struct ledger *guest = NULL;
    int64_t id = 0;

    bed_begin(&b);
    assert_ok(ledger_open(b.dir, LEDGER_READ, &guest, &b.err), &b.err);
    assert_fails(ledger_root(guest, "x", "/x", &id, &b.err), &b.err, REASON_BUG);
    assert_fails(ledger_request_add(guest, LEDGER_VERB_RETRY, NULL, &id, &b.err), &b.err, REASON_BUG);
    ledger_closep(&guest);
    assert_ok(ledger_open(b.dir, LEDGER_REQUEST, &guest, &b.err), &b.err);
    assert_ok(ledger_request_add(guest, LEDGER_VERB_RETRY, NULL, &id, &b.err), &b.err);
    assert_fails(ledger_release(guest, 1, &b.err), &b.err, REASON_BUG);
    ledger_closep(&guest);
    bed_end(&b);
}

static void roots_do_not_lie_in_one_another(void **state)
{
    (void)state;
    struct bed b;
    int64_t id = 0, again = 0;

    bed_begin(&b);
    assert_fails(ledger_root(b.l, "in", "/data/in", &id, &b.err), &b.err, REASON_CONFIG);
    assert_fails(ledger_root(b.l, "top", "/", &id, &b.err), &b.err, REASON_CONFIG);
    assert_fails(ledger_root(b.l, "data", "/other", &id, &b.err), &b.err, REASON_CONFIG);
    assert_ok(ledger_root(b.l, "data2", "/data2", &id, &b.err), &b.err);
    assert_ok(ledger_root(b.l, "renamed", "/data", &again, &b.err), &b.err);
    assert_true(again == b.root && id != again);
    bed_end(&b);
}

static void every_stored_name_is_in_the_schema(void **state)
{
    (void)state;
    struct bed b;
    int64_t n = 0;

    bed_begin(&b);
    for (unsigned i = 0; i < N_LEDGER_STATES; i++) {
        AUTO(mem_freep) char *mark = mem_printf("'%s'", ledger_state_name((enum ledger_state)i));

        assert_int_equal(sql_int(b.l, &n, &b.err, "SELECT instr(sql, ?1) FROM sqlite_schema WHERE name = 'fileset'", "t", mark),
                         0);
        assert_true(n > 0);
        assert_int_equal(state_named(ledger_state_name((enum ledger_state)i)), i);
    }
    for (unsigned i = 0; i < N_LEDGER_CALLS; i++) {
        AUTO(mem_freep) char *mark = mem_printf("'%s'", ledger_call_name((enum ledger_call)i));

        assert_int_equal(sql_int(b.l, &n, &b.err, "SELECT instr(sql, ?1) FROM sqlite_schema WHERE name = 'fileset'", "t", mark),
                         0);
        assert_true(n > 0);
    }
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_ledger_has_a_uuid_that_stays),
        cmocka_unit_test(guests_never_make_a_ledger),
        cmocka_unit_test(a_second_engine_is_told_who_has_it),
        cmocka_unit_test(the_lock_goes_with_its_process),
        cmocka_unit_test(a_ledger_of_a_newer_version_is_refused),
        cmocka_unit_test(a_reader_leaves_an_older_version_alone),
        cmocka_unit_test(the_database_of_another_program_is_refused),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(a_damaged_ledger_is_refused),
        cmocka_unit_test(an_empty_file_is_a_new_ledger_only_where_none_was),
        cmocka_unit_test(a_directory_in_its_place_is_refused),
        cmocka_unit_test(a_ledger_that_cannot_be_written_is_refused_by_the_engine_and_read_by_readers),
        cmocka_unit_test(a_ledger_locked_by_another_program_is_busy),
        cmocka_unit_test(a_full_disk_fails_the_transaction_and_nothing_else),
        cmocka_unit_test(network_file_systems_are_refused_by_name),
        cmocka_unit_test(a_transaction_that_is_not_committed_is_gone),
        cmocka_unit_test(guests_may_not_write_what_is_the_engines),
        cmocka_unit_test(roots_do_not_lie_in_one_another),
        cmocka_unit_test(every_stored_name_is_in_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
