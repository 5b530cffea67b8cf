/* A card's pairs when the card changed: what is to stand in OMERO. */
#pragma once

#include <stdbool.h>

#include "base/mem.h"
#include "ledger/ledger.h"
#include "omero/container.h"

struct pairs {
    const struct om_pair *at;
    size_t n;
};

/* Those of a card; none without a revision. */
struct pairs pairs_of(const struct ledger_revision *r, struct arena *a);

bool pairs_equal(const struct pairs *a, const struct pairs *b);

/* Three-way, row by row: the card's pairs as they were applied last, as OMERO has them now, and as the card wants them.  A row
 * that a person changed or removed in OMERO stays as the person left it, with the card's rows of its key; rows that a person
 * added stay, at the end.  `*kept` counts the wanted rows that gave way.  Pure. */
struct pairs pairs_merge(const struct pairs *applied, const struct pairs *now, const struct pairs *wanted, struct arena *a,
                         size_t *kept);
