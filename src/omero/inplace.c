#include "omero/inplace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/uuid.h"
#include "omero/inplace_why.h"
#include "omero/placing.h"

enum { LOOK_BYTES = 64 * 1024 }; /* of the file's beginning are compared with what the server reads */

/* --- putting it there --- */

static int put_symlink(struct placing *p, int fd, struct err *err)
{
    const char *target = om_paths_to_server(p->place->paths, p->place->path, p->mem);

    (void)fd;
    return symlink(target, p->path) < 0 ? placing_not_here(p, errno, err) : 0;
}

/* The file that was opened, whatever has its name by now. */
static int put_hard_link(struct placing *p, int fd, struct err *err)
{
    const char *opened = arena_printf(p->mem, "/proc/self/fd/%d", fd);

    return linkat(AT_FDCWD, opened, AT_FDCWD, p->path, AT_SYMLINK_FOLLOW) < 0 ? placing_not_here(p, errno, err) : 0;
}

/* To be filled while it is hashed. */
static int put_empty(struct placing *p, int fd, struct err *err)
{
    AUTO(io_closep) int made = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    (void)fd;
    if (made < 0 || fchmod(made, 0644) < 0)
        return placing_not_here(p, errno, err);
    return 0;
}

static int (*const put[OM_N_TRANSFERS])(struct placing *p, int fd, struct err *err) = {
    [OM_LN_S] = put_symlink, [OM_LN] = put_hard_link, [OM_CP] = put_empty};

static int put_it(struct placing *p, struct err *err)
{
    if (put[p->place->how](p, p->place->fd, err) < 0)
        return -1;
    p->put = true;
    return 0;
}

