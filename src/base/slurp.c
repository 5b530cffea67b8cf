#include "base/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/trap.h"

enum { BLOCK = 64 * 1024 };

static int read_all(int fd, struct buf *out)
{
    AUTO(mem_freep) char *block = mem_new(BLOCK, 1);

    for (;;) {
        ssize_t n = trap_read(fd, block, BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        size_t left = out->max - out->len;
        buf_add(out, block, (size_t)n < left ? (size_t)n : left);
        if ((size_t)n > left)
            return EFBIG;
    }
}

int slurp(const char *path, struct buf *out, struct err *err)
{
    AUTO(mem_freep) char *shown = str_show(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return err_set(err, errno == ENOENT ? REASON_GONE : REASON_UNREADABLE, errno, "%s", shown);
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return err_set(err, REASON_NOT_REGULAR, 0, "%s: not a file", shown);
    }
    int failed = read_all(fd, out);
    close(fd);
    if (failed == EFBIG)
        return err_set(err, REASON_TOO_LARGE, 0, "%s: larger than %zu bytes", shown, out->max);
    return failed ? err_set(err, REASON_UNREADABLE, failed, "%s", shown) : 0;
}
