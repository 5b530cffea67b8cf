/* The certificate that `omero certificates` too would make: self-signed, RSA, for localhost. */
#include <stdio.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/auto.h"
#include "sandbox/listen.h"

enum { RSA_BITS = 2048, DAYS = 365 };

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

static void key_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static X509 *make(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 60L * 60 * 24 * DAYS);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, name);
    return X509_sign(x, key, EVP_sha256()) ? x : (X509_free(x), NULL);
}

static void file_closep(FILE **f)
{
    if (*f)
        fclose(*f);
}

int certificate_need(const char *cert_file, const char *key_file, struct err *err)
{
    if (access(cert_file, R_OK) == 0 && access(key_file, R_OK) == 0)
        return 0;

    AUTO(key_freep) EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
    AUTO(x509_freep) X509 *x = key ? make(key) : NULL;
    AUTO(file_closep) FILE *c = fopen(cert_file, "we"), *k = fopen(key_file, "we");

    if (!x || !c || !k || !PEM_write_X509(c, x) || !PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL))
        return err_set(err, REASON_CONFIG, 0, "%s cannot be made", cert_file);
    return 0;
}
