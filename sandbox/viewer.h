/* Who asks, and what they may do with an object: OMERO's rules of groups. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct store;

enum { GROUP_ALL = -1, GROUP_SYSTEM = 0, GROUP_USER = 1, GROUP_GUEST = 2, USER_ROOT = 0, USER_GUEST = 1 };

/* What may be done; the first six are OMERO's restrictions by number. */
enum {
    MAY_LINK = 1 << 0, MAY_EDIT = 1 << 1, MAY_DELETE = 1 << 2, MAY_ANNOTATE = 1 << 3, MAY_CHGRP = 1 << 4, MAY_CHOWN = 1 << 5,
    MAY_SEE = 1 << 6,
    MAY_ALL = 0x7F,
};

struct viewer_group {
    int64_t id;
    const char *name, *perms; /* "rwra--" */
    bool member, leader;
};

struct viewer {
    int64_t user;
    bool admin;  /* in group system */
    bool full;   /* an administrator with the right to write what others own */
    bool active; /* in group user */
    int64_t scope; /* group of the call, or GROUP_ALL */
    size_t n;
    const struct viewer_group *groups; /* all groups, by id; the viewer's own in the order of membership is `mine` */
    size_t n_mine;
    const int64_t *mine;
};

const struct viewer *viewer_load(struct store *s, struct arena *mem, int64_t user, int64_t scope);
const struct viewer_group *viewer_group(const struct viewer *v, int64_t id); /* NULL when there is none */
/* Rights at an object of that group and owner, whatever the scope of the call is; 0 = not even seen. */
unsigned viewer_may(const struct viewer *v, int64_t group, int64_t owner);
bool viewer_sees(const struct viewer *v, int64_t group, int64_t owner); /* scope included */

/* "rwra--" as the number of ::omero::model::Permissions, and back; what is no such text gives rw----. */
int64_t perms_bits(const char *perms);
const char *perms_text(struct arena *mem, int64_t bits);
