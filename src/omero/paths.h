/* The same directories under two names: as this host sees them and as OMERO's server does.
 *
 * Written as pairs, "/mnt/data=/data,/mnt/omero=/OMERO": host, server.  The longest pair that holds a path says how it is
 * renamed; a path that none holds has the same name on both sides.  Names are whole components: "/data" does not hold
 * "/database". */
#pragma once

#include "base/err.h"
#include "base/mem.h"

struct om_path_pair {
    const char *host, *server; /* absolute, without a slash at the end; "" is the root directory */
};

struct om_paths {
    size_t n;
    const struct om_path_pair *at;
};

/* NULL text: no pairs.  REASON_CONFIG for what is no list of pairs, and for two pairs of which a host's or server's directory is
 * the same.  Lives in the arena. */
int om_paths_parse(const char *text, struct arena *mem, struct om_paths *out, struct err *err);

const char *om_paths_to_server(const struct om_paths *paths, const char *host_path, struct arena *mem);
const char *om_paths_to_host(const struct om_paths *paths, const char *server_path, struct arena *mem);
