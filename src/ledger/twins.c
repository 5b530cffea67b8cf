/* Filesets whose files had the same bytes: moved files that their inode does not tell, and copies. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/moves.h"

/* Those that were sent from as many files of these sizes.  ?2: only those that are gone, changed, or of another root with this
 * time of modification. */
#define ALIKE                                                                                                                \
    " FROM member n JOIN file t ON t.id = n.file JOIN file f ON f.size = t.size JOIN member m ON m.file = f.id AND"          \
    " m.position = 0 JOIN fileset o ON o.id = m.fileset WHERE n.fileset = ?1 AND n.position = 0 AND o.id <> ?1"        \
    " AND o.call <> 'none' AND (?2 = 0 OR o.gone_ms IS NOT NULL OR o.reason = 'changed' OR (o.root <> t.root AND f.mtime_ns"  \
    " = t.mtime_ns))"

static int pending(struct ledger *l, int64_t fileset, bool *out, struct err *err)
{
    int r = sql_int(l, &(int64_t){0}, err, "SELECT 1" ALIKE " AND o.call <> 'finished' AND o.gone_ms IS NOT NULL"
                    " AND f.mtime_ns = t.mtime_ns LIMIT 1", "ii", fileset, INT64_C(1));

    *out = r == 0;
    return r < 0 ? -1 : 0;
}

int ledger_twin_sums(struct ledger *l, int64_t fileset, bool gone, struct arena *a, const char *const **algorithms, bool *waits,
                     struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) const char **names = NULL;
    size_t n = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 || pending(l, fileset, waits, err) < 0 ||
        sql_start(l, &st, err, "SELECT DISTINCT f.algorithm" ALIKE " AND f.hash IS NOT NULL AND o.state = 'done'", "ii", fileset,
                  (int64_t)gone) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        names = mem_grow(names, n, &cap, sizeof(*names));
        names[n++] = sql_text(st, 0, a);
    }
    if (r < 0)
        return -1;
    names = mem_grow(names, n, &cap, sizeof(*names));
    names[n++] = NULL;
    *algorithms = keep(a, names, n, sizeof(*names));
    return 0;
}

int ledger_may_follow(struct ledger *l, int64_t dataset, int64_t fileset, bool *out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0)
        return -1;
    int r = sql_int(l, &(int64_t){0}, err, "SELECT 1 FROM fileset s WHERE s.dataset = ?1 AND s.id <> ?2 AND s.call = 'none'"
                    " AND s.gone_ms IS NULL AND s.state IN ('ready', 'settling') AND EXISTS (SELECT 1 FROM member n"
                    " JOIN file t ON t.id = n.file JOIN file f ON f.size = t.size JOIN member m ON m.file = f.id"
                    " AND m.position = 0 JOIN fileset o ON o.id = m.fileset WHERE n.fileset = s.id AND n.position = 0"
                    " AND o.state = 'done' AND o.dataset <> ?1 AND o.gone_ms IS NOT NULL AND f.hash IS NOT NULL"
                    " AND (t.hash IS NULL OR t.hash = f.hash)) LIMIT 1", "ii", dataset, fileset);
    *out = r == 0;
    return r < 0 ? -1 : 0;
}

/* LEDGER_NOTHING: other bytes. */
static int read_twin(struct ledger *l, int64_t id, const char *algorithm, const char *const *hashes, size_t n_hashes,
                     struct arena *a, struct ledger_twin *out, struct err *err)
{
    const struct ledger_fileset *f;
    int r = fileset_get(l, id, SIZE_MAX, a, &f, err);

    if (r != 0)
        return r;
    for (size_t i = 0; i < f->n_members && i < n_hashes; i++) {
        const struct ledger_member *m = &f->members[i];

        if (!m->hash || strcmp(m->algorithm, algorithm) != 0 || strcmp(m->hash, hashes[i]) != 0)
            return LEDGER_NOTHING;
    }
    if (f->n_members != n_hashes)
        return LEDGER_NOTHING;
    *out = (struct ledger_twin){.id = id, .root_path = f->root_path, .path = f->path, .user = f->user,
                                .done = f->state == LEDGER_DONE, .gone = f->gone_ms != 0, .members = f->members,
                                .n_members = f->n_members};
    r = sql_int(l, &out->group_id, err, "SELECT coalesce(group_id, 0) FROM dataset WHERE id = ?1", "i", f->dataset);
    return r < 0 ? -1 : 0;
}

