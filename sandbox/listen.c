#include "sandbox/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "sandbox/conn.h"
#include "sandbox/fault.h"

/* --- the certificate --- */

enum { YEAR_S = 365 * 24 * 3600 };

static void key_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void cert_freep(X509 **c)
{
    X509_free(*c);
}

static void closep(FILE **f)
{
    if (*f)
        fclose(*f);
}

static int no_certificate(struct err *err, const char *file, int sys)
{
    return err_set(err, REASON_CONFIG, sys, "the certificate cannot be made: %s", file);
}

static FILE *open_new(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool sign(X509 *cert, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), 0) && X509_gmtime_adj(X509_getm_notAfter(cert), YEAR_S) &&
           X509_set_pubkey(cert, key) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) &&
           X509_set_issuer_name(cert, name) && X509_sign(cert, key, EVP_sha256());
}

static int write_key(const char *file, EVP_PKEY *key, struct err *err)
{
    AUTO(closep) FILE *f = open_new(file);

    if (!f || !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || fflush(f) != 0)
        return no_certificate(err, file, errno);
    return 0;
}

static int write_certificate(const char *file, X509 *cert, struct err *err)
{
    AUTO(closep) FILE *f = open_new(file);

    if (!f || !PEM_write_X509(f, cert) || fflush(f) != 0)
        return no_certificate(err, file, errno);
    return 0;
}

int listen_certificate(struct server *s, struct err *err)
{
    s->certificate = mem_printf("%s/certificate.pem", s->dir);
    s->key = mem_printf("%s/key.pem", s->dir);
    if (access(s->certificate, R_OK) == 0 && access(s->key, R_OK) == 0)
        return 0;

    AUTO(key_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(cert_freep) X509 *cert = X509_new();

    if (!key || !cert || !sign(cert, key))
        return no_certificate(err, "OpenSSL refuses it", 0);
    return write_key(s->key, key, err) < 0 ? -1 : write_certificate(s->certificate, cert, err);
}

/* --- sockets --- */

int listen_open(uint16_t *port, struct err *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    AUTO(io_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 || bind(fd, (struct sockaddr *)&at, size) < 0 ||
        listen(fd, SOMAXCONN) < 0 || getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        return err_set(err, REASON_CONFIG, errno, "port %u cannot be served", *port);
    *port = ntohs(at.sin_port);

    int result = fd;

    fd = -1;
    return result;
}

static void take(struct server *s, int listening, bool secure)
{
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        conn_start(s, link_tcp_adopt(fd), secure);
}

int listen_deafen(int fd)
{
    struct sockaddr_in at;
    socklen_t size = sizeof(at);
    int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)listen(fd, 0);
    if (getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        (void)connect(filler, (struct sockaddr *)&at, size);
    return filler;
}

/* False: it is time to end. */
static bool take_signal(struct server *s, int signals, int tls_fd, int *filler)
{
    struct signalfd_siginfo said;

    if (read(signals, &said, sizeof(said)) != (ssize_t)sizeof(said) || said.ssi_signo != SIGUSR1)
        return false;
    fault_end_all(s);
    (void)listen(tls_fd, SOMAXCONN);
    io_closep(filler);
    return true;
}

void listen_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGUSR1);
}

void listen_serve(struct server *s, int tls_fd, int tcp_fd, int *filler)
{
    enum { TICK_MS = 1000 };
    sigset_t mine;

    listen_signals(&mine);

    AUTO(io_closep) int signals = signalfd(-1, &mine, SFD_CLOEXEC);
    struct pollfd at[] = {{.fd = signals, .events = POLLIN}, {.fd = tls_fd, .events = POLLIN}, {.fd = tcp_fd, .events = POLLIN}};

    for (;;) {
        at[1].fd = *filler >= 0 ? -1 : tls_fd;
        int n = poll(at, ARRAY_LEN(at), TICK_MS);
        if (n > 0 && at[0].revents && !take_signal(s, signals, tls_fd, filler))
            return;
        if (n > 0 && at[1].revents)
            take(s, tls_fd, true);
        if (n > 0 && at[2].revents)
            take(s, tcp_fd, false);
        conn_reap(s, false);
    }
}
