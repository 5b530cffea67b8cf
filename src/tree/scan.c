#include "tree/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

/* The tree with what only its making and its end need. */
struct owned_tree {
    struct tree tree;
    struct arena *arena;
    struct tree_entry *entries;
    size_t cap;
    const struct tree_limits *limits; /* during the scan only */
};

/* The directories that are open on the way down. */
struct way {
    const struct way *above;
    dev_t dev;
    ino_t ino;
};

static void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

static int64_t ns_of(struct timespec t)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)t.tv_sec, NS_PER_S, &ns) || __builtin_add_overflow(ns, t.tv_nsec, &ns))
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static struct tree_stamp stamp_of(const struct stat *st)
{
    return (struct tree_stamp){
        .size = st->st_size,
        .mtime_ns = ns_of(st->st_mtim),
        .ctime_ns = ns_of(st->st_ctim),
        .ino = st->st_ino,
        .uid = st->st_uid,
        .nlink = st->st_nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)st->st_nlink,
    };
}

static enum tree_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return TREE_FILE;
    if (S_ISDIR(mode))
        return TREE_DIR;
    return S_ISLNK(mode) ? TREE_LINK : TREE_OTHER;
}

static enum reason skip_of(const struct tree_entry *e, bool follow)
{
    if (follow && e->kind == TREE_LINK)
        return REASON_UNREADABLE;
    if (follow && e->kind == TREE_DIR)
        return REASON_NONE;
    if (e->kind == TREE_LINK)
        return REASON_LINK;
    if (e->kind == TREE_OTHER)
        return REASON_NOT_REGULAR;
    return e->name[0] == '.' ? REASON_HIDDEN : REASON_NONE;
}

/* A link whose end may be looked at becomes what it leads to. */
static void look_through(struct tree_entry *e, int dirfd, const char *const *into)
{
    AUTO(io_closep) int fd = e->kind == TREE_LINK && into ? tree_follow(dirfd, e->name, into, O_PATH) : -1;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    e->linked = true;
    e->kind = kind_of(st.st_mode);
    e->stamp = stamp_of(&st);
}

