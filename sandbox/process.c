/* An import's process and the uploaders of its files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/ceilings.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/uuid.h"
#include "sandbox/process.h"

struct uploader {
    struct import_process *process;
    size_t index;
    int fd;
    bool changed; /* since it was saved */
};

static struct import_file *file_of(const struct uploader *u)
{
    return &u->process->files[u->index];
}

/* --- a stateful servant of the session, named after itself --- */

static struct servant *add_stateful(struct call *c, const struct kind *kind, void *state)
{
    char uuid[UUID_TEXT];

    uuid_new(uuid);

    AUTO(mem_freep) char *name = mem_printf("%s-%s", uuid, kind->name);

    return servant_add(c->server, c->session, kind, name, c->session->uuid, state);
}

const struct ice_proxy *process_proxy(struct call *c, struct import_process *p)
{
    return call_proxy(c, add_stateful(c, &process_kind, p));
}

/* --- uploading --- */

static void end_uploader(struct server *s, struct servant *v)
{
    struct uploader *u = v->state;

    (void)s;
    close(u->fd);
    file_of(u)->store = NULL;
    file_of(u)->offset = 0;
    import_unref(u->process);
    free(u);
}

static int refuse_io(struct call *c, const struct uploader *u, const char *what)
{
    return call_throw(c, &om_resource_error_class, "%s %s: %s", what, file_of(u)->path, strerror(errno));
}

