/* TLS on a link.  OpenSSL never sees the socket: a BIO on the link below does its reading and writing, so that no signal can
 * arise and the first bytes of a peer that speaks no TLS can be told. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "ice/link_ops.h"
#include "ice/tls_cert.h"

enum { ALERT_BASE = 1000 }; /* OpenSSL's reason of a received alert is this plus the alert's number (RFC 8446, 6) */
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
    bool write_begun;            /* a record is half out: only its rest may follow */
    uint8_t first[FIRST_BYTES];  /* that the peer sent */
    size_t n_first;
};

/* --- the BIO --- */

static int bio_read(BIO *bio, char *at, size_t n, size_t *done)
{
    struct tls_link *t = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    int r = link_try_read(t->below, at, n, done, &t->below_err);
    t->below_failed = t->below_failed || r < 0;
    t->below_ended = t->below_ended || r == LINK_END;
    for (size_t i = 0; i < *done && t->n_first < FIRST_BYTES; i++)
        t->first[t->n_first++] = (uint8_t)at[i];
    if (r == 0 && *done == 0)
        BIO_set_retry_read(bio);
    return r == 0 && *done > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *done)
{
    struct tls_link *t = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    int r = link_try_write(t->below, bytes, n, done, &t->below_err);
    t->below_failed = t->below_failed || r < 0;
    if (r == 0 && *done == 0)
        BIO_set_retry_write(bio);
    return r == 0 && *done > 0;
}

static long bio_ctrl(BIO *bio, int what, long n, void *p)
{
    struct tls_link *t = BIO_get_data(bio);

    (void)n;
    (void)p;
    if (what == BIO_CTRL_EOF)
        return t->below_ended;
    return what == BIO_CTRL_FLUSH;
}

/* Made once and kept: it is as constant as a table, but OpenSSL hides its layout. */
static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link");
    if (!bio_method)
        return;
    BIO_meth_set_read_ex(bio_method, bio_read);
    BIO_meth_set_write_ex(bio_method, bio_write);
    BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

static BIO *bio_on(struct tls_link *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio = NULL;

    pthread_once(&once, make_bio_method);
    if (bio_method && (bio = BIO_new(bio_method))) {
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* --- what went wrong --- */

/* The first of OpenSSL's errors in its words; an alert that the peer sent in those of the standard. */
static void words(unsigned long code, char *out, size_t size)
{
    int reason = ERR_GET_REASON(code);

    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= ALERT_BASE)
        snprintf(out, size, "the peer says '%s' (alert %d)", SSL_alert_desc_string_long(reason - ALERT_BASE), reason - ALERT_BASE);
    else
        snprintf(out, size, "%s", ERR_reason_error_string(code) ? ERR_reason_error_string(code) : "no reason known");
}

static void find_cause(struct tls_link *t, const char *doing)
{
    unsigned long code = ERR_peek_error();
    bool cut = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    char why[256];

    words(code, why, sizeof(why));
    if (t->below_failed)
        t->cause = t->below_err;
    else if (cut || t->below_ended)
        err_set(&t->cause, REASON_LOST, 0, "%s %s: the connection was cut off", doing, t->link.peer);
    else
        err_set(&t->cause, REASON_LOST, 0, "%s %s: TLS: %s", doing, t->link.peer, why);
}

static int tell_cause(const struct tls_link *t, struct err *err)
{
    *err = t->cause;
    return -1;
}

/* --- the table of functions --- */

static struct tls_link *tls_of(struct link *l)
{
    return (struct tls_link *)l;
}

/* What an attempt that moved nothing waits for.  0 it waits, LINK_END, -1.  A failure below ends one direction: what came before
 * can still be read when nothing can be written any more. */
static int held_up(struct tls_link *t, int direction, int result, int *needs, struct err *err)
{
    int why = SSL_get_error(t->ssl, result);

    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        *needs = why == SSL_ERROR_WANT_READ ? LINK_READ : LINK_WRITE;
        return 0;
    }
    if (why == SSL_ERROR_ZERO_RETURN)
        return LINK_END;
    t->broken |= why == SSL_ERROR_SYSCALL ? direction : LINK_READ | LINK_WRITE;
    find_cause(t, direction == LINK_READ ? "read from" : "write to");
    ERR_clear_error();
    return tell_cause(t, err);
}

static void begin(struct tls_link *t)
{
    ERR_clear_error();
    t->below_failed = false;
}

static int tls_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err)
{
    struct tls_link *t = tls_of(l);

    if (t->broken & LINK_READ)
        return tell_cause(t, err);
    begin(t);
    t->read_needs = LINK_READ;
    int r = SSL_read_ex(t->ssl, at, n, moved);
    return r == 1 ? 0 : held_up(t, LINK_READ, r, &t->read_needs, err);
}

