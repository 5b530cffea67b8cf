/* What the ledger knows of files that have not changed, for the room of formats. */
#pragma once

#include "format/memory.h"
#include "ledger/ledger.h"

struct engine_memory {
    struct format_memory format; /* for look_rules */
    struct ledger_memory *ledger;
    int64_t now_ms;              /* at the beginning of the look */
};

void engine_memory_open(struct ledger *l, int64_t root, struct engine_memory *out);
/* `tree`: what is there; rows of other files are forgotten.  NULL: the look failed. */
void engine_memory_close(struct engine_memory *m, const struct tree *tree);
