/* Put before the C library: every file system says that it is NFS (statfs(2): 0x6969). */
#include <sys/vfs.h>

int statfs(const char *path, struct statfs *out)
{
    (void)path;
    *out = (struct statfs){.f_type = 0x6969};
    return 0;
}
