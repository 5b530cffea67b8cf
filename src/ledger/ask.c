#include <string.h>

#include "ledger/store.h"

/* The oldest of done ones is of those that are there. */
int ledger_counts(struct ledger *l, struct arena *a, const struct ledger_count **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_count *counts = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT state, reason, n, bytes, (SELECT since_ms FROM fileset f WHERE f.state = t.state AND"
                  " f.reason = t.reason AND f.gone_ms IS NULL ORDER BY since_ms LIMIT 1) FROM tally t WHERE dataset = 0 AND n > 0"
                  " ORDER BY state, reason", "") < 0)
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

int ledger_tally(struct ledger *l, int64_t dataset, int64_t out[N_LEDGER_STATES], struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    int64_t n[N_LEDGER_STATES] = {0};
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT state, sum(n) FROM tally WHERE dataset = ?1 GROUP BY state", "i", dataset) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0)
        n[state_named((const char *)sqlite3_column_text(st, 0))] = sql_num(st, 1);
    if (r < 0)
        return -1;
    memcpy(out, n, sizeof(n));
    return 0;
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

        if (fileset_get(l, ids[i], f->members ? f->members_max ? f->members_max : SIZE_MAX : 0, a, &one, err) != 0)
            return -1;
        all[i] = *one;
    }
    *out = all;
    *n = count;
    return 0;
}

static void read_card(sqlite3_stmt *st, struct arena *a, struct ledger_card *c)
{
    *c = (struct ledger_card){.path = sql_text(st, 0, a), .why = reason_named(sql_text(st, 1, a)), .line = (int)sql_num(st, 2),
                              .text = sql_text(st, 3, a), .since_ms = sql_num(st, 5), .root = sql_text(st, 6, a),
                              .id = sql_num(st, 7), .root_id = sql_num(st, 8), .told = sql_num(st, 9) != 0};
}

enum { CARDS_SORTED = 1000 };

/* Where the order of the list would lead the planner through all of it, the index is named. */
#define CARDS(index)                                                                                                          \
    "SELECT c.path, c.reason, c.line, c.text, c.revision, c.since_ms, r.path, c.id, c.root, c.told FROM card c" index          \
    " JOIN root r ON r.id = c.root WHERE c.gone_ms IS NULL"
#define CARDS_AFTER                                                                                                           \
    " AND (c.root, c.path) > (coalesce((SELECT root FROM card WHERE id = ?1), 0), coalesce((SELECT path FROM card WHERE id ="  \
    " ?1), x''))"
#define CARDS_MOST " ORDER BY c.root, c.path LIMIT ?2"

static const char cards_troubled[] = CARDS("") CARDS_AFTER " AND c.reason <> 'none'" CARDS_MOST;
static const char cards_all[] = CARDS("") CARDS_AFTER CARDS_MOST;
static const char cards_of_many[] =
    CARDS("") CARDS_AFTER " AND EXISTS (SELECT 1 FROM card_revision v WHERE v.id = c.revision AND v.user = ?3)" CARDS_MOST;
static const char cards_of_user[] =
    CARDS(" INDEXED BY card_by_revision")
    CARDS_AFTER " AND c.revision IN (SELECT id FROM card_revision WHERE user = ?3)" CARDS_MOST;
static const char cards_below[] =
    CARDS("") " AND c.root = ?3 AND c.path >= ?4 AND c.path < ?6 AND (c.path = ?4 OR c.path >= ?5)"
              " AND c.path > coalesce((SELECT path FROM card WHERE id = ?1), x'')" CARDS_MOST;
static const char cards_of_roots[] =
    CARDS("") CARDS_AFTER " AND c.root IN (SELECT id FROM root WHERE path = ?3 OR (path >= ?4 AND path < ?5))" CARDS_MOST;

/* The cards of a user are sorted; of one who has very many, a page is soon found in the order of all. */
static int start_user(struct ledger *l, const struct ledger_card_filter *f, int64_t max, sqlite3_stmt **st, struct err *err)
{
    int64_t n = 0;

    if (sql_int(l, &n, err, "SELECT count(*) FROM (SELECT 1 FROM card_revision WHERE user = ?1 LIMIT ?2)", "ti", f->user,
                (int64_t)CARDS_SORTED) < 0)
        return -1;
    return sql_start(l, st, err, n < CARDS_SORTED ? cards_of_user : cards_of_many, "iit", f->after, max, f->user);
}

static int start_cards(struct ledger *l, const struct ledger_card_filter *f, struct arena *a, sqlite3_stmt **st, struct err *err)
{
    int64_t max = f->max ? (int64_t)f->max : INT64_C(-1);
    struct below b;

    if (f->user)
        return start_user(l, f, max, st, err);
    if (!f->path)
        return sql_start(l, st, err, f->all ? cards_all : cards_troubled, "ii", f->after, max);
    if (below_find(l, f->path, a, &b, err) < 0)
        return -1;
    if (!b.root)
        return sql_start(l, st, err, cards_of_roots, "iippp", f->after, max, b.outer, b.outer_from, b.outer_to);
    return sql_start(l, st, err, cards_below, "iiippp", f->after, max, b.root, b.path, b.from, b.to);
}

int ledger_cards(struct ledger *l, const struct ledger_card_filter *f, struct arena *a, const struct ledger_card **out, size_t *n,
                 struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_card *cards = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 || start_cards(l, f, a, &st, err) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        cards = mem_grow(cards, used, &cap, sizeof(*cards));
        read_card(st, a, &cards[used]);
        if (!sql_null(st, 4) && revision_get(l, sql_num(st, 4), a, &cards[used].revision, err) != 0)
            return -1;
        used++;
    }
    if (r < 0)
        return -1;
    *out = keep(a, cards, used, sizeof(*cards));
    *n = used;
    return 0;
}
