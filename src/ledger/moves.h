/* Inside the ledger: rows that follow files and directories which were renamed.  In a transaction of the caller. */
#pragma once

#include "ledger/store.h"

/* A fileset that was sent, and where its files lie now.  Members in the order in which they were sent. */
struct move {
    int64_t fileset, dataset; /* its row, and that of its dataset */
    int64_t root;
    const char *path;
    const struct ledger_member *members;
    size_t n_members;
};

/* All of them as one step, so that files may have changed places.  What was never sent of the new places is dropped. */
int moves_apply(struct ledger *l, const struct move *moves, size_t n, struct err *err);

/* A dataset, and the directory that it belongs to from now on. */
struct follow {
    int64_t dataset, root;
    const char *dir;
    bool dir_gone; /* its old directory is known to be away */
};

/* Those of them that may, and of several for one directory the first: the old directory has no card any more, or is another one's
 * new place; the new directory has no dataset that was made, or that one leaves too. */
int follows_apply(struct ledger *l, struct follow *follows, size_t n, struct err *err);
