#include "ledger/store.h"

#include "base/clock.h"

int ledger_request_add(struct ledger *l, enum ledger_verb verb, const char *path, int64_t *id, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_REQUEST, err) < 0 ||
        sql_do(l, err, "INSERT INTO request (verb, path, made_ms) VALUES (?1, ?2, ?3)", "tpi", ledger_verb_name(verb), path,
               clock_wall_ms()) < 0)
        return -1;
    int64_t made = sqlite3_last_insert_rowid(l->db);
    if (tx_commit(&tx, err) < 0)
        return -1;
    *id = made;
    return 0;
}

static int request_get(struct ledger *l, int64_t id, struct arena *a, struct ledger_request *out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "SELECT id, verb, path, made_ms, taken_ms, answer FROM request WHERE id = ?1", "i", id) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    *out = (struct ledger_request){.id = sql_num(st, 0), .verb = verb_named(sql_text(st, 1, a)), .path = sql_str(st, 2, a),
                                   .made_ms = sql_num(st, 3), .taken_ms = sql_num(st, 4), .answer = sql_str(st, 5, a)};
    return 0;
}

int ledger_request(struct ledger *l, int64_t id, struct arena *a, const struct ledger_request **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    struct ledger_request *q = arena_alloc(a, 1, sizeof(*q));

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0)
        return -1;
    int r = request_get(l, id, a, q, err);
    if (r == 0)
        *out = q;
    return r;
}

static int oldest_open(struct ledger *l, int64_t *id, struct err *err)
{
    return sql_int(l, id, err, "SELECT id FROM request WHERE taken_ms IS NULL ORDER BY id LIMIT 1", "");
}

int ledger_request_next(struct ledger *l, struct arena *a, const struct ledger_request **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    struct ledger_request *q = arena_alloc(a, 1, sizeof(*q));
    int64_t id = 0;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0)
        return -1;
    int r = oldest_open(l, &id, err);
    if (r == 0)
        r = request_get(l, id, a, q, err);
    if (r == 0)
        *out = q;
    return r;
}

/* Waiting and held ones that no plan holds: at once.  What may be on the server goes back to waiting, due now: it is asked
 * first. */
static int retry_stuck(struct ledger *l, int64_t id, struct err *err)
{
    return sql_do(l, err, "UPDATE fileset SET due_ms = 0, retry_ms = 0, attempts = 0,"
                  " state = CASE call WHEN 'none' THEN 'ready' ELSE 'waiting' END,"
                  " reason = CASE call WHEN 'none' THEN 'none' ELSE reason END, text = CASE call WHEN 'none' THEN '' ELSE text"
                  " END,"
                  " hint = CASE call WHEN 'none' THEN '' ELSE hint END, since_ms = ?2"
                  " WHERE id = ?1 AND claimed = 0 AND state IN ('waiting', 'held') AND plan_reason = 'none' AND gone_ms IS"
                  " NULL", "ii",
                  id, clock_wall_ms());
}

/* Done ones of which nothing is left in OMERO: from the start. */
static int retry_deleted(struct ledger *l, int64_t id, struct err *err)
{
    return sql_do(l, err, "UPDATE fileset SET due_ms = 0, call = 'none', state = 'ready', reason = 'none', text = '', hint = '',"
                  " since_ms = ?2 WHERE id = ?1 AND state = 'done' AND gone_ms IS NULL AND"
                  " NOT EXISTS (SELECT 1 FROM image i WHERE i.fileset = ?1 AND i.deleted_ms IS NULL)", "ii", id, clock_wall_ms());
}

static int retry_one(struct ledger *l, int64_t id, int *changed, struct err *err)
{
    if (retry_stuck(l, id, err) < 0)
        return -1;
    *changed = sqlite3_changes(l->db);
    if (*changed == 0 && retry_deleted(l, id, err) < 0)
        return -1;
    *changed = *changed || sqlite3_changes(l->db);
    return *changed ? event_add(l, id, 0, "retry", REASON_NONE, "", err) : 0;
}

/* What is under way is not forgotten, but for what only a person can say the outcome of. */
static int forget_one(struct ledger *l, int64_t id, int *changed, struct err *err)
{
    if (sql_do(l, err, "DELETE FROM fileset WHERE id = ?1 AND claimed = 0 AND (call IN ('none', 'finished')"
                   " OR (state = 'held' AND reason = ?2))", "it", id, reason_row(REASON_UNKNOWN_OUTCOME)->name) < 0)
        return -1;
    *changed = sqlite3_changes(l->db);
    return 0;
}

static int drop_orphans(struct ledger *l, struct err *err)
{
    return sql_do(l, err, "DELETE FROM file WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.file = file.id)", "");
}

static int retry_datasets(struct ledger *l, const char *path, int *changed, struct err *err)
{
    if (sql_do(l, err, "UPDATE dataset SET retry_ms = 0 WHERE reason <> 'none' AND (?1 IS NULL OR id IN (SELECT d.id FROM"
               " dataset d"
               " JOIN root r ON r.id = d.root WHERE CAST(r.path || '/' || d.dir AS BLOB) = ?1 OR r.path = ?1"
               " OR substr(CAST(r.path || '/' || d.dir AS BLOB), 1, length(?1) + 1) = CAST(?1 || '/' AS BLOB)))", "p", path) < 0)
        return -1;
    *changed = sqlite3_changes(l->db);
    return 0;
}

static int carry_out(struct ledger *l, const struct ledger_request *q, char **answer, struct err *err)
{
    AUTO(mem_freep) int64_t *ids = NULL;
    size_t n = 0, filesets = 0;
    int datasets = 0, changed = 0;
    const struct ledger_filter filter = {.path = q->path};
    int (*one)(struct ledger *, int64_t, int *, struct err *) = q->verb == LEDGER_VERB_RETRY ? retry_one : forget_one;

    if (fileset_ids(l, &filter, &ids, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (one(l, ids[i], &changed, err) < 0)
            return -1;
        filesets += changed > 0;
    }
    if (q->verb == LEDGER_VERB_FORGET && drop_orphans(l, err) < 0)
        return -1;
    if (q->verb == LEDGER_VERB_RETRY && retry_datasets(l, q->path, &datasets, err) < 0)
        return -1;
    *answer = mem_printf("%s: %zu of %zu filesets, %d datasets", ledger_verb_name(q->verb), filesets, n, datasets);
    return 0;
}

int ledger_request_take(struct ledger *l, struct arena *a, const struct ledger_request **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(mem_freep) char *answer = NULL;
    struct ledger_request *q = arena_alloc(a, 1, sizeof(*q));
    int64_t id = 0;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    int r = oldest_open(l, &id, err);
    if (r != 0)
        return r;
    if (request_get(l, id, a, q, err) != 0 || carry_out(l, q, &answer, err) < 0 ||
        sql_do(l, err, "UPDATE request SET taken_ms = ?2, answer = ?3 WHERE id = ?1", "iit", id, clock_wall_ms(), answer) < 0 ||
        request_get(l, id, a, q, err) != 0 || tx_commit(&tx, err) < 0)
        return -1;
    *out = q;
    return 0;
}
