/* What concerns this host: the state directory and the directory trees. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/doctor.h"
#include "engine/placing.h"
#include "omero/inplace.h"
#include "tree/tree.h"
#include "tree/watch.h"
#include "shape/shape.h"

#define FREE_LEAST (INT64_C(1) << 30)

/* ---- the state directory ---- */

static int space(struct doctor *d, struct finding *f, struct err *err)
{
    struct statvfs fs;
    char bytes[32];

    if (statvfs(d->set->state_dir, &fs) < 0)
        return err_set(err, REASON_DISK_FULL, errno, "'%s'", d->set->state_dir);

    int64_t left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;

    shape_bytes(left, bytes);
    doctor_say(f, "%s free at %s", bytes, d->set->state_dir);
    return left >= FREE_LEAST ? 0 : doctor_doubt(f, DOUBTFUL, "make room: the ledger grows by about 1 kB a file");
}

static int ledger(struct doctor *d, struct finding *f, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    int r = ledger_place(d->set->state_dir, err);

    if (r < 0 || (r = ledger_open(d->set->state_dir, LEDGER_READ, &l, err)) < 0)
        return -1;
    if (r == LEDGER_NOTHING) {
        doctor_say(f, "none yet in %s: the first import makes it", d->set->state_dir);
        return 0;
    }
    doctor_say(f, "%s in %s", ledger_uuid(l), d->set->state_dir);
    return 0;
}

/* Who works, by the ledger's lock; a service is not the only one who may. */
static int service(struct doctor *d, struct finding *f, struct err *err)
{
    static const char *const units[] = {"/etc/systemd/system/impomero.service", "/usr/lib/systemd/system/impomero.service",
                                        "/lib/systemd/system/impomero.service"};
    char who[128] = "";
    bool unit = false;
    int r = ledger_who(d->set->state_dir, who, err);

    if (r < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        unit |= access(units[i], F_OK) == 0;
    doctor_say(f, "%s; %s", r == LEDGER_NOTHING ? "nobody works on this ledger now" : who,
               unit ? "a service is installed" : "no service is installed");
    return r == LEDGER_NOTHING && unit ? doctor_doubt(f, DOUBTFUL, "start it: systemctl enable --now impomero") : 0;
}

const struct probe here_probes[] = {
    {"space", 0, 0, space},
    {"ledger", 0, 0, ledger},
    {"service", 0, 0, service},
    {NULL, 0, 0, NULL},
};

/* ---- a root ---- */

static size_t count(const struct tree *t, enum tree_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->entries[i].kind == kind && t->entries[i].skip == REASON_NONE;
    return n;
}

static int root(struct doctor *d, struct finding *f, struct err *err)
{
    size_t unreadable = 0;

    if (tree_scan(d->root_path, &d->tree, err) < 0)
        return -1;
    for (size_t i = 0; i < d->tree->n; i++)
        unreadable += d->tree->entries[i].skip == REASON_UNREADABLE;
    doctor_say(f, "%zu files in %zu directories", count(d->tree, TREE_FILE), count(d->tree, TREE_DIR) + 1);
    if (unreadable == 0)
        return 0;
    doctor_say(f, "%zu directories or files of it cannot be read", unreadable);
    return doctor_doubt(f, DOUBTFUL, "give the importing account the right to read them");
}

/* File systems that keep no owners, or make them up for all files alike (linux/magic.h and the file systems' own headers). */
static const char *ownerless(const char *path)
{
    static const struct {
        unsigned long type;
        const char *name;
    } rows[] = {
        {0x4D44, "FAT"},      {0x2011BAB0, "exFAT"}, {0x7366746E, "NTFS"}, {0x5346544E, "NTFS"},
        {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB"},   {0x517B, "SMB"},
    };
    struct statfs fs;

    if (statfs(path, &fs) == 0)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (rows[i].type == ((unsigned long)fs.f_type & 0xFFFFFFFFul))
                return rows[i].name;
    return NULL;
}

static int owners(struct doctor *d, struct finding *f, struct err *err)
{
    const char *kind = ownerless(d->root_path);
    size_t others = 0;

    (void)err;
    for (size_t i = 1; i < d->tree->n; i++)
        others += d->tree->entries[i].stamp.uid != d->tree->entries[0].stamp.uid;
    doctor_say(f, kind ? "%s: files have no owners of their own" : "files have owners%s", kind ? kind : others ? ""
               : ", all the same one");
    return kind ? doctor_doubt(f, DOUBTFUL, "say whom cards may act for by a list of directories and users, not by owners") : 0;
}

static int read_limit(int64_t *out)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(64);
    AUTO(io_closep) int fd = open("/proc/sys/fs/inotify/max_user_watches", O_RDONLY | O_CLOEXEC);
    struct err ignored;

    if (fd < 0 || io_read_all(fd, &text, &ignored) < 0)
        return -1;

    AUTO(mem_freep) char *number = buf_take_str(&text);

    *out = strtoll(number, NULL, 10);
    return 0;
}

static int watches(struct doctor *d, struct finding *f, struct err *err)
{
    int64_t limit = 0, need = (int64_t)count(d->tree, TREE_DIR) + 1;

    (void)err;
    if (!watch_is_local(d->tree->fd)) {
        doctor_say(f, "changes are not told here: it is looked at every %lld s", (long long)d->root->poll_s);
        return 0;
    }
    if (read_limit(&limit) < 0) {
        doctor_say(f, "this system has no inotify: it is looked at every %lld s", (long long)d->root->poll_s);
        return 0;
    }
    doctor_say(f, "%lld directories to watch, the system allows %lld", (long long)need, (long long)limit);
    return need * 2 <= limit ? 0 : doctor_doubt(f, DOUBTFUL, "raise it: sysctl fs.inotify.max_user_watches");
}

/* ---- the trial ---- */

/* Something that is not empty; NULL when there is nothing. */
static const struct tree_entry *some_file(const struct tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->entries[i].kind == TREE_FILE && t->entries[i].skip == REASON_NONE && t->entries[i].stamp.size > 0)
            return &t->entries[i];
    return NULL;
}

static int try_place(struct doctor *d, const struct tree_entry *e, enum om_transfer how, struct err *err)
{
    AUTO(io_closep) int fd = io_open_beneath(d->tree->fd, e->path, err);
    struct om_paths paths;

    if (fd < 0 || om_paths_parse(d->set->in_place_paths, d->mem, &paths, err) < 0)
        return -1;

    const struct om_place place = {.how = how, .paths = &paths, .path = arena_printf(d->mem, "%s/%s", d->root_path, e->path),
                                   .fd = fd};

    return om_place_try(d->user ? d->user : d->admin, &place, err);
}

static int in_place(struct doctor *d, struct finding *f, struct err *err)
{
    enum om_transfer how = om_transfer_named(d->root->transfer);
    const struct tree_entry *e = some_file(d->tree);

    if (how == OM_UPLOAD || !e) {
        doctor_say(f, how == OM_UPLOAD ? "files are uploaded" : "there is no file to try it with");
        return doctor_doubt(f, LEFT_OUT, "");
    }
    if (placing_check(d->root, d->root_path, err) < 0 || try_place(d, e, how, err) < 0)
        return -1;
    doctor_say(f, "%s: the server reads what is placed in its repository", d->root->transfer);
    return 0;
}

const struct probe root_probes[] = {
    {"root", 0, HAS_ROOT, root},
    {"owners", HAS_ROOT, 0, owners},
    {"watch", HAS_ROOT, 0, watches},
    {"in-place", HAS_ROOT | HAS_REPOSITORY, 0, in_place},
    {NULL, 0, 0, NULL},
};
