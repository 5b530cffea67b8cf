/* Inside the configuration: what its files share.  Not for other files. */
#pragma once

#include "base/conf_value.h"

enum { N_SOURCES = CONF_FROM_OPTION + 1 };

/* The values of one key by source; `set` says which are there. */
struct slot {
    struct conf_value value[N_SOURCES];
    bool set[N_SOURCES];
};

struct root {
    struct conf_root root;
    struct slot *slots; /* one a key; only CONF_FROM_FILE of CONF_ROOT keys is used */
};

struct conf {
    const struct conf_key *keys;
    size_t n_keys;
    struct slot *slots;
    struct root *roots;
    size_t n_roots, cap_roots;
    const char **files; /* that were read, in order */
    size_t n_files, cap_files;
    struct arena *arena;
};
