#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/store.h"

int ledger_trouble_set(struct ledger *l, const struct err *why, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    if (!why && sql_do(l, err, "DELETE FROM meta WHERE key IN ('trouble', 'trouble_text', 'trouble_ms')", "") < 0)
        return -1;
    if (why && (sql_do(l, err, "INSERT INTO meta (key, value) VALUES ('trouble_ms', ?1) ON CONFLICT (key) DO NOTHING", "i",
                       clock_wall_ms()) < 0 ||
                sql_do(l, err,
                       "INSERT INTO meta (key, value) VALUES ('trouble', ?1), ('trouble_text', ?2)"
                       " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                       "tt", reason_row(why->why)->name, why->text) < 0))
        return -1;
    return tx_commit(&tx, err);
}

int ledger_trouble(struct ledger *l, struct arena *a, const struct ledger_trouble **out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct ledger_trouble *t = arena_alloc(a, 1, sizeof(*t));

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT t.value, x.value, CAST(m.value AS INTEGER) FROM meta t JOIN meta x ON x.key ="
                  " 'trouble_text' JOIN meta m ON m.key = 'trouble_ms' WHERE t.key = 'trouble'", "") < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;
    *t = (struct ledger_trouble){.why = reason_named(sql_text(st, 0, a)), .text = sql_text(st, 1, a), .since_ms = sql_num(st, 2)};
    *out = t;
    return 0;
}

int ledger_pulse(struct ledger *l, struct ledger_pulse *out, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    struct ledger_pulse p = {0};

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_int(l, &p.event_ms, err, "SELECT max(at_ms) FROM event WHERE id = (SELECT max(id) FROM event)", "") < 0 ||
        sql_int(l, &p.oldest_due_ms, err, "SELECT coalesce((SELECT since_ms FROM fileset WHERE state = 'ready' AND reason ="
                " 'none' AND gone_ms IS NULL ORDER BY since_ms LIMIT 1), 0)", "") < 0 ||
        sql_int(l, &p.bytes, err, "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM"
                " pragma_page_size)", "") < 0)
        return -1;
    *out = p;
    return 0;
}
