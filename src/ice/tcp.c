/* The lowest link: a stream socket. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ice/link_ops.h"
#include "ice/resolve.h"

/* A peer that vanished without a word is found out after about two minutes of silence. */
enum { PROBE_AFTER_S = 60, PROBE_EVERY_S = 15, PROBES = 4 };

static int tcp_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err)
{
    ssize_t r;

    do
        r = recv(l->fd, at, n, 0);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return LINK_END;
    if (r > 0)
        *moved = (size_t)r;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        return err_set(err, REASON_LOST, errno, "read from %s", l->peer);
    return 0;
}

static int tcp_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err)
{
    ssize_t r;

    do
        r = send(l->fd, bytes, n, MSG_NOSIGNAL | (l->more ? MSG_MORE : 0));
    while (r < 0 && errno == EINTR);
    if (r >= 0)
        *moved = (size_t)r;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        return err_set(err, REASON_LOST, errno, "write to %s", l->peer);
    return 0;
}

static short tcp_events(const struct link *l, int what)
{
    (void)l;
    return what == LINK_READ ? POLLIN : POLLOUT;
}

static bool tcp_holds(const struct link *l)
{
    (void)l;
    return false;
}

static bool tcp_readable(struct link *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* Bytes that came and were left unread would turn the close into a reset, which can overtake what was written last. */
static void drop_unread(int fd)
{
    enum { ROUNDS = 64 };
    char some[4096];

    for (int i = 0; i < ROUNDS && recv(fd, some, sizeof(some), MSG_DONTWAIT) > 0; i++)
        continue;
}

static void tcp_close(struct link *l)
{
    (void)shutdown(l->fd, SHUT_WR); /* fails when the peer is gone already */
    drop_unread(l->fd);
    close(l->fd);
    free(l);
}

static const struct link_ops tcp_ops = {tcp_read, tcp_write, tcp_events, tcp_holds, tcp_readable, tcp_close};

static void set_option(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof(value)); /* comforts: a socket pair of the tests has none of them */
}

static struct link *tcp_link(int fd, const struct sockaddr *address, socklen_t len)
{
    struct link *l = mem_new(1, sizeof(*l));
    char host[64] = "", port[16] = "";

    *l = (struct link){.ops = &tcp_ops, .fd = fd};
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    bool internet = address->sa_family == AF_INET || address->sa_family == AF_INET6;
    if (internet && getnameinfo(address, len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        link_name(l->peer, sizeof(l->peer), host, port);
    else
        snprintf(l->peer, sizeof(l->peer), "peer without a name");
    snprintf(l->describe, sizeof(l->describe), "tcp %s", l->peer);
    return l;
}

struct link *link_tcp_adopt(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(address);

    (void)getpeername(fd, (struct sockaddr *)&address, &len); /* a peer that is gone already has no name; reading will tell */
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);                     /* cannot fail on a socket */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return tcp_link(fd, (struct sockaddr *)&address, len);
}

static int connect_socket(int fd, const struct addrinfo *to, const char *peer, int64_t deadline_ns, struct err *err)
{
    int failed = 0;
    socklen_t len = sizeof(failed);

    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS && errno != EINTR)
        return err_set(err, REASON_NO_SERVER, errno, "connect to %s", peer);

    int r = link_poll(fd, POLLOUT, deadline_ns);
    if (r == LINK_LATE)
        return err_set(err, REASON_TIMEOUT, 0, "connect to %s: no answer in time", peer);
    if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0)
        return err_set(err, REASON_NO_SERVER, errno, "connect to %s", peer);
    if (failed)
        return err_set(err, failed == ETIMEDOUT ? REASON_TIMEOUT : REASON_NO_SERVER, failed, "connect to %s", peer);
    return 0;
}

/* A socket that is connected to one address, or -1. */
static int connect_one(const struct addrinfo *to, const char *peer, int64_t deadline_ns, struct err *err)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);

    if (fd < 0)
        return err_set(err, REASON_NO_SERVER, errno, "connect to %s: socket", peer);
    if (connect_socket(fd, to, peer, deadline_ns, err) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* An equal part of the time for each address that is left, so that one silent address does not eat up all of it. */
static int64_t part_of(int64_t deadline_ns, int64_t n_left)
{
    int64_t now = clock_mono_ns();

    return deadline_ns == CLOCK_NEVER || deadline_ns <= now ? deadline_ns : now + (deadline_ns - now) / n_left;
}

int link_tcp_connect(struct link **out, const char *host, uint16_t port, int64_t deadline_ns, struct err *err)
{
    char service[8], peer[LINK_PEER_MAX];
    struct addrinfo *list = NULL;
    int64_t n_left = 0;
    int fd = -1;

    snprintf(service, sizeof(service), "%u", port);
    link_name(peer, sizeof(peer), host, service);
    if (resolve_host(&list, host, service, deadline_ns, err) < 0)
        return err_prefix(err, "connect to %s: ", peer);
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        n_left++;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next, n_left--)
        if ((fd = connect_one(a, peer, part_of(deadline_ns, n_left), err)) >= 0) {
            *out = tcp_link(fd, a->ai_addr, a->ai_addrlen);
            snprintf((*out)->peer, sizeof((*out)->peer), "%s", peer);
        }
    freeaddrinfo(list);
    return fd < 0 ? -1 : 0;
}
