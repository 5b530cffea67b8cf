/* Watchers: inotify where a file system tells this machine all that happens on it, else nothing but the word that it does not.
 *
 * A watcher never says what happened, only that a root is to be looked at again: the scan is the truth.
 * - What happens after watch_refresh() has begun is told, or seen by a scan that begins after it has returned.  So whoever
 *   scans calls watch_refresh() first; that also closes the gap between the making of a directory and the watch on it.
 * - Lost events, a lost watch, a root or a part of it that was unmounted, moved or removed: the root is told of as changed.
 * - Not told: changes by mapped memory or by writers that never close (the settle time looks after these), what is mounted onto a
 *   directory later, one directory seen by two roots (bind mounts).  So there must also be slow looks without a cause.
 * - Memory: 16 bytes a watch, at most WATCHES_MAX of them.  One descriptor for all roots.  Not for several threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

struct watch;

/* Never NULL: without inotify, all roots are blind. */
struct watch *watch_new(void) ATTR_MUST_USE;
void watch_free(struct watch *w); /* NULL is fine */
void watch_freep(struct watch **w);

/* One more root (copied); returns its number, from 0 upwards.  It counts as changed until it is taken. */
size_t watch_add(struct watch *w, const char *root);

/* Before each scan: watches all directories of the root, if any came, went or moved since.  NULL: all that happens from now on is
 * told; else why it is not, for people, and the root is to be scanned regularly.  Names that begin with a dot are left out, as
 * they are from scans; links are not followed. */
const char *watch_refresh(struct watch *w, size_t root);

/* For poll(2), readable when there is something for watch_read(); -1: nothing ever will be. */
int watch_fd(const struct watch *w);
/* Take what the system has told; does not wait. */
void watch_read(struct watch *w);

/* Has something happened in it since this was asked last? */
bool watch_take(struct watch *w, size_t root);

/* Is the file system of this descriptor one of this machine's own disks and memory: all changes pass by this kernel, and times
 * are of this machine's clock? */
bool watch_is_local(int fd);
