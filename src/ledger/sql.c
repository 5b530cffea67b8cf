#include "ledger/store.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/trap.h"

/* What SQLite's result codes mean to people. */
static const struct {
    int code;
    enum reason why;
    const char *text;
} failures[] = {
    {SQLITE_BUSY, REASON_BUSY, "another program keeps it locked"},
    {SQLITE_LOCKED, REASON_BUSY, "another program keeps it locked"},
    {SQLITE_READONLY, REASON_LEDGER, "it cannot be written: it, its directory or its disk is read-only for this account"},
    {SQLITE_CANTOPEN, REASON_LEDGER, "it cannot be opened by this account"},
    {SQLITE_PERM, REASON_LEDGER, "it cannot be opened by this account"},
    {SQLITE_NOTADB, REASON_LEDGER, "it is no database: restore it from a backup, or rebuild it"},
    {SQLITE_CORRUPT, REASON_LEDGER, "it is damaged: restore it from a backup, or rebuild it"},
    {SQLITE_FULL, REASON_DISK_FULL, "no room is left on its disk"},
    {SQLITE_IOERR, REASON_LEDGER, "its disk cannot be read or written"},
};

int sql_fail(struct ledger *l, int rc, struct err *err)
{
    int sys = l->db ? sqlite3_system_errno(l->db) : 0;
    int primary = rc & 0xff;

    if (primary == SQLITE_NOMEM)
        mem_exhausted();

    if (primary == SQLITE_IOERR && (sys == ENOSPC || sys == EDQUOT))
        primary = SQLITE_FULL;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (failures[i].code == primary)
            return err_set(err, failures[i].why, 0, "ledger '%s': %s (%s)", l->path, failures[i].text, sqlite3_errstr(rc));
    return err_set(err, REASON_BUG, 0, "ledger '%s': %s", l->path, l->db ? sqlite3_errmsg(l->db) : sqlite3_errstr(rc));
}

static int prepare(struct ledger *l, const char *text, sqlite3_stmt **st, struct err *err)
{
    for (size_t i = 0; i < l->n_cache; i++) {
        if (l->cache[i].text == text || strcmp(l->cache[i].text, text) == 0) {
            *st = l->cache[i].st;
            return 0;
        }
    }
    if (l->n_cache == SQL_CACHE)
        return err_set(err, REASON_BUG, 0, "ledger '%s': more statements than SQL_CACHE", l->path);

    int rc = sqlite3_prepare_v3(l->db, text, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
    if (rc != SQLITE_OK)
        return sql_fail(l, rc, err);
    l->cache[l->n_cache].text = text;
    l->cache[l->n_cache++].st = *st;
    return 0;
}

static int bind_one(sqlite3_stmt *st, int at, char kind, va_list *args)
{
    if (kind == 'i' || kind == 'z') {
        int64_t n = va_arg(*args, int64_t);

        return kind == 'z' && n == 0 ? sqlite3_bind_null(st, at) : sqlite3_bind_int64(st, at, n);
    }

    const char *s = va_arg(*args, const char *);
    if (!s)
        return sqlite3_bind_null(st, at);
    if (kind == 'p')
        return sqlite3_bind_blob64(st, at, s, strlen(s), SQLITE_TRANSIENT);
    return sqlite3_bind_text64(st, at, s, strlen(s), SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int start(struct ledger *l, sqlite3_stmt **st, struct err *err, const char *text, const char *format, va_list *args)
{
    sqlite3_stmt *found = NULL;

    if (prepare(l, text, &found, err) < 0)
        return -1;
    for (int i = 0; format[i]; i++) {
        int rc = bind_one(found, i + 1, format[i], args);

        if (rc != SQLITE_OK)
            return sql_fail(l, rc, err);
    }
    *st = found;
    return 0;
}

int sql_start(struct ledger *l, sqlite3_stmt **st, struct err *err, const char *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int r = start(l, st, err, text, format, &args);
    va_end(args);
    return r;
}

int sql_step(struct ledger *l, sqlite3_stmt *st, struct err *err)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : sql_fail(l, rc, err);
}

void sql_reset(sqlite3_stmt **st)
{
    if (*st) {
        sqlite3_reset(*st);
        sqlite3_clear_bindings(*st);
    }
}

int sql_do(struct ledger *l, struct err *err, const char *text, const char *format, ...)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    va_list args;

    va_start(args, format);
    int r = start(l, &st, err, text, format, &args);
    va_end(args);
    return r < 0 || sql_step(l, st, err) < 0 ? -1 : 0;
}

int sql_int(struct ledger *l, int64_t *out, struct err *err, const char *text, const char *format, ...)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    va_list args;

    va_start(args, format);
    int r = start(l, &st, err, text, format, &args);
    va_end(args);
    if (r < 0 || (r = sql_step(l, st, err)) < 0)
        return -1;
    if (r == 0)
        return LEDGER_NOTHING;
    *out = sqlite3_column_int64(st, 0);
    return 0;
}

int sql_script(struct ledger *l, const char *text, struct err *err)
{
    int rc = sqlite3_exec(l->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sql_fail(l, rc, err);
}

char *sql_str(sqlite3_stmt *st, int column, struct arena *a)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return NULL;

    const void *bytes = sqlite3_column_blob(st, column);
    return arena_strn(a, bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, column));
}

char *sql_text(sqlite3_stmt *st, int column, struct arena *a)
{
    char *s = sql_str(st, column, a);

    return s ? s : arena_str(a, "");
}

int64_t sql_num(sqlite3_stmt *st, int column)
{
    return sqlite3_column_int64(st, column);
}

bool sql_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL;
}

bool sql_is(sqlite3_stmt *st, int column, const char *s)
{
    if (!s || sql_null(st, column))
        return !s && sql_null(st, column);

    size_t n = strlen(s);
    const void *bytes = sqlite3_column_blob(st, column);
    return (size_t)sqlite3_column_bytes(st, column) == n && (n == 0 || memcmp(bytes, s, n) == 0);
}

void *keep(struct arena *a, const void *items, size_t n, size_t size)
{
    void *kept = arena_alloc(a, n ? n : 1, size);

    if (n > 0)
        memcpy(kept, items, n * size);
    return kept;
}

int tx_begin(struct tx *tx, struct ledger *l, enum ledger_mode least, struct err *err)
{
    if (l->mode < least)
        return err_set(err, REASON_BUG, 0, "ledger '%s': opened for less than this", l->path);

    pthread_mutex_lock(&l->mutex);
    tx->l = l;
    if (sql_do(l, err, least == LEDGER_READ ? "BEGIN" : "BEGIN IMMEDIATE", "") < 0)
        return -1;
    tx->open = true;
    return 0;
}

int tx_commit(struct tx *tx, struct err *err)
{
    trap_step("before", "a commit of the ledger");
    if (sql_do(tx->l, err, "COMMIT", "") < 0)
        return -1;
    tx->open = false;
    trap_step("after", "a commit of the ledger");
    return 0;
}

void tx_end(struct tx *tx)
{
    if (!tx->l)
        return;
    if (tx->open && !sqlite3_get_autocommit(tx->l->db)) {
        struct err ignored = ERR_INIT;

        sql_do(tx->l, &ignored, "ROLLBACK", "");
    }
    pthread_mutex_unlock(&tx->l->mutex);
    tx->l = NULL;
}
