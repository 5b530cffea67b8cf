#include "ledger/store.h"

#include "base/clock.h"

/* At most `max` of them, and whether there are more. */
static int read_members(struct ledger *l, struct ledger_fileset *f, size_t max, struct arena *a, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_member *members = NULL;
    size_t n = 0, cap = 0;
    int r = -1;

    if (sql_start(l, &st, err, "SELECT f.path, f.size, f.mtime_ns, f.ctime_ns, f.ino, f.algorithm, f.hash FROM member m"
                  " JOIN file f ON f.id = m.file WHERE m.fileset = ?1 ORDER BY m.position", "i", f->id) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0 && !(f->more_members = n == max)) {
        members = mem_grow(members, n, &cap, sizeof(*members));
        members[n++] = (struct ledger_member){.path = sql_text(st, 0, a),
                                              .stamp = {.size = sql_num(st, 1), .mtime_ns = sql_num(st, 2),
                                                        .ctime_ns = sql_num(st, 3), .ino = (uint64_t)sql_num(st, 4)},
                                              .algorithm = sql_str(st, 5, a), .hash = sql_str(st, 6, a)};
    }
    if (r < 0)
        return -1;
    f->members = keep(a, members, n, sizeof(*members));
    f->n_members = n;
    return 0;
}

static void read_plan(sqlite3_stmt *st, struct arena *a, struct ledger_fileset *f)
{
    f->root = sql_num(st, 0);
    f->root_name = sql_text(st, 1, a);
    f->root_path = sql_text(st, 2, a);
    f->path = sql_text(st, 3, a);
    f->name = sql_text(st, 4, a);
    f->format = sql_text(st, 5, a);
    f->reader = sql_str(st, 6, a);
    f->plate = sql_num(st, 7) != 0;
    f->project = sql_text(st, 8, a);
    f->user = sql_text(st, 9, a);
    f->group = sql_str(st, 10, a);
    f->bytes = sql_num(st, 11);
}

static void read_state(sqlite3_stmt *st, struct arena *a, struct ledger_fileset *f)
{
    f->state = state_named(sql_text(st, 12, a));
    f->why = reason_named(sql_text(st, 13, a));
    f->cls = (enum err_class)sql_num(st, 14);
    f->text = sql_text(st, 15, a);
    f->hint = sql_text(st, 16, a);
    f->since_ms = sql_num(st, 17);
    f->retry_ms = sql_num(st, 18);
    f->gone_ms = sql_num(st, 19);
    f->first_ms = sql_num(st, 20);
    f->attempts = (int)sql_num(st, 21);
    f->dataset = sql_num(st, 22);
    f->revision = sql_num(st, 23);
}

static void read_journal(sqlite3_stmt *st, struct arena *a, struct ledger_fileset *f)
{
    f->job = sql_str(st, 24, a);
    f->call = call_named(sql_text(st, 25, a));
    f->call_ms = sql_num(st, 26);
    f->server = sql_str(st, 27, a);
    f->session_id = sql_num(st, 28);
    f->omero_id = sql_num(st, 29);
    f->process = sql_str(st, 30, a);
    f->handle = sql_str(st, 31, a);
}

