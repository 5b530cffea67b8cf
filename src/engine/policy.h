/* Whom a card may act for.  A card is text by whoever can write to the tree, and impomero has an administrator's rights: so a
 * card speaks for ordinary, active users in groups of theirs, and never for root, guests or administrators, restricted ones
 * included. */
#pragma once

#include "omero/sudo.h"

struct policy_ask {
    const char *user, *group;    /* as the card says; group NULL: the user's default group */
    const struct om_user *known; /* as OMERO knows the user; NULL: not at all */
    bool group_known;            /* OMERO knows the group; of no matter without one */
};

/* 0, and the name of the group; -1: REASON_NO_USER, _REFUSED, _DEACTIVATED, _NO_GROUP or _NOT_MEMBER.  Pure. */
int policy_may(const struct policy_ask *ask, const char **group, struct err *err);