int ledger_twins(struct ledger *l, int64_t fileset, const char *algorithm, const char *const *hashes, struct arena *a,
                 const struct ledger_twin **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_twin *twins = NULL;
    int64_t n_hashes = 0;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_int(l, &n_hashes, err, "SELECT count(*) FROM member WHERE fileset = ?1", "i", fileset) != 0 ||
        sql_start(l, &st, err, "SELECT m.fileset FROM file f JOIN member m ON m.file = f.id AND m.position = 0 JOIN fileset o"
                  " ON o.id = m.fileset WHERE f.hash = ?1 AND f.algorithm = ?2 AND o.id <> ?3 AND o.call <> 'none' ORDER BY o.id",
                  "tti", hashes[0], algorithm, fileset) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        twins = mem_grow(twins, used, &cap, sizeof(*twins));
        r = read_twin(l, sql_num(st, 0), algorithm, hashes, (size_t)n_hashes, a, &twins[used], err);
        if (r < 0)
            return -1;
        used += r == 0;
    }
    if (r < 0)
        return -1;
    *out = keep(a, twins, used, sizeof(*twins));
    *n = used;
    return 0;
}

/* ---- a move that was proved ---- */

static int place_of(struct ledger *l, int64_t dataset, struct follow *out, struct arena *a, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "SELECT root, dir FROM dataset WHERE id = ?1", "i", dataset) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    out->root = sql_num(st, 0);
    out->dir = sql_text(st, 1, a);
    return 0;
}

static int check_move(const struct ledger_fileset *from, const struct ledger_fileset *to, struct err *err)
{
    if (from->state == LEDGER_DONE && to->call == LEDGER_CALL_NONE && from->n_members == to->n_members)
        return 0;
    return err_set(err, REASON_BUG, 0, "ledger: fileset %lld may not move to the place of %lld", (long long)from->id,
                   (long long)to->id);
}

int ledger_moved(struct ledger *l, int64_t from, int64_t to, bool dir_gone, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_fileset *old, *new;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || fileset_get(l, from, SIZE_MAX, a, &old, err) != 0 ||
        fileset_get(l, to, SIZE_MAX, a, &new, err) != 0 || check_move(old, new, err) < 0)
        return -1;

    const struct move move = {.fileset = from, .dataset = old->dataset, .root = new->root, .path = new->path,
                              .members = new->members, .n_members = new->n_members};
    struct follow follow = {.dataset = old->dataset, .dir_gone = dir_gone};

    if (moves_apply(l, &move, 1, err) < 0)
        return -1;
    if (old->dataset && new->dataset && old->dataset != new->dataset &&
        (place_of(l, new->dataset, &follow, a, err) != 0 || follows_apply(l, &follow, 1, err) < 0))
        return -1;
    return tx_commit(&tx, err);
}

/* ---- a file that changed ---- */

static int note_seen(struct ledger *l, int64_t fileset, size_t i, const struct ledger_member *now, bool same, struct err *err)
{
    const struct ledger_stamp *t = &now->stamp;

    if (same)
        return sql_do(l, err, "UPDATE file SET size = ?3, mtime_ns = ?4, ctime_ns = ?5, ino = ?6, seen_size = NULL,"
                      " seen_mtime_ns = NULL WHERE id = (SELECT file FROM member WHERE fileset = ?1 AND position = ?2)", "iiiiii",
                      fileset, (int64_t)i, t->size, t->mtime_ns, t->ctime_ns, (int64_t)t->ino);
    return sql_do(l, err, "UPDATE file SET seen_size = ?3, seen_mtime_ns = ?4"
                  " WHERE id = (SELECT file FROM member WHERE fileset = ?1 AND position = ?2)", "iiii", fileset, (int64_t)i,
                  t->size, t->mtime_ns);
}

static bool same_bytes(const struct ledger_member *then, const struct ledger_member *now)
{
    return then->hash && now->hash && strcmp(then->algorithm, now->algorithm) == 0 && strcmp(then->hash, now->hash) == 0;
}

/* Which file, and both checksums of the first one that differs. */
static void say_changed(const struct ledger_member *then, const struct ledger_member *now, struct err *why)
{
    AUTO(mem_freep) char *path = str_show(then->path);

    if (then->hash && now->hash)
        err_set(why, REASON_CHANGED, 0, "'%s' was imported with the %s %s and has %s now", path, then->algorithm, then->hash,
                now->hash);
    else
        err_set(why, REASON_CHANGED, 0, "'%s' differs from what was imported, whose checksum is not known", path);
}

int ledger_compared(struct ledger *l, int64_t fileset, const struct ledger_member *now, bool *same, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_fileset *f;
    struct err why = ERR_INIT;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || fileset_get(l, fileset, SIZE_MAX, a, &f, err) != 0)
        return -1;
    for (size_t i = 0; i < f->n_members; i++)
        if (why.why == REASON_NONE && !same_bytes(&f->members[i], &now[i]))
            say_changed(&f->members[i], &now[i], &why);
    *same = why.why == REASON_NONE;
    for (size_t i = 0; i < f->n_members; i++)
        if (note_seen(l, fileset, i, &now[i], *same, err) < 0)
            return -1;
    if (state_enter(l, fileset, LEDGER_DONE, *same ? NULL : &why, 0, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_not_compared(struct ledger *l, int64_t fileset, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE fileset SET claimed = 0, due_ms = NULL WHERE id = ?1 AND state = 'done'", "i", fileset) < 0)
        return -1;
    return tx_commit(&tx, err);
}
