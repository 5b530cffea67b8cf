#include "ice/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

/* Belongs to the asking and the looking thread; the last one frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int owners;
    bool finished;
    int result; /* of getaddrinfo */
    int sys;
    struct addrinfo *found;
    char *host, *port;
};

static const struct addrinfo tcp_hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *l = mem_new(1, sizeof(*l));
    pthread_condattr_t attr;

    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->done, &attr);
    pthread_condattr_destroy(&attr);
    l->owners = 1;
    l->host = mem_str(host);
    l->port = mem_str(port);
    return l;
}

static void lookup_leave(struct lookup *l)
{
    pthread_mutex_lock(&l->lock);
    bool last = --l->owners == 0;
    pthread_mutex_unlock(&l->lock);
    if (!last)
        return;

    if (l->found)
        freeaddrinfo(l->found);
    pthread_cond_destroy(&l->done);
    pthread_mutex_destroy(&l->lock);
    free(l->host);
    free(l->port);
    free(l);
}

static void lookup_leavep(struct lookup **l)
{
    lookup_leave(*l);
}

static void *look_up(void *arg)
{
    struct lookup *l = arg;
    struct addrinfo *found = NULL;
    int result = getaddrinfo(l->host, l->port, &tcp_hints, &found);
    int sys = errno;

    pthread_mutex_lock(&l->lock);
    l->found = result == 0 ? found : NULL;
    l->result = result;
    l->sys = sys;
    l->finished = true;
    pthread_cond_signal(&l->done);
    pthread_mutex_unlock(&l->lock);
    lookup_leave(l);
    return NULL;
}

/* The thread takes no signals: handlers belong to the program's own threads. */
static int start(struct lookup *l)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->owners++;
    int failed = pthread_create(&thread, &attr, look_up, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (failed)
        l->owners--;
    return failed;
}

/* The deadline on the real monotonic clock. */
static struct timespec real_deadline(int64_t deadline_ns)
{
    struct timespec t;
    int ms = clock_poll_ms(deadline_ns);

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * NS_PER_MS;
    if (t.tv_nsec >= NS_PER_S) {
        t.tv_sec++;
        t.tv_nsec -= NS_PER_S;
    }
    return t;
}

static bool await(struct lookup *l, int64_t deadline_ns)
{
    struct timespec until = real_deadline(deadline_ns);
    bool never = deadline_ns == CLOCK_NEVER;

    pthread_mutex_lock(&l->lock);
    while (!l->finished)
        if ((never ? pthread_cond_wait(&l->done, &l->lock) : pthread_cond_timedwait(&l->done, &l->lock, &until)) != 0)
            break;
    bool finished = l->finished;
    pthread_mutex_unlock(&l->lock);
    return finished;
}

static int take(struct lookup *l, struct addrinfo **out, struct err *err)
{
    if (l->result == EAI_SYSTEM)
        return err_set(err, REASON_NO_SERVER, l->sys, "look up host '%s'", l->host);
    if (l->result != 0)
        return err_set(err, REASON_NO_SERVER, 0, "look up host '%s': %s", l->host, gai_strerror(l->result));
    *out = STEAL(l->found);
    return 0;
}

int resolve_host(struct addrinfo **out, const char *host, const char *port, int64_t deadline_ns, struct err *err)
{
    struct addrinfo numeric = tcp_hints;

    numeric.ai_flags |= AI_NUMERICHOST;
    if (getaddrinfo(host, port, &numeric, out) == 0)
        return 0;

    AUTO(lookup_leavep) struct lookup *l = lookup_new(host, port);
    int failed = start(l);
    if (failed)
        return err_set(err, REASON_NO_SERVER, failed, "look up host '%s': start a thread", host);
    if (!await(l, deadline_ns))
        return err_set(err, REASON_TIMEOUT, 0, "look up host '%s': no answer in time", host);
    return take(l, out, err);
}
