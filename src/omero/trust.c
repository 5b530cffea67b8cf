#include "omero/trust.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"

bool om_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(host, "localhost") == 0;
}

static char *server_key(const char *host, uint16_t port)
{
    return mem_printf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
}

static bool is_sha256(const char *s, size_t n)
{
    size_t good = 0;

    while (good < n && s[good] && strchr("0123456789abcdef", s[good]))
        good++;
    return n == 64 && good == n;
}

/* The whole file, or nothing when there is none. */
static int read_known(const struct om_trust *t, struct buf *text, struct err *err)
{
    AUTO(io_closep) int fd = open(t->known_servers, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set(err, REASON_CONFIG, errno, "open '%s'", t->known_servers);
    if (io_read_all(fd, text, err) < 0)
        return err_prefix(err, "'%s': ", t->known_servers);
    return 0;
}

/* Does the line of n bytes name this server?  Then its fingerprint, else NULL. */
static const char *line_fingerprint(const char *line, size_t n, const char *key)
{
    size_t k = strlen(key);

    if (n <= k || strncasecmp(line, key, k) != 0 || (line[k] != ' ' && line[k] != '\t'))
        return NULL;
    while (k < n && (line[k] == ' ' || line[k] == '\t'))
        k++;
    while (n > k && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
        n--;
    return is_sha256(line + k, n - k) ? line + k : NULL;
}

/* The last line that names the server counts. */
static const char *find_known(const struct buf *text, const char *key)
{
    const char *found = NULL, *at = (const char *)text->data, *end = at ? at + text->len : at;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop ? (size_t)(stop - at) : (size_t)(end - at);
        const char *fingerprint = line_fingerprint(at, n, key);
        found = fingerprint ? fingerprint : found;
        at += n + 1;
    }
    return found;
}

static int lookup(const struct om_trust *t, const char *key, char sha256[65], struct err *err)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(OM_KNOWN_SERVERS_MAX);

    if (!t->known_servers)
        return OM_TRUST_UNKNOWN;
    if (read_known(t, &text, err) < 0)
        return -1;

    const char *found = find_known(&text, key);

    if (!found)
        return OM_TRUST_UNKNOWN;
    memcpy(sha256, found, 64);
    sha256[64] = '\0';
    return 0;
}

static int remember(const struct om_trust *t, const char *key, const char *sha256, struct err *err)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(OM_KNOWN_SERVERS_MAX);

    if (!t->known_servers || !is_sha256(sha256, strlen(sha256)))
        return err_set(err, REASON_BUG, 0, "a fingerprint that cannot be kept");
    if (read_known(t, &text, err) < 0)
        return -1;
    if (text.len > 0 && text.data[text.len - 1] != '\n')
        buf_add_byte(&text, '\n');
    buf_printf(&text, "%s %s\n", key, sha256);
    if (text.full)
        return err_set(err, REASON_TOO_LARGE, 0, "'%s' is full", t->known_servers);
    return io_replace(t->known_servers, text.data, text.len, 0600, err);
}

int om_trust_known(struct om_trust *t, const char *host, uint16_t port, char sha256[65], struct err *err)
{
    AUTO(mem_freep) char *key = server_key(host, port);

    pthread_mutex_lock(&t->lock);
    int r = lookup(t, key, sha256, err);
    pthread_mutex_unlock(&t->lock);
    return r;
}

int om_trust_pin(struct om_trust *t, const char *host, uint16_t port, const char *sha256, struct err *err)
{
    AUTO(mem_freep) char *key = server_key(host, port);

    pthread_mutex_lock(&t->lock);
    int r = remember(t, key, sha256, err);
    pthread_mutex_unlock(&t->lock);
    return r;
}

static int refuse(const char *key, const struct link_cert *cert, const char *known, struct err *err)
{
    const char *why = cert->why[0] ? cert->why : "nothing vouches for it";

    if (known)
        err_set(err, REASON_CERTIFICATE, 0, "%s shows another certificate than before: SHA-256 %s, known is %s", key,
                cert->sha256, known);
    else
        err_set(err, REASON_CERTIFICATE, 0, "the certificate of %s (%s) is not known: SHA-256 %s; %s", key, cert->subject,
                cert->sha256, why);
    return err_hint(
        err, "compare this fingerprint with the server's own (openssl x509 -noout -fingerprint -sha256 -in its certificate); "
             "if they are equal, run: impomero doctor --pin");
}

static int decide_unknown(struct om_trust *t, const char *key, const char *host, uint16_t port, const struct link_cert *cert,
                          const char *known, struct err *err)
{
    bool first_on_loopback = !known && t->known_servers && om_is_loopback(host);
    bool trusted = first_on_loopback || (t->ask && t->ask(t->ask_arg, host, port, cert, known));

    if (!trusted)
        return refuse(key, cert, known, err);
    if (t->known_servers && remember(t, key, cert->sha256, err) < 0)
        return -1;
    return LINK_TRUST;
}

static int decide(struct om_trust *t, const char *key, const char *host, uint16_t port, const struct link_cert *cert,
                  struct err *err)
{
    char known[65];
    int r = lookup(t, key, known, err);

    if (r < 0)
        return -1;
    if (r == 0 && strcmp(known, cert->sha256) == 0)
        return LINK_TRUST;
    return decide_unknown(t, key, host, port, cert, r == 0 ? known : NULL, err);
}

int om_trust_decide(void *arg, const char *host, uint16_t port, const struct link_cert *cert, struct err *err)
{
    struct om_trust *t = arg;
    AUTO(mem_freep) char *key = server_key(host, port);

    if (cert->anonymous && t->allow_anonymous)
        return LINK_TRUST;
    if (cert->anonymous)
        return err_set(err, REASON_CERTIFICATE, 0, "%s shows no certificate at all: anybody could answer there", key);
    if (cert->chain_ok && cert->name_ok)
        return LINK_TRUST;

    pthread_mutex_lock(&t->lock);
    int r = decide(t, key, host, port, cert, err);
    pthread_mutex_unlock(&t->lock);
    return r;
}
