#include "peer.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

void peer_listen(struct peer *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    *p = (struct peer){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    must(p->listener >= 0, "socket");
    must(bind(p->listener, (struct sockaddr *)&a, len) == 0, "bind");
    must(listen(p->listener, 0) == 0, "listen");
    must(getsockname(p->listener, (struct sockaddr *)&a, &len) == 0, "getsockname");
    p->port = ntohs(a.sin_port);
}

static void *play(void *arg)
{
    struct peer *p = arg;
    sigset_t pipe;

    /* OpenSSL on a bare socket raises it; in the thread under test it would end the program, as it should. */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);

    int fd = accept(p->listener, NULL, NULL);
    if (fd >= 0) {
        p->run(p, fd);
        close(fd);
    }
    return NULL;
}

void peer_start(struct peer *p, void (*run)(struct peer *p, int fd), void *arg)
{
    peer_listen(p);
    p->run = run;
    p->arg = arg;
    must(pthread_create(&p->thread, NULL, play, p) == 0, "pthread_create");
}

void peer_stop(struct peer *p)
{
    pthread_join(p->thread, NULL);
    close(p->listener);
}

bool peer_send(int fd, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t r = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);
        if (r <= 0)
            return false;
        at += (size_t)r;
    }
    return true;
}

bool peer_receive(int fd, void *at, size_t n)
{
    return recv(fd, at, n, MSG_WAITALL) == (ssize_t)n;
}

size_t peer_drain(int fd)
{
    char some[65536];
    size_t all = 0;

    for (ssize_t r; (r = recv(fd, some, sizeof(some), 0)) > 0;)
        all += (size_t)r;
    return all;
}

void peer_sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

void peer_reset(int fd)
{
    struct linger now = {1, 0};

    must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0, "SO_LINGER");
}

static void write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");

    must(f != NULL, path);
    must(x ? PEM_write_X509(f, x) == 1 : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1, "PEM");
    fclose(f);
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    must(e && X509_add_ext(x, e, -1) == 1, "extension");
    X509_EXTENSION_free(e);
}

static void digest_hex(X509 *x, char out[65])
{
    unsigned char d[EVP_MAX_MD_SIZE];
    unsigned n;

    must(X509_digest(x, EVP_sha256(), d, &n) == 1, "digest");
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", d[i]);
}

void peer_make_cert(struct peer_cert *out, const char *dir, const char *name, const char *cn, const char *san, long from,
                    long until)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();

    must(key && x, "key");
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from);
    X509_gmtime_adj(X509_getm_notAfter(x), until);
    X509_NAME *subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    X509_set_pubkey(x, key);
    if (san)
        add_extension(x, NID_subject_alt_name, san);
    must(X509_sign(x, key, EVP_sha256()) > 0, "sign");
    snprintf(out->cert, sizeof(out->cert), "%s/%s.crt", dir, name);
    snprintf(out->key, sizeof(out->key), "%s/%s.key", dir, name);
    write_pem(out->cert, x, NULL);
    write_pem(out->key, NULL, key);
    digest_hex(x, out->sha256);
    X509_free(x);
    EVP_PKEY_free(key);
}

static SSL_CTX *server_ctx(const struct peer_tls *tls)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    must(SSL_CTX_set_min_proto_version(ctx, tls->min ? tls->min : TLS1_2_VERSION) == 1, "min");
    must(SSL_CTX_set_max_proto_version(ctx, tls->max) == 1, "max");
    if (tls->cert) {
        must(SSL_CTX_use_certificate_file(ctx, tls->cert->cert, SSL_FILETYPE_PEM) == 1, "certificate");
        must(SSL_CTX_use_PrivateKey_file(ctx, tls->cert->key, SSL_FILETYPE_PEM) == 1, "key");
    }
    if (!tls->cert || tls->max == TLS1_VERSION)
        must(SSL_CTX_set_cipher_list(ctx, tls->cert ? "ALL:@SECLEVEL=0" : "ADH:@SECLEVEL=0") == 1, "ciphers");
    SSL_CTX_set_dh_auto(ctx, 1);
    return ctx;
}

void peer_tls_server(struct peer *p, int fd)
{
    const struct peer_tls *tls = p->arg;
    SSL_CTX *ctx = server_ctx(tls);
    SSL *ssl = SSL_new(ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        tls->run(p, ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}
