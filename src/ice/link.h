/* Links: a byte stream to a peer, as a small table of functions.  TCP, and TLS on top of it (OpenSSL).
 *
 * All calls take a deadline in nanoseconds of CLOCK_MONOTONIC (base/clock.h) and never block past it.  Sockets are
 * non-blocking, close-on-exec, TCP_NODELAY, with keep-alive probes.  A link belongs to one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct link;

/* What is known of a server's certificate, for a decision of the caller. */
struct link_cert {
    char sha256[65];      /* lower-case hex of the DER form */
    char subject[256];    /* common name, as the certificate has it; for display only */
    bool chain_ok;        /* the system store or the CA file vouches for it */
    bool name_ok;         /* the host name fits */
    bool anonymous;       /* no certificate at all (anonymous Diffie-Hellman) */
    char why[256];        /* OpenSSL's words when chain_ok or name_ok is false */
};

enum { LINK_TRUST = 0, LINK_REFUSE = 1 };

struct link_tls {
    const char *ca_file;      /* PEM, or NULL: the system store */
    bool allow_anonymous;     /* offer anonymous ciphers: an explicit word of the administrator */
    /* Called once after the handshake, before any byte of the program is sent.  Returns LINK_TRUST or LINK_REFUSE, or -1 and
     * fills `err` in.  NULL: trust what is chain_ok and name_ok only. */
    int (*decide)(void *arg, const char *host, uint16_t port, const struct link_cert *cert, struct err *err);
    void *arg;
};

/* Connect by TCP, trying all addresses of the name, each with an equal part of the time that is left.
 * REASON_NO_SERVER, REASON_TIMEOUT. */
int link_tcp_connect(struct link **out, const char *host, uint16_t port, int64_t deadline_ns, struct err *err);

/* TLS on a connected link, as a client.  Owns `below` from the call on, failure included.  TLS 1.2 and 1.3 (1.0 and 1.1 never).
 * REASON_CERTIFICATE, REASON_NOT_OMERO (the peer speaks no TLS), REASON_TLS (no version or cipher in common), REASON_CONFIG (the
 * CA file), REASON_TIMEOUT, REASON_LOST. */
int link_tls_connect(struct link **out, struct link *below, const char *host, uint16_t port, const struct link_tls *tls,
                     int64_t deadline_ns, struct err *err);

/* Server side, for the sandbox and tests: a link on an accepted socket (owned), and TLS on it with a PEM certificate and key
 * (owns `below`, failure included; REASON_CONFIG for the files). */
struct link *link_tcp_adopt(int fd);
int link_tls_accept(struct link **out, struct link *below, const char *cert_pem_file, const char *key_pem_file,
                    int64_t deadline_ns, struct err *err);

/* At least one byte, at most n.  0 at the orderly end of the stream, -1. */
ssize_t link_read(struct link *l, void *at, size_t n, int64_t deadline_ns, struct err *err);
/* All n bytes, or -1; `*written` says how many left in any case (0 = surely nothing). */
int link_write(struct link *l, const void *bytes, size_t n, int64_t deadline_ns, size_t *written, struct err *err);

/* The same without waiting, for who does several things at a time.  0 with `*moved` bytes done (0 = not now), -1, and for reading
 * LINK_END at the orderly end of the stream.  A write that moved less than n is to be continued with the same bytes, in whatever
 * memory: TLS may hold a started record.  A link whose write is given up can only be closed. */
enum { LINK_END = 1 };
int link_try_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err);
int link_try_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err);
/* Wait until one of `what` may get on.  0, LINK_LATE when the deadline has passed (ready or not: one more try is fair), -1. */
enum { LINK_READ = 1, LINK_WRITE = 2 };
enum { LINK_LATE = 1 };
int link_wait(struct link *l, int what, int64_t deadline_ns, struct err *err);

/* Is there something to read now (bytes that TLS holds included)? */
bool link_readable(struct link *l);
int link_fd(const struct link *l);
const char *link_peer(const struct link *l);     /* "omero.example.org:4064" as asked for, or the numeric address */
const char *link_describe(const struct link *l); /* "tcp 127.0.0.1:4063", "TLSv1.3 TLS_AES_256_GCM_SHA384 ..." */
void link_close(struct link *l); /* NULL is fine */
void link_closep(struct link **l);