static int write_bytes(struct call *c)
{
    const struct om_api_raw_file_store_write_in *in = c->in;
    struct uploader *u = c->servant->state;
    size_t done = 0, n = in->length < 0 ? 0 : (size_t)in->length;

    if (n > in->buf.n)
        return call_throw(c, &om_api_usage_exception_class, "newLimit > capacity: (%zu > %zu)", n, in->buf.n);
    if (in->position < 0)
        return call_throw(c, &om_api_usage_exception_class, "Negative position: %lld", (long long)in->position);
    while (done < n) {
        ssize_t w = pwrite(u->fd, in->buf.at + done, n - done, in->position + (off_t)done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return refuse_io(c, u, "write");
        done += (size_t)w;
    }
    u->changed = true;
    file_of(u)->offset = in->position + (int64_t)n;
    return 0;
}

static int read_bytes(struct call *c)
{
    const struct om_api_raw_file_store_read_in *in = c->in;
    struct om_api_raw_file_store_read_out *out = c->out;
    struct uploader *u = c->servant->state;

    if (in->length < 0 || (unsigned)in->length > ICE_MESSAGE_MAX / 2 || in->position < 0)
        return call_throw(c, &om_api_usage_exception_class, "Bad position or length");

    uint8_t *bytes = arena_alloc(c->mem, (size_t)in->length, 1);
    ssize_t r = pread(u->fd, bytes, (size_t)in->length, in->position);

    if (r < 0)
        return refuse_io(c, u, "read");
    out->ret = (struct om_ice_byte_seq){.n = (size_t)r, .at = bytes};
    return 0;
}

static int64_t size_now(const struct uploader *u)
{
    struct stat st;

    return fstat(u->fd, &st) == 0 ? st.st_size : 0;
}

static int size(struct call *c)
{
    ((struct om_api_raw_file_store_size_out *)c->out)->ret = size_now(c->servant->state);
    return 0;
}

static int exists(struct call *c)
{
    ((struct om_api_raw_file_store_exists_out *)c->out)->ret = true;
    return 0;
}

static int truncate_file(struct call *c)
{
    const struct om_api_raw_file_store_truncate_in *in = c->in;
    struct uploader *u = c->servant->state;
    bool shorter = in->length < size_now(u);

    if (in->length < 0)
        return call_throw(c, &om_api_usage_exception_class, "Negative length: %lld", (long long)in->length);
    if (shorter && ftruncate(u->fd, in->length) < 0)
        return refuse_io(c, u, "truncate");
    u->changed |= shorter;
    ((struct om_api_raw_file_store_truncate_out *)c->out)->ret = shorter;
    return 0;
}

static int get_file_id(struct call *c)
{
    const struct uploader *u = c->servant->state;

    ((struct om_api_raw_file_store_get_file_id_out *)c->out)->ret = r_long(c->mem, file_of(u)->id);
    return 0;
}

/* The server hashes the whole file itself. */
static int hash_file(struct call *c, const struct uploader *u, char hex[HASH_HEX_MAX])
{
    enum { BLOCK = 1 << 20 };
    AUTO(hash_freep) struct hash *h = hash_new(u->process->algorithm);
    AUTO(mem_freep) uint8_t *block = mem_new(BLOCK, 1);
    off_t at = 0;

    for (ssize_t r; (r = pread(u->fd, block, BLOCK, at)) != 0; at += r) {
        if (r < 0)
            return refuse_io(c, u, "read");
        hash_add(h, block, (size_t)r);
    }
    hash_hex(h, hex);
    return 0;
}

static int save_file(struct call *c, struct uploader *u)
{
    char hex[HASH_HEX_MAX];

    if (hash_file(c, u, hex) < 0)
        return -1;
    if (store_run(c->server->store, "update OriginalFile set size = ?, hash = ? where id = ?", "isi", size_now(u), hex, file_of(u)->id) < 0)
        return call_throw(c, &om_validation_exception_class, "the file's row is gone");
    u->changed = false;
    return 0;
}

static int save(struct call *c)
{
    struct uploader *u = c->servant->state;

    if (save_file(c, u) < 0)
        return -1;
    ((struct om_api_raw_file_store_save_out *)c->out)->ret =
        (const struct om_original_file *)object_load(c, entity_by_name("OriginalFile"), file_of(u)->id);
    return 0;
}

static int close_uploader(struct call *c)
{
    struct uploader *u = c->servant->state;

    if (u->changed && save_file(c, u) < 0)
        return -1;
    file_of(u)->store = NULL;
    servant_drop(c->server, c->servant);
    return 0;
}

static const struct handler uploader_handlers[] = {
    {&om_api_raw_file_store_write_op, write_bytes},
    {&om_api_raw_file_store_read_op, read_bytes},
    {&om_api_raw_file_store_size_op, size},
    {&om_api_raw_file_store_exists_op, exists},
    {&om_api_raw_file_store_truncate_op, truncate_file},
    {&om_api_raw_file_store_get_file_id_op, get_file_id},
    {&om_api_raw_file_store_save_op, save},
    {&om_api_stateful_service_interface_close_op, close_uploader},
};
const struct kind uploader_kind = {
    .name = "RepoRawFileStoreI",
    .types = "::omero::api::RawFileStore ::omero::api::StatefulServiceInterface ::omero::api::ServiceInterface",
    .stateful = true,
    .handlers = uploader_handlers,
    .n = ARRAY_LEN(uploader_handlers),
    .end = end_uploader,
};

/* --- the process --- */

static void end_process(struct server *s, struct servant *v)
{
    (void)s;
    import_unref(v->state);
}

static int open_store(struct call *c, struct import_process *p, size_t i)
{
    const char *mode = call_context(c, "omero.fs.mode");
    int flags = mode && strcmp(mode, "r") == 0 ? O_RDONLY : O_RDWR | O_CREAT;
    int fd = open(p->files[i].path, flags | O_CLOEXEC | O_NONBLOCK, 0644);

    if (fd < 0)
        return call_throw(c, &om_resource_error_class, "%s: %s", p->files[i].path, strerror(errno));

    struct uploader *u = mem_new(1, sizeof(*u));

    *u = (struct uploader){.process = p, .index = i, .fd = fd, .changed = (flags & O_CREAT) != 0};
    p->refs++;
    p->files[i].store = add_stateful(c, &uploader_kind, u);
    return 0;
}

static int check_index(struct call *c, const struct import_process *p, int32_t i)
{
    if (i >= 0 && (size_t)i < p->n)
        return 0;
    return call_unknown(c, "java.lang.IndexOutOfBoundsException: Index %d out of bounds for length %zu", i, p->n);
}

static int get_uploader(struct call *c)
{
    const struct om_grid_import_process_get_uploader_in *in = c->in;
    struct import_process *p = c->servant->state;

    if (check_index(c, p, in->i) < 0 || (!p->files[in->i].store && open_store(c, p, (size_t)in->i) < 0))
        return -1;
    ((struct om_grid_import_process_get_uploader_out *)c->out)->ret = call_proxy(c, p->files[in->i].store);
    return 0;
}

static int get_upload_offset(struct call *c)
{
    const struct om_grid_import_process_get_upload_offset_in *in = c->in;
    const struct import_process *p = c->servant->state;

    if (check_index(c, p, in->i) < 0)
        return -1;
    ((struct om_grid_import_process_get_upload_offset_out *)c->out)->ret = p->files[in->i].store ? p->files[in->i].offset : 0;
    return 0;
}

static int get_settings(struct call *c)
{
    const struct import_process *p = c->servant->state;

    ((struct om_grid_import_process_get_import_settings_out *)c->out)->ret = p->settings;
    return 0;
}

static int get_handle(struct call *c)
{
    const struct import_process *p = c->servant->state;

    ((struct om_grid_import_process_get_handle_out *)c->out)->ret = p->handle;
    return 0;
}

/* --- verifying --- */

static int throw_checksums(struct call *c, const struct om_api_int_string_map_entry *failing, size_t n)
{
    struct om_checksum_validation_exception *e;

    call_throw(c, &om_checksum_validation_exception_class, "A checksum mismatch has occurred: %zu file%s.", n, n == 1 ? "" : "s");
    e = (struct om_checksum_validation_exception *)c->exception;
    e->failing_checksums = (struct om_api_int_string_map){.n = n, .at = failing};
    return -1;
}

static int compare(struct call *c, const struct import_process *p, const struct om_api_string_set *hashes)
{
    struct om_api_int_string_map_entry *failing = arena_alloc(c->mem, p->n, sizeof(*failing));
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const char *hash = store_text(c->server->store, c->mem, "select coalesce(hash, '') from OriginalFile where id = ?", "i", p->files[i].id);
        if (hash && !hash[0])
            return call_unknown(c, "java.lang.NullPointerException: Cannot invoke \"omero.RString.getValue()\" because the return value of "
                                   "\"omero.model.OriginalFile.getHash()\" is null");
        if (!hash || strcmp(hash, hashes->at[i]) != 0)
            failing[n++] = (struct om_api_int_string_map_entry){.key = (int32_t)i, .value = hash ? hash : ""};
    }
    return n ? throw_checksums(c, failing, n) : 0;
}

