#include "engine/memory.h"

#include "base/clock.h"
#include "base/hash.h"

/* A file that was written so shortly before the look may change again without its stamp showing it. */
enum { YOUNG_MS = 10000 };

static struct ledger_stamp stamp_of(const struct tree_entry *e)
{
    return (struct ledger_stamp){.size = e->stamp.size, .mtime_ns = e->stamp.mtime_ns, .ctime_ns = e->stamp.ctime_ns,
                                 .ino = e->stamp.ino};
}

static bool recall(void *arg, const struct tree_entry *e, const void **bytes, size_t *n)
{
    const struct ledger_stamp stamp = stamp_of(e);

    return ledger_memory_find(((struct engine_memory *)arg)->ledger, e->path, &stamp, bytes, n);
}

static void keep(void *arg, const struct tree_entry *e, const void *bytes, size_t n)
{
    const struct engine_memory *m = arg;
    const struct ledger_stamp stamp = stamp_of(e);
    int64_t newest = stamp.mtime_ns > stamp.ctime_ns ? stamp.mtime_ns : stamp.ctime_ns;

    if (newest / NS_PER_MS < m->now_ms - YOUNG_MS)
        ledger_memory_keep(m->ledger, e->path, &stamp, bytes, n);
}

static bool recall_list(void *arg, long long id, const void **bytes, size_t *n)
{
    return ledger_memory_find_list(((struct engine_memory *)arg)->ledger, id, bytes, n);
}

static long long keep_list(void *arg, const void *bytes, size_t n)
{
    AUTO(hash_freep) struct hash *h = hash_new("SHA1-160");
    char digest[HASH_HEX_MAX];

    if (!h)
        return -1;
    hash_add(h, bytes, n);
    hash_hex(h, digest);
    return ledger_memory_keep_list(((struct engine_memory *)arg)->ledger, digest, bytes, n);
}

void engine_memory_open(struct ledger *l, int64_t root, struct engine_memory *out)
{
    *out = (struct engine_memory){.format = {recall, keep, recall_list, keep_list, out}, .now_ms = clock_wall_ms()};
    ledger_memory_open(l, root, &out->ledger);
}

static bool is_there(void *arg, const char *path)
{
    return tree_find(arg, path) != NULL;
}

void engine_memory_close(struct engine_memory *m, const struct tree *tree)
{
    ledger_memory_close(m->ledger, tree ? is_there : NULL, (void *)tree);
}
