#include "sandbox/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/conn.h"

enum { BACKLOG = 64, TICK_MS = 200, HANDSHAKE_S = 20 };

int listener_open(struct listener *l, uint16_t port, bool tls, struct err *err)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    struct sockaddr_in at4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_ANY)}};
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    int yes = 1, no = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool six = fd >= 0;

    if (!six)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, REASON_CONFIG, errno, "a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (six)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, six ? (struct sockaddr *)&at : (struct sockaddr *)&at4, six ? sizeof(at) : sizeof(at4)) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &n) < 0) {
        err_set(err, REASON_CONFIG, errno, "port %u", (unsigned)port);
        close(fd);
        return -1;
    }
    *l = (struct listener){.fd = fd,
                           .port = ntohs(six ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port),
                           .tls = tls};
    return 0;
}

void listener_close(struct listener *l)
{
    close(l->fd);
}

/* --- a new connection: its handshake in a thread of its own, so that nobody waits for a slow one --- */

struct arrival {
    struct server *server;
    int fd;
    bool tls;
};

static void *greet(void *arg)
{
    struct arrival a = *(struct arrival *)arg;
    struct link *link = link_tcp_adopt(a.fd);
    struct err err = ERR_INIT;

    free(arg);
    if (a.tls) {
        AUTO(mem_freep) char *cert = mem_printf("%s/cert.pem", a.server->dir);
        AUTO(mem_freep) char *key = mem_printf("%s/key.pem", a.server->dir);
        if (link_tls_accept(&link, link, cert, key, clock_after_ns(HANDSHAKE_S * NS_PER_S), &err) < 0) {
            server_say("a client's TLS: %s", err.text);
            link = NULL;
        }
    }
    if (link)
        conn_start(a.server, link);
    pthread_mutex_lock(&a.server->lock);
    a.server->arrivals--;
    pthread_cond_broadcast(&a.server->changed);
    pthread_mutex_unlock(&a.server->lock);
    return NULL;
}

static void take(struct server *s, const struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    struct arrival *a;
    pthread_t thread;

    if (fd < 0)
        return;
    a = mem_new(1, sizeof(*a));
    *a = (struct arrival){.server = s, .fd = fd, .tls = l->tls};
    pthread_mutex_lock(&s->lock);
    s->arrivals++;
    pthread_mutex_unlock(&s->lock);
    if (pthread_create(&thread, NULL, greet, a) == 0) {
        pthread_detach(thread);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->arrivals--;
    pthread_mutex_unlock(&s->lock);
    close(fd);
    free(a);
}

static bool goes_on(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    bool yes = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

void listeners_serve(struct server *s, const struct listener *listeners, size_t n)
{
    struct pollfd fds[2];

    for (size_t i = 0; i < n && i < 2; i++)
        fds[i] = (struct pollfd){.fd = listeners[i].fd, .events = POLLIN};
    while (goes_on(s)) {
        if (poll(fds, n, TICK_MS) > 0)
            for (size_t i = 0; i < n; i++)
                if (fds[i].revents)
                    take(s, &listeners[i]);
        conn_reap(s, false);
    }
    pthread_mutex_lock(&s->lock);
    while (s->arrivals > 0)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    conn_reap(s, true);
}
