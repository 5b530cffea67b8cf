/* What was found in files, by their stamps: bytes that only the room of formats understands.  Lost memory costs a look, nothing
 * more, so a failure here is forgotten. */
#include "ledger/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FLUSH_AT = 4096 }; /* verdicts that wait to be written together */

struct waiting {
    const char *path;
    struct ledger_stamp stamp;
    const void *bytes;
    size_t n;
};

struct ledger_memory {
    struct ledger *l;
    int64_t root;
    struct arena *arena; /* of what waits */
    struct waiting *at;
    size_t n, cap;
    void *last; /* what the last call gave */
    int64_t found; /* files of this look that have a row */
};

void ledger_memory_open(struct ledger *l, int64_t root, struct ledger_memory **out)
{
    struct ledger_memory *m = mem_new(1, sizeof(*m));

    *m = (struct ledger_memory){.l = l, .root = root, .arena = arena_new()};
    *out = m;
}

static void *copy_column(sqlite3_stmt *st, int column, size_t *n)
{
    *n = (size_t)sqlite3_column_bytes(st, column);

    void *bytes = mem_new(*n + 1, 1);

    if (*n > 0)
        memcpy(bytes, sqlite3_column_blob(st, column), *n);
    return bytes;
}

static bool give(struct ledger_memory *m, sqlite3_stmt *st, const void **bytes, size_t *n)
{
    free(m->last);
    *bytes = m->last = copy_column(st, 0, n);
    return true;
}

bool ledger_memory_find(struct ledger_memory *m, const char *path, const struct ledger_stamp *s, const void **bytes, size_t *n)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct err ignored = ERR_INIT;

    if (tx_begin(&tx, m->l, LEDGER_READ, &ignored) < 0 ||
        sql_start(m->l, &st, &ignored, "SELECT bytes FROM look_file WHERE root = ?1 AND path = ?2 AND size = ?3 AND mtime_ns = ?4"
                  " AND ctime_ns = ?5 AND ino = ?6", "ipiiii", m->root, path, s->size, s->mtime_ns, s->ctime_ns,
                  (int64_t)s->ino) < 0 || sql_step(m->l, st, &ignored) <= 0)
        return false;
    m->found++;
    return give(m, st, bytes, n);
}

static int bind_bytes(struct ledger_memory *m, sqlite3_stmt *st, int at, const void *bytes, size_t n, struct err *err)
{
    int rc = sqlite3_bind_blob64(st, at, bytes, n, SQLITE_STATIC);

    return rc == SQLITE_OK ? 0 : sql_fail(m->l, rc, err);
}

static int write_one(struct ledger_memory *m, const struct waiting *w, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(m->l, &st, err, "INSERT OR REPLACE INTO look_file (root, path, size, mtime_ns, ctime_ns, ino, bytes)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "ipiiii", m->root, w->path, w->stamp.size, w->stamp.mtime_ns,
                  w->stamp.ctime_ns, (int64_t)w->stamp.ino) < 0 || bind_bytes(m, st, 7, w->bytes, w->n, err) < 0)
        return -1;
    return sql_step(m->l, st, err) < 0 ? -1 : 0;
}

static void flush(struct ledger_memory *m)
{
    AUTO(tx_end) struct tx tx = {0};
    struct err ignored = ERR_INIT;
    bool fine = m->n > 0 && tx_begin(&tx, m->l, LEDGER_ENGINE, &ignored) == 0;

    for (size_t i = 0; fine && i < m->n; i++)
        fine = write_one(m, &m->at[i], &ignored) == 0;
    if (fine)
        (void)tx_commit(&tx, &ignored); /* see the head of this file */
    m->found += (int64_t)m->n;
    m->n = 0;
    arena_free(m->arena);
    m->arena = arena_new();
}

void ledger_memory_keep(struct ledger_memory *m, const char *path, const struct ledger_stamp *s, const void *bytes, size_t n)
{
    m->at = mem_grow(m->at, m->n, &m->cap, sizeof(*m->at));
    m->at[m->n++] = (struct waiting){arena_str(m->arena, path), *s, arena_strn(m->arena, bytes, n), n};
    if (m->n >= FLUSH_AT)
        flush(m);
}

bool ledger_memory_find_list(struct ledger_memory *m, int64_t id, const void **bytes, size_t *n)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct err ignored = ERR_INIT;

    if (tx_begin(&tx, m->l, LEDGER_READ, &ignored) < 0 ||
        sql_start(m->l, &st, &ignored, "SELECT bytes FROM look_list WHERE id = ?1", "i", id) < 0 ||
        sql_step(m->l, st, &ignored) <= 0)
        return false;
    return give(m, st, bytes, n);
}

int64_t ledger_memory_keep_list(struct ledger_memory *m, const char *digest, const void *bytes, size_t n)
{
    AUTO(tx_end) struct tx tx = {0};
    struct err ignored = ERR_INIT;
    int64_t id = -1;

    if (tx_begin(&tx, m->l, LEDGER_ENGINE, &ignored) < 0)
        return -1;

    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(m->l, &st, &ignored, "INSERT OR IGNORE INTO look_list (digest, bytes) VALUES (?1, ?2)", "t", digest) < 0 ||
        bind_bytes(m, st, 2, bytes, n, &ignored) < 0 || sql_step(m->l, st, &ignored) < 0 ||
        sql_int(m->l, &id, &ignored, "SELECT id FROM look_list WHERE digest = ?1", "t", digest) != 0 ||
        tx_commit(&tx, &ignored) < 0)
        return -1;
    return id;
}

/* Rows of files that are not there any more go when there are many of them. */
static void forget_gone(struct ledger_memory *m, bool (*there)(void *arg, const char *path), void *arg)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(arena_freep) struct arena *a = arena_new();
    struct err ignored = ERR_INIT;
    int64_t rows = 0;
    char **gone = NULL;
    size_t n = 0, cap = 0;

    if (tx_begin(&tx, m->l, LEDGER_ENGINE, &ignored) < 0 ||
        sql_int(m->l, &rows, &ignored, "SELECT count(*) FROM look_file WHERE root = ?1", "i", m->root) != 0 ||
        rows <= m->found + m->found / 4 + 1000)
        return;

    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(m->l, &st, &ignored, "SELECT path FROM look_file WHERE root = ?1", "i", m->root) < 0)
        return;
    while (sql_step(m->l, st, &ignored) > 0) {
        char *path = sql_text(st, 0, a);

        if (there(arg, path))
            continue;
        gone = mem_grow(gone, n, &cap, sizeof(*gone));
        gone[n++] = path;
    }
    sql_reset(&st);
    st = NULL;
    for (size_t i = 0; i < n; i++)
        (void)sql_do(m->l, &ignored, "DELETE FROM look_file WHERE root = ?1 AND path = ?2", "ip", m->root, gone[i]);
    free(gone);
    (void)tx_commit(&tx, &ignored); /* see the head of this file */
}

void ledger_memory_close(struct ledger_memory *m, bool (*there)(void *arg, const char *path), void *arg)
{
    if (!m)
        return;
    flush(m);
    if (there)
        forget_gone(m, there, arg);
    arena_free(m->arena);
    free(m->at);
    free(m->last);
    free(m);
}
