/* Acting as another user: an administrator makes a session for them and the program joins it on a connection of its own.
 *
 * Such a session has an idle time of 10 minutes and a life of 24 hours.  The facts about users and groups are for the policy
 * of the caller: nothing is decided here. */
#pragma once

#include "omero/client.h"

struct om_group {
    int64_t id;
    const char *name;
};

struct om_user {
    int64_t id;
    const char *name;
    bool active; /* in the group `user`; a switched-off account is not */
    bool admin;  /* in the group `system`, restricted administrators included */
    bool root;
    bool guest;           /* the guest account, or in the group of guests */
    struct om_group main; /* the default group: the first that is none of user, system and guest; id -1 = none */
    size_t n_groups;
    const struct om_group *groups; /* all memberships, in order of preference, user, system and guest among them */
};

enum { OM_ABSENT = 1 }; /* it does not exist, or the session may not see it */

/* Look a user up by login name.  0, or OM_ABSENT.  Needs an administrator's session. */
int om_user_find(struct om_client *admin, const char *name, struct arena *mem, struct om_user *out, struct err *err);
/* Look a group up by name.  0, or OM_ABSENT. */
int om_group_find(struct om_client *admin, const char *name, struct arena *mem, struct om_group *out, struct err *err);
/* The user's group of that name, or NULL. */
const struct om_group *om_user_group(const struct om_user *user, const char *name);

/* Open a session of `user` in `group` (NULL or "": the default group).  REASON_NO_RIGHT when the administrator may not,
 * REASON_NO_USER, REASON_NO_GROUP, REASON_NOT_MEMBER.  The session of a switched-off account opens, and then every
 * call fails with REASON_DEACTIVATED: look at om_user first. */
int om_sudo_open(struct om_client *admin, const char *user, const char *group, struct om_client **out, struct err *err);

/* Close a session of the same user that an earlier run left, by its number; one that is over is no error.  Never one in which an
 * import may still be queued: the server would drop that.  (Nobody else can: a restricted administrator is not shown the name of
 * another user's session, and the number alone closes nothing.) */
int om_session_end(struct om_client *c, int64_t number, struct err *err);

/* Log out of it and close it on the server.  Never fails: what cannot be closed ends by its own idle time.  NULL is fine. */
void om_sudo_close(struct om_client *admin, struct om_client *c);
