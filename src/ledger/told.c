/* What people were told of. */
#include "ledger/store.h"

static int keep_told(struct ledger *l, const char *sql, int64_t id, uint64_t trouble, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};

    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0 || sql_do(l, err, sql, "ii", id, (int64_t)trouble) < 0)
        return -1;
    return tx_commit(&tx, err);
}

int ledger_card_told(struct ledger *l, int64_t id, struct err *err)
{
    return keep_told(l, "UPDATE card SET told = ?2 WHERE id = ?1", id, 1, err);
}

int ledger_dataset_told(struct ledger *l, int64_t id, uint64_t trouble, struct err *err)
{
    return keep_told(l, "UPDATE dataset SET told = ?2 WHERE id = ?1", id, trouble, err);
}
