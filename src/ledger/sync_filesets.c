#include "ledger/sync.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static const char *plan_user(const struct sync *s, const struct ledger_plan *p)
{
    return p->target == SIZE_MAX ? "" : s->scan->targets[p->target].revision->user;
}

static int64_t plan_dataset(const struct sync *s, const struct ledger_plan *p)
{
    return p->target == SIZE_MAX ? 0 : s->targets[p->target];
}

static int64_t plan_revision(const struct sync *s, const struct ledger_plan *p)
{
    return p->target == SIZE_MAX ? 0 : s->revisions[p->target];
}

static int64_t plan_bytes(const struct ledger_plan *p)
{
    int64_t sum = 0;

    for (size_t i = 0; i < p->n_members; i++)
        sum += p->members[i].stamp.size;
    return sum;
}

/* Since when the files have been as they are: now, or what their times say where these can be believed. */
static int64_t quiet_since(const struct sync *s, const struct ledger_plan *p)
{
    int64_t newest = 0;

    if (!s->scan->trust_times)
        return s->now;
    for (size_t i = 0; i < p->n_members; i++) {
        const struct ledger_stamp *t = &p->members[i].stamp;
        int64_t ns = t->ctime_ns > t->mtime_ns ? t->ctime_ns : t->mtime_ns;

        newest = ns > newest ? ns : newest;
    }
    newest = newest / NS_PER_MS + (newest % NS_PER_MS != 0);
    return newest < s->now ? newest : s->now;
}

/* LEDGER_NOTHING: not known yet. */
static int lookup(struct sync *s, const struct ledger_plan *p, struct known *k, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(s->l, &st, err, "SELECT id, dataset, revision, quiet_ms, state, call, reason, plan_reason, gone_ms, claimed,"
                  " name,"
                  " format, reader, plate, text FROM fileset WHERE root = ?1 AND path = ?2", "ip", s->scan->root, p->path) < 0)
        return -1;
    int r = sql_step(s->l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    *k = (struct known){.id = sql_num(st, 0), .dataset = sql_num(st, 1), .revision = sql_num(st, 2), .quiet_ms = sql_num(st, 3),
                        .state = state_named((const char *)sqlite3_column_text(st, 4)),
                        .call = call_named((const char *)sqlite3_column_text(st, 5)),
                        .why = reason_named((const char *)sqlite3_column_text(st, 6)),
                        .plan_why = reason_named((const char *)sqlite3_column_text(st, 7)), .gone = !sql_null(st, 8),
                        .claimed = sql_num(st, 9) != 0};
    k->same_plan = sql_is(st, 10, p->name) && sql_is(st, 11, p->format) && sql_is(st, 12, p->reader) &&
                   (sql_num(st, 13) != 0) == p->plate && k->dataset == plan_dataset(s, p) &&
                   (p->why == REASON_NONE || sql_is(st, 14, p->text ? p->text : ""));
    return sync_compare(s, p, k, err);
}

static int insert(struct sync *s, const struct ledger_plan *p, int64_t *id, struct err *err)
{
    if (sql_do(s->l, err, "INSERT INTO fileset (root, path, dataset, revision, user, name, format, reader, plate, bytes,"
               " plan_reason,"
               " quiet_ms, state, since_ms, first_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'none', ?11, 'seen', ?12,"
               " ?12)", "ipzzttttiiii", s->scan->root, p->path, plan_dataset(s, p), plan_revision(s, p), plan_user(s, p), p->name,
               p->format, p->reader, (int64_t)p->plate, plan_bytes(p), quiet_since(s, p), s->now) < 0)
        return -1;
    *id = sqlite3_last_insert_rowid(s->l->db);
    s->out.added++;
    return sync_put_members(s, p, *id, err);
}

static int update(struct sync *s, const struct ledger_plan *p, struct known *k, struct err *err)
{
    k->quiet_ms = k->same_files ? k->quiet_ms : quiet_since(s, p);
    s->out.changed++;
    if (!k->same_files && sync_put_members(s, p, k->id, err) < 0)
        return -1;
    return sql_do(s->l, err, "UPDATE fileset SET dataset = ?2, revision = ?3, user = ?4, name = ?5, format = ?6, reader = ?7,"
                  " plate = ?8, bytes = ?9, quiet_ms = ?10, attempts = 0 WHERE id = ?1", "izzttttiii", k->id,
                  plan_dataset(s, p), plan_revision(s, p), plan_user(s, p), p->name, p->format, p->reader, (int64_t)p->plate,
                  plan_bytes(p), k->quiet_ms);
}

/* Quiet long enough: ready; else settling until it is. */
static int settle(struct sync *s, struct known *k, struct err *err)
{
    int64_t ready_ms = k->quiet_ms + s->scan->settle_ms;

    if (ready_ms > s->now) {
        if (s->out.next_ms == 0 || ready_ms < s->out.next_ms)
            s->out.next_ms = ready_ms;
        return k->state == LEDGER_SETTLING ? 0 : state_enter(s->l, k->id, LEDGER_SETTLING, NULL, 0, err);
    }
    s->out.ready++;
    return state_enter(s->l, k->id, LEDGER_READY, NULL, 0, err);
}

static int set_plan_reason(struct sync *s, struct known *k, enum reason why, struct err *err)
{
    return why == k->plan_why ? 0 : sql_do(s->l, err, "UPDATE fileset SET plan_reason = ?2 WHERE id = ?1", "it", k->id,
                                           reason_row(why)->name);
}

