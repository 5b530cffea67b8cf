#include "ledger/store.h"

#include "base/clock.h"

int image_put(struct ledger *l, int64_t fileset, bool carries, const struct ledger_image *i, struct err *err)
{
    return sql_do(l, err, "INSERT INTO image (fileset, dataset, omero_id, plate, series, name, revision, made_ms, own, map)"
                  " SELECT id, dataset, ?2, ?3, ?4, ?5, CASE WHEN ?7 THEN revision END, ?6, ?8, ?9 FROM fileset WHERE id = ?1"
                  " ON CONFLICT (fileset, plate, omero_id) DO UPDATE SET deleted_ms = NULL, own = ?8, map = ?9", "iiiitiiii",
                  fileset, i->omero_id, (int64_t)i->plate, (int64_t)i->series, i->name ? i->name : "", clock_wall_ms(),
                  (int64_t)carries, (int64_t)i->own, i->map);
}

/* The card may have changed while the import ran. */
static int mark_stale(struct ledger *l, int64_t fileset, struct err *err)
{
    return sql_do(l, err, "UPDATE dataset SET stale = 1 WHERE id = (SELECT dataset FROM fileset WHERE id = ?1)"
                  " AND (applied IS NULL OR wanted IS NOT (SELECT revision FROM fileset WHERE id = ?1))", "i", fileset);
}

int ledger_done(struct ledger *l, int64_t fileset, int64_t omero_id, const struct ledger_image *images, size_t n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    if (sql_do(l, err, "UPDATE fileset SET call = 'finished', call_ms = ?2, omero_id = coalesce(?3, omero_id) WHERE id = ?1"
               " AND state <> 'done'", "iiz", fileset, clock_wall_ms(), omero_id) < 0)
        return -1;
    if (sqlite3_changes(l->db) != 1)
        return err_set(err, REASON_BUG, 0, "ledger: fileset %lld is done already, or not there", (long long)fileset);
    for (size_t i = 0; i < n; i++)
        if (image_put(l, fileset, true, &images[i], err) < 0)
            return -1;
    if (mark_stale(l, fileset, err) < 0 || state_enter(l, fileset, LEDGER_DONE, NULL, 0, err) < 0)
        return -1;
    return tx_commit(&tx, err);
}

static int read_images(struct ledger *l, sqlite3_stmt *st, struct arena *a, const struct ledger_image **out, size_t *n,
                       struct err *err)
{
    AUTO(mem_freep) struct ledger_image *images = NULL;
    size_t used = 0, cap = 0;
    int r = -1;

    while ((r = sql_step(l, st, err)) > 0) {
        images = mem_grow(images, used, &cap, sizeof(*images));
        images[used++] = (struct ledger_image){.row = sql_num(st, 0), .fileset = sql_num(st, 1), .dataset = sql_num(st, 2),
                                               .omero_id = sql_num(st, 3), .plate = sql_num(st, 4) != 0,
                                               .series = (int)sql_num(st, 5), .name = sql_text(st, 6, a),
                                               .revision = sql_num(st, 7), .deleted_ms = sql_num(st, 8),
                                               .own = sql_num(st, 9) != 0, .map = sql_num(st, 10)};
    }
    if (r < 0)
        return -1;
    *out = keep(a, images, used, sizeof(*images));
    *n = used;
    return 0;
}

int ledger_images(struct ledger *l, int64_t dataset, int64_t after, size_t max, struct arena *a, const struct ledger_image **out,
                  size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT id, fileset, dataset, omero_id, plate, series, name, revision, deleted_ms, own, map"
                  " FROM image WHERE dataset = ?1 AND id > ?2 ORDER BY id LIMIT ?3", "iii", dataset, after,
                  max ? (int64_t)max : INT64_C(-1)) < 0)
        return -1;
    return read_images(l, st, a, out, n, err);
}

int ledger_fileset_images(struct ledger *l, int64_t fileset, size_t max, struct arena *a, const struct ledger_image **out,
                          size_t *n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (tx_begin(&tx, l, LEDGER_READ, err) < 0 ||
        sql_start(l, &st, err, "SELECT id, fileset, dataset, omero_id, plate, series, name, revision, deleted_ms, own, map"
                  " FROM image WHERE fileset = ?1 ORDER BY id LIMIT ?2", "ii", fileset, max ? (int64_t)max : INT64_C(-1)) < 0)
        return -1;
    return read_images(l, st, a, out, n, err);
}

int ledger_image_deleted(struct ledger *l, int64_t row, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 ||
        sql_do(l, err, "UPDATE image SET deleted_ms = coalesce(deleted_ms, ?2) WHERE id = ?1", "ii", row, clock_wall_ms()) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_image_maps(struct ledger *l, const struct ledger_image *images, size_t n, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (sql_do(l, err, "UPDATE image SET own = ?2, map = ?3 WHERE id = ?1", "iii", images[i].row, (int64_t)images[i].own,
                   images[i].map) < 0)
            return -1;
    return tx_commit(&tx, err);
}
