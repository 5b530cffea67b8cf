#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/trap.h"

/* File systems on which SQLite's locks and shared memory cannot be relied on (numbers: statfs(2), linux/magic.h, and the file
 * systems' own headers). */
static const struct {
    unsigned long type;
    const char *name;
} networks[] = {
    {0x6969, "NFS"},          {0xFF534D42, "CIFS"},     {0xFE534D42, "SMB"},     {0x517B, "SMB"},
    {0x5346414F, "AFS"},      {0x6B414653, "AFS"},      {0x00C36400, "CephFS"},  {0x0BD00BD0, "Lustre"},
    {0x47504653, "GPFS"},     {0x19830326, "BeeGFS"},   {0x01021997, "9P"},      {0x73757245, "Coda"},
    {0x7461636F, "OCFS2"},    {0x01161970, "GFS2"},     {0xAAD7AAEA, "PanFS"},
};

int place_check(const char *path, long f_type, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
        if (networks[i].type == ((unsigned long)f_type & 0xFFFFFFFFul)) {
            err_set(err, REASON_LEDGER, 0, "ledger in '%s': on a network share (%s), where it would be damaged", path,
                    networks[i].name);
            return err_hint(err, "name a state directory on a local disk: --state, or $STATE_DIRECTORY");
        }
    }
    return 0;
}

int ledger_place(const char *dir, struct err *err)
{
    struct statfs fs;

    if (statfs(dir, &fs) < 0)
        return err_set(err, REASON_LEDGER, errno, "ledger in '%s': cannot look at its file system", dir);
    return place_check(dir, (long)fs.f_type, err);
}

static char *lock_path(const char *state_dir)
{
    return mem_printf("%s/lock", state_dir);
}

static struct flock whole(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* What the holder wrote into it: never believed, only shown. */
static void holder(int fd, char *out, size_t size)
{
    ssize_t n = trap_pread(fd, out, size - 1, 0);

    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127)
            *c = '?';
    if (!out[0])
        snprintf(out, size, "another process");
}

/* The second line, from the first ledger on. */
static const char was_made[] = "ledger was made\n";

static bool knows_ledger(int fd)
{
    char text[256];
    ssize_t n = trap_pread(fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return strstr(text, was_made) != NULL;
}

static int sign(int fd, const char *path, bool made, struct err *err)
{
    char since[25];

    clock_text(clock_wall_ms(), since);
    AUTO(mem_freep) char *words = mem_printf("process %ld since %s\n%s", (long)getpid(), since, made ? was_made : "");
    size_t n = strlen(words);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, words, n, 0) != (ssize_t)n)
        return err_set(err, errno == ENOSPC ? REASON_DISK_FULL : REASON_LEDGER, errno, "write lock '%s'", path);
    return 0;
}

int lock_take(const char *state_dir, int *out, struct err *err)
{
    AUTO(mem_freep) char *path = lock_path(state_dir);
    AUTO(io_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    struct flock want = whole(F_WRLCK);
    char who[128];

    if (fd < 0)
        return err_set(err, errno == ENOSPC ? REASON_DISK_FULL : REASON_LEDGER, errno, "make lock '%s'", path);
    if (fcntl(fd, F_OFD_SETLK, &want) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return err_set(err, REASON_LEDGER, errno, "lock '%s'", path);
        holder(fd, who, sizeof(who));
        return err_set(err, REASON_BUSY, 0, "ledger in '%s': %s works on it", state_dir, who);
    }
    if (sign(fd, path, knows_ledger(fd), err) < 0)
        return -1;
    *out = fd;
    fd = -1;
    return 0;
}

int lock_note_ledger(const char *state_dir, int fd, struct err *err)
{
    AUTO(mem_freep) char *path = lock_path(state_dir);

    return knows_ledger(fd) ? 0 : sign(fd, path, true, err);
}

int place_check_empty(const char *state_dir, const char *ledger, struct err *err)
{
    AUTO(mem_freep) char *path = lock_path(state_dir);
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || stat(ledger, &st) < 0 || st.st_size > 0 || !knows_ledger(fd))
        return 0;
    err_set(err, REASON_LEDGER, 0, "ledger '%s': it is empty, and was not: what had been imported is lost from it", ledger);
    return err_hint(err, "put a copy of it back; without one remove it, and restore it from OMERO by impomero ledger rebuild");
}

int ledger_who(const char *state_dir, char out[128], struct err *err)
{
    AUTO(mem_freep) char *path = lock_path(state_dir);
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct flock probe = whole(F_RDLCK);

    if (fd < 0)
        return errno == ENOENT ? LEDGER_NOTHING : err_set(err, REASON_LEDGER, errno, "open lock '%s'", path);
    if (fcntl(fd, F_OFD_GETLK, &probe) < 0)
        return err_set(err, REASON_LEDGER, errno, "look at lock '%s'", path);
    if (probe.l_type == F_UNLCK)
        return LEDGER_NOTHING;
    holder(fd, out, 128);
    return 0;
}
