#include "tree/watch_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"

/* What changes a scan's outcome.  Writing itself is not asked for: a copy of an hour would be an hour of events. */
#define WATCH_MASK (IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | \
                    IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

enum { EVENTS_AT_ONCE = 64 << 10 };

/* One watched directory. */
struct mark {
    int wd;
    uint32_t root;
    uint64_t walk; /* the walk that came by last */
};

struct watched_root {
    char *path;
    bool changed, stale; /* stale: its directories are not those that are watched */
    const char *blind;   /* why it is not told all; NULL */
};

struct watch {
    int fd;
    struct watched_root *roots;
    size_t n_roots, cap_roots;
    struct mark *marks; /* by wd: the system hands out rising numbers */
    size_t n_marks, cap_marks, max;
    uint64_t walks;
};

struct walk {
    struct watch *w;
    uint32_t root;
    dev_t dev; /* of the directory above: its file system was judged */
    const char *blind;
};

static const char far_away[] = "its file system does not tell of changes made elsewhere";
static const char too_many[] = "too many directories to watch (fs.inotify.max_user_watches)";
static const char not_there[] = "it cannot be watched";

/* ---- which file systems ---- */

/* linux/magic.h, and OpenZFS's own. */
bool watch_is_local_type(unsigned long f_type)
{
    static const unsigned long local[] = {0xEF53 /* ext */, 0x58465342 /* xfs */, 0x9123683E /* btrfs */, 0x01021994 /* tmpfs */,
                                          0x794C7630 /* overlay */, 0x2FC12FC1 /* zfs */, 0xF2F52010 /* f2fs */};

    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if ((f_type & 0xFFFFFFFFul) == local[i])
            return true;
    return false;
}

bool watch_is_local(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && watch_is_local_type((unsigned long)fs.f_type);
}

/* ---- marks ---- */

/* Where a watch stands, or would stand. */
static size_t place_of(const struct watch *w, int wd)
{
    size_t low = 0, high = w->n_marks;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (w->marks[mid].wd < wd)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct mark *find(const struct watch *w, int wd)
{
    size_t at = place_of(w, wd);

    return at < w->n_marks && w->marks[at].wd == wd ? &w->marks[at] : NULL;
}

static void put(struct watch *w, int wd, uint32_t root)
{
    size_t at = place_of(w, wd);

    if (at == w->n_marks || w->marks[at].wd != wd) {
        w->marks = mem_grow(w->marks, w->n_marks, &w->cap_marks, sizeof(*w->marks));
        memmove(&w->marks[at + 1], &w->marks[at], (w->n_marks - at) * sizeof(*w->marks));
        w->n_marks++;
    }
    w->marks[at] = (struct mark){.wd = wd, .root = root, .walk = w->walks};
}

static void drop(struct watch *w, int wd)
{
    size_t at = place_of(w, wd);

    if (at == w->n_marks || w->marks[at].wd != wd)
        return;
    w->n_marks--;
    memmove(&w->marks[at], &w->marks[at + 1], (w->n_marks - at) * sizeof(*w->marks));
}

/* Directories that lie in the root no more. */
static void drop_old(struct watch *w, uint32_t root)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n_marks; i++) {
        if (w->marks[i].root == root && w->marks[i].walk != w->walks)
            inotify_rm_watch(w->fd, w->marks[i].wd); /* fails for one that is gone by itself: just as well */
        else
            w->marks[kept++] = w->marks[i];
    }
    w->n_marks = kept;
}

/* ---- walking ---- */

