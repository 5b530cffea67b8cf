#include "engine/sums.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "tree/tree.h"

enum { BLOCK = 1 << 20 };

int sums_stamp(int fd, const char *path, struct ledger_stamp *out, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, REASON_UNREADABLE, 0, "file '%s'", path);
    *out = (struct ledger_stamp){.size = st.st_size, .ino = st.st_ino,
                                 .mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec,
                                 .ctime_ns = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec};
    return 0;
}

bool sums_same_stamp(const struct ledger_stamp *a, const struct ledger_stamp *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns;
}

int sums_of_fd(int fd, const char *algorithm, const struct sums_pause *pause, char hex[HASH_HEX_MAX], struct err *err)
{
    AUTO(mem_freep) char *block = mem_new(BLOCK, 1);
    AUTO(hash_freep) struct hash *h = hash_new(algorithm);
    ssize_t got = 0;

    if (!h)
        return err_set(err, REASON_CONFIG, 0, "this machine knows no checksum %s", algorithm);
    for (off_t at = 0; (got = io_pread(fd, block, BLOCK, at, err)) > 0; at += got) {
        hash_add(h, block, (size_t)got);
        if (pause && pause->keep_on(pause->arg, err) < 0)
            return -1;
    }
    if (got < 0)
        return -1;
    hash_hex(h, hex);
    return 0;
}

int sums_of_member(int dir, const char *const *into, const char *path, const char *algorithm, const struct sums_pause *pause,
                   struct arena *a, struct ledger_member *out, struct err *err)
{
    AUTO(io_closep) int fd = tree_open_beneath(dir, into, path, err);
    char *hex = arena_alloc(a, HASH_HEX_MAX, 1);
    struct ledger_stamp before, after;

    if (fd < 0 || sums_stamp(fd, path, &before, err) < 0 || sums_of_fd(fd, algorithm, pause, hex, err) < 0 ||
        sums_stamp(fd, path, &after, err) < 0)
        return -1;
    if (!sums_same_stamp(&before, &after))
        return err_set(err, REASON_CHANGED, 0, "file '%s': it changed while it was read", path);
    *out = (struct ledger_member){.path = path, .stamp = before, .algorithm = algorithm, .hash = hex};
    return 0;
}
