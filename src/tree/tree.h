/* Snapshots of a directory tree: what lies there, taken without following a link, but for those that lead where they may.
 *
 * Paths are bytes relative to the root, without "./", parts joined by "/".  The scan is the truth; whatever watches only says
 * when to scan again.  Entries come sorted: by directory, then by name (bytewise), files of a directory before its
 * subdirectories' content. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum tree_kind { TREE_FILE, TREE_DIR, TREE_LINK, TREE_OTHER };

struct tree_stamp {
    int64_t size, mtime_ns, ctime_ns;
    uint64_t ino;
    uid_t uid;
    uint32_t nlink;
};

struct tree_entry {
    const char *path; /* relative to the root; "" is the root itself */
    const char *name; /* its last part: points into path */
    struct tree_stamp stamp;
    uint32_t dir_len; /* bytes of the directory part, without the slash */
    enum tree_kind kind : 8;
    enum reason skip : 8; /* why it is left out of everything else REASON_NONE: see tree_scan */
    bool linked;      /* a link that tree_scan_into followed: kind and stamp are those of the place it leads to */
};

struct tree {
    const char *root; /* as given */
    int fd;           /* of the root directory: openat beneath it; owned by the tree */
    const char *const *into; /* as given to tree_scan_into; borrowed */
    const struct tree_entry *entries;
    size_t n;
    bool follows; /* made by tree_scan_following: paths may lead through links */
};

/* Scan a root.  What is left out is listed with its reason, and the scan goes on: names that begin with a dot (REASON_HIDDEN;
 * directories are not entered), links (REASON_LINK), what is neither file nor directory (REASON_NOT_REGULAR), what cannot be
 * read, a directory also when reading it broke off (REASON_UNREADABLE), what vanished under way (REASON_GONE), a directory too
 * deep (REASON_TOO_LARGE, TREE_DEPTH_MAX), a path too long to be opened (REASON_TOO_LONG).  The root itself may be a link, and
 * its own name begin with a dot.  -1: REASON_ROOT_AWAY (absent, or no directory), REASON_UNREADABLE, REASON_TOO_LARGE
 * (TREE_ENTRIES_MAX). */
int tree_scan(const char *root, struct tree **out, struct err *err);

/* The same, and links are followed that lead into one of these absolute directories (NULL at the end; NULL: none).  A directory
 * that is on the way down already is not entered again (REASON_LINK). */
int tree_scan_into(const char *root, const char *const *into, struct tree **out, struct err *err);

/* The same as the official importer walks: links are followed, directories that begin with a dot are entered.  A link that leads
 * nowhere is REASON_UNREADABLE.  A directory that lies on the way to itself is entered again only above `depth` (a file of the
 * root is at depth 1), as there.  For comparison only: such a walk can be led out of its root. */
int tree_scan_following(const char *root, unsigned depth, struct tree **out, struct err *err);

/* The same as tree_scan, for whom it is enough to know what is there: files are not looked at where the file system tells files
 * from directories in its lists, and their stamps are empty. */
int tree_scan_names(const char *root, struct tree **out, struct err *err);

/* One directory without what lies in its subdirectories. */
int tree_scan_flat(const char *dir, struct tree **out, struct err *err);

/* Open a regular file of a root for reading: beneath the root, by way of links only where `into` says that they may lead.  What
 * a link is swapped for on the way is noticed: beneath a directory of `into` nothing is followed any more.  -1: as
 * io_open_beneath. */
int tree_open_beneath(int root, const char *const *into, const char *path, struct err *err);

/* Open a file of the tree for reading, links or not as it was scanned.  Errors as io_open_beneath. */
int tree_open(const struct tree *t, const struct tree_entry *e, struct err *err);
/* The same; `size`: the bytes that it has now, NULL is fine. */
int tree_open_sized(const struct tree *t, const struct tree_entry *e, uint64_t *size, struct err *err);

void tree_free(struct tree *t); /* NULL is fine */
void tree_freep(struct tree **t);

/* The entry of a path, or NULL. */
const struct tree_entry *tree_find(const struct tree *t, const char *path);

/* How two paths stand in the order of entries: < 0, 0, > 0.  The path "a/" stands before all that lies in a and right after what
 * precedes them, so a subtree is a range that can be searched for. */
int tree_order(const char *a, const char *b);

/* Which of two paths comes first when directories are walked depth first, in the order of names: < 0, 0, > 0. */
int tree_walk_order(const char *a, const char *b);

/* Same content as far as a stamp can tell: size and time of modification.  The inode is only a hint, and the time of the last
 * change of the inode moves with rights and links too. */
bool tree_stamp_equal(const struct tree_stamp *a, const struct tree_stamp *b);

/* Nothing at all happened to it between two looks: for settling.  Also compares ctime and inode. */
bool tree_stamp_untouched(const struct tree_stamp *a, const struct tree_stamp *b);
