/* Changing groups that were made.  Private to the room. */
#pragma once

#include "base/mem.h"
#include "format/format.h"

/* What holds the members and texts of groups. */
struct arena *groups_arena(struct format_groups *groups);

/* Put groups in the place of deferred ones.  Those that have a file of a group that is not deferred are left away; files of
 * deferred groups that are in none of them stay deferred. */
void groups_replace(struct format_groups *groups, const struct tree *tree, const struct format_group *by, size_t n);
