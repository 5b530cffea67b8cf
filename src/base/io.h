/* Files: opened beneath a directory, without following links; whole reads; durable writes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

void io_closep(int *fd); /* for AUTO; < 0 is fine */
int io_steal(int *fd);   /* hand it over: AUTO closes nothing then */

/* Open a directory for scanning (O_PATH is not enough: it is read). */
int io_open_dir(const char *path, struct err *err);

/* Open a regular file below `dirfd` for reading: openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, O_NONBLOCK for what is no
 * regular file after all.  `path` is relative.  -1: REASON_GONE, REASON_LINK, REASON_NOT_REGULAR, REASON_UNREADABLE. */
int io_open_beneath(int dirfd, const char *path, struct err *err);
/* The same; `size`: the bytes that it has now, NULL is fine. */
int io_open_sized_beneath(int dirfd, const char *path, uint64_t *size, struct err *err);
/* The same for whatever lies there and with flags of open(2) of the caller's; O_PATH opens a link itself.  -1: errno. */
int io_open_any_beneath(int dirfd, const char *path, int flags);
/* Only a regular file, with its size if that is not NULL; else -1: REASON_NOT_REGULAR. */
int io_need_regular(int fd, const char *path, uint64_t *size, struct err *err);

/* Is an open file open for writing too, by any process of this machine?  1 yes; 0 no, or it cannot be known: the file belongs to
 * somebody else and the caller has no CAP_LEASE, or its file system has no leases (most network shares).
 * A read lease tells it (fcntl(2), F_SETLEASE): it is given only while nobody writes, and given back at once. */
int io_is_written(int fd);

/* The whole of a file, up to the buffer's ceiling (REASON_TOO_LARGE beyond it). */
int io_read_all(int fd, struct buf *out, struct err *err);

/* Up to n bytes from an offset; short only at the end of the file. */
ssize_t io_pread(int fd, void *at, size_t n, off_t offset, struct err *err);

/* Replace a file as one step: write beside it, fsync, rename, fsync the directory.  mode as for open(2). */
int io_replace(const char *path, const void *bytes, size_t n, mode_t mode, struct err *err);

/* mkdir -p with mode 0700 for what is made. */
int io_make_dirs(const char *path, struct err *err);
