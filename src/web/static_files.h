/* Style, script and schema files: in the program, made by embed.py.  No folder is ever looked into. */
#pragma once

#include <stddef.h>

struct static_file {
    const char *path, *type;
    const unsigned char *bytes;
    size_t n;
};
extern const struct static_file static_files[];
extern const size_t n_static_files;
