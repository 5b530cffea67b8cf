#include "ledger/store.h"

#include <string.h>

#include "base/clock.h"

static bool within(const char *outer, const char *inner)
{
    size_t n = strlen(outer);

    while (n > 0 && outer[n - 1] == '/')
        n--;
    return strncmp(outer, inner, n) == 0 && inner[n] == '/';
}

/* Roots must not lie within one another, and a name means one root. */
static int fits(struct ledger *l, const char *name, const char *path, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();
    int r = -1;

    if (sql_start(l, &st, err, "SELECT name, path FROM root WHERE path IS NOT ?1", "p", path) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        const char *other_name = sql_text(st, 0, a), *other = sql_text(st, 1, a);

        if (within(other, path))
            return err_set(err, REASON_CONFIG, 0, "root '%s': lies in the root '%s'", path, other);
        if (within(path, other))
            return err_set(err, REASON_CONFIG, 0, "root '%s': the root '%s' lies in it", path, other);
        if (strcmp(other_name, name) == 0)
            return err_set(err, REASON_CONFIG, 0, "root '%s': its name '%s' is that of the root '%s'", path, name, other);
    }
    return r;
}

/* Its datasets say the name in their provenance. */
static int rename_root(struct ledger *l, const char *name, const char *path, struct err *err)
{
    int64_t id = 0;
    int r = sql_int(l, &id, err, "SELECT id FROM root WHERE path = ?1 AND name <> ?2", "pt", path, name);

    if (r != 0)
        return r < 0 ? -1 : 0;
    if (sql_do(l, err, "UPDATE root SET name = ?2 WHERE id = ?1", "it", id, name) < 0)
        return -1;
    return sql_do(l, err, "UPDATE dataset SET moved = 1, stale = 1 WHERE root = ?1 AND omero_id IS NOT NULL", "i", id);
}

int ledger_root(struct ledger *l, const char *name, const char *path, int64_t *id, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    int64_t found = 0;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || fits(l, name, path, err) < 0 ||
        rename_root(l, name, path, err) < 0 ||
        sql_do(l, err, "INSERT INTO root (name, path) VALUES (?1, ?2) ON CONFLICT (path) DO NOTHING", "tp", name, path) < 0 ||
        sql_int(l, &found, err, "SELECT id FROM root WHERE path = ?1", "p", path) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    *id = found;
    return 0;
}

int ledger_root_away(struct ledger *l, int64_t root, const char *text, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE root SET away_ms = coalesce(away_ms, ?2), away_text = ?3 WHERE id = ?1", "iit", root,
               clock_wall_ms(), text) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_roots(struct ledger *l, struct arena *a, const struct ledger_root **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_root *roots = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT id, name, path, scanned_ms, away_ms, away_text FROM root ORDER BY name", "") < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        roots = mem_grow(roots, used, &cap, sizeof(*roots));
        roots[used++] = (struct ledger_root){.id = sql_num(st, 0), .name = sql_text(st, 1, a), .path = sql_text(st, 2, a),
                                             .scanned_ms = sql_num(st, 3), .away_ms = sql_num(st, 4),
                                             .away_text = sql_text(st, 5, a)};
    }
    if (r < 0)
        return -1;
    *out = keep(a, roots, used, sizeof(*roots));
    *n = used;
    return 0;
}
