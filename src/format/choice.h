/* What a directory tree or a card chooses of the groups that were found.
 *
 * Lists are texts parted by semicolons: patterns of shells for include and exclude, names of formats, those of `impomero
 * formats`, for formats and exclude_formats.  Letters in any case.  A pattern without a slash is held against the file's name
 * and the names of the directories above it, one with a slash against the path. */
#pragma once

#include "format/format.h"

struct format_choice {
    const char *include;         /* only these files; NULL: all */
    const char *exclude;         /* not these */
    const char *formats;         /* only these, and formats that only their names tell are among them; NULL: all others */
    const char *exclude_formats; /* not these */
    bool gaps;                   /* sets whose formats tolerate missing planes are imported as they are */
    const char *ready;           /* the same where a file of this name says that a directory is complete; NULL: nowhere */
};

/* Why a group is left out after the choice: its own reason, REASON_EXCLUDED, or REASON_NONE where the choice allows what the
 * driver left alone.  `path` is of its target, relative to where the choice was made.  `*text` says more; constant or the
 * group's. */
enum reason format_chosen(const struct format_group *g, const struct format_choice *choice, const char *path, const char **text);
