/* The whole of a file that a person named: configuration, a card on the command line.  Links are followed; for files of a watched
 * tree see io.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* -1: REASON_GONE, REASON_UNREADABLE, REASON_NOT_REGULAR, or REASON_TOO_LARGE beyond the buffer's ceiling,
 * which is then full of the file's beginning. */
int slurp(const char *path, struct buf *out, struct err *err);
