#include "ledger/moves.h"

#include <string.h>

#include "base/clock.h"

/* ---- filesets ---- */

struct sum {
    const char *algorithm, *hash;
    int64_t file; /* the row that it comes from */
};

/* Off its old place: a path that no file has (none begins with a slash), and no members. */
static int lift(struct ledger *l, const struct move *m, struct sum *sums, struct arena *a, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    int r = -1;

    if (sql_start(l, &st, err, "SELECT f.algorithm, f.hash, f.id FROM member m JOIN file f ON f.id = m.file WHERE m.fileset = ?1"
                  " ORDER BY m.position", "i", m->fileset) < 0)
        return -1;
    for (size_t i = 0; (r = sql_step(l, st, err)) > 0 && i < m->n_members; i++)
        sums[i] = (struct sum){sql_str(st, 0, a), sql_str(st, 1, a), sql_num(st, 2)};
    if (r < 0 ||
        sql_do(l, err, "INSERT INTO event (at_ms, fileset, what, reason, text) SELECT ?2, id, 'moved', 'none',"
               " 'from ' || CAST(path AS TEXT) FROM fileset WHERE id = ?1", "ii", m->fileset, clock_wall_ms()) < 0 ||
        sql_do(l, err, "UPDATE fileset SET path = CAST('/' || id AS BLOB) WHERE id = ?1", "i", m->fileset) < 0)
        return -1;
    if (sql_do(l, err, "DELETE FROM member WHERE fileset = ?1", "i", m->fileset) < 0)
        return -1;
    for (size_t i = 0; i < m->n_members; i++)
        if (sql_do(l, err, "DELETE FROM file WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM member WHERE file = ?1)", "i",
                   sums[i].file) < 0)
            return -1;
    return 0;
}

static int clear_place(struct ledger *l, const struct move *m, struct err *err)
{
    return sql_do(l, err, "DELETE FROM fileset WHERE root = ?1 AND path = ?2 AND call = 'none'", "ip", m->root, m->path);
}

static int put_member(struct ledger *l, const struct move *m, size_t i, const struct sum *sum, struct err *err)
{
    const struct ledger_stamp *t = &m->members[i].stamp;

    if (sql_do(l, err, "INSERT INTO file (root, path, size, mtime_ns, ctime_ns, ino, algorithm, hash)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (root, path) DO UPDATE SET size = excluded.size,"
               " mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, ino = excluded.ino, algorithm = excluded.algorithm,"
               " hash = excluded.hash, seen_size = NULL, seen_mtime_ns = NULL"
               " WHERE NOT EXISTS (SELECT 1 FROM member m JOIN fileset o ON o.id = m.fileset WHERE m.file = file.id"
               " AND o.call <> 'none')", "ipiiiitt", m->root, m->members[i].path, t->size, t->mtime_ns, t->ctime_ns,
               (int64_t)t->ino, sum->algorithm, sum->hash) < 0)
        return -1;
    return sql_do(l, err, "INSERT INTO member (fileset, position, file) SELECT ?1, ?2, id FROM file WHERE root = ?3 AND"
                  " path = ?4",
                  "iiip", m->fileset, (int64_t)i, m->root, m->members[i].path);
}

static int put(struct ledger *l, const struct move *m, const struct sum *sums, struct err *err)
{
    for (size_t i = 0; i < m->n_members; i++)
        if (put_member(l, m, i, &sums[i], err) < 0)
            return -1;
    return sql_do(l, err, "UPDATE fileset SET root = ?2, path = ?3, gone_ms = NULL, reason = 'none', class = 0, text = '',"
                  " hint = '', due_ms = NULL WHERE id = ?1", "iip", m->fileset, m->root, m->path);
}

