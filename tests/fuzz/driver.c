/* Replay inputs through a fuzz target: the files, and the files of the directories, that are named as arguments. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay_file(const char *path)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(INPUT_MAX);
    FILE *f = fopen(path, "rb");
    uint8_t block[4096];
    size_t n;

    if (!f) {
        perror(path);
        exit(1);
    }
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(&b, block, n);
    fclose(f);
    LLVMFuzzerTestOneInput(b.data, b.len);
    return 1;
}

static size_t replay(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    if (!dir)
        return replay_file(path);
    for (struct dirent *e; (e = readdir(dir));) {
        AUTO(mem_freep) char *file = mem_printf("%s/%s", path, e->d_name);
        if (*e->d_name != '.')
            n += replay_file(file);
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    size_t n = 0;

    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%zu inputs\n", n);
    return n ? 0 : 1;
}
