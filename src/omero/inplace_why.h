/* Why a file cannot be placed in OMERO's repository: which of owner, mode, mount or path is wrong.  Only for inplace.c. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum place_fault { PLACE_OWNER, PLACE_MODE, PLACE_MOUNT, PLACE_PATH };

/* REASON_IN_PLACE with the fault's word before the text and its hint.  -1. */
int place_fault(struct err *err, enum place_fault fault, int sys, const char *fmt, ...) ATTR_PRINTF(4, 5);

/* This process got `sys` (an errno) when it used `path` in the repository, whose directory is `root`. */
int place_why_here(const char *root, const char *path, int sys, struct err *err);

/* The server, whose account is seen here as `uid` and `gid`, does not read `host_path`, which it has as `server_path`. */
int place_why_there(const char *host_path, const char *server_path, uid_t uid, gid_t gid, struct err *err);
