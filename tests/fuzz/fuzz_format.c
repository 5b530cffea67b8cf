/* One file as a share may bring it: read once, and shown to every driver.  FAMILY chooses the names that it may have, the first
 * byte one of them.  What is said of it must come back from the memory as it was. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "format/drivers.h"
#include "format/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FAMILY_SINGLE, FAMILY_TEXT, FAMILY_XML, FAMILY_BINARY, FAMILY_PAIR, FAMILY_TIFF };

static const char *const names[][64] = {
    [FAMILY_SINGLE] = {
        "x", "x.lif", "x.czi", "x.png", "x.jpg", "x.oir", "x_00001", "x.pgm", "x.fits", "x.pcx", "x.bmp", "x.mrc",
        "x.map", "x.dm3", "x.dv", "x.ims", "x.raw", "x.avi", "x.sdt", "x.sld", "x.mov", "x.tga", "x.msr", "x.scn",
        "x.spe", "x.nii", "x.pic", "x.oib", "x.nd2", "x.jp2", "x.jpx", "x.csv", "x.lof", "x.bin", "x.dcm", "x.tif.gz",
        "x.ids", "x.ets", "x.ipm", "x.spi", "x.bip", "x.gif", "x.dm2", "x.sif", "x.al3d", "x.mrw", "x.mng", "x.1sc",
        "x.zvi", "x.ch5", "x.cxd", "x.ipw", "x.l2d", "x.png.gz", "x.dv.log", "x.r3d", "x.st", "x.txt",
    },
    [FAMILY_TEXT] = {"x.nd", "x.scan", "metadata.txt", "x_metadata.txt", "x.vms", "x.ndpis", "x.pattern", "x.htm", "x.txt",
                     "x Report.html"},
    [FAMILY_XML] = {"x.xdce", "x.xml", "x.xlef", "x.xlif", "x.afi", "x.omp2info", "x.tif_meta.xml", "experiment_descriptor.xml",
                    "Index.idx.xml", "Index.xml", "x.companion.ome", "x.ome",
                    "acqusition.xml", "Index.ref.xml", "lse.xml", "x.xlcf"},
    [FAMILY_BINARY] = {"x.oif", "x.pty", "x.lei", "x.mvd2", "x.db", "x.mdb"},
    [FAMILY_PAIR] = {"x.hdr", "x.hed", "x.nhdr", "x.nrrd", "x.ics", "x.dat", "x.img", "x.inf", "x.spc", "x.pcoraw", "x.fake"},
    [FAMILY_TIFF] = {"x.tif", "001.tif", "x.ome.tif", "x.lsm", "x.svs", "x.ndpi", "x.bif", "x.gel", "x.qptiff", "x",
                     "x.cif", "x.fff", "x.nef", "x.ims"},
};

/* A memory of one verdict and one list. */
struct slot {
    struct buf verdict, list;
};

static bool recall(void *arg, const struct tree_entry *e, const void **bytes, size_t *n)
{
    struct slot *s = arg;

    (void)e;
    *bytes = s->verdict.data;
    *n = s->verdict.len;
    return s->verdict.len > 0;
}

static void keep(void *arg, const struct tree_entry *e, const void *bytes, size_t n)
{
    (void)e;
    buf_add(&((struct slot *)arg)->verdict, bytes, n);
}

static bool recall_list(void *arg, long long id, const void **bytes, size_t *n)
{
    struct slot *s = arg;

    *bytes = s->list.data;
    *n = s->list.len;
    return id == 7;
}

static long long keep_list(void *arg, const void *bytes, size_t n)
{
    buf_add(&((struct slot *)arg)->list, bytes, n);
    return 7;
}

static void same(const char *a, const char *b)
{
    if ((!a != !b) || (a && strcmp(a, b) != 0))
        abort();
}

static void come_back(struct format_file *file, struct arena *arena)
{
    struct slot s = {BUF_INIT(1 << 26), BUF_INIT(1 << 26)};
    const struct format_memory memory = {recall, keep, recall_list, keep_list, &s};
    struct recollection *in = recollection_new(&memory, arena), *out = recollection_new(&memory, arena);
    struct format_file back = {.entry = file->entry};

    recollection_keep(in, file);
    if (!recollection_find(out, &back) || back.driver != file->driver || back.said->why != file->said->why ||
        back.said->plate != file->said->plate || back.said->unknown != file->said->unknown ||
        !back.said->facts != !file->said->facts)
        abort();
    same(back.said->text, file->said->text);
    same(back.said->format, file->said->format);
    recollection_free(in);
    recollection_free(out);
    buf_clear(&s.verdict);
    buf_clear(&s.list);
}

static void detect_all(struct format_look *look)
{
    for (size_t i = 0; format_drivers[i]; i++) {
        struct format_verdict said = {.why = REASON_NONE};
        struct format_file file = {.entry = look->entry, .driver = format_drivers[i], .said = &said};

        if (!format_drivers[i]->detect(look, &said))
            continue;
        if (said.why == REASON_NONE && !said.format)
            abort();
        come_back(&file, look->arena);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;

    while (n < ARRAY_LEN(names[FAMILY]) && names[FAMILY][n])
        n++;
    if (size == 0)
        return 0;

    const char *name = names[FAMILY][data[0] % n];
    const struct tree_entry entry = {.path = name, .name = name, .kind = TREE_FILE};
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct format_look *look = mem_new(1, sizeof(*look));
    struct err err = ERR_INIT;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    look->entry = &entry;
    look->fd = fd;
    look->arena = arena;
    look->size = size - 1;
    look->names_left = 1 << 20;
    if (fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1) && format_look_at(look, &err) == 0)
        detect_all(look);
    free(look);
    close(fd);
    return 0;
}
