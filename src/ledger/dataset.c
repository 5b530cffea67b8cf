#include "ledger/store.h"

#include <string.h>

#include "base/clock.h"

static int read_notes(struct ledger *l, struct ledger_dataset *d, struct arena *a, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_note *notes = NULL;
    size_t n = 0, cap = 0;
    int r = -1;

    if (sql_start(l, &st, err, "SELECT kind, text, omero_id, made, linked FROM annotation WHERE dataset = ?1 ORDER BY position",
                  "i",
                  d->id) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        notes = mem_grow(notes, n, &cap, sizeof(*notes));
        notes[n++] = (struct ledger_note){.kind = note_named(sql_text(st, 0, a)), .text = sql_text(st, 1, a),
                                          .omero_id = sql_num(st, 2), .made = sql_num(st, 3) != 0,
                                          .linked = sql_num(st, 4) != 0};
    }
    if (r < 0)
        return -1;
    d->notes = keep(a, notes, n, sizeof(*notes));
    d->n_notes = n;
    return 0;
}

static int read_revisions(struct ledger *l, struct ledger_dataset *d, int64_t wanted, int64_t applied, struct arena *a,
                          struct err *err)
{
    if (revision_get(l, wanted, a, &d->wanted, err) != 0)
        return -1;
    if (applied && revision_get(l, applied, a, &d->applied, err) != 0)
        return -1;
    d->project = d->wanted->project;
    d->user = d->wanted->user;
    d->group = d->wanted->group;
    return 0;
}

static void read_row(sqlite3_stmt *st, struct arena *a, struct ledger_dataset *d)
{
    strncpy(d->uuid, sql_text(st, 0, a), UUID_TEXT - 1);
    d->root = sql_num(st, 1);
    d->root_name = sql_text(st, 2, a);
    d->root_path = sql_text(st, 3, a);
    d->dir = sql_text(st, 4, a);
    d->kind = kind_named(sql_text(st, 5, a));
    d->name = sql_text(st, 6, a);
    d->server = sql_str(st, 7, a);
    d->omero_id = sql_num(st, 8);
    d->project_id = sql_num(st, 9);
    d->owner_id = sql_num(st, 10);
    d->group_id = sql_num(st, 11);
    d->made_project = sql_str(st, 12, a);
    d->made_user = sql_str(st, 13, a);
    d->made_group = sql_str(st, 14, a);
    d->applied_ms = sql_num(st, 15);
    d->stale = sql_num(st, 16) != 0;
    d->why = reason_named(sql_text(st, 17, a));
    d->text = sql_text(st, 18, a);
    d->since_ms = sql_num(st, 19);
    d->retry_ms = sql_num(st, 20);
    d->told = (uint64_t)sql_num(st, 23);
    d->moved = sql_num(st, 24) != 0;
    d->described = sql_str(st, 25, a);
}

