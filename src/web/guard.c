#include "web/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/auto.h"
#include "base/str.h"

enum { NAME_MAX_BYTES = 255, BASIC_MAX = 1024 };

/* The name without port and brackets; false: it is none. */
static bool cut_port(const char *host, char name[NAME_MAX_BYTES + 1])
{
    const char *end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    const char *from = *host == '[' ? host + 1 : host, *port = end && *end == ']' ? end + 1 : end;

    if (!end || end == from || end - from > NAME_MAX_BYTES)
        return false;
    if (*port && (*port != ':' || strlen(port) > 6 || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    memcpy(name, from, (size_t)(end - from));
    name[end - from] = '\0';
    return true;
}

/* A name that somebody else's name server may lead here is no number. */
static bool is_number(const char *name)
{
    unsigned char ignored[16];

    return inet_pton(AF_INET, name, ignored) == 1 || inet_pton(AF_INET6, name, ignored) == 1;
}

bool guard_knows_host(const char *const *hosts, const char *host)
{
    char name[NAME_MAX_BYTES + 1];

    if (!cut_port(host, name))
        return false;
    if (strcasecmp(name, "localhost") == 0 || is_number(name))
        return true;
    for (; hosts && *hosts; hosts++)
        if (strcasecmp(name, *hosts) == 0)
            return true;
    return false;
}

static bool is_token(const char *token, const char *given, size_t n)
{
    size_t len = strlen(token);

    return len == n && CRYPTO_memcmp(token, given, n) == 0;
}

bool guard_knows_token(const char *token, const char *authorization)
{
    unsigned char basic[BASIC_MAX];
    const char *b64;

    if (!authorization)
        return false;
    if (strncasecmp(authorization, "Bearer ", 7) == 0)
        return is_token(token, authorization + 7, strlen(authorization + 7));
    if (strncasecmp(authorization, "Basic ", 6) != 0)
        return false;
    b64 = authorization + 6;
    size_t n = strlen(b64), padding = n > 0 && b64[n - 1] == '=' ? n > 1 && b64[n - 2] == '=' ? 2 : 1 : 0;
    if (n == 0 || n % 4 != 0 || n / 4 * 3 >= sizeof(basic))
        return false;
    int got = EVP_DecodeBlock(basic, (const unsigned char *)b64, (int)n);
    if (got < 0 || (size_t)got < padding)
        return false;
    size_t len = (size_t)got - padding;
    const unsigned char *colon = memchr(basic, ':', len);
    bool known = colon && is_token(token, (const char *)colon + 1, len - (size_t)(colon + 1 - basic));
    OPENSSL_cleanse(basic, sizeof(basic));
    return known;
}

/* A script of another page asks with its own origin; a picture or frame in it says whence it is asked.  A link may lead here. */
static bool is_foreign(const struct guard_head *h)
{
    const char *at = h->origin ? strstr(h->origin, "://") : NULL;

    if (h->origin && (!at || strcasecmp(at + 3, h->host) != 0))
        return true;
    if (!h->site || strcmp(h->site, "same-origin") == 0 || strcmp(h->site, "none") == 0)
        return false;
    return !h->mode || strcmp(h->mode, "navigate") != 0;
}

int guard_check(const struct guard_rules *rules, const struct guard_head *h, const char **why)
{
    const struct {
        bool refused;
        int status;
        const char *why;
    } table[] = {
        {h->n_hosts != 1 || !h->host, 400, "one Host is needed"},
        {h->host && !guard_knows_host(rules->hosts, h->host), 421, "this server has no such name: web.hosts has its names"},
        {strcmp(h->method, "GET") != 0 && strcmp(h->method, "HEAD") != 0, 405, "only GET and HEAD"},
        {h->host && is_foreign(h), 403, "asked for by another page"},
        {rules->token && !guard_knows_token(rules->token, h->authorization), 401, "the token of web.token_file is needed"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].refused) {
            *why = table[i].why;
            return table[i].status;
        }
    }
    return 0;
}
