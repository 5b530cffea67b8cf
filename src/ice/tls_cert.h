/* A server's certificate: what is known of it, and whether it is trusted.  Only for tls_open.c. */
#pragma once

#include <openssl/ssl.h>

#include "ice/link.h"

/* After a handshake that checked without enforcing. */
void tls_cert_look(SSL *ssl, const char *host, struct link_cert *out);

/* Ask tls->decide, or apply its default.  0 trusted, -1 REASON_CERTIFICATE with the fingerprint and what to do. */
int tls_cert_judge(const struct link_cert *cert, const char *peer, const char *host, uint16_t port, const struct link_tls *tls,
                   struct err *err);

/* Those that the system trusts, counted up for the caller; NULL: OpenSSL cannot.  Some 140 certificates take 20 ms to read, so
 * they are kept for all connections of the next minute. */
X509_STORE *tls_cert_system(void);

/* Is this text an IPv4 or IPv6 address? */
bool tls_is_address(const char *host);
