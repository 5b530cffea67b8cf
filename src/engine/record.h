/* From a look at a root to the ledger: what was planned, taken in as one step. */
#pragma once

#include "engine/look.h"
#include "ledger/ledger.h"

struct record_rules {
    int64_t root;      /* of ledger_root */
    int64_t settle_ms;
    const char *ready; /* name of the file that says that a directory is complete; NULL: none is needed */
    int64_t incomplete_ms; /* an incomplete set whose files are younger just waits */
    bool trust_times;  /* see struct ledger_scan */
};

/* ledger_sync with the plan's filesets (held ones too), targets and cards. */
int record_look(struct ledger *ledger, const struct look *look, const struct record_rules *rules, struct ledger_synced *out,
                struct err *err);

/* A card's content as the ledger keeps it. */
void record_revision(struct arena *a, const struct card *card, struct ledger_revision *out);
