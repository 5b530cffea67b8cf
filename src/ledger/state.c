#include "ledger/store.h"

#include "base/clock.h"

#define BIT(x) (1u << LEDGER_##x)
#define CALL(x) (1u << LEDGER_CALL_##x)

/* From which states ledger_move may go to a state; the others are reached by the journal alone. */
static const unsigned moves[N_LEDGER_STATES] = {
    [LEDGER_SETTLING] = BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(WAITING) | BIT(HELD),
    [LEDGER_READY] = BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(WAITING) | BIT(HELD),
    [LEDGER_WAITING] = BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(SENT) | BIT(STARTED) | BIT(WAITING) | BIT(HELD),
    [LEDGER_HELD] = BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(SENT) | BIT(STARTED) | BIT(WAITING) | BIT(HELD),
};

/* Which calls a call may follow, and the state that it brings. */
static const struct {
    unsigned after;
    enum ledger_state to;
} calls[N_LEDGER_CALLS] = {
    [LEDGER_CALL_NONE] = {CALL(NONE) | CALL(IMPORT) | CALL(UPLOAD) | CALL(VERIFY) | CALL(RUNNING), LEDGER_READY},
    [LEDGER_CALL_IMPORT] = {CALL(NONE) | CALL(FINISHED), LEDGER_SENT},
    [LEDGER_CALL_UPLOAD] = {CALL(IMPORT) | CALL(UPLOAD), LEDGER_SENT},
    [LEDGER_CALL_VERIFY] = {CALL(UPLOAD), LEDGER_STARTED},
    [LEDGER_CALL_RUNNING] = {CALL(VERIFY), LEDGER_STARTED},
};

int event_add(struct ledger *l, int64_t fileset, int64_t dataset, const char *what, enum reason why, const char *text,
              struct err *err)
{
    return sql_do(l, err, "INSERT INTO event (at_ms, fileset, dataset, what, reason, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                  "izzttt", clock_wall_ms(), fileset, dataset, what, reason_row(why)->name, text);
}

/* When a worker may take it: NULL in the database for "not before something changes". */
static bool due(enum ledger_state state, int64_t retry_ms, int64_t *due_ms)
{
    *due_ms = state == LEDGER_WAITING ? retry_ms : 0;
    if (state == LEDGER_WAITING)
        return retry_ms != CLOCK_NEVER;
    return state == LEDGER_READY || state == LEDGER_SENT || state == LEDGER_STARTED;
}

int state_enter(struct ledger *l, int64_t id, enum ledger_state to, const struct err *why, int64_t retry_ms, struct err *err)
{
    const struct err none = ERR_INIT;
    const struct err *e = why ? why : &none;
    int64_t due_ms = 0;
    bool keeps = to == LEDGER_SENT || to == LEDGER_STARTED || to == LEDGER_READY;

    bool is_due = due(to, retry_ms, &due_ms);
    if (sql_do(l, err, "UPDATE fileset SET since_ms = CASE WHEN state = ?2 AND reason = ?3 THEN since_ms ELSE ?4 END,"
               " attempts = CASE ?2 WHEN 'waiting' THEN attempts + 1 WHEN 'done' THEN 0 ELSE attempts END,"
               " state = ?2, reason = ?3, class = ?5, text = ?6, hint = ?7, retry_ms = ?8, due_ms = CASE WHEN ?9 THEN ?8 END,"
               " claimed = CASE WHEN ?10 THEN claimed ELSE 0 END WHERE id = ?1", "ittiittiii", id, ledger_state_name(to),
               reason_row(e->why)->name, clock_wall_ms(), (int64_t)e->cls, e->text, e->hint, due_ms, (int64_t)is_due,
               (int64_t)keeps) < 0)
        return -1;
    return event_add(l, id, 0, ledger_state_name(to), e->why, e->text, err);
}

struct place {
    enum ledger_state state;
    enum ledger_call call;
};

static int where_is(struct ledger *l, int64_t id, struct place *out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "SELECT state, call FROM fileset WHERE id = ?1", "i", id) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r == 0)
        return err_set(err, REASON_BUG, 0, "ledger '%s': no fileset %lld", l->path, (long long)id);
    if (r < 0)
        return -1;
    out->state = state_named((const char *)sqlite3_column_text(st, 0));
    out->call = call_named((const char *)sqlite3_column_text(st, 1));
    return 0;
}

