/* A file that stays where it is: OMERO's repository gets a symbolic link to it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/uuid.h"
#include "omero/import_state.h"
#include "omero/object.h"
#include "omero/query.h"

struct place {
    struct om_import *imp;
    struct om_client *client;
    struct arena *mem;
    int32_t index;
    const struct ice_proxy *store;
    const char *path; /* in the repository, absolute, as the server sees it */
};

static int open_store(struct place *p, const char *mode, struct err *err)
{
    p->client->file_mode = mode;
    int r = om_grid_import_process_get_uploader(&p->client->caller, p->imp->process, p->index, p->mem, &p->store, err);
    p->client->file_mode = NULL;
    return r;
}

static int close_store(struct place *p, struct err *err)
{
    return om_api_stateful_service_interface_close(&p->client->caller, p->store, p->mem, err);
}

static int not_here(struct err *err, int sys, const char *what, const char *path)
{
    err_set(err, REASON_CONFIG, sys, "in place: %s '%s'", what, path);
    return err_hint(err,
                    "import in place only where OMERO's repository has the server's own path and may be written; else upload");
}

/* --- where the file is to be --- */

static const char *text_of(const struct om_rstring *s)
{
    return s ? s->val : "";
}

static int ask_file(struct place *p, const char **inside, struct err *err)
{
    const struct om_rlong *id;

    if (om_api_raw_file_store_get_file_id(&p->client->caller, p->store, p->mem, &id, err) < 0)
        return -1;

    const struct om_arg args[] = {om_arg_long("id", id ? id->val : -1)};
    const struct om_query q = {
        .hql = "select o.path, o.name from OriginalFile o where o.id = :id", .cols = "ss", .n_args = 1, .args = args};
    int64_t before = om_client_group(p->client, OM_GROUP_ALL);
    struct om_rows rows;
    int r = om_query(p->client, &q, p->mem, &rows, err);

    om_client_group(p->client, before);
    if (r < 0)
        return -1;
    if (rows.n != 1)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not know the file that it made");
    *inside = arena_printf(p->mem, "%s/%s", om_string(&rows, 0, 0), om_string(&rows, 0, 1));
    return 0;
}

static bool is_safe(const char *path)
{
    return path[0] == '/' && !strstr(path, "/../") && strlen(path) < TREE_PATH_MAX;
}

static int learn_path(struct place *p, struct err *err)
{
    const struct om_original_file *root;
    const char *inside = NULL;

    if (ask_file(p, &inside, err) < 0 ||
        om_grid_repository_root(&p->client->caller, p->client->repository, p->mem, &root, err) < 0)
        return -1;
    if (!root)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say where its repository is");
    p->path = arena_printf(p->mem, "%s/%s/%s", text_of(root->path), text_of(root->name), inside);
    return is_safe(p->path) ? 0 : err_set(err, REASON_PROTOCOL, 0, "OMERO names no usable path: %s", p->path);
}

/* --- is it the same file system? --- */

static int write_text(struct place *p, const char *text, struct err *err)
{
    const struct om_ice_byte_seq bytes = {.n = strlen(text), .at = (const uint8_t *)text};

    if (om_api_raw_file_store_write(&p->client->caller, p->store, bytes, 0, (int32_t)bytes.n, p->mem, err) < 0)
        return -1;
    return close_store(p, err);
}

/* The text that went through the server is read here, and only then the file is taken away. */
static int find_text(const char *path, const char *text, struct err *err)
{
    AUTO(buf_clear) struct buf found = BUF_INIT(4096);
    AUTO(io_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return not_here(err, errno, "OMERO's repository is not seen from here:", path);
    if (io_read_all(fd, &found, err) < 0 || found.len != strlen(text) || memcmp(found.data, text, found.len) != 0)
        return not_here(err, 0, "another file than OMERO's is at", path);
    if (unlink(path) < 0)
        return not_here(err, errno, "OMERO's repository may not be written:", path);
    return 0;
}

static int prove(struct place *p, struct err *err)
{
    char text[UUID_TEXT];
    struct stat st;

    uuid_new(text);
    if (lstat(p->path, &st) == 0 && st.st_size != 0) {
        struct err ignored;
        (void)close_store(p, &ignored); /* what went wrong before is what matters */
        return not_here(err, 0, "there is a file already at", p->path);
    }
    return write_text(p, text, err) < 0 ? -1 : find_text(p->path, text, err);
}

/* --- the link and its checksum --- */

static int hash_source(const struct om_source *source, const char *algorithm, char hex[HASH_HEX_MAX], int64_t *size,
                       struct err *err)
{
    AUTO(hash_freep) struct hash *hash = hash_new(algorithm);
    AUTO(mem_freep) uint8_t *block = mem_new(1, OM_BLOCK_BYTES);
    ssize_t n;

    *size = 0;
    while ((n = source->read(source->arg, block, OM_BLOCK_BYTES, err)) > 0) {
        hash_add(hash, block, (size_t)n);
        *size += n;
        if (source->progress && source->progress(source->progress_arg, *size, err) < 0)
            return -1;
    }
    if (n < 0)
        return -1;
    if (source->size >= 0 && source->size != *size)
        return err_set(err, REASON_CHANGED, 0, "the file had %lld bytes and now has %lld", (long long)source->size,
                       (long long)*size);
    hash_hex(hash, hex);
    return 0;
}

/* The server reads the whole file through the link. */
static int save(struct place *p, const char *hex, int64_t size, struct err *err)
{
    const struct om_original_file *saved;

    if (open_store(p, "r", err) < 0)
        return -1;
    if (om_api_raw_file_store_save(&p->client->caller, p->store, p->mem, &saved, err) < 0 || close_store(p, err) < 0)
        return -1;
    if (!saved || !saved->hash || !saved->size || saved->size->val != size || strcmp(saved->hash->val, hex) != 0)
        return err_set(err, REASON_CHECKSUM, 0, "OMERO reads other bytes through the link '%s'", p->path);
    return 0;
}

static void place_clear(struct place *p)
{
    arena_free(p->mem);
}

int om_import_link(struct om_import *imp, size_t i, const char *path, const struct om_source *source, struct err *err)
{
    char hex[HASH_HEX_MAX] = "";
    int64_t size;

    if (i >= imp->n_files || !imp->process || imp->wait.handle || !is_safe(path))
        return err_set(err, REASON_BUG, 0, "an import in place out of order");

    AUTO(place_clear) struct place p = {.imp = imp, .client = imp->client, .mem = arena_new(), .index = (int32_t)i};

    if (hash_source(source, imp->algorithm, hex, &size, err) < 0 || open_store(&p, NULL, err) < 0 || learn_path(&p, err) < 0 ||
        prove(&p, err) < 0)
        return -1;
    if (symlink(path, p.path) < 0)
        return not_here(err, errno, "no link can be made at", p.path);
    if (save(&p, hex, size, err) < 0)
        return err_prefix(err, "in place: ");
    memcpy(imp->hashes[i], hex, sizeof(hex));
    return 0;
}
