/* Asking an outside program about the sets that are left to Bio-Formats: `omero import -f`, or anything that answers as it does.
 *
 * The command, its words parted by blanks, gets the directories of the deferred sets as further arguments; no shell is between.
 * Its standard output, one block a group, is parsed strictly:
 *
 *   #======================================
 *   # Group: /data/x.mea SPW: true Reader: loci.formats.in.FlexReader
 *   /data/x.mea
 *   /data/001001000.flex
 *
 * It runs with a time limit, in a group of processes of its own, without the secrets of the environment. */
#pragma once

#include "format/format.h"

struct format_helper {
    const char *command; /* NULL: none */
    int64_t timeout_s;
};

/* Ask about all groups that are deferred for want of Bio-Formats, and put its groups in their place.  What it does not speak of
 * stays deferred.  `root`: the absolute path of the tree.  -1: it could not be run, took too long, ended with an error or
 * answered what cannot be understood (REASON_HELPER); the groups are then as before. */
int format_help(const struct tree *tree, const char *root, const struct format_helper *helper, struct format_groups *groups,
                struct err *err);