static int write_here(struct placing *p, int fd, const uint8_t *at, size_t n, struct err *err)
{
    while (n > 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno != EINTR)
            return placing_not_here(p, errno, err);
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* The checksum of the source; its bytes go to `to` (-1: nowhere). */
static int read_source(struct placing *p, const struct om_source *source, int to, char hex[HASH_HEX_MAX], int64_t *size,
                       struct err *err)
{
    AUTO(hash_freep) struct hash *hash = hash_new(p->imp->algorithm);
    AUTO(mem_freep) uint8_t *block = mem_new(1, OM_BLOCK_BYTES);
    ssize_t n;

    *size = 0;
    while ((n = source->read(source->arg, block, OM_BLOCK_BYTES, err)) > 0) {
        hash_add(hash, block, (size_t)n);
        *size += n;
        if ((to >= 0 && write_here(p, to, block, (size_t)n, err) < 0) ||
            (source->progress && source->progress(source->progress_arg, *size, err) < 0) ||
            om_client_keep_alive(p->client, err) < 0)
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

static int fill_copy(struct placing *p, const struct om_source *source, char hex[HASH_HEX_MAX], int64_t *size, struct err *err)
{
    AUTO(io_closep) int to = open(p->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

    if (to < 0)
        return placing_not_here(p, errno, err);
    if (read_source(p, source, to, hex, size, err) < 0)
        return -1;
    return fsync(to) < 0 ? placing_not_here(p, errno, err) : 0;
}

/* --- does the server see it? --- */

static int not_there(struct placing *p, struct err *err)
{
    return place_why_there(p->place->path, om_paths_to_server(p->place->paths, p->place->path, p->mem), p->account.st_uid,
                           p->account.st_gid, err);
}

/* Of the link, not of the way to the server. */
static bool is_about_the_file(const struct err *err)
{
    static const enum reason why[] = {REASON_SERVER_ERROR, REASON_NO_RIGHT, REASON_PROTOCOL, REASON_IMPORT_FAILED, REASON_GONE};

    for (size_t i = 0; i < ARRAY_LEN(why); i++)
        if (err->why == why[i])
            return true;
    return false;
}

static int compare(struct placing *p, int64_t size, const struct om_ice_byte_seq *got, struct err *err)
{
    AUTO(mem_freep) uint8_t *ours = mem_new(1, LOOK_BYTES);
    struct stat st;

    if (fstat(p->place->fd, &st) < 0)
        return err_set(err, REASON_UNREADABLE, errno, "file '%s'", p->place->path);
    if (size == 0 && st.st_size != 0)
        return not_there(p, err);

    ssize_t n = io_pread(p->place->fd, ours, LOOK_BYTES, 0, err);

    if (n < 0)
        return -1;
    if (st.st_size != size || (size_t)n > got->n || (n > 0 && memcmp(ours, got->at, (size_t)n) != 0))
        return place_fault(err, PLACE_MOUNT, 0, "OMERO's server reads another file (%lld bytes) at '%s' than '%s' (%lld bytes)",
                           (long long)size, om_paths_to_server(p->place->paths, p->place->path, p->mem), p->place->path,
                           (long long)st.st_size);
    return 0;
}

static int read_there(struct placing *p, int64_t *size, struct om_ice_byte_seq *bytes, struct err *err)
{
    *bytes = (struct om_ice_byte_seq){0};
    if (placing_open(p, "r", err) < 0)
        return -1;
    if (om_api_raw_file_store_size(&p->client->caller, p->store, p->mem, size, err) < 0)
        return placing_give_up(p);

    int32_t n = *size < LOOK_BYTES ? (int32_t)*size : LOOK_BYTES;

    if (n > 0 && om_api_raw_file_store_read(&p->client->caller, p->store, 0, n, p->mem, bytes, err) < 0)
        return placing_give_up(p);
    return 0;
}

/* Leaves the store open. */
static int check_seen(struct placing *p, struct err *err)
{
    struct om_ice_byte_seq bytes;
    int64_t size = 0;

    if (read_there(p, &size, &bytes, err) < 0)
        return is_about_the_file(err) ? not_there(p, err) : -1;
    return compare(p, size, &bytes, err) < 0 ? placing_give_up(p) : 0;
}

/* The server reads the whole file through the link. */
static int save(struct placing *p, const char *hex, int64_t size, struct err *err)
{
    const struct om_original_file *saved;

    if (om_api_raw_file_store_save(&p->client->caller, p->store, p->mem, &saved, err) < 0)
        return placing_give_up(p);
    if (placing_close(p, err) < 0)
        return -1;
    if (!saved || !saved->hash || !saved->size || saved->size->val != size || strcmp(saved->hash->val, hex) != 0)
        return err_set(err, REASON_CHECKSUM, 0, "OMERO reads other bytes at '%s' than are in the file", p->path);
    return 0;
}

/* --- the whole --- */

/* Only what was put there. */
static void take_away(struct placing *p)
{
    if (p->put)
        (void)unlink(p->path); /* what stays goes with the fileset */
    p->put = false;
}

static int place_it(struct placing *p, const struct om_source *source, char hex[HASH_HEX_MAX], struct err *err)
{
    bool copies = p->place->how == OM_CP;
    int64_t size = 0;

    if ((!copies && read_source(p, source, -1, hex, &size, err) < 0) || placing_reach(p, err) < 0 || put_it(p, err) < 0 ||
        (copies && fill_copy(p, source, hex, &size, err) < 0) || check_seen(p, err) < 0)
        return -1;
    return save(p, hex, size, err);
}

int om_import_place(struct om_import *imp, size_t i, const struct om_place *place, const struct om_source *source,
                    struct err *err)
{
    char hex[HASH_HEX_MAX] = "";

    if (i >= imp->n_files || !imp->process || imp->wait.handle || imp->touched[i] || !put[place->how] ||
        !placing_is_safe(place->path))
        return err_set(err, REASON_BUG, 0, "an import in place out of order");

    AUTO(placing_clear) struct placing p = {.place = place, .imp = imp, .client = imp->client, .mem = arena_new(),
                                           .index = (int32_t)i};

    imp->touched[i] = imp->placed = true;
    if (place_it(&p, source, hex, err) < 0) {
        take_away(&p);
        return err_prefix(err, "in place: ");
    }
    memcpy(imp->hashes[i], hex, sizeof(hex));
    return 0;
}

/* --- the trial --- */

static int try_it(struct placing *p, struct err *err)
{
    if (placing_reach(p, err) < 0)
        return -1;
    if (p->place->how == OM_CP)
        return 0;

    int r = put_it(p, err);

    if (r == 0 && (r = check_seen(p, err)) == 0)
        r = placing_close(p, err);
    take_away(p);
    return r;
}

static int remove_trial(struct om_client *c, const char *token, struct err *err)
{
    int64_t fileset;
    int r = om_import_find(c, token, &fileset, err);

    return r == 0 ? om_fileset_delete_empty(c, fileset, err) : r < 0 ? -1 : 0;
}

int om_place_try(struct om_client *c, const struct om_place *place, struct err *err)
{
    const struct om_import_file file = {.client_path = "impomero-trial"};
    char token[UUID_TEXT];
    const struct om_import_plan plan = {.n_files = 1, .files = &file, .token = token};
    struct om_import *imp = NULL;
    struct err ignored;

    if (!put[place->how] || !placing_is_safe(place->path))
        return err_set(err, REASON_BUG, 0, "no file to try an import in place with");
    uuid_new(token);
    if (om_import_start(c, &plan, &imp, err) < 0)
        return -1;

    AUTO(placing_clear) struct placing p = {.place = place, .imp = imp, .client = c, .mem = arena_new()};
    int r = try_it(&p, err);

    om_import_end(imp);
    if (remove_trial(c, token, r < 0 ? &ignored : err) < 0)
        return -1;
    return r < 0 ? err_prefix(err, "in place: ") : 0;
}