int moves_apply(struct ledger *l, const struct move *moves, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct sum **sums = arena_alloc(a, n + 1, sizeof(*sums));

    for (size_t i = 0; i < n; i++) {
        sums[i] = arena_alloc(a, moves[i].n_members, sizeof(**sums));
        if (lift(l, &moves[i], sums[i], a, err) < 0 || clear_place(l, &moves[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (put(l, &moves[i], sums[i], err) < 0)
            return -1;
    return 0;
}

/* ---- datasets ---- */

/* What stands in a follow's way. */
struct way {
    int64_t root;         /* where it was */
    const char *dir;
    const char *kind;
    bool card;            /* its old directory has a card still */
    int64_t occupant;     /* the dataset row of the new place; 0 = none */
    bool made;            /* and that one is in OMERO */
    bool dropped;
};

static const char live_card_sql[] =
    "SELECT 1 FROM card WHERE root = ?1 AND gone_ms IS NULL AND ((length(?2) = 0 AND instr(path, x'2f') = 0)"
    " OR (length(?2) > 0 AND substr(path, 1, length(?2) + 1) = CAST(?2 || '/' AS BLOB)"
    " AND instr(substr(path, length(?2) + 2), x'2f') = 0)) LIMIT 1";

static int has_card(struct ledger *l, int64_t root, const char *dir, bool *out, struct err *err)
{
    int64_t one = 0;
    int r = sql_int(l, &one, err, live_card_sql, "ip", root, dir);

    *out = r == 0;
    return r < 0 ? -1 : 0;
}

static int find_way(struct ledger *l, const struct follow *f, struct way *w, struct arena *a, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    int r;

    if (sql_start(l, &st, err, "SELECT root, dir, kind FROM dataset WHERE id = ?1", "i", f->dataset) < 0)
        return -1;
    r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : err_set(err, REASON_BUG, 0, "ledger: no dataset %lld", (long long)f->dataset);
    *w = (struct way){.root = sql_num(st, 0), .dir = sql_text(st, 1, a), .kind = sql_text(st, 2, a)};
    if (!f->dir_gone && has_card(l, w->root, w->dir, &w->card, err) < 0)
        return -1;
    if (sql_int(l, &w->occupant, err, "SELECT id FROM dataset WHERE root = ?1 AND dir = ?2 AND kind = ?3", "ipt", f->root, f->dir,
                w->kind) < 0)
        return -1;
    r = sql_int(l, &(int64_t){0}, err, "SELECT 1 FROM dataset WHERE id = ?1 AND (omero_id IS NOT NULL OR EXISTS (SELECT 1 FROM"
                " fileset f WHERE f.dataset = ?1 AND f.call <> 'none'))", "i", w->occupant);
    w->made = r == 0;
    return r < 0 ? -1 : 0;
}

/* The one that takes a place, or leaves it. */
static bool is_taken(const struct follow *f, const struct way *w, size_t n, int64_t root, const char *dir)
{
    for (size_t i = 0; i < n; i++)
        if (!w[i].dropped && f[i].root == root && strcmp(f[i].dir, dir) == 0)
            return true;
    return false;
}

static bool leaves(const struct follow *f, const struct way *w, size_t n, int64_t dataset)
{
    for (size_t i = 0; i < n; i++)
        if (!w[i].dropped && f[i].dataset == dataset)
            return true;
    return false;
}

static bool may(const struct follow *f, const struct way *w, size_t n, size_t i)
{
    return w[i].occupant != f[i].dataset && (!w[i].card || is_taken(f, w, n, w[i].root, w[i].dir)) &&
           (!w[i].made || leaves(f, w, n, w[i].occupant));
}

/* Has one before it the same place? */
static bool is_late(const struct follow *f, const struct way *w, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!w[k].dropped && f[k].root == f[i].root && strcmp(f[k].dir, f[i].dir) == 0 && strcmp(w[k].kind, w[i].kind) == 0)
            return true;
    return false;
}

/* One that may not go keeps others from going; only one that may keeps its place from those behind it. */
static void drop_blocked(const struct follow *f, struct way *w, size_t n)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < n; i++)
            if (!w[i].dropped && !may(f, w, n, i))
                again = w[i].dropped = true;
        for (size_t i = 0; i < n && !again; i++)
            if (!w[i].dropped && is_late(f, w, i))
                again = w[i].dropped = true;
    }
}

/* What the card of the new place says is wanted there at once, not when it is looked at again. */
static int want_as(struct ledger *l, int64_t dataset, int64_t occupant, struct err *err)
{
    return sql_do(l, err, "UPDATE dataset SET wanted = o.wanted, stale = 1, reason = 'none', text = '', retry_ms = 0,"
                  " since_ms = ?3 FROM dataset o WHERE dataset.id = ?1 AND o.id = ?2 AND dataset.wanted <> o.wanted", "iii",
                  dataset, occupant, clock_wall_ms());
}

/* A row that stands in the new place and was never made is the same dataset. */
static int absorb(struct ledger *l, const struct follow *f, const struct way *w, struct err *err)
{
    if (sql_do(l, err, "UPDATE dataset SET dir = CAST('/' || id AS BLOB) WHERE id = ?1", "i", f->dataset) < 0)
        return -1;
    if (w->occupant == 0 || w->made)
        return 0;
    if (want_as(l, f->dataset, w->occupant, err) < 0 ||
        sql_do(l, err, "UPDATE fileset SET dataset = ?2 WHERE dataset = ?1", "ii", w->occupant, f->dataset) < 0)
        return -1;
    return sql_do(l, err, "DELETE FROM dataset WHERE id = ?1", "i", w->occupant);
}

static int settle(struct ledger *l, const struct follow *f, const struct way *w, struct err *err)
{
    AUTO(mem_freep) char *text = mem_printf("from %s", w->dir);

    if (sql_do(l, err, "UPDATE dataset SET root = ?2, dir = ?3, moved = 1, stale = 1 WHERE id = ?1", "iip", f->dataset, f->root,
               f->dir) < 0)
        return -1;
    return event_add(l, 0, f->dataset, "moved", REASON_NONE, text, err);
}

int follows_apply(struct ledger *l, struct follow *f, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct way *w = arena_alloc(a, n + 1, sizeof(*w));

    for (size_t i = 0; i < n; i++)
        if (find_way(l, &f[i], &w[i], a, err) < 0)
            return -1;
    drop_blocked(f, w, n);
    for (size_t i = 0; i < n; i++)
        if (!w[i].dropped && absorb(l, &f[i], &w[i], err) < 0)
            return -1;
    for (size_t i = 0; i < n; i++)
        if (!w[i].dropped && settle(l, &f[i], &w[i], err) < 0)
            return -1;
    return 0;
}
