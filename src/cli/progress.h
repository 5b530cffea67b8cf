/* What an import shows while it runs: a bar on a terminal, a line for each fileset elsewhere. */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "cli/command.h"
#include "engine/engine.h"

struct progress {
    struct cli *cli;
    bool quiet, bar;
    json_t *imported, *followed; /* for --json: objects in the order in which they were done; else NULL */
    size_t n_done, n_images, n_followed, n_away;
    int64_t bytes, bytes_sent;   /* of what was taken; of what was sent of it */
    size_t n_taken;
    int64_t drawn_ms;
    bool drawn;                  /* a bar stands on the last line */
};

/* For struct engine_job; `arg` is a struct progress. */
void progress_tell(void *arg, const struct engine_event *event);
/* Take the bar away, if one stands there. */
void progress_clear(struct progress *p);

/* At a terminal: show an unknown certificate and ask whether it is to be trusted. */
bool progress_ask(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known);
