/* Whose certificate is trusted.
 *
 * Accepted is a certificate that the system store or the configured CA vouches for, when the host name fits; else the one that
 * stands in the file `known_servers` for this host and port; on a loopback address the first one is taken and written there.
 * Any other is refused with its fingerprint and the command to run. (OMERO's own certificates are self-signed for
 * `localhost`.)
 *
 * The file: a line each, `host:port sha256-hex`, `#` begins a comment line; a later line for the same server wins.  Lines that
 * are not understood are kept and mean nothing.  It is replaced as a whole, mode 0600. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "ice/link.h"

/* Shared by all sessions of a program; initialise with OM_TRUST_INIT and then set the members. */
struct om_trust {
    const char *known_servers; /* path; NULL = nothing is remembered */
    const char *ca_file;       /* PEM; NULL = the system store */
    bool allow_anonymous;      /* encryption without any certificate: an explicit word of the administrator */
    /* At a terminal: show the certificate and ask; true = trust it from now on.  NULL: nobody is there. */
    bool (*ask)(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known);
    void *ask_arg;
    pthread_mutex_t lock;
};

#define OM_TRUST_INIT                                                                                                            \
    {                                                                                                                            \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                                                        \
    }

/* For struct link_tls: `arg` is the struct om_trust. */
int om_trust_decide(void *arg, const char *host, uint16_t port, const struct link_cert *cert, struct err *err);

enum { OM_TRUST_UNKNOWN = 1 };
/* The fingerprint that is known for a server: 0, or OM_TRUST_UNKNOWN. */
int om_trust_known(struct om_trust *t, const char *host, uint16_t port, char sha256[65], struct err *err);
/* Remember a fingerprint (64 lower-case hex digits). */
int om_trust_pin(struct om_trust *t, const char *host, uint16_t port, const char *sha256, struct err *err);

/* Is the name "localhost" or an address of the machine itself (127/8, ::1)? */
bool om_is_loopback(const char *host);
