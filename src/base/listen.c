#include "base/listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static int no_address(const char *text, struct err *err)
{
    err_set(err, REASON_CONFIG, 0, "'%s' is no address to listen on", text);
    return err_hint(err, "for example 4080, 127.0.0.1:4080 or [::1]:4080");
}

/* Digits alone, 0 to 65,535. */
static int port_of(const char *text)
{
    char *end = NULL;
    long port = strtol(text, &end, 10);

    return *text >= '0' && *text <= '9' && *end == '\0' && strlen(text) <= 5 && port <= 65535 ? (int)port : -1;
}

static bool split(const char *text, char host[64], const char **port)
{
    const char *colon = strrchr(text, ':'), *from = text, *to = colon;

    if (!colon) {
        memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
        *port = text;
        return true;
    }
    if (*text == '[' && colon > text + 1 && colon[-1] == ']') {
        from++;
        to--;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return false;
    }
    if ((size_t)(to - from) >= 64)
        return false;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    *port = colon + 1;
    return true;
}

int listen_parse(const char *text, struct listen_address *out, struct err *err)
{
    struct listen_address l = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&l.at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&l.at;
    const char *port = "";

    if (!split(text, l.host, &port) || (l.port = port_of(port)) < 0)
        return no_address(text, err);
    if (inet_pton(AF_INET, l.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)l.port);
        l.len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, l.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)l.port);
        l.len = sizeof(*v6);
    } else {
        return no_address(text, err);
    }
    *out = l;
    return 0;
}

bool listen_is_loopback(const struct listen_address *l)
{
    if (l->at.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)&l->at)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)&l->at)->sin6_addr);
}
