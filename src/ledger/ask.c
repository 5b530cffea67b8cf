#include "base/buf.h"
#include "ledger/store.h"

int ledger_counts(struct ledger *l, struct arena *a, const struct ledger_count **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_count *counts = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT state, reason, count(*), sum(bytes), min(since_ms) FROM fileset WHERE gone_ms IS NULL"
                  " OR state = 'done' GROUP BY state, reason ORDER BY state, reason", "") < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        counts = mem_grow(counts, used, &cap, sizeof(*counts));
        counts[used++] = (struct ledger_count){.state = state_named(sql_text(st, 0, a)), .why = reason_named(sql_text(st, 1, a)),
                                               .n = sql_num(st, 2), .bytes = sql_num(st, 3), .oldest_ms = sql_num(st, 4)};
    }
    if (r < 0)
        return -1;
    *out = keep(a, counts, used, sizeof(*counts));
    *n = used;
    return 0;
}

/* Paths are blobs: what is put together from them is cast back before it is compared. */
static const char list_sql[] =
    "SELECT f.id FROM fileset f JOIN root r ON r.id = f.root WHERE f.id > ?1 AND (?2 IS NULL OR instr(?2, f.state || ' ') > 0)"
    " AND (?3 IS NULL OR CAST(r.path || '/' || f.path AS BLOB) = ?3 OR r.path = ?3"
    " OR substr(CAST(r.path || '/' || f.path AS BLOB), 1, length(?3) + 1) = CAST(?3 || '/' AS BLOB)"
    " OR EXISTS (SELECT 1 FROM member m JOIN file p ON p.id = m.file WHERE m.fileset = f.id"
    " AND CAST(r.path || '/' || p.path AS BLOB) = ?3))"
    " AND (?4 = 0 OR EXISTS (SELECT 1 FROM image i WHERE i.fileset = f.id AND i.omero_id = ?4 AND i.plate = 0))"
    " AND (?5 = 0 OR f.omero_id = ?5)"
    " AND (?6 = 0 OR EXISTS (SELECT 1 FROM dataset d WHERE d.id = f.dataset AND d.omero_id = ?6 AND d.kind = 'dataset'))"
    " AND (?7 = 0 OR (f.state = 'done' AND f.reason = 'changed'))"
    " ORDER BY f.id LIMIT ?8";

/* "waiting held ": no state's name ends like another one. */
static void state_words(unsigned states, struct buf *out)
{
    for (unsigned i = 0; i < N_LEDGER_STATES; i++)
        if (states & 1u << i)
            buf_printf(out, "%s ", ledger_state_name((enum ledger_state)i));
    buf_add_byte(out, '\0');
}

int fileset_ids(struct ledger *l, const struct ledger_filter *f, int64_t **ids, size_t *n, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(buf_clear) struct buf words = BUF_INIT(256);
    size_t cap = 0;
    int r = -1;

    state_words(f->states, &words);
    if (sql_start(l, &st, err, list_sql, "itpiiiii", f->after, f->states ? (const char *)words.data : NULL, f->path, f->image,
                  f->omero_fileset, f->omero_dataset, (int64_t)f->changed, f->max ? (int64_t)f->max : INT64_C(-1)) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        *ids = mem_grow(*ids, *n, &cap, sizeof(**ids));
        (*ids)[(*n)++] = sql_num(st, 0);
    }
    return r;
}

int ledger_list(struct ledger *l, const struct ledger_filter *f, struct arena *a, const struct ledger_fileset **out, size_t *n,
                struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(mem_freep) int64_t *ids = NULL;
    size_t count = 0;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 || fileset_ids(l, f, &ids, &count, err) < 0)
        return -1;
    struct ledger_fileset *all = arena_alloc(a, count + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++) {
        const struct ledger_fileset *one = NULL;

        if (fileset_get(l, ids[i], f->members, a, &one, err) != 0)
            return -1;
        all[i] = *one;
    }
    *out = all;
    *n = count;
    return 0;
}

int ledger_cards(struct ledger *l, bool all, struct arena *a, const struct ledger_card **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_card *cards = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT c.path, c.reason, c.line, c.text, c.revision, c.since_ms, r.path, c.id, c.told FROM card c"
                  " JOIN root r ON r.id = c.root WHERE c.gone_ms IS NULL AND (?1 OR c.reason <> 'none') ORDER BY r.path, c.path",
                  "i", (int64_t)all) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        struct ledger_card *c;

        cards = mem_grow(cards, used, &cap, sizeof(*cards));
        c = &cards[used++];
        *c = (struct ledger_card){.path = sql_text(st, 0, a), .why = reason_named(sql_text(st, 1, a)),
                                  .line = (int)sql_num(st, 2), .text = sql_text(st, 3, a), .since_ms = sql_num(st, 5),
                                  .root = sql_text(st, 6, a), .id = sql_num(st, 7), .told = sql_num(st, 8) != 0};
        if (!sql_null(st, 4) && revision_get(l, sql_num(st, 4), a, &c->revision, err) != 0)
            return -1;
    }
    if (r < 0)
        return -1;
    *out = keep(a, cards, used, sizeof(*cards));
    *n = used;
    return 0;
}
