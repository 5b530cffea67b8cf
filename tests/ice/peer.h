/* A peer for tests of links and connections: a listening socket on loopback, and a thread that plays the other side with plain
 * sockets or plain OpenSSL.  Nothing of the code under test is in it.  The thread makes no cmocka checks: it leaves notes. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct peer {
    int listener;
    uint16_t port;
    pthread_t thread;
    void (*run)(struct peer *p, int fd); /* with one accepted connection, which is closed afterwards */
    void *arg;
    bool ok;               /* a note of the thread: all went as it should */
    size_t got;            /* a note: bytes of the program that came */
    char text[256];        /* a note */
};

void peer_listen(struct peer *p);
void peer_start(struct peer *p, void (*run)(struct peer *p, int fd), void *arg);
void peer_stop(struct peer *p); /* waits for the thread, which somebody must have connected to */

/* For the thread: blocking, whole, false when it does not work. */
bool peer_send(int fd, const void *bytes, size_t n);
bool peer_receive(int fd, void *at, size_t n);
size_t peer_drain(int fd);    /* reads until the end, counts */
void peer_sleep_ms(int ms);
void peer_reset(int fd);      /* the close that follows will be a reset */

/* A certificate with its key as PEM files. */
struct peer_cert {
    char cert[128], key[128];
    char sha256[65];
};
/* `san` as for OpenSSL's subjectAltName ("IP:127.0.0.1"), or NULL; valid from..until seconds from now. */
void peer_make_cert(struct peer_cert *out, const char *dir, const char *name, const char *cn, const char *san, long from,
                    long until);

/* A TLS server. */
struct peer_tls {
    const struct peer_cert *cert; /* NULL: anonymous Diffie-Hellman */
    int min, max;                 /* TLS1_VERSION ..., 0 = the library's */
    void (*run)(struct peer *p, SSL *ssl); /* after the handshake */
};
void peer_tls_server(struct peer *p, int fd); /* a `run` of a peer whose `arg` is a struct peer_tls */
