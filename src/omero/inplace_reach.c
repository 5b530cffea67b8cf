/* The way to a file's place in OMERO's repository. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/uuid.h"
#include "omero/inplace_why.h"
#include "omero/placing.h"
#include "omero/query.h"
#include "omero/repository.h"

void placing_clear(struct placing *p)
{
    arena_free(p->mem);
}

int placing_open(struct placing *p, const char *mode, struct err *err)
{
    p->client->file_mode = mode;
    int r = om_grid_import_process_get_uploader(&p->client->caller, p->imp->process, p->index, p->mem, &p->store, err);
    p->client->file_mode = NULL;
    return r;
}

int placing_close(struct placing *p, struct err *err)
{
    return om_api_stateful_service_interface_close(&p->client->caller, p->store, p->mem, err);
}

/* What went wrong before is what matters. */
int placing_give_up(struct placing *p)
{
    struct err ignored;

    if (!p->client->dead)
        (void)placing_close(p, &ignored);
    return -1;
}

/* --- where the file is to be --- */

static int ask_file(struct placing *p, const char **inside, struct err *err)
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

bool placing_is_safe(const char *path)
{
    return path[0] == '/' && !strstr(path, "/../") && strlen(path) < TREE_PATH_MAX;
}

static int learn_path(struct placing *p, struct err *err)
{
    const struct om_original_file *root;
    const char *inside = NULL;

    if (ask_file(p, &inside, err) < 0 ||
        om_grid_repository_root(&p->client->caller, p->client->repository, p->mem, &root, err) < 0)
        return -1;
    if (!root)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say where its repository is");

    const char *there = om_repository_path(root, p->mem);

    p->root = om_paths_to_host(p->place->paths, there, p->mem);
    p->path = om_paths_to_host(p->place->paths, arena_printf(p->mem, "%s/%s", there, inside), p->mem);
    if (placing_is_safe(there) && placing_is_safe(p->root) && placing_is_safe(p->path))
        return 0;
    return err_set(err, REASON_PROTOCOL, 0, "OMERO names no usable path: %s", p->path);
}

/* --- is it the same file system? --- */

/* The store is closed in any case. */
static int write_text(struct placing *p, const char *text, struct err *err)
{
    const struct om_ice_byte_seq bytes = {.n = strlen(text), .at = (const uint8_t *)text};

    if (om_api_raw_file_store_write(&p->client->caller, p->store, bytes, 0, (int32_t)bytes.n, p->mem, err) < 0)
        return placing_give_up(p);
    return placing_close(p, err);
}

int placing_not_here(struct placing *p, int sys, struct err *err)
{
    return place_why_here(p->root, p->path, sys, err);
}

static int another_file(struct placing *p, struct err *err)
{
    return place_fault(err, PLACE_MOUNT, 0, "what is '%s' here is not OMERO's repository: another file is at '%s'", p->root,
                       p->path);
}

/* The text that went through the server is read here, and only then the file is taken away. */
static int find_text(struct placing *p, const char *text, struct err *err)
{
    AUTO(buf_clear) struct buf found = BUF_INIT(4096);
    AUTO(io_closep) int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct err ignored;

    if (fd < 0 || fstat(fd, &p->account) < 0)
        return placing_not_here(p, errno, err);
    if (io_read_all(fd, &found, &ignored) < 0 || found.len != strlen(text) || memcmp(found.data, text, found.len) != 0)
        return another_file(p, err);
    return unlink(p->path) < 0 ? placing_not_here(p, errno, err) : 0;
}

static int prove(struct placing *p, struct err *err)
{
    char text[UUID_TEXT];
    struct stat st;

    uuid_new(text);
    if (lstat(p->path, &st) == 0 && st.st_size != 0) {
        another_file(p, err);
        return placing_give_up(p);
    }
    return write_text(p, text, err) < 0 ? -1 : find_text(p, text, err);
}

int placing_reach(struct placing *p, struct err *err)
{
    if (placing_open(p, NULL, err) < 0)
        return -1;
    if (learn_path(p, err) < 0)
        return placing_give_up(p);
    return prove(p, err);
}
