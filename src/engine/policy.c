#include "engine/policy.h"

#include <string.h>

/* OMERO's own groups are no places for images. */
static bool is_special(const char *group)
{
    static const char *const names[] = {"system", "user", "guest"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(group, names[i]) == 0)
            return true;
    return false;
}

static int judge_user(const struct policy_ask *ask, struct err *err)
{
    const struct om_user *u = ask->known;

    if (!u)
        return err_set(err, REASON_NO_USER, 0, "user '%s': OMERO knows no such user", ask->user);
    if (u->root || u->admin || u->guest)
        return err_set(err, REASON_REFUSED, 0, "user '%s': a card is not allowed to act for %s", ask->user,
                       u->root ? "root" : u->admin ? "an administrator" : "a guest");
    if (!u->active)
        return err_set(err, REASON_DEACTIVATED, 0, "user '%s': the account is switched off in OMERO", ask->user);
    return 0;
}

int policy_may(const struct policy_ask *ask, const char **group, struct err *err)
{
    if (judge_user(ask, err) < 0)
        return -1;
    if (!ask->group && ask->known->main.id < 0)
        return err_set(err, REASON_NOT_MEMBER, 0, "user '%s': is in no group that images could go to", ask->user);

    const char *name = ask->group ? ask->group : ask->known->main.name;

    if (is_special(name))
        return err_set(err, REASON_REFUSED, 0, "group '%s': one of OMERO's own, not allowed for images", name);
    if (ask->group && !ask->group_known)
        return err_set(err, REASON_NO_GROUP, 0, "group '%s': OMERO knows no such group", name);
    if (!om_user_group(ask->known, name))
        return err_set(err, REASON_NOT_MEMBER, 0, "user '%s' is not in the group '%s'", ask->user, name);
    *group = name;
    return 0;
}
