/* Libraries that are loaded when they are first needed: what few use, and would take memory from all, who has it or not. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Load a library and find its functions: `calls` is a struct of n pointers to functions, in the order of their names.  It is
 * never unloaded.  -1: REASON_CONFIG, and nothing was written. */
int late_load(const char *library, const char *const *names, size_t n, void *calls, struct err *err);

/* Such a struct, its names and its filling in, from a list X(FUNCTION) ... of functions that a header declares. */
#define LATE_CALL(call) typeof(&call) call;
#define LATE_NAME(call) #call,
#define LATE_STRUCT(name, CALLS) struct name { CALLS(LATE_CALL) }
#define LATE_NAMES(name, CALLS) static const char *const name[] = {CALLS(LATE_NAME)}
