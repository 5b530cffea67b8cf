/* The bytes of one file: while a block is on its way and being stored, the next one is read and hashed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "omero/import_state.h"

struct upload {
    struct om_client *client;
    const struct ice_proxy *store; /* the RawFileStore of this file */
    const struct om_source *source;
    struct hash *hash;
    struct arena *mem;
    uint8_t *block[2]; /* one that is read into, one that may have to be sent again */
    int64_t sent;      /* bytes whose write was sent */
    struct om_api_raw_file_store_write_in write;
    int32_t id; /* of the write that is out */
    bool is_out;
};

static void upload_clear(struct upload *u)
{
    hash_free(u->hash);
    arena_free(u->mem);
    free(u->block[0]);
    free(u->block[1]);
}

/* A whole block, unless the source ends before. */
static int read_block(struct upload *u, uint8_t *block, size_t *n, struct err *err)
{
    size_t got = 0;

    while (got < OM_BLOCK_BYTES) {
        ssize_t r = u->source->read(u->source->arg, block + got, OM_BLOCK_BYTES - got, err);
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    hash_add(u->hash, block, got);
    *n = got;
    return 0;
}

static int wait_write(struct upload *u, struct err *err)
{
    struct om_client *c = u->client;

    if (!u->is_out)
        return 0;
    u->is_out = false;

    AUTO(arena_freep) struct arena *mem = arena_new();

    if (c->way->wait(c, u->store, &om_api_raw_file_store_write_op, &u->write, u->id, NULL, mem, err) < 0 ||
        om_client_keep_alive(c, err) < 0)
        return -1;
    return u->source->progress ? u->source->progress(u->source->progress_arg, u->sent, err) : 0;
}

static int send_write(struct upload *u, const uint8_t *block, size_t n, struct err *err)
{
    struct om_client *c = u->client;

    u->write = (struct om_api_raw_file_store_write_in){.buf = {.n = n, .at = block}, .position = u->sent, .length = (int32_t)n};
    c->fault = NULL;
    if (c->way->send(c, u->store, &om_api_raw_file_store_write_op, &u->write, &u->id, err) < 0)
        return -1;
    u->is_out = true;
    u->sent += (int64_t)n;
    return 0;
}

/* An empty file too needs one write: it makes the file. */
static int write_all(struct upload *u, struct err *err)
{
    size_t n;

    for (unsigned turn = 0;; turn ^= 1) {
        if (read_block(u, u->block[turn], &n, err) < 0) {
            struct err ignored;
            (void)wait_write(u, &ignored); /* one call at a time: the close that follows comes after it */
            return -1;
        }
        if (wait_write(u, err) < 0)
            return -1;
        if (n == 0 && u->sent > 0)
            return 0;
        if (send_write(u, u->block[turn], n, err) < 0)
            return -1;
        if (n < OM_BLOCK_BYTES)
            return wait_write(u, err);
    }
}

static int check_source(const struct upload *u, struct err *err)
{
    if (u->source->size >= 0 && u->source->size != u->sent)
        return err_set(err, REASON_CHANGED, 0, "the file had %lld bytes and now has %lld", (long long)u->source->size,
                       (long long)u->sent);
    return 0;
}

/* What a file holds that was uploaded before goes first: a longer one would keep its end. */
static int empty_store(struct upload *u, struct err *err)
{
    bool done;

    return om_api_raw_file_store_truncate(&u->client->caller, u->store, 0, u->mem, &done, err);
}

static int compare_saved(const struct upload *u, const struct om_original_file *saved, const char *hex, struct err *err)
{
    if (!saved || !saved->size || !saved->hash)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO saved a file without its size and checksum");
    if (saved->size->val != u->sent)
        return err_set(err, REASON_CHECKSUM, 0, "%lld bytes were sent and %lld arrived", (long long)u->sent,
                       (long long)saved->size->val);
    if (strcmp(saved->hash->val, hex) != 0)
        return err_set(err, REASON_CHECKSUM, 0, "the checksum here is %s and in OMERO %.41s", hex, saved->hash->val);
    return 0;
}

static int save_store(struct upload *u, char hex[HASH_HEX_MAX], struct err *err)
{
    const struct om_original_file *saved;

    if (check_source(u, err) < 0 || om_api_raw_file_store_save(&u->client->caller, u->store, u->mem, &saved, err) < 0)
        return -1;
    hash_hex(u->hash, hex);
    return compare_saved(u, saved, hex, err);
}

static int transfer(struct upload *u, bool again, char hex[HASH_HEX_MAX], struct err *err)
{
    if ((again && empty_store(u, err) < 0) || write_all(u, err) < 0)
        return -1;
    return save_store(u, hex, err);
}

static int close_store(struct upload *u, struct err *err)
{
    return om_api_stateful_service_interface_close(&u->client->caller, u->store, u->mem, err);
}

static int run(struct upload *u, bool again, char hex[HASH_HEX_MAX], struct err *err)
{
    if (transfer(u, again, hex, err) == 0)
        return close_store(u, err);

    struct err ignored;

    if (!u->client->dead)
        (void)close_store(u, &ignored); /* what went wrong before is what matters */
    return -1;
}

int om_import_upload(struct om_import *imp, size_t i, const struct om_source *source, struct err *err)
{
    struct om_client *c = imp->client;
    char hex[HASH_HEX_MAX] = "";

    if (i >= imp->n_files || !imp->process || imp->wait.handle || imp->placed)
        return err_set(err, REASON_BUG, 0, "an upload out of order");

    AUTO(upload_clear) struct upload u = {.client = c, .source = source, .hash = hash_new(imp->algorithm), .mem = arena_new()};

    if (om_grid_import_process_get_uploader(&c->caller, imp->process, (int32_t)i, u.mem, &u.store, err) < 0)
        return -1;
    u.block[0] = mem_new(1, OM_BLOCK_BYTES);
    u.block[1] = mem_new(1, OM_BLOCK_BYTES);

    bool again = imp->touched[i];

    imp->touched[i] = true;
    if (run(&u, again, hex, err) < 0)
        return err_prefix(err, "upload: ");
    memcpy(imp->hashes[i], hex, sizeof(hex));
    return 0;
}

static ssize_t read_fd(void *arg, void *at, size_t n, struct err *err)
{
    off_t place = lseek(*(int *)arg, 0, SEEK_CUR);
    ssize_t got = io_pread(*(int *)arg, at, n, place, err);

    if (got > 0)
        (void)lseek(*(int *)arg, got, SEEK_CUR); /* a regular file: it cannot fail where reading did not */
    return got;
}

struct om_source om_source_fd(int *fd)
{
    return (struct om_source){.read = read_fd, .arg = fd, .size = -1};
}
