/* What all links have in common: waiting, whole writes, names. */
#include "ice/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ice/link_ops.h"

void link_name(char *out, size_t size, const char *host, const char *port)
{
    bool bare = strchr(host, ':') == NULL;

    snprintf(out, size, bare ? "%s:%s" : "[%s]:%s", host, port);
}

int link_poll(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int r = poll(&p, 1, clock_poll_ms(deadline_ns));
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -1;
        if (clock_mono_ns() >= deadline_ns)
            return LINK_LATE;
    }
}

int link_try_read(struct link *l, void *at, size_t n, size_t *moved, struct err *err)
{
    *moved = 0;
    return l->ops->read(l, at, n, moved, err);
}

int link_try_write(struct link *l, const void *bytes, size_t n, size_t *moved, struct err *err)
{
    *moved = 0;
    return l->ops->write(l, bytes, n, moved, err);
}

int link_wait(struct link *l, int what, int64_t deadline_ns, struct err *err)
{
    short events = 0;

    if ((what & LINK_READ) && l->ops->holds(l))
        return 0;
    if (what & LINK_READ)
        events = (short)(events | l->ops->events(l, LINK_READ));
    if (what & LINK_WRITE)
        events = (short)(events | l->ops->events(l, LINK_WRITE));

    int r = link_poll(l->fd, events, deadline_ns);
    if (r < 0)
        return err_set(err, REASON_LOST, errno, "wait for %s", l->peer);
    return clock_mono_ns() >= deadline_ns ? LINK_LATE : 0;
}

ssize_t link_read(struct link *l, void *at, size_t n, int64_t deadline_ns, struct err *err)
{
    for (int late = 0;;) {
        size_t moved;
        int r = link_try_read(l, at, n, &moved, err);
        if (r < 0)
            return -1;
        if (r == LINK_END || moved)
            return (ssize_t)moved;
        if (late)
            return err_set(err, REASON_TIMEOUT, 0, "read from %s: nothing came in time", l->peer);
        if ((late = link_wait(l, LINK_READ, deadline_ns, err)) < 0)
            return -1;
    }
}

int link_write(struct link *l, const void *bytes, size_t n, int64_t deadline_ns, size_t *written, struct err *err)
{
    *written = 0;
    for (int late = 0; *written < n;) {
        size_t moved;
        if (link_try_write(l, (const uint8_t *)bytes + *written, n - *written, &moved, err) < 0)
            return -1;
        *written += moved;
        if (*written == n)
            return 0;
        if (late)
            return err_set(err, REASON_TIMEOUT, 0, "write to %s: not taken in time", l->peer);
        late = moved ? clock_mono_ns() >= deadline_ns : link_wait(l, LINK_WRITE, deadline_ns, err);
        if (late < 0)
            return -1;
    }
    return 0;
}

bool link_readable(struct link *l)
{
    return l->ops->readable(l);
}

int link_fd(const struct link *l)
{
    return l->fd;
}

const char *link_peer(const struct link *l)
{
    return l->peer;
}

const char *link_describe(const struct link *l)
{
    return l->describe;
}

void link_close(struct link *l)
{
    if (l)
        l->ops->close(l);
}

void link_closep(struct link **l)
{
    link_close(*l);
}
