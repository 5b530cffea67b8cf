/* TLS on a link.  OpenSSL never sees the socket: a BIO on the link below does its reading and writing, so that no signal can
 * arise and the first bytes of a peer that speaks no TLS can be told. */
#include "ice/tls_inside.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "base/mem.h"

enum { ALERT_BASE = 1000 }; /* OpenSSL's reason of a received alert is this plus the alert's number (RFC 8446, 6) */

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

BIO *tls_bio(struct tls_link *t)
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

void tls_words(char *out, size_t size)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code), alert = reason - ALERT_BASE;
    const char *said = ERR_reason_error_string(code);

    if (ERR_GET_LIB(code) == ERR_LIB_SSL && alert >= 0)
        snprintf(out, size, "the peer says '%s' (alert %d)", SSL_alert_desc_string_long(alert), alert);
    else
        snprintf(out, size, "%s", said ? said : "no reason known");
}

void tls_find_cause(struct tls_link *t, const char *doing)
{
    unsigned long code = ERR_peek_error();
    bool cut = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    char why[256];

    tls_words(why, sizeof(why));
    if (t->below_failed)
        t->cause = t->below_err;
    else if (cut || t->below_ended)
        err_set(&t->cause, REASON_LOST, 0, "%s %s: the connection was cut off", doing, t->link.peer);
    else
        err_set(&t->cause, REASON_LOST, 0, "%s %s: TLS: %s", doing, t->link.peer, why);
}

int tls_tell_cause(const struct tls_link *t, struct err *err)
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
    tls_find_cause(t, direction == LINK_READ ? "read from" : "write to");
    ERR_clear_error();
    return tls_tell_cause(t, err);
}

void tls_begin(struct tls_link *t)
{
    ERR_clear_error();
    t->below_failed = false;
}

/* As many records as there is room for: each call of OpenSSL's gives one. */
static int tls_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err)
{
    struct tls_link *t = tls_of(l);
    int r = 1;

    if (t->broken & LINK_READ)
        return tls_tell_cause(t, err);
    tls_begin(t);
    t->read_needs = LINK_READ;
    for (size_t got = 0; r == 1 && *moved < n; *moved += got, got = 0)
        r = SSL_read_ex(t->ssl, (char *)at + *moved, n - *moved, &got);
    t->drained = r != 1;
    if (r == 1)
        return 0;
    r = held_up(t, LINK_READ, r, &t->read_needs, err);
    return *moved ? 0 : r; /* an end and a failure are told again */
}

/* As many records as the socket takes. */
static int tls_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err)
{
    struct tls_link *t = tls_of(l);
    int r = 1;

    if (t->broken & LINK_WRITE)
        return tls_tell_cause(t, err);
    tls_begin(t);
    t->write_needs = LINK_WRITE;
    for (size_t done = 0; r == 1 && *moved < n; *moved += done, done = 0) {
        t->below->more = n - *moved > SSL3_RT_MAX_PLAIN_LENGTH;
        r = SSL_write_ex(t->ssl, (const char *)bytes + *moved, n - *moved, &done);
    }
    t->below->more = false;
    t->write_begun = r != 1;
    if (r == 1)
        return 0;
    r = held_up(t, LINK_WRITE, r, &t->write_needs, err);
    if (*moved)
        return 0; /* a failure is told again */
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

    return (t->broken & LINK_READ) || SSL_pending(t->ssl) > 0 || (!t->drained && SSL_has_pending(t->ssl));
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
    tls_begin(t);
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

struct tls_link *tls_new(struct link *below)
{
    struct tls_link *t = mem_new(1, sizeof(*t));

    t->link = (struct link){.ops = &tls_ops, .fd = below->fd};
    memcpy(t->link.peer, below->peer, sizeof(t->link.peer));
    t->below = below;
    t->read_needs = LINK_READ;
    t->write_needs = LINK_WRITE;
    return t;
}

void tls_closep(struct tls_link **t)
{
    if (*t)
        tls_close(&(*t)->link);
}
