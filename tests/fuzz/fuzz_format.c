/* One file as a share may bring it: read once, and shown to every driver.  The first byte chooses its name. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/drivers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    "x", "x.tif", "x.lif", "x.czi", "x.companion.ome", "metadata.txt", "x.pattern", "x.xml", "x.png",
    "x.pgm", "x.fits", "x.pcx", "x.bmp", "x.mrc", "x.map", "x.dm3", "x.dv", "x.ims", "x.raw", "x.avi", "x.sdt", "x.sld", "x.mov",
    "x.tga", "x.msr", "x.scn", "x.spe", "x.nii", "x.nrrd", "x.ics", "x.pic", "x.oib", "x.nd2", "x.jp2", "x.jpx", "x.lsm", "x.svs",
    "x.ndpi", "x.ome", "x.csv", "x.img",
};

static void detect_all(struct format_look *look)
{
    for (size_t i = 0; format_drivers[i]; i++) {
        struct format_verdict said = {.why = REASON_NONE};

        if (format_drivers[i]->detect(look, &said) && said.why != REASON_NONE && !said.format)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    const char *name = names[data[0] % ARRAY_LEN(names)];
    const struct tree_entry entry = {.path = name, .name = name, .kind = TREE_FILE};
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct format_look *look = mem_new(1, sizeof(*look));
    struct err err = ERR_INIT;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    look->entry = &entry;
    look->fd = fd;
    look->arena = arena;
    if (fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1) && format_look_at(look, &err) == 0)
        detect_all(look);
    free(look);
    close(fd);
    return 0;
}