static int tls_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err)
{
    struct tls_link *t = tls_of(l);

    if (t->broken & LINK_WRITE)
        return tell_cause(t, err);
    begin(t);
    t->write_needs = LINK_WRITE;
    int r = SSL_write_ex(t->ssl, bytes, n, moved);
    t->write_begun = r != 1;
    if (r == 1)
        return 0;
    r = held_up(t, LINK_WRITE, r, &t->write_needs, err);
    return r == LINK_END ? err_set(err, REASON_LOST, 0, "write to %s: closed by the peer", l->peer) : r;
}

static short tls_events(const struct link *l, int what)
{
    const struct tls_link *t = (const struct tls_link *)l;

    return t->below->ops->events(t->below, what == LINK_READ ? t->read_needs : t->write_needs);
}

static bool tls_holds(const struct link *l)
{
    const struct tls_link *t = (const struct tls_link *)l;

    return (t->broken & LINK_READ) || SSL_pending(t->ssl) > 0;
}

/* Records that carry nothing for the program (tickets) do not count, so OpenSSL has to look into them.  An end and a failure do:
 * reading tells them. */
static bool tls_readable(struct link *l)
{
    struct tls_link *t = tls_of(l);
    struct err told_later;
    char byte;
    size_t n;

    if (t->broken & LINK_READ)
        return true;
    begin(t);
    t->read_needs = LINK_READ;
    int r = SSL_peek_ex(t->ssl, &byte, 1, &n);
    return r == 1 || held_up(t, LINK_READ, r, &t->read_needs, &told_later) != 0;
}

