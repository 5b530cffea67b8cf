/* What was asked for: path and parameters of a request's target.  Pure. */
#pragma once

#include <stdint.h>

#include "base/ceilings.h"
#include "base/err.h"
#include "base/mem.h"

struct request {
    const char *path; /* decoded; begins with "/" */
    size_t n_params;
    struct request_param {
        const char *name, *value;
    } params[WEB_PARAMS_MAX];
};

/* Of the target as it came ("/search?q=a%20b"); in the arena.  -1 (REASON_USAGE): not a path, a wrong escape, a zero byte, too
 * long, or too many parameters. */
int request_parse(const char *target, struct arena *a, struct request *out, struct err *err);

/* The first value of a name; NULL: absent or empty. */
const char *request_text(const struct request *q, const char *name);
/* A number from 0 on; `fallback` when absent.  -1: no number. */
int request_number(const struct request *q, const char *name, int64_t fallback, int64_t *out, struct err *err);
