/* The inside of TLS links.  Only for tls.c, which reads and writes, and tls_open.c, which sets up and shakes hands. */
#pragma once

#include <openssl/ssl.h>

#include "ice/link_ops.h"

enum { FIRST_BYTES = 4 };

struct tls_link {
    struct link link;
    struct link *below;
    SSL_CTX *ctx;
    SSL *ssl;
    int read_needs, write_needs; /* LINK_READ or LINK_WRITE on the link below */
    bool below_ended;
    bool below_failed;           /* during the current attempt */
    struct err below_err;
    int broken;                  /* the directions that are over: LINK_READ, LINK_WRITE */
    struct err cause;            /* of that */
    bool drained;                /* no whole record was left when reading last ended */
    bool write_begun;            /* a record is half out: only its rest may follow */
    uint8_t first[FIRST_BYTES];  /* that the peer sent */
    size_t n_first;
};

struct tls_link *tls_new(struct link *below); /* without ctx and ssl; owns `below` */
void tls_closep(struct tls_link **t);
BIO *tls_bio(struct tls_link *t); /* for its SSL to read and write the link below; NULL without memory */

/* Before an attempt: forget the errors of others. */
void tls_begin(struct tls_link *t);
/* Fill `cause` in after a failed attempt.  `doing` as in "read from". */
void tls_find_cause(struct tls_link *t, const char *doing);
int tls_tell_cause(const struct tls_link *t, struct err *err); /* -1 */
/* The first of OpenSSL's errors in its words; an alert that the peer sent in those of the standard. */
void tls_words(char *out, size_t size);