static void look_at(struct tree_entry *e, int dirfd, const struct tree_limits *limits)
{
    const bool follow = limits->again > 0;
    struct stat st;

    if ((!follow || fstatat(dirfd, e->name, &st, AT_NO_AUTOMOUNT) < 0) &&
        fstatat(dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
        e->kind = TREE_OTHER;
        e->skip = errno == ENOENT || errno == ESTALE ? REASON_GONE : REASON_UNREADABLE;
        return;
    }
    e->kind = kind_of(st.st_mode);
    e->stamp = stamp_of(&st);
    look_through(e, dirfd, limits->into);
    e->skip = skip_of(e, follow);
}

static const char *path_below(struct arena *a, const char *dir, size_t dir_len, const char *name, size_t name_len)
{
    char *path = arena_room(a, dir_len + name_len + 1);

    memcpy(path, dir, dir_len);
    if (dir_len > 0)
        path[dir_len++] = '/';
    memcpy(path + dir_len, name, name_len);
    path[dir_len + name_len] = '\0';
    return path;
}

/* What the list itself says does, where only names are wanted. */
static void look(struct tree_entry *e, int dirfd, unsigned char type, const struct tree_limits *limits)
{
    if (!limits->names_only || type != DT_REG) {
        look_at(e, dirfd, limits);
        return;
    }
    e->kind = TREE_FILE;
    e->skip = skip_of(e, false);
}

static int add(struct owned_tree *t, const char *dir, int dirfd, const struct dirent *de, struct err *err)
{
    const char *name = de->d_name;
    size_t dir_len = strlen(dir), name_len = strlen(name);

    if (t->tree.n >= t->limits->entries)
        return err_set(err, REASON_TOO_LARGE, 0, "more than %zu files and directories below one root", t->limits->entries);

    t->entries = mem_grow(t->entries, t->tree.n, &t->cap, sizeof(*t->entries));
    const char *path = path_below(t->arena, dir, dir_len, name, name_len);
    struct tree_entry *e = &t->entries[t->tree.n++];

    *e = (struct tree_entry){.path = path, .name = path + (dir_len ? dir_len + 1 : 0), .dir_len = (uint32_t)dir_len};
    look(e, dirfd, de->d_type, t->limits);
    if (e->skip == REASON_NONE && strlen(path) > t->limits->path)
        e->skip = REASON_TOO_LONG;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct tree_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The names of one directory, appended and sorted.  1: reading broke off, errno says why; what was read is listed. */
static int list(struct owned_tree *t, const char *dir, DIR *d, struct err *err)
{
    size_t first = t->tree.n;
    int broke_off;

    for (;;) {
        errno = 0;
        const struct dirent *de = readdir(d);

        broke_off = errno;
        if (!de)
            break;
        if (!is_dots(de->d_name) && add(t, dir, dirfd(d), de, err) < 0)
            return -1;
    }
    qsort(t->entries + first, t->tree.n - first, sizeof(*t->entries), by_name);
    errno = broke_off;
    return broke_off != 0;
}

static int enter(struct owned_tree *t, size_t at, int parent, unsigned depth, const struct way *above, struct err *err);

static bool leads_back(const struct way *way)
{
    for (const struct way *up = way->above; up; up = up->above)
        if (up->dev == way->dev && up->ino == way->ino)
            return true;
    return false;
}

/* The content of the directory that entry `at` is.  `fd` is taken over. */
static int scan_dir(struct owned_tree *t, size_t at, int fd, unsigned depth, const struct way *above, struct err *err)
{
    const char *dir = t->entries[at].path;
    AUTO(closedirp) DIR *d = fdopendir(fd);
    struct stat st;

    if (!d || fstat(fd, &st) < 0) {
        if (!d)
            io_closep(&fd);
        t->entries[at].skip = REASON_UNREADABLE;
        return 0;
    }

    const struct way way = {above, st.st_dev, st.st_ino};

    t->entries[at].stamp = stamp_of(&st); /* of what is read, whatever lay there a moment ago */
    if (depth >= t->limits->again && leads_back(&way)) {
        t->entries[at].skip = t->limits->again > 0 ? REASON_NONE : REASON_LINK;
        return 0;
    }

    size_t first = t->tree.n;
    int listed = list(t, dir, d, err);

    if (listed < 0)
        return -1;
    if (listed > 0)
        t->entries[at].skip = errno == ENOENT || errno == ESTALE ? REASON_GONE : REASON_UNREADABLE;
    for (size_t i = first, end = t->tree.n; i < end; i++)
        if (t->entries[i].kind == TREE_DIR && t->entries[i].skip == REASON_NONE &&
            enter(t, i, dirfd(d), depth + 1, &way, err) < 0)
            return -1;
    return 0;
}

static enum reason skip_of_dir(int sys)
{
    if (sys == ENOENT || sys == ESTALE)
        return REASON_GONE;
    return sys == ELOOP || sys == ENOTDIR ? REASON_CHANGED : REASON_UNREADABLE;
}

static int open_dir(const struct owned_tree *t, const struct tree_entry *e, int parent)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK, follow = t->limits->again > 0 ? 0 : O_NOFOLLOW;

    return e->linked ? tree_follow(parent, e->name, t->limits->into, flags) : openat(parent, e->name, flags | follow);
}

static int enter(struct owned_tree *t, size_t at, int parent, unsigned depth, const struct way *above, struct err *err)
{
    if (depth > t->limits->depth) {
        t->entries[at].skip = REASON_TOO_LARGE;
        return 0;
    }

    int fd = open_dir(t, &t->entries[at], parent);

    if (fd < 0) {
        t->entries[at].skip = skip_of_dir(errno);
        return 0;
    }
    return scan_dir(t, at, fd, depth, above, err);
}

static int open_root(const char *root, struct stat *st, struct err *err)
{
    AUTO(io_closep) int fd = io_open_dir(root, err);

    if (fd < 0 && err->why == REASON_GONE) {
        AUTO(mem_freep) char *shown = str_show(root);
        return err_set(err, REASON_ROOT_AWAY, err->sys, "%s", shown);
    }
    if (fd < 0)
        return -1;
    if (fstat(fd, st) < 0)
        return err_set(err, REASON_UNREADABLE, errno, "looking at a root");
    return io_steal(&fd);
}

static int scan_root(struct owned_tree *t, const struct stat *st, struct err *err)
{
    t->entries = mem_grow(t->entries, 0, &t->cap, sizeof(*t->entries));
    t->entries[t->tree.n++] = (struct tree_entry){.path = "", .name = "", .kind = TREE_DIR, .stamp = stamp_of(st)};

    int fd = openat(t->tree.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, REASON_UNREADABLE, errno, "reading a root");
    if (scan_dir(t, 0, fd, 0, NULL, err) < 0)
        return -1;
    if (t->entries[0].skip != REASON_NONE)
        return err_set(err, REASON_UNREADABLE, 0, "reading the root broke off");
    return 0;
}

int tree_scan_within(const char *root, const struct tree_limits *limits, struct tree **out, struct err *err)
{
    struct stat st;
    int fd = open_root(root, &st, err);

    if (fd < 0)
        return -1;

    struct owned_tree *t = mem_new(1, sizeof(*t));
    AUTO(tree_freep) struct tree *guard = &t->tree;

    t->arena = arena_new();
    t->limits = limits;
    t->tree.fd = fd;
    t->tree.root = arena_str(t->arena, root);
    t->tree.into = limits->into;
    if (scan_root(t, &st, err) < 0)
        return -1;
    t->limits = NULL;
    t->tree.follows = limits->again > 0;
    t->tree.entries = t->entries = mem_resize(t->entries, t->tree.n, sizeof(*t->entries));
    *out = STEAL(guard);
    return 0;
}

int tree_scan_into(const char *root, const char *const *into, struct tree **out, struct err *err)
{
    const struct tree_limits limits = {TREE_ENTRIES_MAX, TREE_DEPTH_MAX, TREE_PATH_MAX, 0, into};

    return tree_scan_within(root, &limits, out, err);
}

int tree_scan(const char *root, struct tree **out, struct err *err)
{
    return tree_scan_into(root, NULL, out, err);
}

int tree_scan_following(const char *root, unsigned depth, struct tree **out, struct err *err)
{
    const struct tree_limits limits = {TREE_ENTRIES_MAX, TREE_DEPTH_MAX, TREE_PATH_MAX, depth > 0 ? depth : 1, NULL};

    return tree_scan_within(root, &limits, out, err);
}

int tree_scan_names(const char *root, struct tree **out, struct err *err)
{
    static const struct tree_limits limits = {TREE_ENTRIES_MAX, TREE_DEPTH_MAX, TREE_PATH_MAX, .names_only = true};

    return tree_scan_within(root, &limits, out, err);
}

int tree_scan_flat(const char *dir, struct tree **out, struct err *err)
{
    static const struct tree_limits limits = {TREE_ENTRIES_MAX, 0, TREE_PATH_MAX, 0, NULL};

    return tree_scan_within(dir, &limits, out, err);
}

void tree_free(struct tree *t)
{
    if (!t)
        return;

    struct owned_tree *owned = (struct owned_tree *)t; /* its first member */

    io_closep(&owned->tree.fd);
    arena_free(owned->arena);
    free(owned->entries);
    free(owned);
}

void tree_freep(struct tree **t)
{
    tree_free(*t);
}