/* Held by the plan; one that may go by itself waits for the next scan that says so. */
static int hold(struct sync *s, struct known *k, enum reason why, const char *text, struct err *err)
{
    struct err words = ERR_INIT;
    enum ledger_state to = reason_row(why)->cls == ERR_FINAL ? LEDGER_HELD : LEDGER_WAITING;

    if (k->state == to && k->why == why && k->plan_why == why && k->same_plan)
        return 0;
    err_set(&words, why, 0, "%s", text);
    return set_plan_reason(s, k, why, err) < 0 ? -1 : state_enter(s->l, k->id, to, &words, CLOCK_NEVER, err);
}

/* A file that is not whole may be one that is still written. */
static bool may_grow(const struct sync *s, const struct ledger_plan *p, const struct known *k)
{
    bool partly = p->why == REASON_BROKEN_FILE || p->why == REASON_INCOMPLETE || p->why == REASON_EMPTY;

    return partly && k->quiet_ms + s->scan->settle_ms > s->now;
}

/* A fileset that was never sent, once its rows follow the plan. */
static int place(struct sync *s, const struct ledger_plan *p, struct known *k, bool changed, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const char *other = NULL;

    if (may_grow(s, p, k))
        return set_plan_reason(s, k, REASON_NONE, err) < 0 ? -1 : settle(s, k, err);
    if (p->why != REASON_NONE)
        return hold(s, k, p->why, p->text ? p->text : "", err);
    if (s->blocked[s->at])
        return hold(s, k, REASON_UNDER_WAY, "the import of these files was under way when they were renamed", err);
    int r = sync_other_owner(s, p, k->id, a, &other, err);
    if (r < 0)
        return -1;
    if (r == 0) {
        AUTO(mem_freep) char *shown = str_show(other);
        AUTO(mem_freep) char *text = mem_printf("a file of it was imported with '%s' already", shown);

        return hold(s, k, REASON_DUPLICATE, text, err);
    }
    bool freed = k->plan_why != REASON_NONE;
    if (set_plan_reason(s, k, REASON_NONE, err) < 0)
        return -1;
    return changed || freed || k->state == LEDGER_SEEN || k->state == LEDGER_SETTLING ? settle(s, k, err) : 0;
}

static int back(struct sync *s, const struct known *k, struct err *err)
{
    if (!k->gone)
        return 0;
    return sql_do(s->l, err, "UPDATE fileset SET gone_ms = NULL WHERE id = ?1", "i", k->id) < 0
               ? -1
               : event_add(s->l, k->id, 0, "back", REASON_NONE, "", err);
}

/* Files that were changed, or only touched: a worker compares their checksums when they have been quiet. */
static int ask_compare(struct sync *s, const struct known *k, struct err *err)
{
    int64_t due = s->now + s->scan->settle_ms;

    if (!k->same_paths || k->compared || k->claimed)
        return 0;
    if (s->out.next_ms == 0 || due < s->out.next_ms)
        s->out.next_ms = due;
    return sql_do(s->l, err, "UPDATE fileset SET due_ms = ?2 WHERE id = ?1 AND due_ms IS NULL", "ii", k->id, due);
}

/* Imported: stays so; what changed on the disk since is reported, until it is as it was. */
static int take_done(struct sync *s, const struct known *k, struct err *err)
{
    enum reason now = k->same_content ? REASON_NONE : REASON_CHANGED;
    struct err words = ERR_INIT;

    *(k->same_content ? &s->out.unchanged : &s->out.changed) += 1;
    err_set(&words, REASON_CHANGED, 0, "its files differ from what was imported");
    if (now != k->why && state_enter(s->l, k->id, LEDGER_DONE, now == REASON_NONE ? NULL : &words, 0, err) < 0)
        return -1;
    return now == REASON_NONE ? 0 : ask_compare(s, k, err);
}

static int take_known(struct sync *s, const struct ledger_plan *p, struct known *k, struct err *err)
{
    bool fresh = k->call == LEDGER_CALL_NONE || k->call == LEDGER_CALL_FINISHED;
    bool follows = k->same_plan && k->revision == plan_revision(s, p) && k->same_files;

    if (back(s, k, err) < 0)
        return -1;
    if (k->state == LEDGER_DONE)
        return take_done(s, k, err);
    if (!fresh || k->claimed) {
        s->out.unchanged++;
        return 0;
    }
    if (follows && !k->gone)
        s->out.unchanged++;
    else if (update(s, p, k, err) < 0)
        return -1;
    return place(s, p, k, !follows || k->gone, err);
}

static int take(struct sync *s, const struct ledger_plan *p, struct err *err)
{
    struct known k = {.state = LEDGER_SEEN};

    if (p->why == REASON_NONE && p->target == SIZE_MAX)
        return err_set(err, REASON_BUG, 0, "ledger: a fileset is planned without a target and without a reason");
    int r = lookup(s, p, &k, err);
    if (r < 0)
        return -1;
    if (r == LEDGER_NOTHING) {
        k.quiet_ms = quiet_since(s, p);
        if (insert(s, p, &k.id, err) < 0 || place(s, p, &k, true, err) < 0)
            return -1;
    } else if (take_known(s, p, &k, err) < 0) {
        return -1;
    }
    s->seen[s->n_seen++] = k.id;
    return 0;
}

int sync_filesets(struct sync *s, struct err *err)
{
    for (s->at = 0; s->at < s->scan->n_plans; s->at++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct ledger_plan p = sync_plan(s, s->at, a);

        if (take(s, &p, err) < 0)
            return -1;
    }
    return 0;
}
