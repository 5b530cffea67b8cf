/* Identities and proxies (Ice 3.6 manual, "Proxies"; zeroc-ice Reference.cpp). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct ice_identity {
    const char *name, *category; /* never NULL; both empty = the null proxy, which is a NULL pointer here */
};

bool ice_identity_equal(const struct ice_identity *a, const struct ice_identity *b);

/* A proxy as it was received.  `raw` is its whole wire form in `encoding`, identity included, so that it can be given back to a
 * router exactly as it came; proxies made here have endpoints instead (a server's own adapter). */
struct ice_proxy {
    struct ice_identity id;
    uint8_t encoding_minor; /* of `raw`: 0 or 1 */
    const uint8_t *raw;     /* NULL for one made by ice_proxy_make */
    size_t raw_len;
    const char *host; /* for a proxy made here: one TCP endpoint; NULL = indirect without adapter */
    uint16_t port;
};

/* A twoway proxy of our own, with one TCP endpoint (host may be NULL).  Lives in the arena. */
const struct ice_proxy *ice_proxy_make(struct arena *mem, const char *name, const char *category, const char *host,
                                       uint16_t port);

/* A copy of a proxy in another arena. */
const struct ice_proxy *ice_proxy_copy(struct arena *mem, const struct ice_proxy *p);