int fileset_get(struct ledger *l, int64_t id, size_t members, struct arena *a, const struct ledger_fileset **out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct ledger_fileset *f = arena_alloc(a, 1, sizeof(*f));

    if (sql_start(l, &st, err, "SELECT f.root, r.name, r.path, f.path, f.name, f.format, f.reader, f.plate, c.project, f.user,"
                  " c.grp,"
                  " f.bytes, f.state, f.reason, f.class, f.text, f.hint, f.since_ms, f.retry_ms, f.gone_ms, f.first_ms,"
                  " f.attempts,"
                  " f.dataset, f.revision, f.job, f.call, f.call_ms, f.server, f.session_id, f.omero_id, f.process, f.handle"
                  " FROM fileset f JOIN root r ON r.id = f.root LEFT JOIN card_revision c ON c.id = f.revision WHERE f.id = ?1",
                  "i", id) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    f->id = id;
    read_plan(st, a, f);
    read_state(st, a, f);
    read_journal(st, a, f);
    if (members > 0 && read_members(l, f, members, a, err) < 0)
        return -1;
    *out = f;
    return 0;
}

int ledger_fileset(struct ledger *l, int64_t id, struct arena *a, const struct ledger_fileset **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    return tx_begin(&tx, l, LEDGER_READ, err) < 0 ? -1 : fileset_get(l, id, SIZE_MAX, a, out, err);
}

/* The first user after `after` with something due, as the index has them in order. */
static int due_user(struct ledger *l, const char *after, bool first, int64_t now, struct arena *a, const char **user,
                    struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "SELECT user FROM fileset WHERE due_ms IS NOT NULL AND claimed = 0 AND due_ms <= ?1 AND"
                  " (user > ?2 OR (?3 AND user = ?2)) ORDER BY user LIMIT 1", "iti", now, after, (int64_t)first) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    *user = sql_text(st, 0, a);
    return 0;
}

static int has_room(struct ledger *l, const char *user, int per_user, bool *room, struct err *err)
{
    int64_t claimed = 0;

    if (sql_int(l, &claimed, err, "SELECT count(*) FROM fileset WHERE claimed = 1 AND user = ?1", "t", user) < 0)
        return -1;
    *room = per_user == 0 || claimed < per_user;
    return 0;
}

/* Users take turns: from the one after the last served to the end, and once more from the start. */
static int next_user(struct ledger *l, int per_user, int64_t now, struct arena *a, const char **out, struct err *err)
{
    const char *at = arena_str(a, l->last_user);

    for (int lap = 0; lap < 2; lap++) {
        bool first = lap == 1, room = false;
        int r;

        while ((r = due_user(l, at, first, now, a, &at, err)) == 0) {
            if (has_room(l, at, per_user, &room, err) < 0)
                return -1;
            if (room) {
                *out = at;
                return 0;
            }
            first = false;
        }
        if (r < 0)
            return -1;
        at = "";
    }
    return LEDGER_NOTHING;
}

static int next_due(struct ledger *l, int64_t now, int64_t *next_ms, struct err *err)
{
    int64_t due = 0;

    if (sql_int(l, &due, err, "SELECT min(due_ms) FROM fileset WHERE due_ms IS NOT NULL AND claimed = 0 AND due_ms > ?1", "i",
                now) < 0)
        return -1;
    *next_ms = due;
    return LEDGER_NOTHING;
}

static void remember_turn(struct ledger *l, const char *user)
{
    mem_freep(&l->last_user);
    l->last_user = mem_str(user);
}

int ledger_next(struct ledger *l, int per_user, struct arena *a, const struct ledger_fileset **out, int64_t *next_ms,
                struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    const char *user = NULL;
    int64_t id = 0, now = clock_wall_ms();

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    int r = next_user(l, per_user, now, a, &user, err);
    if (r != 0)
        return r < 0 ? -1 : next_due(l, now, next_ms, err);
    if (sql_int(l, &id, err, "SELECT id FROM fileset WHERE due_ms IS NOT NULL AND claimed = 0 AND user = ?1 AND due_ms <= ?2"
                " ORDER BY due_ms, id LIMIT 1", "ti", user, now) != 0 ||
        sql_do(l, err, "UPDATE fileset SET claimed = 1 WHERE id = ?1", "i", id) < 0 ||
        fileset_get(l, id, SIZE_MAX, a, out, err) != 0 || tx_commit(&tx, err) < 0)
        return -1;
    remember_turn(l, user);
    return 0;
}

int ledger_release(struct ledger *l, int64_t fileset, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE fileset SET claimed = 0 WHERE id = ?1", "i", fileset) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_session_users(struct ledger *l, int64_t session_id, int64_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0)
        return -1;
    return sql_int(l, n, err, "SELECT count(*) FROM fileset WHERE session_id = ?1 AND call NOT IN ('none', 'finished')", "i",
                   session_id);
}
