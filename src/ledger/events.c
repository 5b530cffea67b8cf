#include "ledger/store.h"

#define EVENTS                                                                                                                \
    "SELECT e.id, e.at_ms, e.fileset, e.dataset, r.path, coalesce(f.path, d.dir), e.what, e.reason, e.text FROM event e"       \
    " LEFT JOIN fileset f ON f.id = e.fileset LEFT JOIN dataset d ON d.id = e.dataset"                                         \
    " LEFT JOIN root r ON r.id = coalesce(f.root, d.root) WHERE e.id < ?1"
#define LATEST " ORDER BY e.id DESC LIMIT ?2"

int ledger_events(struct ledger *l, int64_t before, int64_t fileset, size_t max, struct arena *a, const struct ledger_event **out,
                  size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_event *events = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, fileset ? EVENTS " AND e.fileset = ?3" LATEST : EVENTS LATEST, fileset ? "iii" : "ii",
                  before ? before : INT64_MAX, (int64_t)max, fileset) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        events = mem_grow(events, used, &cap, sizeof(*events));
        events[used++] = (struct ledger_event){.id = sql_num(st, 0), .at_ms = sql_num(st, 1), .fileset = sql_num(st, 2),
                                               .dataset = sql_num(st, 3), .root_path = sql_text(st, 4, a),
                                               .path = sql_text(st, 5, a), .what = sql_text(st, 6, a),
                                               .why = reason_named(sql_text(st, 7, a)), .text = sql_text(st, 8, a)};
    }
    if (r < 0)
        return -1;
    *out = keep(a, events, used, sizeof(*events));
    *n = used;
    return 0;
}

int ledger_pace(struct ledger *l, int64_t from, struct arena *a, const struct ledger_hour **out, size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(mem_freep) struct ledger_hour *hours = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT hour, done, bytes, stuck, queue FROM pace WHERE hour >= ?1 ORDER BY hour", "i", from) < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        hours = mem_grow(hours, used, &cap, sizeof(*hours));
        hours[used++] = (struct ledger_hour){sql_num(st, 0), sql_num(st, 1), sql_num(st, 2), sql_num(st, 3), sql_num(st, 4)};
    }
    if (r < 0)
        return -1;
    *out = keep(a, hours, used, sizeof(*hours));
    *n = used;
    return 0;
}
