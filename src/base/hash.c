#include "base/hash.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "base/auto.h"
#include "base/mem.h"

struct algorithm {
    const char *name;
    const EVP_MD *(*digest)(void);                     /* NULL: `step` computes it */
    uint64_t (*step)(uint64_t so_far, const void *bytes, size_t n);
    uint64_t first;
    size_t bytes;                                      /* of a number's little-endian form */
};

struct hash {
    const struct algorithm *algorithm;
    EVP_MD_CTX *digest;
    uint64_t number;
};

static uint64_t step_crc32(uint64_t so_far, const void *bytes, size_t n)
{
    return crc32_z((uLong)so_far, bytes, n);
}

static uint64_t step_adler32(uint64_t so_far, const void *bytes, size_t n)
{
    return adler32_z((uLong)so_far, bytes, n);
}

static uint64_t step_size(uint64_t so_far, const void *bytes, size_t n)
{
    (void)bytes;
    return so_far + n;
}

static const struct algorithm algorithms[] = {
    {.name = "SHA1-160", .digest = EVP_sha1},
    {.name = "MD5-128", .digest = EVP_md5},
    {.name = "CRC-32", .step = step_crc32, .bytes = 4},
    {.name = "Adler-32", .step = step_adler32, .first = 1, .bytes = 4},
    {.name = "File-Size-64", .step = step_size, .bytes = 8},
};

const char *const hash_algorithms[] = {"SHA1-160", "MD5-128", "CRC-32", "Adler-32", "File-Size-64", NULL};

bool hash_is_proof(const char *algorithm)
{
    return strcmp(algorithm, "SHA1-160") == 0 || strcmp(algorithm, "MD5-128") == 0;
}

static const struct algorithm *named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

struct hash *hash_new(const char *algorithm)
{
    const struct algorithm *a = named(algorithm);
    if (!a)
        return NULL;

    AUTO(hash_freep) struct hash *h = mem_new(1, sizeof(*h));
    h->algorithm = a;
    h->number = a->first;
    if (a->digest) {
        h->digest = EVP_MD_CTX_new();
        if (!h->digest || EVP_DigestInit_ex(h->digest, a->digest(), NULL) != 1)
            return NULL;
    }
    return STEAL(h);
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (h->digest)
        (void)EVP_DigestUpdate(h->digest, bytes, n); /* cannot fail once a digest is set up */
    else
        h->number = h->algorithm->step(h->number, bytes, n);
}

void hash_hex(struct hash *h, char out[HASH_HEX_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = (unsigned)h->algorithm->bytes;

    if (h->digest)
        (void)EVP_DigestFinal_ex(h->digest, bytes, &n); /* as above */
    else
        for (unsigned i = 0; i < n; i++)
            bytes[i] = (unsigned char)(h->number >> 8 * i);
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void hash_free(struct hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->digest);
    free(h);
}

void hash_freep(struct hash **h)
{
    hash_free(*h);
}
