#include "card/digest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"

/* Each text goes in with its length before it, so that no two cards run together; an absent one as a length of its own. */
static void add(EVP_MD_CTX *ctx, const char *text)
{
    uint64_t n = text ? strlen(text) : UINT64_MAX;

    EVP_DigestUpdate(ctx, &n, sizeof(n));
    if (text)
        EVP_DigestUpdate(ctx, text, (size_t)n);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In sorted order: their order in the card means nothing. */
static void add_tags(EVP_MD_CTX *ctx, const struct card *c)
{
    uint64_t n = c->n_tags;
    AUTO(mem_freep) const char **sorted = mem_new(c->n_tags, sizeof(*sorted));

    if (n)
        memcpy(sorted, c->tags, c->n_tags * sizeof(*sorted));
    qsort(sorted, c->n_tags, sizeof(*sorted), by_text);
    EVP_DigestUpdate(ctx, &n, sizeof(n));
    for (size_t i = 0; i < c->n_tags; i++)
        add(ctx, sorted[i]);
}

static void add_pairs(EVP_MD_CTX *ctx, const struct card *c)
{
    uint64_t n = c->n_pairs;

    EVP_DigestUpdate(ctx, &n, sizeof(n));
    for (size_t i = 0; i < c->n_pairs; i++) {
        add(ctx, c->pairs[i].key);
        add(ctx, c->pairs[i].value);
    }
}

void card_digest(const struct card *c, char out[65])
{
    const char *const texts[] = {c->project, c->user, c->group, c->title, c->created, c->comment};
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add(ctx, texts[i]);
    add_tags(ctx, c);
    add_pairs(ctx, c);
    EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