/* The farewell is tried once: who closes does not wait. */
static void tls_close(struct link *l)
{
    struct tls_link *t = tls_of(l);

    if (t->ssl && !t->broken && !t->write_begun && SSL_is_init_finished(t->ssl))
        (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    link_close(t->below);
    free(t);
}

static const struct link_ops tls_ops = {tls_read, tls_write, tls_events, tls_holds, tls_readable, tls_close};

static struct tls_link *tls_new(struct link *below)
{
    struct tls_link *t = mem_new(1, sizeof(*t));

    t->link = (struct link){.ops = &tls_ops, .fd = below->fd};
    memcpy(t->link.peer, below->peer, sizeof(t->link.peer));
    t->below = below;
    t->read_needs = LINK_READ;
    t->write_needs = LINK_WRITE;
    return t;
}

static void tls_closep(struct tls_link **t)
{
    if (*t)
        tls_close(&(*t)->link);
}

/* --- set-up and handshake --- */

/* OpenSSL's own failures: out of memory, or a system configuration that forbids what we need. */
static int no_tls(struct err *err, const char *what)
{
    char why[256];

    words(ERR_peek_error(), why, sizeof(why));
    ERR_clear_error();
    return err_set(err, REASON_CONFIG, 0, "TLS: %s: %s", what, why);
}

static int make_ssl(struct tls_link *t, struct err *err)
{
    BIO *bio = bio_on(t);

    t->ssl = SSL_new(t->ctx);
    if (!t->ssl || !bio) {
        BIO_free(bio);
        return no_tls(err, "set up");
    }
    SSL_set_bio(t->ssl, bio, bio);
    return 0;
}

static int make_ctx(struct tls_link *t, const SSL_METHOD *method, struct err *err)
{
    ERR_clear_error();
    t->ctx = SSL_CTX_new(method);
    if (!t->ctx || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return no_tls(err, "set up");
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return 0;
}

/* Checked but not enforced: the caller decides with all that is known. */
static int trust_authorities(struct tls_link *t, const struct link_tls *tls, struct err *err)
{
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
    if (tls->ca_file && SSL_CTX_load_verify_file(t->ctx, tls->ca_file) != 1) {
        no_tls(err, "cannot be read");
        return err_prefix(err, "CA file '%s': ", tls->ca_file);
    }
    if (!tls->ca_file && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        return no_tls(err, "the system's certificates");
    if (tls->allow_anonymous && SSL_CTX_set_cipher_list(t->ctx, "ALL:@SECLEVEL=0") != 1)
        return no_tls(err, "anonymous ciphers");
    return 0;
}

/* A TLS server begins with a handshake record, or with an alert (RFC 8446, 5.1). */
static bool speaks_tls(const struct tls_link *t)
{
    enum { ALERT = 21, HANDSHAKE = 22, MAJOR = 3 };

    return t->n_first == 0 || ((t->first[0] == ALERT || t->first[0] == HANDSHAKE) && (t->n_first == 1 || t->first[1] == MAJOR));
}

static int not_tls(const struct tls_link *t, struct err *err)
{
    bool ice = t->n_first == FIRST_BYTES && memcmp(t->first, "IceP", FIRST_BYTES) == 0;

    err_set(err, REASON_NOT_OMERO, 0, "%s answers without TLS%s", t->link.peer, ice ? ", in plain Ice" : "");
    return ice ? err_hint(err, "name the server's TLS port, or ask for a plain connection") : -1;
}

static int no_handshake(struct tls_link *t, const struct link_tls *tls, struct err *err)
{
    char why[256];

    t->broken = LINK_READ | LINK_WRITE;
    words(ERR_peek_error(), why, sizeof(why));
    if (!speaks_tls(t))
        return not_tls(t, err);
    if (t->below_failed || t->below_ended) {
        find_cause(t, "TLS handshake with");
        return tell_cause(t, err);
    }
    err_set(err, REASON_TLS, 0, "TLS handshake with %s: %s", t->link.peer, why);
    return tls && !tls->allow_anonymous ? err_hint(err, "let the server offer TLS 1.2 or 1.3 and a certificate; one without a "
                                                        "certificate needs anonymous ciphers to be allowed") : -1;
}

static int no_handshake_in_time(struct tls_link *t, struct err *err)
{
    if (!speaks_tls(t))
        return not_tls(t, err);
    return err_set(err, REASON_TIMEOUT, 0, "TLS handshake with %s: no answer in time", t->link.peer);
}

static int handshake(struct tls_link *t, const struct link_tls *tls, int64_t deadline_ns, struct err *err)
{
    for (;;) {
        begin(t);
        int r = SSL_do_handshake(t->ssl);
        if (r == 1)
            return 0;
        int why = SSL_get_error(t->ssl, r);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return no_handshake(t, tls, err);
        r = link_wait(t->below, why == SSL_ERROR_WANT_READ ? LINK_READ : LINK_WRITE, deadline_ns, err);
        if (r != 0)
            return r < 0 ? -1 : no_handshake_in_time(t, err);
    }
}

static void describe(struct tls_link *t)
{
    snprintf(t->link.describe, sizeof(t->link.describe), "%s %s over %.300s", SSL_get_version(t->ssl),
             SSL_get_cipher_name(t->ssl), link_describe(t->below));
}

static int set_up_client(struct tls_link *t, const char *host, const struct link_tls *tls, struct err *err)
{
    if (make_ctx(t, TLS_client_method(), err) < 0 || trust_authorities(t, tls, err) < 0 || make_ssl(t, err) < 0)
        return -1;
    if (!tls_is_address(host) && SSL_set_tlsext_host_name(t->ssl, host) != 1)
        return no_tls(err, "host name");
    SSL_set_connect_state(t->ssl);
    return 0;
}

int link_tls_connect(struct link **out, struct link *below, const char *host, uint16_t port, const struct link_tls *tls,
                     int64_t deadline_ns, struct err *err)
{
    AUTO(tls_closep) struct tls_link *t = tls_new(below);
    struct link_cert cert;

    if (set_up_client(t, host, tls, err) < 0 || handshake(t, tls, deadline_ns, err) < 0)
        return -1;
    tls_cert_look(t->ssl, host, &cert);
    if (tls_cert_judge(&cert, t->link.peer, host, port, tls, err) < 0)
        return -1;
    describe(t);
    *out = &STEAL(t)->link;
    return 0;
}

static int set_up_server(struct tls_link *t, const char *cert, const char *key, struct err *err)
{
    if (make_ctx(t, TLS_server_method(), err) < 0)
        return -1;
    if (SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1) {
        no_tls(err, "cannot be used");
        return err_prefix(err, "certificate '%s': ", cert);
    }
    if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1) {
        no_tls(err, "cannot be used");
        return err_prefix(err, "key '%s': ", key);
    }
    if (make_ssl(t, err) < 0)
        return -1;
    SSL_set_accept_state(t->ssl);
    return 0;
}

int link_tls_accept(struct link **out, struct link *below, const char *cert_pem_file, const char *key_pem_file,
                    int64_t deadline_ns, struct err *err)
{
    AUTO(tls_closep) struct tls_link *t = tls_new(below);

    if (set_up_server(t, cert_pem_file, key_pem_file, err) < 0 || handshake(t, NULL, deadline_ns, err) < 0)
        return -1;
    describe(t);
    *out = &STEAL(t)->link;
    return 0;
}
