/* Where a server listens: "PORT" (on 127.0.0.1), "ADDRESS:PORT" or "[ADDRESS6]:PORT"; numbers, no names. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct listen_address {
    struct sockaddr_storage at;
    socklen_t len;
    int port;        /* 0: any free one */
    char host[64];   /* the address as text, without brackets */
};

int listen_parse(const char *text, struct listen_address *out, struct err *err); /* -1: REASON_CONFIG */
bool listen_is_loopback(const struct listen_address *l); /* 127.0.0.0/8 and ::1 */
