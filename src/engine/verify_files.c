/* The files of one set: on the disk, in the ledger, in OMERO and in its repository. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/sums.h"
#include "engine/verify_inside.h"
#include "tree/tree.h"

struct looked {
    struct verify *v;
    const struct ledger_fileset *f;
    const struct ledger_member *m;
    const struct om_file_row *file; /* NULL: OMERO has none */
    int fd;                         /* -1: it is not there */
    struct stat st;
};

static void say(const struct looked *l, enum reason why, const char *text, const char *here, const char *there)
{
    verify_say(l->v, l->f->root_path, l->m->path, why, "%s: %s, %s", text, here, there);
}

/* ---- the disk ---- */

static bool is_as_it_was(const struct looked *l)
{
    return l->st.st_size == l->m->stamp.size && l->st.st_mtim.tv_sec * NS_PER_S + l->st.st_mtim.tv_nsec == l->m->stamp.mtime_ns;
}

static void look_at_disk(struct looked *l)
{
    char hex[HASH_HEX_MAX] = "";
    struct err err = ERR_INIT;

    if (l->fd < 0 || !l->m->algorithm)
        return;
    if (sums_of_fd(l->fd, l->m->algorithm, NULL, hex, &err) < 0)
        verify_tell(l->v, l->f->root_path, l->m->path, &err);
    else if (strcmp(hex, l->m->hash) != 0)
        say(l, REASON_CHANGED, "its content is another than when it was imported", hex, l->m->hash);
    else if (!is_as_it_was(l))
        verify_say(l->v, l->f->root_path, l->m->path, REASON_CHANGED,
                   "its size or time changed since it was imported, its content did not");
}

/* ---- OMERO ---- */

static void look_at_server(struct looked *l)
{
    const struct om_file_row *file = l->file;

    if (!file)
        verify_say(l->v, l->f->root_path, l->m->path, REASON_IMAGE_GONE, "OMERO has no such file in Fileset:%lld",
                   (long long)l->f->omero_id);
    else if (l->m->algorithm && strcmp(file->algorithm, l->m->algorithm) == 0 && strcmp(file->hash, l->m->hash) != 0)
        say(l, REASON_CHECKSUM, "OMERO has another checksum than was imported", file->hash, l->m->hash);
    else if (file->size != l->m->stamp.size)
        verify_say(l->v, l->f->root_path, l->m->path, REASON_CHECKSUM, "%lld bytes were imported, and OMERO has %lld",
                   (long long)l->m->stamp.size, (long long)file->size);
}

/* ---- the repository ---- */

static enum om_transfer kind_of(const struct looked *l, const struct stat *placed)
{
    if (S_ISLNK(placed->st_mode))
        return OM_LN_S;
    return l->fd >= 0 && placed->st_ino == l->st.st_ino && placed->st_dev == l->st.st_dev ? OM_LN : OM_CP;
}

/* Links are the file itself: the same inode, and so the same content and owner. */
static void look_at_link(struct looked *l, const char *path, const struct stat *placed)
{
    enum om_transfer is = kind_of(l, placed), was = l->file->transfer;
    struct stat reached;

    if (was == OM_UPLOAD || was == OM_CP) {
        if (is == OM_LN_S)
            say(l, REASON_IN_PLACE, "it was no link when it was imported", om_transfers[is], path);
        return;
    }
    if (is != was)
        say(l, REASON_IN_PLACE, "it is in OMERO's repository in another way than it was imported", om_transfers[is],
            om_transfers[was]);
    else if (stat(path, &reached) < 0)
        say(l, REASON_IN_PLACE, "its link leads nowhere", path, strerror(errno));
    else if (l->fd >= 0 && (reached.st_ino != l->st.st_ino || reached.st_dev != l->st.st_dev))
        verify_say(l->v, l->f->root_path, l->m->path, REASON_IN_PLACE,
                   "the link in OMERO's repository leads to another file (owner %u) than this one (owner %u): %s", reached.st_uid,
                   l->st.st_uid, path);
}

static void look_at_repository(struct looked *l)
{
    AUTO(mem_freep) char *path = NULL;
    struct stat placed;

    if (!l->file)
        return;
    path = mem_printf("%s/%s/%s", l->v->repository, l->file->path, l->file->name);
    if (!l->v->repository[0])
        l->v->counts->unseen += l->file->transfer != OM_UPLOAD;
    else if (lstat(path, &placed) < 0)
        say(l, REASON_IN_PLACE, "it is not in OMERO's repository", path, strerror(errno));
    else
        look_at_link(l, path, &placed);
}

/* ---- all of a set ---- */

static void look(struct looked *l, int root)
{
    struct err err = ERR_INIT;
    const struct root_settings *set = settings_for(l->v->job->settings, l->f->root_path);
    AUTO(io_closep) int fd = root < 0 ? -1 : tree_open_beneath(root, set->follow_into, l->m->path, &err);

    l->fd = fd;
    if (root >= 0 && (fd < 0 || fstat(fd, &l->st) < 0))
        verify_tell(l->v, l->f->root_path, l->m->path, &err);
    l->v->counts->files++;
    look_at_disk(l);
    look_at_server(l);
    look_at_repository(l);
}

void verify_files(struct verify *v, const struct ledger_fileset *f, const struct om_file_row *files, size_t n, int root)
{
    for (size_t i = 0; i < f->n_members; i++) {
        struct looked l = {.v = v, .f = f, .m = &f->members[i], .file = i < n ? &files[i] : NULL};

        look(&l, root);
    }
}
