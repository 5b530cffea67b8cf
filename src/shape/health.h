/* Is all well?  One table of checks for `impomero status --check`, /healthz, /readyz and the head of the page: whether work
 * proceeds, not whether a process runs.
 *
 *   engine     somebody works on the ledger, and its loop keeps what it promised
 *   progress   what could be worked on is: something happened within HEALTH_STALLED_S
 *   server     OMERO lets work be done
 *   roots      the directory trees are there
 *   looks      they were looked at in time
 *   people     nothing waits for an administrator or a developer */
#pragma once

#include "shape/status.h"

#define HEALTH_STALLED_S 3600

enum health_level { HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL, HEALTH_UNKNOWN }; /* numbers: exit codes of Nagios' plugins */

/* Which questions a check answers. */
enum { HEALTH_ALIVE = 1, HEALTH_READY = 2, HEALTH_ALL = 4 };

/* A configured directory tree, and how long it may be before it is looked at again. */
struct health_root {
    const char *path;
    int64_t look_s;
};

/* What only the running service knows. */
struct health_live {
    bool alive;       /* the loop keeps its promise */
    bool begun;       /* the ledger is open and the trees were looked at once */
    int64_t moved_ms; /* wall: bytes went out, or something ended */
};

struct health_ask {
    const struct status *status;
    const struct ledger_trouble *trouble; /* NULL: none */
    const struct ledger_pulse *pulse;
    const struct health_root *roots; /* 0: those of the ledger count, and nothing is said of looks */
    size_t n_roots;
    const struct health_live *live; /* NULL: judged from the ledger alone */
    int64_t now_ms;
};

enum { HEALTH_CHECKS = 6 };

struct health {
    enum health_level worst;
    size_t n;
    struct health_line {
        const char *check;
        enum health_level level;
        char text[512];
    } at[HEALTH_CHECKS];
};

/* Only the checks that answer `question`. */
void health_judge(const struct health_ask *ask, int question, struct health *out);
const char *health_word(enum health_level level); /* "OK", "WARNING", "CRITICAL", "UNKNOWN" */
/* The lines that are not well, else "ok"; cut to size. */
void health_summary(const struct health *h, char *out, size_t size);
