#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/trap.h"

enum { READ_STEP = 64 * 1024, OPEN_TRIES = 16 };

void io_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int io_steal(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

static enum reason reason_of(int sys)
{
    static const struct {
        int sys;
        enum reason why;
    } rows[] = {
        {ENOENT, REASON_GONE},      {ENOTDIR, REASON_GONE},    {ESTALE, REASON_GONE},       {ELOOP, REASON_LINK},
        {EXDEV, REASON_LINK},       {ENXIO, REASON_NOT_REGULAR}, {ENODEV, REASON_NOT_REGULAR}, {ENOSPC, REASON_DISK_FULL},
        {EDQUOT, REASON_DISK_FULL}, {ENAMETOOLONG, REASON_TOO_LONG},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].sys == sys)
            return rows[i].why;
    return REASON_UNREADABLE;
}

/* An error about a path, in its showable form. */
static int path_err(struct err *err, int sys, const char *what, const char *path)
{
    AUTO(mem_freep) char *shown = str_show(path);

    err_set(err, reason_of(sys), sys, "%s %s", what, shown);
    if (sys == ENOSYS)
        err_hint(err, "the system call openat2 is forbidden here: by RestrictSUIDSGID=yes in the unit, or by the container");
    return -1;
}

int io_open_dir(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd < 0 ? path_err(err, errno, "opening directory", path) : fd;
}

/* openat2 answers EAGAIN when a rename elsewhere keeps it from being sure that the path stayed beneath. */
int io_open_any_beneath(int dirfd, const char *path, int flags)
{
    const struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;

    for (int i = 0; i < OPEN_TRIES; i++) {
        fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd;
}

int io_need_regular(int fd, const char *path, uint64_t *size, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return path_err(err, errno, "looking at", path);
    if (!S_ISREG(st.st_mode)) {
        AUTO(mem_freep) char *shown = str_show(path);
        return err_set(err, REASON_NOT_REGULAR, 0, "not a regular file: %s", shown);
    }
    if (size)
        *size = (uint64_t)st.st_size;
    return 0;
}

int io_open_beneath(int dirfd, const char *path, struct err *err)
{
    return io_open_sized_beneath(dirfd, path, NULL, err);
}

int io_open_sized_beneath(int dirfd, const char *path, uint64_t *size, struct err *err)
{
    AUTO(io_closep) int fd = io_open_any_beneath(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return path_err(err, errno, "opening", path);
    if (io_need_regular(fd, path, size, err) < 0)
        return -1;
    return io_steal(&fd);
}

int io_is_written(int fd)
{
    (void)fcntl(fd, F_SETSIG, SIGURG); /* who opens it meanwhile breaks the lease: by a signal that does nothing, not by SIGIO */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return 0;
}

int io_read_all(int fd, struct buf *out, struct err *err)
{
    for (;;) {
        uint8_t step[READ_STEP];
        ssize_t n = trap_read(fd, step, sizeof(step));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, REASON_UNREADABLE, errno, "reading a file");
        if (n == 0)
            return 0;
        buf_add(out, step, (size_t)n);
        if (out->full)
            return err_set(err, REASON_TOO_LARGE, 0, "a file of more than %zu bytes", out->max);
    }
}

ssize_t io_pread(int fd, void *at, size_t n, off_t offset, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = trap_pread(fd, (char *)at + done, n - done, offset + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, REASON_UNREADABLE, errno, "reading %zu bytes at offset %lld", n, (long long)offset);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = trap_write(fd, bytes, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes += put;
        n -= (size_t)put;
    }
    return 0;
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_str(".");
    return slash == path ? mem_str("/") : mem_strn(path, (size_t)(slash - path));
}

static int sync_parent(const char *path, struct err *err)
{
    AUTO(mem_freep) char *parent = parent_of(path);
    AUTO(io_closep) int fd = io_open_dir(parent, err);

    if (fd < 0)
        return -1;
    return trap_fsync(fd) < 0 ? path_err(err, errno, "making durable", parent) : 0;
}

int io_replace(const char *path, const void *bytes, size_t n, mode_t mode, struct err *err)
{
    AUTO(mem_freep) char *beside = mem_printf("%s.XXXXXX", path);
    AUTO(io_closep) int fd = mkostemp(beside, O_CLOEXEC);

    if (fd < 0)
        return path_err(err, errno, "making a file beside", path);
    trap_step("before a file is replaced:", path);
    if (fchmod(fd, mode) < 0 || write_all(fd, bytes, n) < 0 || trap_fsync(fd) < 0 || trap_rename(beside, path) < 0) {
        int sys = errno;
        unlink(beside);
        return path_err(err, sys, "writing", path);
    }
    trap_step("after a file was replaced:", path);
    return sync_parent(path, err);
}

int io_make_dirs(const char *path, struct err *err)
{
    AUTO(mem_freep) char *part = mem_str(path);
    struct stat st;

    for (char *slash = part; slash; ) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (part[0] != '\0' && mkdir(part, 0700) < 0 && errno != EEXIST)
            return path_err(err, errno, "making directory", part);
        if (slash)
            *slash = '/';
    }
    if (stat(path, &st) < 0)
        return path_err(err, errno, "looking at", path);
    return S_ISDIR(st.st_mode) ? 0 : path_err(err, ENOTDIR, "making directory", path);
}
