/* Errors: what happened, why (one code of the table in reason.h) and what to do next.
 *
 * The caller owns the struct and gives its address as the last parameter, never NULL.  Functions return 0, a documented
 * positive outcome, or -1 with `err` filled in; on -1 the out-parameters are untouched.  A positive outcome is never passed up.
 * Low rooms fill errors in and never log; the top logs once. */
#pragma once

#include "base/auto.h"
#include "base/reason.h"

struct err {
    enum reason why;
    enum err_class cls; /* the reason's own class unless err_class() was called */
    int sys;            /* errno, or 0 */
    char text[1024];    /* where and what, for people; UTF-8, cut at a character */
    char hint[512];     /* what to do; empty = the reason's own hint */
};

#define ERR_INIT {.why = REASON_NONE}

/* Fill in and return -1, so that `return err_set(...)` reads well.  `sys` is an errno whose text is appended, or 0. */
int err_set(struct err *err, enum reason why, int sys, const char *fmt, ...) ATTR_PRINTF(4, 5);

/* Say what to do in other words than the reason's.  Returns -1. */
int err_hint(struct err *err, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Put words before the text ("card 'x.toml': ").  Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* The hint to show: the error's own, else the reason's. */
const char *err_hint_text(const struct err *err);
