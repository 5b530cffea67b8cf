#include "sandbox/store.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "sandbox/viewer.h"

struct store {
    sqlite3 *db;
    const struct viewer *viewer;
};

/* What SQLite refuses here is a fault of this program or of the disk: there is nothing to go on with. */
static _Noreturn void give_up(struct store *s, const char *what)
{
    fprintf(stderr, "omero-sandbox: its database: %s: %s\n", sqlite3_errmsg(s->db), what);
    exit(70);
}

static void sql_see(sqlite3_context *context, int n, sqlite3_value **values)
{
    const struct store *s = sqlite3_user_data(context);
    bool yes = true;

    (void)n;
    if (s->viewer)
        yes = viewer_sees(s->viewer, sqlite3_value_int64(values[0]), sqlite3_value_int64(values[1]));
    sqlite3_result_int(context, yes);
}

int store_open(struct store **out, const char *file, bool read_only, struct err *err)
{
    struct store *s = mem_new(1, sizeof(*s));
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int r = sqlite3_open_v2(file, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (r == SQLITE_OK && !read_only)
        r = sqlite3_exec(s->db, "pragma journal_mode = wal; pragma synchronous = normal", NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_create_function(s->db, "see", 2, SQLITE_UTF8, s, sql_see, NULL, NULL);
    if (r != SQLITE_OK) {
        err_set(err, REASON_CONFIG, 0, "%s: %s", file, sqlite3_errmsg(s->db));
        store_close(s);
        return -1;
    }
    sqlite3_busy_timeout(s->db, 5000);
    *out = s;
    return 0;
}

/* --- statements: preparing one takes longer than most take to run, so that they are kept for the next time --- */

static struct {
    pthread_mutex_t lock;
    sqlite3_stmt *at[64]; /* by their text; NULL: none that is not in use */
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t place_of(const char *sql)
{
    uint32_t h = 2166136261u;

    for (; *sql; sql++)
        h = (h ^ (unsigned char)*sql) * 16777619u;
    return (h ^ h >> 16) % ARRAY_LEN(idle.at);
}

/* NULL: it has to be prepared. */
static sqlite3_stmt *take_idle(const struct store *s, const char *sql)
{
    sqlite3_stmt **place = &idle.at[place_of(sql)], *q = NULL;

    pthread_mutex_lock(&idle.lock);
    if (*place && sqlite3_db_handle(*place) == s->db && strcmp(sqlite3_sql(*place), sql) == 0)
        q = STEAL(*place);
    pthread_mutex_unlock(&idle.lock);
    return q;
}

static void forget_idle(const struct store *s)
{
    pthread_mutex_lock(&idle.lock);
    for (size_t i = 0; i < ARRAY_LEN(idle.at); i++)
        if (idle.at[i] && sqlite3_db_handle(idle.at[i]) == s->db)
            sqlite3_finalize(STEAL(idle.at[i]));
    pthread_mutex_unlock(&idle.lock);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    forget_idle(s);
    sqlite3_close(s->db);
    free(s);
}

void store_view(struct store *s, const struct viewer *v)
{
    s->viewer = v;
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, const char *kinds, va_list args)
{
    sqlite3_stmt *q = take_idle(s, sql);

    if (!q && sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
        give_up(s, sql);
    for (int i = 0; kinds[i]; i++)
        switch (kinds[i]) {
        case 'i':
            sqlite3_bind_int64(q, i + 1, va_arg(args, int64_t));
            break;
        case 'd':
            sqlite3_bind_double(q, i + 1, va_arg(args, double));
            break;
        case 's':
            sqlite3_bind_text(q, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        default:
            sqlite3_bind_null(q, i + 1);
        }
    return q;
}

sqlite3_stmt *store_query(struct store *s, const char *sql, const char *kinds, ...)
{
    va_list args;

    va_start(args, kinds);
    sqlite3_stmt *q = prepare(s, sql, kinds, args);
    va_end(args);
    return q;
}

void store_donep(sqlite3_stmt **q)
{
    sqlite3_stmt *used = *q, **place = used ? &idle.at[place_of(sqlite3_sql(used))] : NULL;

    if (!used)
        return;
    sqlite3_reset(used); /* tells once more what its step told */
    sqlite3_clear_bindings(used);
    pthread_mutex_lock(&idle.lock);
    sqlite3_stmt *before = *place;
    *place = used;
    pthread_mutex_unlock(&idle.lock);
    sqlite3_finalize(before);
}

bool store_next(struct store *s, sqlite3_stmt *q)
{
    int r = sqlite3_step(q);

    if (r != SQLITE_ROW && r != SQLITE_DONE)
        give_up(s, sqlite3_sql(q));
    return r == SQLITE_ROW;
}

const char *store_col_text(struct arena *mem, sqlite3_stmt *q, int col)
{
    const char *text = (const char *)sqlite3_column_text(q, col);

    return text ? arena_strn(mem, text, (size_t)sqlite3_column_bytes(q, col)) : NULL;
}

int store_run(struct store *s, const char *sql, const char *kinds, ...)
{
    va_list args;

    va_start(args, kinds);
    AUTO(store_donep) sqlite3_stmt *q = prepare(s, sql, kinds, args);
    va_end(args);

    int r = sqlite3_step(q);

    if (r == SQLITE_DONE || r == SQLITE_ROW)
        return 0;
    if (r != SQLITE_CONSTRAINT)
        give_up(s, sql);
    return -1;
}

int64_t store_last_id(struct store *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

int64_t store_long(struct store *s, int64_t otherwise, const char *sql, const char *kinds, ...)
{
    va_list args;

    va_start(args, kinds);
    AUTO(store_donep) sqlite3_stmt *q = prepare(s, sql, kinds, args);
    va_end(args);
    return store_next(s, q) && sqlite3_column_type(q, 0) != SQLITE_NULL ? sqlite3_column_int64(q, 0) : otherwise;
}

const char *store_text(struct store *s, struct arena *mem, const char *sql, const char *kinds, ...)
{
    va_list args;

    va_start(args, kinds);
    AUTO(store_donep) sqlite3_stmt *q = prepare(s, sql, kinds, args);
    va_end(args);
    return store_next(s, q) ? store_col_text(mem, q, 0) : NULL;
}

static void command(struct store *s, const char *sql)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        give_up(s, sql);
}

void store_begin(struct store *s)
{
    command(s, "begin immediate");
}

void store_end(struct store *s, bool keep)
{
    command(s, keep ? "commit" : "rollback");
}

sqlite3 *store_db(struct store *s)
{
    return s->db;
}
