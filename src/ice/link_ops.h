/* The inside of links: the table that a layer fills in.  Only for the files link.c, tcp.c and tls.c. */
#pragma once

#include "ice/link.h"

struct link_ops {
    /* One attempt that never waits: see link_try_read and link_try_write. */
    int (*read)(struct link *l, void *at, size_t n, size_t *moved, struct err *err);
    int (*write)(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err);
    /* The poll(2) events of the socket that `what` (LINK_READ, LINK_WRITE) waits for. */
    short (*events)(const struct link *l, int what);
    /* Bytes that could be read without touching the socket. */
    bool (*holds)(const struct link *l);
    bool (*readable)(struct link *l);
    void (*close)(struct link *l); /* frees this layer and what is below */
};

enum { LINK_PEER_MAX = 300, LINK_DESCRIBE_MAX = 512 };

/* What every layer's struct begins with. */
struct link {
    const struct link_ops *ops;
    int fd;
    bool more; /* what is written now has more behind it: the last part of it need not go out for itself */
    char peer[LINK_PEER_MAX];
    char describe[LINK_DESCRIBE_MAX];
};

/* "host:port", with an IPv6 address in brackets. */
void link_name(char *out, size_t size, const char *host, const char *port);
/* Wait for poll(2) events on a socket.  0, LINK_LATE, -1 with errno. */
int link_poll(int fd, short events, int64_t deadline_ns);