static int verify_upload(struct call *c)
{
    const struct om_grid_import_process_verify_upload_in *in = c->in;
    struct om_grid_import_process_verify_upload_out *out = c->out;
    struct import_process *p = c->servant->state;

    if (in->hash.n != p->n)
        return call_throw(c, &om_api_usage_exception_class, "hashes size should be %zu not %zu", p->n, in->hash.n);
    if (c->group != p->group)
        return call_throw(c, &om_security_violation_class, "Currently logged into group %lld. Cannot alter object in group %lld",
                          (long long)c->group, (long long)p->group);
    if (compare(c, p, &in->hash) < 0)
        return -1;
    out->ret = import_start(c, p);
    p->handle = ice_proxy_copy(p->mem, out->ret);
    return 0;
}

static int close_process(struct call *c)
{
    servant_drop(c->server, c->servant);
    return 0;
}

static const struct handler process_handlers[] = {
    {&om_grid_import_process_get_uploader_op, get_uploader},
    {&om_grid_import_process_get_upload_offset_op, get_upload_offset},
    {&om_grid_import_process_get_import_settings_op, get_settings},
    {&om_grid_import_process_get_handle_op, get_handle},
    {&om_grid_import_process_verify_upload_op, verify_upload},
    {&om_api_stateful_service_interface_close_op, close_process},
};
const struct kind process_kind = {
    .name = "ManagedImportProcessI",
    .types = "::omero::grid::ImportProcess ::omero::api::StatefulServiceInterface ::omero::api::ServiceInterface",
    .stateful = true,
    .handlers = process_handlers,
    .n = ARRAY_LEN(process_handlers),
    .end = end_process,
};