int dataset_get(struct ledger *l, int64_t id, struct arena *a, const struct ledger_dataset **out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct ledger_dataset *d = arena_alloc(a, 1, sizeof(*d));

    if (sql_start(l, &st, err, "SELECT d.uuid, d.root, r.name, r.path, d.dir, d.kind, d.name, d.server, d.omero_id, d.project_id,"
                  " d.owner_id, d.group_id, d.made_project, d.made_user, d.made_group, d.applied_ms, d.stale, d.reason, d.text,"
                  " d.since_ms, d.retry_ms, d.wanted, d.applied, d.told, d.moved, d.described FROM dataset d"
                  " JOIN root r ON r.id = d.root WHERE d.id = ?1", "i", id) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    d->id = id;
    read_row(st, a, d);
    if (read_revisions(l, d, sql_num(st, 21), sql_num(st, 22), a, err) < 0 || read_notes(l, d, a, err) < 0)
        return -1;
    *out = d;
    return 0;
}

int ledger_dataset(struct ledger *l, int64_t id, struct arena *a, const struct ledger_dataset **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    return tx_begin(&tx, l, LEDGER_READ, err) < 0 ? -1 : dataset_get(l, id, a, out, err);
}

int ledger_dataset_made(struct ledger *l, int64_t id, const struct ledger_made *m, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET server = ?2, omero_id = ?3, project_id = ?4, owner_id = ?5, group_id = ?6,"
               " made_project = ?7, made_user = ?8, made_group = ?9, described = coalesce(?10, described), reason = 'none',"
               " text = '', retry_ms = 0, stale = 1 WHERE id = ?1", "itizzztttt", id, m->server, m->omero_id, m->project_id,
               m->owner_id, m->group_id, m->project, m->user, m->group, m->description) < 0 ||
        event_add(l, 0, id, "made", REASON_NONE, "", err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_dataset_unmade(struct ledger *l, int64_t id, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET server = NULL, omero_id = NULL, project_id = NULL, owner_id = NULL, group_id = NULL,"
               " made_project = NULL, made_user = NULL, made_group = NULL, described = NULL, applied = NULL, applied_ms = 0,"
               " reason = 'none', text = '', retry_ms = 0, stale = 1 WHERE id = ?1", "i", id) < 0 ||
        sql_do(l, err, "DELETE FROM annotation WHERE dataset = ?1", "i", id) < 0 ||
        event_add(l, 0, id, "unmade", REASON_NONE, "", err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

static int put_notes(struct ledger *l, int64_t id, const struct ledger_note *notes, size_t n, struct err *err)
{
    if (sql_do(l, err, "DELETE FROM annotation WHERE dataset = ?1", "i", id) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (sql_do(l, err, "INSERT INTO annotation (dataset, position, kind, text, omero_id, made, linked)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "iittiii", id, (int64_t)i, ledger_note_name(notes[i].kind),
                   notes[i].text ? notes[i].text : "", notes[i].omero_id, (int64_t)notes[i].made, (int64_t)notes[i].linked) < 0)
            return -1;
    return 0;
}

int ledger_dataset_notes(struct ledger *l, int64_t id, const struct ledger_note *notes, size_t n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || put_notes(l, id, notes, n, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

/* What OMERO does not show yet: a card's revision, or where the directory is. */
#define IS_STALE                                                                                               \
    "stale = moved OR wanted IS NOT applied OR EXISTS (SELECT 1 FROM image i WHERE i.dataset = dataset.id AND" \
    " i.deleted_ms IS NULL AND i.revision IS NOT applied)"

int ledger_dataset_sourced(struct ledger *l, int64_t id, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || sql_do(l, err, "UPDATE dataset SET moved = 0 WHERE id = ?1", "i", id) < 0 ||
        sql_do(l, err, "UPDATE dataset SET " IS_STALE " WHERE id = ?1", "i", id) < 0 ||
        event_add(l, 0, id, "sourced", REASON_NONE, "", err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_dataset_described(struct ledger *l, int64_t id, const char *description, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET described = ?2 WHERE id = ?1", "it", id, description) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_applied(struct ledger *l, int64_t id, int64_t revision, int64_t last_image, const struct ledger_note *notes, size_t n,
                   struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || put_notes(l, id, notes, n, err) < 0 ||
        sql_do(l, err, "UPDATE image SET revision = ?2 WHERE dataset = ?1 AND id <= ?3", "iii", id, revision, last_image) < 0 ||
        sql_do(l, err, "UPDATE dataset SET applied = ?2, applied_ms = ?3, claimed = 0, reason = 'none', text = '', retry_ms = 0"
               " WHERE id = ?1", "iii", id, revision, clock_wall_ms()) < 0 ||
        sql_do(l, err, "UPDATE dataset SET " IS_STALE " WHERE id = ?1", "i", id) < 0 ||
        event_add(l, 0, id, "applied", REASON_NONE, "", err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_dataset_wait(struct ledger *l, int64_t id, const struct err *why, int64_t retry_ms, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    const char *name = reason_row(why->why)->name;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET claimed = 0, since_ms = CASE WHEN reason = ?2 THEN since_ms ELSE ?3 END, reason = ?2,"
               " text = ?4, retry_ms = ?5 WHERE id = ?1", "ititi", id, name, clock_wall_ms(), why->text, retry_ms) < 0 ||
        event_add(l, 0, id, "waiting", why->why, why->text, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

/* It was made; or images were adopted for it that do not carry the card yet, and it is made for the card's sake. */
#define MAY_FOLLOW                                                                                                       \
    "stale = 1 AND claimed = 0 AND (omero_id IS NOT NULL OR (applied IS NULL AND EXISTS (SELECT 1 FROM image i WHERE"    \
    " i.dataset = dataset.id AND i.revision IS NULL AND i.deleted_ms IS NULL)))"

static int next_due(struct ledger *l, int64_t *next_ms, struct err *err)
{
    int64_t due = 0;

    if (sql_int(l, &due, err, "SELECT min(retry_ms) FROM dataset WHERE " MAY_FOLLOW " AND retry_ms > ?1 AND retry_ms < ?2", "ii",
                clock_wall_ms(), CLOCK_NEVER) < 0)
        return -1;
    *next_ms = due;
    return LEDGER_NOTHING;
}

int ledger_next_card(struct ledger *l, struct arena *a, const struct ledger_dataset **out, int64_t *next_ms, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    int64_t id = 0;

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    int r = sql_int(l, &id, err, "SELECT id FROM dataset WHERE " MAY_FOLLOW " AND retry_ms <= ?1"
                    " ORDER BY retry_ms, id LIMIT 1", "i", clock_wall_ms());
    if (r != 0)
        return r < 0 ? -1 : next_due(l, next_ms, err);
    if (sql_do(l, err, "UPDATE dataset SET claimed = 1 WHERE id = ?1", "i", id) < 0 || dataset_get(l, id, a, out, err) != 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_dataset_release(struct ledger *l, int64_t id, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE dataset SET claimed = 0 WHERE id = ?1", "i", id) < 0)
        return -1;
    return tx_commit(&tx, err);
}

static const char datasets_page[] =
    "SELECT id FROM dataset WHERE (root, dir, kind) > (coalesce((SELECT root FROM dataset WHERE id = ?1), 0), coalesce((SELECT "
    "dir"
    " FROM dataset WHERE id = ?1), x''), coalesce((SELECT kind FROM dataset WHERE id = ?1), '')) ORDER BY root, dir, kind LIMIT"
    " ?2";
static const char datasets_troubled[] =
    "SELECT id FROM dataset WHERE reason <> 'none' AND (root, dir, kind) > (coalesce((SELECT root FROM dataset WHERE id = ?1), "
    "0),"
    " coalesce((SELECT dir FROM dataset WHERE id = ?1), x''), coalesce((SELECT kind FROM dataset WHERE id = ?1), ''))"
    " ORDER BY root, dir, kind LIMIT ?2";
static const char datasets_at[] = "SELECT id FROM dataset WHERE root = ?1 AND dir = ?2 ORDER BY kind";

/* The datasets of the rows that a statement gives. */
static int read_datasets(struct ledger *l, sqlite3_stmt *st, struct arena *a, const struct ledger_dataset **out, size_t *n,
                         struct err *err)
{
    AUTO(mem_freep) struct ledger_dataset *all = NULL;
    size_t used = 0, cap = 0;
    int r;

    while ((r = sql_step(l, st, err)) > 0) {
        const struct ledger_dataset *one = NULL;

        if (dataset_get(l, sql_num(st, 0), a, &one, err) != 0)
            return -1;
        all = mem_grow(all, used, &cap, sizeof(*all));
        all[used++] = *one;
    }
    if (r < 0)
        return -1;
    *out = keep(a, all, used, sizeof(*all));
    *n = used;
    return 0;
}

int ledger_datasets_page(struct ledger *l, bool troubled, int64_t after, size_t max, struct arena *a,
                         const struct ledger_dataset **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, troubled ? datasets_troubled : datasets_page, "ii", after, max ? (int64_t)max : INT64_C(-1)) < 0)
        return -1;
    return read_datasets(l, st, a, out, n, err);
}

int ledger_datasets(struct ledger *l, bool troubled, struct arena *a, const struct ledger_dataset **out, size_t *n,
                    struct err *err)
{
    return ledger_datasets_page(l, troubled, 0, 0, a, out, n, err);
}

int ledger_datasets_at(struct ledger *l, int64_t root, const char *dir, struct arena *a, const struct ledger_dataset **out,
                       size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 || sql_start(l, &st, err, datasets_at, "ip", root, dir) < 0)
        return -1;
    return read_datasets(l, st, a, out, n, err);
}
