#include "ledger/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "ledger/trap_vfs.h"

enum { BUSY_MS = 5000 }; /* requests and the engine share the file: their transactions are short */

static struct ledger *ledger_new(const char *state_dir, enum ledger_mode mode)
{
    struct ledger *l = mem_new(1, sizeof(*l));

    l->path = mem_printf("%s/ledger.db", state_dir);
    l->mode = mode;
    l->lock = -1;
    l->last_user = mem_str("");
    pthread_mutex_init(&l->mutex, NULL);
    return l;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_cache; i++)
        sqlite3_finalize(l->cache[i].st);
    sqlite3_close(l->db);
    io_closep(&l->lock);
    pthread_mutex_destroy(&l->mutex);
    mem_freep(&l->path);
    mem_freep(&l->last_user);
    mem_freep(&l);
}

void ledger_closep(struct ledger **l)
{
    ledger_close(*l);
    *l = NULL;
}

const char *ledger_uuid(const struct ledger *l)
{
    return l->uuid;
}

/* 0 there, LEDGER_NOTHING absent, -1 something else stands in its place. */
static int look(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? LEDGER_NOTHING : err_set(err, REASON_LEDGER, errno, "ledger '%s'", path);
    return S_ISREG(st.st_mode) ? 0 : err_set(err, REASON_LEDGER, 0, "ledger '%s': not a file", path);
}

static int connect_db(struct ledger *l, struct err *err)
{
    int flags = l->mode == LEDGER_READ      ? SQLITE_OPEN_READONLY
                : l->mode == LEDGER_REQUEST ? SQLITE_OPEN_READWRITE
                                            : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(l->path, &l->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(l->db, BUSY_MS);
    if (rc != SQLITE_OK)
        return sql_fail(l, rc, err);
    if (l->mode != LEDGER_READ && sqlite3_db_readonly(l->db, "main") == 1)
        return sql_fail(l, SQLITE_READONLY, err);
    return sql_script(l, "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", err);
}

static int wal(struct ledger *l, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "PRAGMA journal_mode = WAL", "") < 0 || sql_step(l, st, err) < 0)
        return -1;
    return sql_is(st, 0, "wal") ? 0 : err_set(err, REASON_LEDGER, 0, "ledger '%s': its file system knows no shared memory",
                                              l->path);
}

static int read_uuid(struct ledger *l, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    int r = -1;

    if (sql_start(l, &st, err, "SELECT value FROM meta WHERE key = 'uuid'", "") < 0 || (r = sql_step(l, st, err)) < 0)
        return -1;
    if (r == 0 || sqlite3_column_bytes(st, 0) != UUID_TEXT - 1)
        return err_set(err, REASON_LEDGER, 0, "ledger '%s': it has no uuid", l->path);
    memcpy(l->uuid, sqlite3_column_text(st, 0), UUID_TEXT);
    return 0;
}

/* What an earlier run had claimed is free again: only one engine lives at a time. */
int ledger_unclaim(struct ledger *l, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE fileset SET claimed = 0 WHERE claimed = 1", "") < 0 ||
        sql_do(l, err, "UPDATE dataset SET claimed = 0 WHERE claimed = 1", "") < 0)
        return -1;
    return tx_commit(&tx, err);
}

static int make_state_dir(const char *state_dir, struct err *err)
{
    struct err why = ERR_INIT;

    if (io_make_dirs(state_dir, &why) == 0)
        return 0;
    err_set(err, why.why == REASON_DISK_FULL ? REASON_DISK_FULL : REASON_LEDGER, 0, "state directory: %s", why.text);
    return err_hint(err, "name one that this account may write to: --state, or $STATE_DIRECTORY");
}

static int open_engine(struct ledger *l, const char *state_dir, struct err *err)
{
    if (make_state_dir(state_dir, err) < 0 || ledger_place(state_dir, err) < 0 || look(l->path, err) < 0 ||
        lock_take(state_dir, &l->lock, err) < 0 || place_check_empty(state_dir, l->path, err) < 0 ||
        connect_db(l, err) < 0 || schema_check(l, err) < 0 || wal(l, err) < 0 || schema_migrate(l, err) < 0 ||
        read_uuid(l, err) < 0 || lock_note_ledger(state_dir, l->lock, err) < 0)
        return -1;
    return ledger_unclaim(l, err);
}

static int open_guest(struct ledger *l, const char *state_dir, struct err *err)
{
    int r = look(l->path, err);

    if (r != 0)
        return r;
    if (ledger_place(state_dir, err) < 0 || place_check_empty(state_dir, l->path, err) < 0 || connect_db(l, err) < 0)
        return -1;
    r = schema_check(l, err);
    return r != 0 ? r : read_uuid(l, err);
}

int ledger_open(const char *state_dir, enum ledger_mode mode, struct ledger **out, struct err *err)
{
    trap_vfs_start();

    AUTO(ledger_closep) struct ledger *l = ledger_new(state_dir, mode);
    int r = mode == LEDGER_ENGINE ? open_engine(l, state_dir, err) : open_guest(l, state_dir, err);

    if (r == 0)
        *out = STEAL(l);
    return r;
}