/* By the descriptor and not by the path: what is watched is what is read then, whatever takes its name meanwhile. */
static int mark_dir(struct walk *k, int fd)
{
    char path[40];
    int wd;

    if (k->w->n_marks >= k->w->max) {
        k->blind = too_many;
        return -1;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    wd = inotify_add_watch(k->w->fd, path, WATCH_MASK);
    if (wd < 0) {
        k->blind = errno == ENOSPC ? too_many : not_there;
        return errno == ENOSPC ? -1 : 0;
    }
    put(k->w, wd, k->root);
    return 0;
}

static bool may_be_dir(int parent, const struct dirent *e)
{
    struct stat st;

    if (e->d_name[0] == '.')
        return false;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && S_ISDIR(st.st_mode);
}

static int walk_dir(struct walk *k, int fd, unsigned depth);

static int walk_below(struct walk *k, DIR *d, unsigned depth)
{
    const struct dirent *e;

    while ((e = readdir(d))) {
        if (!may_be_dir(dirfd(d), e))
            continue;
        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

        /* One that cannot be entered, or is gone again: the watch on its parent tells when that changes. */
        if (fd >= 0 && walk_dir(k, fd, depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* Takes the descriptor over.  -1: no more watches are to be had. */
static int walk_dir(struct walk *k, int fd, unsigned depth)
{
    dev_t above = k->dev;
    struct stat st;
    int r = -1;

    if (fstat(fd, &st) == 0 && st.st_dev != k->dev) {
        k->dev = st.st_dev;
        k->blind = watch_is_local(fd) ? k->blind : far_away;
    }
    if (depth > TREE_DEPTH_MAX || mark_dir(k, fd) < 0) {
        io_closep(&fd);
        return depth > TREE_DEPTH_MAX ? 0 : -1;
    }

    DIR *d = fdopendir(fd);

    if (d) {
        r = walk_below(k, d, depth);
        closedir(d);
    } else {
        io_closep(&fd);
    }
    k->dev = above;
    return r;
}

static const char *walk_root(struct watch *w, size_t root)
{
    struct walk k = {.w = w, .root = (uint32_t)root};
    int fd = open(w->roots[root].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

    w->walks++;
    if (fd < 0)
        k.blind = not_there;
    else if (!watch_is_local(fd)) {
        io_closep(&fd);
        k.blind = far_away;
    } else if (walk_dir(&k, fd, 0) < 0 && !k.blind)
        k.blind = not_there;
    drop_old(w, (uint32_t)root);
    return k.blind;
}

const char *watch_refresh(struct watch *w, size_t root)
{
    struct watched_root *r = &w->roots[root];

    if (w->fd < 0)
        return not_there;
    if (!r->stale)
        return r->blind;
    r->stale = false;
    r->blind = walk_root(w, root);
    r->stale = r->blind != NULL; /* perhaps it works the next time */
    return r->blind;
}

/* ---- events ---- */

static void all_changed(struct watch *w)
{
    for (size_t i = 0; i < w->n_roots; i++)
        w->roots[i].changed = w->roots[i].stale = true;
}

void watch_event(struct watch *w, const struct inotify_event *event, const char *name)
{
    const struct mark *m;

    if (event->mask & IN_Q_OVERFLOW) {
        all_changed(w);
        return;
    }
    m = find(w, event->wd);
    if (!m)
        return; /* told before the watch was taken away */
    if (event->len > 0 && name[0] == '.')
        return;
    w->roots[m->root].changed = true;
    if (event->mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
        w->roots[m->root].stale = true;
    if (event->mask & IN_IGNORED)
        drop(w, event->wd);
}

void watch_read(struct watch *w)
{
    static const size_t head = sizeof(struct inotify_event);
    AUTO(mem_freep) char *bytes = mem_new(EVENTS_AT_ONCE, 1);
    ssize_t n;

    while (w->fd >= 0 && (n = read(w->fd, bytes, EVENTS_AT_ONCE)) > 0) {
        for (size_t at = 0; at + head <= (size_t)n;) {
            struct inotify_event event;

            memcpy(&event, bytes + at, head);
            watch_event(w, &event, bytes + at + head);
            at += head + event.len;
        }
    }
}

bool watch_take(struct watch *w, size_t root)
{
    bool changed = w->roots[root].changed;

    w->roots[root].changed = false;
    return changed;
}

/* ---- beginning and end ---- */

struct watch *watch_new(void)
{
    struct watch *w = mem_new(1, sizeof(*w));

    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->max = WATCHES_MAX;
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    io_closep(&w->fd);
    for (size_t i = 0; i < w->n_roots; i++)
        free(w->roots[i].path);
    free(w->roots);
    free(w->marks);
    free(w);
}

void watch_freep(struct watch **w)
{
    watch_free(*w);
}

size_t watch_add(struct watch *w, const char *root)
{
    w->roots = mem_grow(w->roots, w->n_roots, &w->cap_roots, sizeof(*w->roots));
    w->roots[w->n_roots] = (struct watched_root){.path = mem_str(root), .changed = true, .stale = true};
    return w->n_roots++;
}

int watch_fd(const struct watch *w)
{
    return w->fd;
}

void watch_set_max(struct watch *w, size_t watches)
{
    w->max = watches;
}

size_t watch_count(const struct watch *w)
{
    return w->n_marks;
}