static bool may_move(const struct place *at, enum ledger_state to)
{
    bool fresh = at->call == LEDGER_CALL_NONE || at->call == LEDGER_CALL_FINISHED;

    return (moves[to] & 1u << at->state) && (fresh || to == LEDGER_WAITING || to == LEDGER_HELD);
}

int ledger_move(struct ledger *l, int64_t id, enum ledger_state to, const struct err *why, int64_t retry_ms, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    struct place at = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || where_is(l, id, &at, err) < 0)
        return -1;
    if (!may_move(&at, to))
        return err_set(err, REASON_BUG, 0, "ledger: fileset %lld may not go from %s (last call %s) to %s", (long long)id,
                       ledger_state_name(at.state), ledger_call_name(at.call), ledger_state_name(to));
    if (to == LEDGER_SETTLING && sql_do(l, err, "UPDATE fileset SET quiet_ms = ?2 WHERE id = ?1", "ii", id, clock_wall_ms()) < 0)
        return -1;
    if (state_enter(l, id, to, why, retry_ms, err) < 0 ||
        (to == LEDGER_READY && sql_do(l, err, "UPDATE fileset SET claimed = 0 WHERE id = ?1", "i", id) < 0))
        return -1;
    return tx_commit(&tx, err);
}

/* A new try, or none: numbers of an earlier one mean nothing any more. */
static int forget_try(struct ledger *l, int64_t id, struct ledger_journal *j, struct err *err)
{
    bool fresh = j->call == LEDGER_CALL_IMPORT;

    if (fresh)
        uuid_new(j->job);
    return sql_do(l, err, "UPDATE fileset SET job = ?2, server = NULL, session_id = NULL, omero_id = NULL, process = NULL,"
                  " handle = NULL, revision = coalesce(?3, revision) WHERE id = ?1", "itz", id, fresh ? j->job : NULL,
                  j->revision);
}

static int note_call(struct ledger *l, int64_t id, const struct ledger_journal *j, struct err *err)
{
    return sql_do(l, err, "UPDATE fileset SET call = ?2, call_ms = ?3, server = coalesce(?4, server),"
                  " session_id = coalesce(?5, session_id), omero_id = coalesce(?6, omero_id), process = coalesce(?7, process),"
                  " handle = coalesce(?8, handle) WHERE id = ?1", "ititzztt", id, ledger_call_name(j->call), clock_wall_ms(),
                  j->server, j->session_id, j->omero_id, j->process, j->handle);
}

int ledger_journal(struct ledger *l, int64_t id, struct ledger_journal *j, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    struct place at = {0};
    bool resets = j->call == LEDGER_CALL_IMPORT || j->call == LEDGER_CALL_NONE;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || where_is(l, id, &at, err) < 0)
        return -1;
    if (at.state == LEDGER_DONE || !(calls[j->call].after & 1u << at.call))
        return err_set(err, REASON_BUG, 0, "ledger: fileset %lld: call %s may not follow %s in state %s", (long long)id,
                       ledger_call_name(j->call), ledger_call_name(at.call), ledger_state_name(at.state));
    if ((resets && forget_try(l, id, j, err) < 0) || note_call(l, id, j, err) < 0 ||
        state_enter(l, id, calls[j->call].to, NULL, 0, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_hash(struct ledger *l, int64_t fileset, size_t member, const char *algorithm, const char *hash, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE file SET algorithm = ?3, hash = ?4 WHERE id ="
               " (SELECT file FROM member WHERE fileset = ?1 AND position = ?2)", "iitt", fileset, (int64_t)member, algorithm,
               hash) < 0)
        return -1;
    if (sqlite3_changes(l->db) != 1)
        return err_set(err, REASON_BUG, 0, "ledger: fileset %lld has no member %zu", (long long)fileset, member);
    return tx_commit(&tx, err);
}
