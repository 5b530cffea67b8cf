/* The form in which OMERO stores a client's path. */
#pragma once

#include "base/err.h"

/* An absolute path in the form that OMERO stores: separators collapsed, each component made safe by the server's own rules
 * ("Windows required" and "UNIX required").  Components `.` and `..` are refused (REASON_BUG), other bytes than UTF-8
 * (REASON_NOT_UTF8).  Owned by the caller. */
int om_path_clean(const char *path, char **out, struct err *err);
