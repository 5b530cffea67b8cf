/* A copy of the ledger while others work on it. */
#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/trap.h"

static int begin_copy(const char *to, struct err *err)
{
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), no = errno;

    if (fd >= 0)
        return fd;
    err_set(err, no == EEXIST ? REASON_USAGE : REASON_UNREADABLE, no, "write '%s'", to);
    return no == EEXIST ? err_hint(err, "name a file that is not there yet") : -1;
}

static int fill_copy(struct ledger *l, const char *to, int fd, struct err *err)
{
    pthread_mutex_lock(&l->mutex);
    int r = sql_do(l, err, "VACUUM INTO ?1", "t", to);
    pthread_mutex_unlock(&l->mutex);
    if (r < 0)
        return -1;
    return trap_fsync(fd) < 0 ? err_set(err, REASON_UNREADABLE, errno, "write it to the disk") : 0;
}

int ledger_copy(struct ledger *l, const char *to, struct err *err)
{
    AUTO(io_closep) int fd = begin_copy(to, err);

    if (fd < 0)
        return -1;
    if (fill_copy(l, to, fd, err) == 0)
        return 0;
    unlink(to);
    return err_prefix(err, "copy to '%s': ", to);
}
