/* How long it takes to read the first 4 KiB of each file, and nothing else: what a look at a tree is measured against.
 *
 * usage: heads <PATHS     each ended by a zero byte; prints the number of files that were read and the seconds */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

enum { HEAD = 4096, PATHS_MAX = 1 << 30 };

static bool read_head(const char *path)
{
    char head[HEAD];
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd >= 0 && pread(fd, head, sizeof(head), 0) >= 0;
}

int main(void)
{
    AUTO(buf_clear) struct buf paths = BUF_INIT(PATHS_MAX);
    struct err err = ERR_INIT;
    size_t n = 0;

    if (io_read_all(STDIN_FILENO, &paths, &err) < 0)
        return EXIT_FAILURE;

    int64_t began = clock_mono_ns();

    for (const char *at = (const char *)paths.data, *end = at + paths.len; at < end; at += strlen(at) + 1)
        n += read_head(at);
    printf("%zu %.6f\n", n, (double)(clock_mono_ns() - began) / 1e9);
    return EXIT_SUCCESS;
}
