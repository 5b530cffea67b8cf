#include "omero/inplace_why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/mem.h"

enum { MAY_USE = 1, MAY_WRITE = 2, MAY_READ = 4 }; /* as in a mode; USE of a directory: to get at what is in it */

static const struct {
    const char *word, *hint;
} faults[] = {
    [PLACE_OWNER] = {"owner", "let impomero run as the account of OMERO's server, or give both a group that may"},
    [PLACE_MODE] = {"mode", "give the right by chmod, or import by upload"},
    [PLACE_MOUNT] = {"mount", "mount the same file system on both, say its two names by in_place.paths, or import by upload"},
    [PLACE_PATH] = {"path", "say by in_place.paths how this host and OMERO's server name it, HOST=SERVER, or mount it"},
};

int place_fault(struct err *err, enum place_fault fault, int sys, const char *fmt, ...)
{
    char text[768];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(err, REASON_IN_PLACE, sys, "%s: %s", faults[fault].word, text);
    return err_hint(err, "%s", faults[fault].hint);
}

/* By owner, group and mode alone; supplementary groups and access lists are not known here. */
static bool may(const struct stat *st, uid_t uid, gid_t gid, unsigned what)
{
    unsigned mode = st->st_mode;

    if (uid == 0)
        return true;
    if (st->st_uid == uid)
        mode >>= 6;
    else if (st->st_gid == gid)
        mode >>= 3;
    return (mode & what) == what;
}

static int refuse(const char *path, const struct stat *st, uid_t uid, gid_t gid, const char *who, const char *what,
                  struct err *err)
{
    return place_fault(err, st->st_uid == uid ? PLACE_MODE : PLACE_OWNER, 0,
                       "'%s' (owner %u, group %u, mode %04o) does not let %s (user %u, group %u) %s", path, st->st_uid,
                       st->st_gid, st->st_mode & 07777u, who, uid, gid, what);
}

/* Each directory on the way to a path, the path itself last: calls `look` until it returns other than 0. */
static int walk(const char *path, int (*look)(const char *prefix, bool last, void *arg, struct err *err), void *arg,
                struct err *err)
{
    AUTO(mem_freep) char *copy = mem_str(path);
    int r = look("/", false, arg, err);

    for (char *slash = copy + 1; r == 0; slash++) {
        slash = slash + strcspn(slash, "/");

        bool last = *slash == '\0';

        *slash = '\0';
        r = look(copy, last, arg, err);
        if (last)
            break;
        *slash = '/';
    }
    return r;
}

/* --- this process, in the repository --- */

struct here {
    const char *root, *path;
    struct stat above; /* of the directory looked at before */
    char dir[TREE_PATH_MAX + 1];
};

static int missing(const struct here *h, const char *prefix, struct err *err)
{
    size_t n = strlen(prefix);

    if (n <= strlen(h->root))
        return place_fault(err, PLACE_PATH, 0, "OMERO's repository is '%s' by its own words, and '%s' is not there on this host",
                           h->root, prefix);
    return place_fault(err, PLACE_MOUNT, 0,
                       "what is '%s' here is not OMERO's repository: what the server wrote to '%s' is not there", h->root,
                       h->path);
}

static int look_here(const char *prefix, bool last, void *arg, struct err *err)
{
    struct here *h = arg;
    struct stat st;

    if (stat(prefix, &st) < 0 && errno == EACCES)
        return refuse(h->dir, &h->above, geteuid(), getegid(), "impomero", "in", err);
    if (!last && stat(prefix, &st) < 0)
        return missing(h, prefix, err);
    if (!last) {
        h->above = st;
        snprintf(h->dir, sizeof(h->dir), "%s", prefix);
    }
    return 0;
}

int place_why_here(const char *root, const char *path, int sys, struct err *err)
{
    struct here h = {.root = root, .path = path};

    if (walk(path, look_here, &h, err) < 0)
        return -1;
    if (sys == ENOENT)
        return missing(&h, path, err);
    if (sys == EROFS)
        return place_fault(err, PLACE_MOUNT, sys, "OMERO's repository '%s' cannot be written from this host", root);
    if (sys == EXDEV)
        return place_fault(err, PLACE_MOUNT, sys, "a hard link to '%s' would have to cross file systems", path);
    if (sys == ENOSPC || sys == EDQUOT)
        return err_set(err, REASON_REPOSITORY_FULL, sys, "OMERO's repository '%s'", root);
    if (sys == EACCES || sys == EPERM)
        return refuse(h.dir, &h.above, geteuid(), getegid(), "impomero", "write there", err);
    return place_fault(err, PLACE_MOUNT, sys, "'%s' in OMERO's repository", path);
}

/* --- the server, at the source --- */

struct there {
    uid_t uid;
    gid_t gid;
};

static int look_there(const char *prefix, bool last, void *arg, struct err *err)
{
    const struct there *t = arg;
    struct stat st;

    if (stat(prefix, &st) < 0)
        return place_fault(err, PLACE_PATH, errno, "'%s'", prefix);
    if (may(&st, t->uid, t->gid, last ? MAY_READ : MAY_USE))
        return 0;
    return refuse(prefix, &st, t->uid, t->gid, "the account of OMERO's server", last ? "read it" : "in", err);
}

int place_why_there(const char *host_path, const char *server_path, uid_t uid, gid_t gid, struct err *err)
{
    struct there t = {uid, gid};

    if (walk(host_path, look_there, &t, err) < 0)
        return -1;
    return place_fault(err, PLACE_PATH, 0, "OMERO's server finds no file at '%s', which is '%s' on this host", server_path,
                       host_path);
}
