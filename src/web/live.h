/* What only the running service knows: progress, counters since the start, the loop's promise. */
#pragma once

#include <pthread.h>

#include "web/web.h"

enum { LIVE_WORKS_MAX = 64, LIVE_ROOTS_MAX = 1000, HISTOGRAM_BUCKETS = 12 };

extern const double histogram_bounds[HISTOGRAM_BUCKETS]; /* seconds; the last is infinite */

struct histogram {
    int64_t n[HISTOGRAM_BUCKETS]; /* of each alone, not added up */
    double sum_s;
};

enum { LIVE_UPLOAD, LIVE_IMPORT, LIVE_WHOLE, N_LIVE_TIMES };

struct live_work {
    int64_t fileset, bytes, sent; /* fileset 0: free */
    int64_t began_ns, running_ns;
};

struct live_root {
    char *path, *blind; /* blind NULL: changes are told */
};

/* A copy of all at one moment; roots and their texts in an arena. */
struct live_facts {
    int64_t began_ms, moved_ms, alive_until_ns, n_sessions, n_looks;
    struct live_work works[LIVE_WORKS_MAX];
    struct live_root *roots;
    size_t n_roots;
    int64_t done, done_bytes, images, sent_bytes;
    int64_t stuck[N_REASONS];
    struct histogram times[N_LIVE_TIMES];
};

struct live {
    pthread_mutex_t mutex;
    struct live_facts f;
    size_t cap_roots;
};

void live_init(struct live *l);
void live_clear(struct live *l);
void live_tell(struct live *l, const struct web_news *news);
void live_copy(struct live *l, struct arena *a, struct live_facts *out);
