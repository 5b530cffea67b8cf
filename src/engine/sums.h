/* Checksums of files on the disk. */
#pragma once

#include "base/hash.h"
#include "ledger/ledger.h"

/* Asked after each block; NULL: nobody.  -1 stops it. */
struct sums_pause {
    int (*keep_on)(void *arg, struct err *err);
    void *arg;
};

/* Of a whole open file.  REASON_CONFIG: this machine knows no such algorithm. */
int sums_of_fd(int fd, const char *algorithm, const struct sums_pause *pause, char hex[HASH_HEX_MAX], struct err *err);
/* Stamps and checksum of a file below an open directory, by way of links only where `into` lets them lead (tree_open_beneath);
 * REASON_CHANGED when it changes meanwhile.  Texts live in the arena. */
int sums_of_member(int dir, const char *const *into, const char *path, const char *algorithm, const struct sums_pause *pause,
                   struct arena *a, struct ledger_member *out, struct err *err);

int sums_stamp(int fd, const char *path, struct ledger_stamp *out, struct err *err);
/* Size and time of modification. */
bool sums_same_stamp(const struct ledger_stamp *a, const struct ledger_stamp *b);
