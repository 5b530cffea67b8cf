/* Whom a card may act for.  A card is text by whoever can write to the tree, and impomero has an administrator's rights.  So a
 * card speaks for ordinary, active users in groups of theirs, and never for root, guests or administrators, restricted ones
 * included (policy_may).  What more is asked is the policy of its root:
 *
 *   any    nothing
 *   list   the rows of `allow`, "PATTERN = USER, USER": a pattern is a path below the root ("." is the root) whose parts may hold
 *          the wildcards of fnmatch(3), or be {user}, which fits any name and lets only the user of that name; it holds for the
 *          directory and all below.  The deepest pattern that fits decides, of several together; "*" lets everybody.  Card and
 *          files are both asked about.
 *   owner  card, its directory and the file have one owner, an ordinary account here, whose name is the card's user; a card or
 *          file with several hard links is refused: somebody may have linked it here who cannot read it. */
#pragma once

#include <sys/types.h>

#include "engine/settings.h"
#include "omero/sudo.h"

/* Accounts below are the system's (Debian's and Red Hat's login.defs), the one above is who has none (NFS). */
enum { POLICY_UID_MIN = 1000, POLICY_UID_NOBODY = 65534 };

enum policy_kind { POLICY_ANY, POLICY_LIST, POLICY_OWNER };

/* One for each thread: it remembers the account that was looked up last. */
struct policy {
    enum policy_kind kind;
    const char *const *allow;
    bool (*account)(uid_t uid, char *out, size_t size); /* name of an account of this machine; getpwuid_r(3) */
    uid_t uid;
    char name[256]; /* of `uid`; "" = it has none */
    bool asked;
};

/* -1: REASON_CONFIG, for rows that cannot be read, or a list without any. */
int policy_of(const struct root_settings *set, struct policy *out, struct err *err);

/* Whose something is. */
struct policy_owner {
    uid_t uid;
    uint32_t nlink;
};

/* May a card in this directory (below the root, "" is the root itself) name this user?  -1: REASON_REFUSED. */
int policy_card(struct policy *p, const char *dir, const char *user, const struct policy_owner *card, uid_t dir_uid,
                struct err *err);
/* May a card take for this user a file in this directory?  -1: REASON_REFUSED. */
int policy_file(struct policy *p, const char *dir, const char *user, const struct policy_owner *file, struct err *err);

struct policy_ask {
    const char *user, *group;    /* as the card says; group NULL: the user's default group */
    const struct om_user *known; /* as OMERO knows the user; NULL: not at all */
    bool group_known;            /* OMERO knows the group; of no matter without one */
};

/* 0, and the name of the group; -1: REASON_NO_USER, _REFUSED, _DEACTIVATED, _NO_GROUP or _NOT_MEMBER.  Pure. */
int policy_may(const struct policy_ask *ask, const char **group, struct err *err);
