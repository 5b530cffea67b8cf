/* Opening by way of links that may be followed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "tree/scan.h"

enum { READ_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY };

/* Beneath one of the directories, of which nothing is followed: so it does not matter what the links were swapped for since the
 * path was resolved. */
static int open_below_one(const char *path, const char *const *into, int flags)
{
    for (; *into; into++) {
        AUTO(mem_freep) char *dir = realpath(*into, NULL);
        const char *rest = dir ? str_below(path, dir) : NULL;
        AUTO(io_closep) int fd = rest ? open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

        if (fd >= 0)
            return io_open_any_beneath(fd, *rest ? rest : ".", flags);
    }
    errno = ELOOP;
    return -1;
}

int tree_follow(int dir, const char *name, const char *const *into, int flags)
{
    AUTO(mem_freep) char *link = mem_printf("/proc/self/fd/%d/%s", dir, name);
    AUTO(mem_freep) char *path = realpath(link, NULL);

    return path ? open_below_one(path, into, flags) : -1;
}

static bool is_link(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* One part of the way down: `name` in `dir`, opened with `flags`, followed where it is a link. */
static int step(int dir, const char *name, const char *const *into, int flags)
{
    AUTO(io_closep) int fd = io_open_any_beneath(dir, name, O_PATH);

    if (fd < 0)
        return -1;
    return is_link(fd) ? tree_follow(dir, name, into, flags) : io_open_any_beneath(dir, name, flags);
}

static int walk(int root, const char *const *into, const char *path)
{
    AUTO(mem_freep) char *rest = mem_str(path);
    AUTO(io_closep) int at = io_open_any_beneath(root, ".", O_PATH | O_DIRECTORY);

    for (char *part = rest, *slash; at >= 0; part = slash + 1) {
        slash = strchr(part, '/');
        if (!slash)
            return step(at, part, into, READ_FLAGS);
        *slash = '\0';
        int next = step(at, part, into, O_PATH | O_DIRECTORY);
        io_closep(&at);
        at = next;
    }
    return -1;
}

static int open_beneath(int root, const char *const *into, const char *path, uint64_t *size, struct err *err)
{
    AUTO(io_closep) int plain = io_open_sized_beneath(root, path, size, err);

    if (plain >= 0 || !into || err->why != REASON_LINK)
        return io_steal(&plain);
    AUTO(io_closep) int fd = walk(root, into, path);

    if (fd < 0)
        return -1; /* as it was said: links are not followed there */
    return io_need_regular(fd, path, size, err) < 0 ? -1 : io_steal(&fd);
}

int tree_open_beneath(int root, const char *const *into, const char *path, struct err *err)
{
    return open_beneath(root, into, path, NULL, err);
}

/* Through links, but never into anything that is no regular file. */
static int open_following(int dirfd, const char *path, uint64_t *size, struct err *err)
{
    AUTO(io_closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_set(err, errno == ENOENT ? REASON_GONE : REASON_UNREADABLE, errno, "opening a file");
    return io_need_regular(fd, path, size, err) < 0 ? -1 : io_steal(&fd);
}

int tree_open(const struct tree *t, const struct tree_entry *e, struct err *err)
{
    return tree_open_sized(t, e, NULL, err);
}

int tree_open_sized(const struct tree *t, const struct tree_entry *e, uint64_t *size, struct err *err)
{
    return t->follows ? open_following(t->fd, e->path, size, err) : open_beneath(t->fd, t->into, e->path, size, err);
}
