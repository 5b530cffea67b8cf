/* Host names to addresses with a deadline: the resolver of libc knows none. */
#pragma once

#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

/* TCP addresses of a host in the order of preference; `*out` is for freeaddrinfo().  A numeric address takes no time.
 * REASON_NO_SERVER, REASON_TIMEOUT (the look-up then ends by itself, in a thread of its own). */
int resolve_host(struct addrinfo **out, const char *host, const char *port, int64_t deadline_ns, struct err *err);
