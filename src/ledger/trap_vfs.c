/* Each call goes to the system's own VFS and allocator, but the one that is to fail. */
#include "ledger/trap_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "base/trap.h"

/* The system's file lies behind it. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs vfs;
static sqlite3_mem_methods memory;

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct file *)(void *)f)->real;
}

/* ---- files: those that may fail ---- */

static int file_read(sqlite3_file *f, void *at, int n, sqlite3_int64 offset)
{
    return trap_fails(TRAP_READ) ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), at, n, offset);
}

static int file_write(sqlite3_file *f, const void *at, int n, sqlite3_int64 offset)
{
    return trap_fails(TRAP_WRITE) ? SQLITE_IOERR_WRITE : real(f)->pMethods->xWrite(real(f), at, n, offset);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return trap_fails(TRAP_WRITE) ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    return trap_fails(TRAP_SYNC) ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}

/* ---- the others ---- */

static int file_close(sqlite3_file *f)
{
    return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return real(f)->pMethods->xFileSize(real(f), out);
}

static int file_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int file_traits(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
    struct file *mine = (struct file *)(void *)f;
    sqlite3_vfs *below = v->pAppData;

    mine->real = (sqlite3_file *)(void *)(mine + 1);
    mine->real->pMethods = NULL;
    int rc = below->xOpen(below, name, mine->real, flags, out);
    mine->base.pMethods = mine->real->pMethods ? &methods : NULL;
    return rc;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
    sqlite3_vfs *below = v->pAppData;

    return trap_fails(TRAP_WRITE) ? SQLITE_IOERR_DELETE : below->xDelete(below, name, sync);
}

/* ---- memory ---- */

static void *mem_alloc(int n)
{
    return trap_fails(TRAP_ALLOC) ? NULL : memory.xMalloc(n);
}

static void *mem_realloc(void *p, int n)
{
    return trap_fails(TRAP_ALLOC) ? NULL : memory.xRealloc(p, n);
}

/* ---- */

static void start(void)
{
    sqlite3_mem_methods failing;
    sqlite3_vfs *below;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    failing = memory;
    failing.xMalloc = mem_alloc;
    failing.xRealloc = mem_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    below = sqlite3_vfs_find(NULL);
    if (!below) /* its first allocation may be the one */
        mem_exhausted();
    vfs = *below;
    vfs.zName = "traps";
    vfs.pAppData = below;
    vfs.szOsFile += (int)sizeof(struct file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    sqlite3_vfs_register(&vfs, 1);
}

void trap_vfs_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (trap_is_set())
        pthread_once(&once, start);
}
