#include "ice/tls_cert.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

bool tls_is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static X509_STORE *read_system(void)
{
    X509_STORE *store = X509_STORE_new();

    if (store && X509_STORE_set_default_paths(store) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

X509_STORE *tls_cert_system(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static X509_STORE *kept;
    static int64_t until_ns;

    pthread_mutex_lock(&lock);
    if (!kept || clock_mono_ns() > until_ns) {
        X509_STORE_free(kept);
        kept = read_system();
        until_ns = clock_after_ns(60 * NS_PER_S);
    }
    if (kept)
        X509_STORE_up_ref(kept);

    X509_STORE *store = kept;

    pthread_mutex_unlock(&lock);
    return store;
}

static void fingerprint(X509 *x, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (X509_digest(x, EVP_sha256(), digest, &n) != 1)
        n = 0;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void common_name(X509 *x, char *out, size_t size)
{
    X509_NAME *name = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;

    if (at < 0)
        return;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n < 0)
        return;
    snprintf(out, size, "%.*s", n, (const char *)text);
    OPENSSL_free(text);
}

static bool name_fits(X509 *x, const char *host)
{
    return tls_is_address(host) ? X509_check_ip_asc(x, host, 0) == 1 : X509_check_host(x, host, 0, 0, NULL) == 1;
}

void tls_cert_look(SSL *ssl, const char *host, struct link_cert *out)
{
    X509 *x = SSL_get0_peer_certificate(ssl);

    *out = (struct link_cert){.anonymous = !x};
    if (!x) {
        snprintf(out->why, sizeof(out->why), "the server shows no certificate (anonymous Diffie-Hellman)");
        return;
    }
    long verdict = SSL_get_verify_result(ssl);
    fingerprint(x, out->sha256);
    common_name(x, out->subject, sizeof(out->subject));
    out->chain_ok = verdict == X509_V_OK;
    out->name_ok = name_fits(x, host);
    snprintf(out->why, sizeof(out->why), "%s%s%s", out->chain_ok ? "" : X509_verify_cert_error_string(verdict),
             out->chain_ok || out->name_ok ? "" : "; ", out->name_ok ? "" : "it is not for this host name");
}

static int refuse(const struct link_cert *cert, const char *peer, struct err *err)
{
    AUTO(mem_freep) char *subject = str_show(cert->subject);

    if (cert->anonymous) {
        err_set(err, REASON_CERTIFICATE, 0, "%s: %s: anybody on the way could pretend to be it", peer, cert->why);
        return err_hint(err, "give the server a certificate");
    }
    err_set(err, REASON_CERTIFICATE, 0, "%s: the certificate of '%s' with SHA-256 fingerprint %s is not trusted%s%s", peer,
            subject, cert->sha256, cert->why[0] ? ": " : "", cert->why);
    return err_hint(err, "compare the fingerprint with the one shown on the server itself and trust it for this host and "
                         "port, or name the file of the authority that signed it");
}

int tls_cert_judge(const struct link_cert *cert, const char *peer, const char *host, uint16_t port, const struct link_tls *tls,
                   struct err *err)
{
    int r = cert->chain_ok && cert->name_ok ? LINK_TRUST : LINK_REFUSE;

    if (tls->decide)
        r = tls->decide(tls->arg, host, port, cert, err);
    return r == LINK_REFUSE ? refuse(cert, peer, err) : r;
}
