/* Whoever can carry out an operation: what the generated stubs call.  A room above embeds it and adds its context, router
 * registration and the meaning of exceptions. */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "ice/proxy.h"
#include "ice/type.h"

struct ice_caller {
    /* `in` and `out` are the op's generated structs; `out` is zeroed first and its values live in `mem`.
     * 0, or -1 for everything else, user exceptions included. */
    int (*call)(struct ice_caller *self, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                struct arena *mem, struct err *err);
};
