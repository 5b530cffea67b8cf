/* TLS: set-up and handshake of both sides. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "ice/tls_cert.h"
#include "ice/tls_inside.h"

enum { READ_AHEAD = 64 * 1024 }; /* bytes: four full records */

/* OpenSSL's own failures: out of memory, or a system configuration that forbids what we need. */
static int no_tls(struct err *err, const char *what)
{
    char why[256];

    tls_words(why, sizeof(why));
    ERR_clear_error();
    return err_set(err, REASON_CONFIG, 0, "TLS: %s: %s", what, why);
}

static int make_ssl(struct tls_link *t, struct err *err)
{
    BIO *bio = tls_bio(t);

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
    SSL_CTX_set_read_ahead(t->ctx, 1); /* else the head of each record is a read of its own */
    SSL_CTX_set_default_read_buffer_len(t->ctx, READ_AHEAD);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return 0;
}

static int trust_system(struct tls_link *t, struct err *err)
{
    X509_STORE *store = tls_cert_system();

    if (!store)
        return no_tls(err, "the system's certificates");
    SSL_CTX_set_cert_store(t->ctx, store); /* takes the reference */
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
    if (!tls->ca_file && trust_system(t, err) < 0)
        return -1;
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
    tls_words(why, sizeof(why));
    if (!speaks_tls(t))
        return not_tls(t, err);
    if (t->below_failed || t->below_ended) {
        tls_find_cause(t, "TLS handshake with");
        return tls_tell_cause(t, err);
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
        tls_begin(t);
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
