/* What the sandbox holds, as a tree for people. */
#pragma once

#include <stdio.h>

#include "base/err.h"

/* Print users, projects, datasets, images and annotations of a data directory; a server may be running on it. */
int show(const char *dir, FILE *out, struct err *err);
