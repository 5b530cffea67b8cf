/* ImportProcess and the uploaders of its files. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/uuid.h"
#include "sandbox/import.h"
#include "sandbox/objects.h"

struct uploader {
    struct import *import; /* NULL: a file for itself */
    struct import_file *file, own;
    bool read_only;
    bool saved;           /* nothing was written since */
    pthread_mutex_t lock; /* of what follows: hashing goes on after the answer */
    struct hash *hash;    /* of what was written from the front without a gap; NULL: the file has to be read for it */
    int64_t hashed;       /* bytes of that; -1 after a gap */
};

/* --- size and hash --- */

static int hash_file(const char *path, const char *algorithm, char hex[HASH_HEX_MAX], int64_t *size)
{
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(hash_freep) struct hash *hash = hash_new(algorithm);
    AUTO(mem_freep) uint8_t *block = mem_new(1, OM_BLOCK_BYTES);
    ssize_t n;

    *size = 0;
    if (fd < 0 || !hash)
        return -1;
    while ((n = read(fd, block, OM_BLOCK_BYTES)) > 0) {
        hash_add(hash, block, (size_t)n);
        *size += n;
    }
    hash_hex(hash, hex);
    return n < 0 ? -1 : 0;
}

static int keep_hash(struct store *s, int64_t file, int64_t size, const char *hex, const char *algorithm)
{
    return store_run(s, "update OriginalFile set size = ?, hash = ?, hasher = ? where id = ?", "issi", size, hex, algorithm,
                     file);
}

int file_save(struct store *s, int64_t file, const char *path)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const char *algorithm = store_text(s, mem, "select coalesce(hasher, 'SHA1-160') from OriginalFile where id = ?", "i", file);
    char hex[HASH_HEX_MAX] = "";
    int64_t size;

    if (!algorithm)
        return 0; /* deleted in between */
    if (hash_file(path, algorithm, hex, &size) < 0)
        return -1;
    return keep_hash(s, file, size, hex, algorithm);
}

/* --- an uploader --- */

static struct uploader *own(struct call *c)
{
    return c->servant->state;
}

static int failed(struct call *c, const char *what)
{
    int sys = errno;

    return call_throw(c, sys == ENOSPC || sys == EDQUOT ? &om_resource_error_class : &om_internal_exception_class, "%s %s: %s",
                      what, own(c)->file->path, strerror(sys));
}

static int open_for_writing(struct call *c, const char *why)
{
    if (own(c)->read_only) {
        errno = EROFS;
        return failed(c, why);
    }

    int fd = open(own(c)->file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    return fd < 0 ? failed(c, why) : fd;
}

static int write_all(int fd, const uint8_t *at, size_t n, int64_t position)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, at, n, position);
        if (done < 0)
            return -1;
        at += done;
        n -= (size_t)done;
        position += done;
    }
    return 0;
}

static void restart_hash(struct uploader *u, int64_t hashed)
{
    pthread_mutex_lock(&u->lock);
    hash_free(STEAL(u->hash));
    u->hashed = hashed;
    pthread_mutex_unlock(&u->lock);
}

static void add_to_hash(struct uploader *u, const struct om_api_raw_file_store_write_in *in)
{
    if (in->position == 0 && u->hashed == 0 && !u->hash)
        u->hash = hash_new(u->import->settings->checksum_algorithm->value->val);
    if (!u->hash || in->position != u->hashed) {
        hash_free(STEAL(u->hash));
        u->hashed = -1;
        return;
    }
    hash_add(u->hash, in->buf.at, (size_t)in->length);
    u->hashed += in->length;
}

/* While the next block is on its way, as long as they come in their order. */
static void follow_hash(struct call *c)
{
    struct uploader *u = own(c);

    pthread_mutex_lock(&u->lock);
    add_to_hash(u, c->in);
    pthread_mutex_unlock(&u->lock);
}

static int do_write(struct call *c)
{
    const struct om_api_raw_file_store_write_in *in = c->in;

    if (in->length < 0 || in->position < 0 || in->position > INT64_MAX - in->length)
        return call_unknown(c, "java.lang.IllegalArgumentException");
    if ((size_t)in->length > in->buf.n)
        return call_throw(c, &om_api_usage_exception_class, "newLimit > capacity: (%d > %zu)", in->length, in->buf.n);

    AUTO(io_closep) int fd = open_for_writing(c, "write");

    if (fd < 0)
        return -1;
    if (write_all(fd, in->buf.at, (size_t)in->length, in->position) < 0)
        return failed(c, "write");
    own(c)->file->offset = in->position + in->length;
    own(c)->saved = false;
    c->later = follow_hash;
    return 0;
}

static int do_truncate(struct call *c)
{
    const struct om_api_raw_file_store_truncate_in *in = c->in;
    AUTO(io_closep) int fd = open_for_writing(c, "truncate");
    struct stat st;

    if (fd < 0)
        return -1;
    if (in->length < 0 || fstat(fd, &st) < 0 || (st.st_size > in->length && ftruncate(fd, in->length) < 0))
        return failed(c, "truncate");
    restart_hash(own(c), in->length == 0 ? 0 : -1);
    own(c)->saved = false;
    ((struct om_api_raw_file_store_truncate_out *)c->out)->ret = st.st_size > in->length;
    return 0;
}

