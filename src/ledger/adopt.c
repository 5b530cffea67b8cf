/* What lies in OMERO already is taken into the ledger. */
#include <string.h>

#include "base/clock.h"
#include "ledger/store.h"

static int put_member(struct ledger *l, int64_t fileset, size_t i, const struct ledger_member *m, struct err *err)
{
    const struct ledger_stamp *t = &m->stamp;

    return sql_do(l, err, "UPDATE file SET size = ?3, mtime_ns = ?4, ctime_ns = ?5, ino = ?6, algorithm = ?7, hash = ?8"
                  " WHERE id = (SELECT file FROM member WHERE fileset = ?1 AND position = ?2)", "iiiiiitt", fileset, (int64_t)i,
                  t->size, t->mtime_ns, t->ctime_ns, (int64_t)t->ino, m->algorithm, m->hash);
}

/* Is its dataset's card still to be put on them? */
static int put_card(struct ledger *l, int64_t fileset, bool carries, struct err *err)
{
    if (carries && sql_do(l, err, "UPDATE image SET revision = (SELECT applied FROM dataset WHERE id = image.dataset)"
                          " WHERE fileset = ?1", "i", fileset) < 0)
        return -1;
    return sql_do(l, err, "UPDATE dataset SET stale = 1 WHERE id = (SELECT dataset FROM fileset WHERE id = ?1)"
                  " AND (?2 = 0 OR applied IS NULL)", "ii", fileset, (int64_t)carries);
}

static int put_all(struct ledger *l, int64_t fileset, size_t n_members, const struct ledger_adopted *found, struct err *err)
{
    for (size_t i = 0; i < n_members; i++)
        if (put_member(l, fileset, i, &found->members[i], err) < 0)
            return -1;
    for (size_t i = 0; i < found->n_images; i++)
        if (image_put(l, fileset, false, &found->images[i], err) < 0)
            return -1;
    return put_card(l, fileset, found->carries, err);
}

static int check_fresh(const struct ledger_fileset *f, struct err *err)
{
    if (f->call == LEDGER_CALL_NONE && f->state != LEDGER_DONE)
        return 0;
    return err_set(err, REASON_BUG, 0, "ledger: fileset %lld was sent", (long long)f->id);
}

int ledger_adopt(struct ledger *l, int64_t fileset, const struct ledger_adopted *found, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_fileset *f;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || fileset_get(l, fileset, SIZE_MAX, a, &f, err) != 0 ||
        check_fresh(f, err) < 0 || put_all(l, fileset, f->n_members, found, err) < 0 ||
        sql_do(l, err,
               "UPDATE fileset SET call = 'finished', call_ms = ?2, server = ?3, omero_id = ?4, plan_reason = 'none'"
               " WHERE id = ?1",
               "iiti", fileset, clock_wall_ms(), found->server, found->omero_id) < 0 ||
        state_enter(l, fileset, LEDGER_DONE, NULL, 0, err) < 0 || event_add(l, fileset, 0, "adopted", REASON_NONE, "", err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_doubt(struct ledger *l, int64_t fileset, const char *text, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_fileset *f;
    struct err why = ERR_INIT;

    err_set(&why, REASON_UNKNOWN_OUTCOME, 0, "%s", text);
    err_hint(&why, "look in OMERO; impomero retry imports it");
    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || fileset_get(l, fileset, 0, a, &f, err) != 0 || check_fresh(f, err) < 0 ||
        state_enter(l, fileset, LEDGER_HELD, &why, 0, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_dataset_identity(struct ledger *l, int64_t dataset, const char *uuid, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET uuid = ?2 WHERE id = ?1 AND omero_id IS NULL", "it", dataset, uuid) < 0)
        return -1;
    if (sqlite3_changes(l->db) != 1)
        return err_set(err, REASON_BUG, 0, "ledger: dataset %lld was made already", (long long)dataset);
    return tx_commit(&tx, err);
}

int ledger_become(struct ledger *l, const char *uuid, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    int64_t n = 0;

    if (strlen(uuid) != UUID_TEXT - 1)
        return err_set(err, REASON_USAGE, 0, "'%s' is no uuid", uuid);
    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_int(l, &n, err, "SELECT count(*) FROM dataset WHERE omero_id IS NOT NULL", "") < 0)
        return -1;
    if (n > 0 && strcmp(l->uuid, uuid) != 0)
        return err_set(err, REASON_LEDGER, 0, "ledger '%s': it has datasets of its own, and another identity", l->path);
    if (sql_do(l, err, "UPDATE meta SET value = ?1 WHERE key = 'uuid'", "t", uuid) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    memcpy(l->uuid, uuid, UUID_TEXT);
    return 0;
}

int ledger_root_is_new(struct ledger *l, const char *path, bool *is_new, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0)
        return -1;
    int r = sql_int(l, &(int64_t){0}, err, "SELECT 1 FROM fileset f JOIN root r ON r.id = f.root WHERE r.path = ?1"
                    " AND f.call <> 'none' LIMIT 1", "p", path);
    *is_new = r == LEDGER_NOTHING;
    return r < 0 ? -1 : 0;
}

static const char hold_sql[] =
    "UPDATE fileset SET state = 'held', reason = ?2, class = ?3, text = ?4, hint = ?5, since_ms = ?6, retry_ms = 0, due_ms = NULL"
    " WHERE root = ?1 AND call = 'none' AND plan_reason = 'none' AND claimed = 0"
    " AND state IN ('seen', 'settling', 'ready', 'waiting')";

/* What others of the root are held for. */
static int hold_likewise(struct ledger *l, int64_t root, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();
    const char *name = reason_row(REASON_THERE)->name;

    if (sql_start(l, &st, err, "SELECT class, text, hint FROM fileset WHERE root = ?1 AND reason = ?2 AND state = 'held' LIMIT 1",
                  "it", root, name) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r;
    return sql_do(l, err, hold_sql, "ititti", root, name, sql_num(st, 0), sql_text(st, 1, a), sql_text(st, 2, a),
                  clock_wall_ms());
}

int ledger_root_hold(struct ledger *l, int64_t root, const struct err *why, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    int r = why ? sql_do(l, err, hold_sql, "ititti", root, reason_row(why->why)->name, (int64_t)why->cls, why->text, why->hint,
                         clock_wall_ms())
                : hold_likewise(l, root, err);
    return r < 0 ? -1 : tx_commit(&tx, err);
}

int ledger_root_free(struct ledger *l, const char *path, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE fileset SET state = 'ready', reason = 'none', text = '', hint = '', since_ms = ?3, retry_ms = 0,"
               " due_ms = 0 WHERE root = (SELECT id FROM root WHERE path = ?1) AND state = 'held' AND reason = ?2"
               " AND call = 'none' AND gone_ms IS NULL", "pti", path, reason_row(REASON_THERE)->name, clock_wall_ms()) < 0)
        return -1;
    return tx_commit(&tx, err);
}
