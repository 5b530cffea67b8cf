#include "ledger/sync.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static int card_put(struct sync *s, const struct ledger_card *c, struct err *err)
{
    int64_t revision = 0;

    if (c->revision && revision_put(s->l, c->revision, &revision, err) != 0)
        return -1;
    return sql_do(s->l, err, "INSERT INTO card (root, path, revision, reason, line, text, since_ms) VALUES (?1, ?2, ?3, ?4, ?5,"
                  " ?6, ?7)"
                  " ON CONFLICT (root, path) DO UPDATE SET revision = excluded.revision, reason = excluded.reason,"
                  " line = excluded.line, text = excluded.text, since_ms = excluded.since_ms, gone_ms = NULL,"
                  " told = told AND reason = excluded.reason AND text = excluded.text"
                  " WHERE revision IS NOT excluded.revision OR reason <> excluded.reason OR line <> excluded.line"
                  " OR text <> excluded.text OR gone_ms IS NOT NULL", "ipztiti", s->scan->root, c->path, revision,
                  reason_row(c->why)->name, (int64_t)c->line, c->text ? c->text : "", s->now);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cards that are not in the scan any more; the few of a tree are compared in memory. */
static int cards_gone(struct sync *s, const char **paths, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();
    int r = -1;

    if (sql_start(s->l, &st, err, "SELECT id, path FROM card WHERE root = ?1 AND gone_ms IS NULL", "i", s->scan->root) < 0)
        return -1;
    while ((r = sql_step(s->l, st, err)) > 0) {
        const char *path = sql_text(st, 1, a);

        if (!bsearch(&path, paths, s->scan->n_cards, sizeof(*paths), compare_text) &&
            sql_do(s->l, err, "UPDATE card SET gone_ms = ?2 WHERE id = ?1", "ii", sql_num(st, 0), s->now) < 0)
            return -1;
    }
    return r;
}

int sync_cards(struct sync *s, struct err *err)
{
    AUTO(mem_freep) const char **paths = mem_new(s->scan->n_cards + 1, sizeof(*paths));

    for (size_t i = 0; i < s->scan->n_cards; i++) {
        paths[i] = s->scan->cards[i].path;
        if (card_put(s, &s->scan->cards[i], err) < 0)
            return -1;
    }
    qsort(paths, s->scan->n_cards, sizeof(*paths), compare_text);
    return cards_gone(s, paths, err);
}

/* A changed card makes what was made for its directory stale, and frees what was held. */
static int dataset_want(struct sync *s, const char *dir, int64_t revision, struct err *err)
{
    return sql_do(s->l, err, "UPDATE dataset SET wanted = ?3, stale = 1, reason = 'none', text = '', retry_ms = 0, since_ms = ?4"
                  " WHERE root = ?1 AND dir = ?2 AND wanted <> ?3", "ipii", s->scan->root, dir, revision, s->now);
}

/* Also where none of its files is left on the disk. */
static int sync_applying(struct sync *s, struct err *err)
{
    for (size_t i = 0; i < s->scan->n_cards; i++) {
        const struct ledger_card *c = &s->scan->cards[i];
        int64_t revision;

        if (c->dir && (revision_put(s->l, c->revision, &revision, err) != 0 || dataset_want(s, c->dir, revision, err) < 0))
            return -1;
    }
    return 0;
}

static int target_put(struct sync *s, size_t i, struct err *err)
{
    const struct ledger_target *t = &s->scan->targets[i];
    const char *kind = ledger_kind_name(t->kind);
    char uuid[UUID_TEXT];

    if (revision_put(s->l, t->revision, &s->revisions[i], err) != 0)
        return -1;
    int r = sql_int(s->l, &s->targets[i], err, "SELECT id FROM dataset WHERE root = ?1 AND dir = ?2 AND kind = ?3", "ipt",
                    s->scan->root, t->dir, kind);
    if (r < 0)
        return -1;
    if (r == 0)
        return dataset_want(s, t->dir, s->revisions[i], err);
    uuid_new(uuid);
    if (sql_do(s->l, err, "INSERT INTO dataset (uuid, root, dir, kind, name, wanted, since_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
               " ?7)",
               "tipttii", uuid, s->scan->root, t->dir, kind, t->name, s->revisions[i], s->now) < 0)
        return -1;
    s->targets[i] = sqlite3_last_insert_rowid(s->l->db);
    return 0;
}

int sync_targets(struct sync *s, struct err *err)
{
    for (size_t i = 0; i < s->scan->n_targets; i++)
        if (target_put(s, i, err) < 0)
            return -1;
    return 0;
}

static int compare_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* What vanished is not handed out until it is back; but what may have happened on the server is still found out. */
int sync_gone(struct sync *s, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    int r = -1;

    qsort(s->seen, s->n_seen, sizeof(*s->seen), compare_id);
    if (sql_start(s->l, &st, err, "SELECT id FROM fileset WHERE root = ?1 AND gone_ms IS NULL", "i", s->scan->root) < 0)
        return -1;
    while ((r = sql_step(s->l, st, err)) > 0) {
        int64_t id = sql_num(st, 0);

        if (bsearch(&id, s->seen, s->n_seen, sizeof(*s->seen), compare_id))
            continue;
        s->out.gone++;
        if (sql_do(s->l, err, "UPDATE fileset SET gone_ms = ?2, due_ms = CASE WHEN call IN ('none', 'finished') AND claimed = 0"
                   " THEN NULL ELSE due_ms END WHERE id = ?1", "ii", id, s->now) < 0 ||
            event_add(s->l, id, 0, "gone", REASON_GONE, "", err) < 0)
            return -1;
    }
    return r;
}

struct ledger_plan sync_plan(struct sync *s, size_t i, struct arena *a)
{
    struct ledger_plan p = {0};

    s->scan->plan(s->scan->arg, i, a, &p);
    return p;
}

static int sync_all(struct sync *s, struct err *err)
{
    if (sql_do(s->l, err, "UPDATE root SET scanned_ms = ?2, away_ms = NULL, away_text = NULL WHERE id = ?1", "ii", s->scan->root,
               s->now) < 0 ||
        sync_cards(s, err) < 0 || sync_moves(s, err) < 0 || sync_applying(s, err) < 0 || sync_targets(s, err) < 0 ||
        sync_filesets(s, err) < 0)
        return -1;
    return sync_gone(s, err);
}

int ledger_sync(struct ledger *l, const struct ledger_scan *scan, struct ledger_synced *out, struct err *err)
{
    AUTO(mem_freep) int64_t *targets = mem_new(scan->n_targets + 1, sizeof(*targets));
    AUTO(mem_freep) int64_t *revisions = mem_new(scan->n_targets + 1, sizeof(*revisions));
    AUTO(mem_freep) int64_t *seen = mem_new(scan->n_plans + 1, sizeof(*seen));
    AUTO(mem_freep) bool *blocked = mem_new(scan->n_plans + 1, sizeof(*blocked));
    AUTO(tx_end) struct tx tx = {0};
    struct sync s = {.l = l, .scan = scan, .now = clock_wall_ms(), .targets = targets, .revisions = revisions, .seen = seen,
                     .blocked = blocked};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || sync_all(&s, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    *out = s.out;
    return 0;
}