static int do_read(struct call *c)
{
    const struct om_api_raw_file_store_read_in *in = c->in;
    struct om_api_raw_file_store_read_out *out = c->out;
    AUTO(io_closep) int fd = open(own(c)->file->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return failed(c, "read");
    if (in->length < 0 || in->position < 0 || (uint32_t)in->length > ICE_MESSAGE_MAX / 2)
        return call_throw(c, &om_api_usage_exception_class, "cannot read %d bytes at once", in->length);

    uint8_t *bytes = arena_alloc(c->mem, (size_t)in->length, 1);
    ssize_t n = pread(fd, bytes, (size_t)in->length, in->position);

    if (n < 0)
        return failed(c, "read");
    out->ret = (struct om_ice_byte_seq){.n = (size_t)n, .at = bytes};
    return 0;
}

static int do_size(struct call *c)
{
    struct stat st;
    bool there = stat(own(c)->file->path, &st) == 0;

    ((struct om_api_raw_file_store_size_out *)c->out)->ret = there ? st.st_size : 0;
    return 0;
}

static int do_exists(struct call *c)
{
    ((struct om_api_raw_file_store_exists_out *)c->out)->ret = access(own(c)->file->path, F_OK) == 0;
    return 0;
}

static int do_file_id(struct call *c)
{
    ((struct om_api_raw_file_store_get_file_id_out *)c->out)->ret = r_long(c->mem, own(c)->file->file);
    return 0;
}

/* What was hashed on the way is the whole file, unless it was longer before.  False: it has to be read. */
static bool take_hash(struct uploader *u, char hex[HASH_HEX_MAX])
{
    struct stat st;

    pthread_mutex_lock(&u->lock);
    bool whole = u->hash && stat(u->file->path, &st) == 0 && st.st_size == u->hashed;
    if (whole)
        hash_hex(u->hash, hex);
    pthread_mutex_unlock(&u->lock);
    return whole;
}

/* A file that was never written is not there, and closing it then is no fault. */
static int save(struct call *c)
{
    struct uploader *u = own(c);
    char hex[HASH_HEX_MAX];
    int r;

    if (u->saved)
        return 0;
    if (take_hash(u, hex))
        r = keep_hash(c->server->store, u->file->file, u->hashed, hex, u->import->settings->checksum_algorithm->value->val);
    else
        r = file_save(c->server->store, u->file->file, u->file->path);
    if (r < 0 && errno != ENOENT)
        return failed(c, "save");
    restart_hash(u, -1); /* a digest can be had once */
    u->saved = true;
    return 0;
}

static int do_save(struct call *c)
{
    if (save(c) < 0)
        return -1;
    ((struct om_api_raw_file_store_save_out *)c->out)->ret =
        (const void *)object_load(c, entity_by_name("OriginalFile"), own(c)->file->file);
    return 0;
}

static int do_close(struct call *c)
{
    int r = own(c)->import ? save(c) : 0;

    own(c)->file->uploader = NULL;
    own(c)->file->offset = 0;
    servant_drop(c->server, c->servant);
    return r;
}

static void end_uploader(struct server *s, struct servant *v)
{
    struct uploader *u = v->state;

    (void)s;
    if (u->file->uploader == v)
        u->file->uploader = NULL;
    hash_free(u->hash);
    pthread_mutex_destroy(&u->lock);
    if (u->import)
        import_unref(u->import);
    mem_freep(&u->own.path);
    mem_freep(&u);
}

static int do_nothing(struct call *c)
{
    (void)c;
    return 0;
}

static const struct handler upload_handlers[] = {
    {&om_api_raw_file_store_write_op, do_write},
    {&om_api_raw_file_store_read_op, do_read},
    {&om_api_raw_file_store_truncate_op, do_truncate},
    {&om_api_raw_file_store_size_op, do_size},
    {&om_api_raw_file_store_exists_op, do_exists},
    {&om_api_raw_file_store_get_file_id_op, do_file_id},
    {&om_api_raw_file_store_save_op, do_save},
    {&om_api_stateful_service_interface_close_op, do_close},
    {&om_api_stateful_service_interface_activate_op, do_nothing},
    {&om_api_stateful_service_interface_passivate_op, do_nothing},
};
const struct kind uploader_kind = {.name = "RepoRawFileStoreI",
                                   .types = "::omero::api::RawFileStore ::omero::api::StatefulServiceInterface",
                                   .stateful = true,
                                   .handlers = upload_handlers,
                                   .n = ARRAY_LEN(upload_handlers),
                                   .end = end_uploader};

static struct servant *add_store(struct call *c, struct uploader *u)
{
    char uuid[UUID_TEXT];

    pthread_mutex_init(&u->lock, NULL);
    uuid_new(uuid);

    AUTO(mem_freep) char *name = mem_printf("%s-RepoRawFileStoreI", uuid);

    u->file->uploader = servant_add(c->server, c->session, &uploader_kind, name, c->session->uuid, u);
    return u->file->uploader;
}

struct servant *uploader_of(struct call *c, struct import *imp, size_t i, bool read_only)
{
    struct import_file *f = &imp->files[i];
    struct uploader *u;

    if (f->uploader)
        return f->uploader;
    u = mem_new(1, sizeof(*u));
    *u = (struct uploader){.import = import_ref(imp), .file = f, .read_only = read_only};
    return add_store(c, u);
}

int file_by_id(struct call *c)
{
    const struct om_grid_repository_file_by_id_in *in = c->in;
    const char *path = store_text(c->server->store, c->mem,
                                  "select path || name from OriginalFile where id = ? and see(_grp, _owner)", "i", in->id);

    if (!path)
        return call_throw(c, &om_security_violation_class, "Cannot read ome.model.core.OriginalFile:Id_%lld", (long long)in->id);

    struct uploader *u = mem_new(1, sizeof(*u));

    *u = (struct uploader){.own = {.file = in->id, .path = mem_printf("%s/%s", c->server->repository, path)}, .read_only = true};
    u->file = &u->own;
    ((struct om_grid_repository_file_by_id_out *)c->out)->ret = call_proxy(c, add_store(c, u));
    return 0;
}
