/* A card that names another project, user or group than its dataset was made for.  That is for a person to carry out: the words
 * say how, and what was carried out is seen. */
#include "engine/target_moved.h"

#include <string.h>

#include "base/str.h"
#include "omero/origin.h"

/* Commands are pasted into shells: what a card brought is written into them only where it means nothing there. */
static const char *plain(const char *text, const char *else_say)
{
    static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-";

    return strspn(text, fine) == strlen(text) ? text : else_say;
}

/* The commands of OMERO's own client that do it: in the text, which is what the ledger keeps. */
static const char *for_project(struct om_client *c, const struct ledger_dataset *d, struct arena *a)
{
    const char *parent = "Project:NUMBER", *before = "", *after = "";
    struct err ignored = ERR_INIT;
    int64_t project, link;

    if (om_project_find(c, d->project, &project, &ignored) == 0)
        parent = arena_printf(a, "Project:%lld", (long long)project);
    else
        before = arena_printf(a, "omero obj new Project name='%s' (gives its NUMBER); ", plain(d->project, "ITS NAME"));
    if (om_project_link(c, d->omero_id, d->project_id, &link, &ignored) == 0)
        after = arena_printf(a, "omero delete ProjectDatasetLink:%lld; ", (long long)link);
    return arena_printf(a, "as %s: %somero obj new ProjectDatasetLink parent=%s child=Dataset:%lld; %simpomero retry",
                        plain(d->user, "the user"), before, parent, (long long)d->omero_id, after);
}

static const char *for_owner(const struct om_client *c, const struct ledger_dataset *d, struct arena *a)
{
    const char *kind = om_parent_name(target_kind(d)), *chown = "", *chgrp = "";
    const long long id = (long long)d->omero_id;

    if (d->owner_id != c->who.user_id)
        chown = arena_printf(a, "omero chown '%s' %s:%lld; ", plain(d->user, "USER"), kind, id);
    if (d->group_id != c->who.group_id)
        chgrp = arena_printf(a, "omero chgrp '%s' %s:%lld; ", plain(c->who.group_name, "GROUP"), kind, id);
    return arena_printf(a, "as an administrator: %s%simpomero retry", chown, chgrp);
}

static int say(const struct ledger_dataset *d, const char *what, const char *now, const char *then, const char *commands,
               struct err *err)
{
    return err_set(err, REASON_TARGET_MOVED, 0, "the card of '%s' names the %s '%s', and its images went to '%s'; %s",
                   *d->dir ? d->dir : ".", what, now, then, commands);
}

/* Is it now as the card says?  `project` and its number where it lies in one. */
static int was_carried_out(struct om_client *c, const struct ledger_dataset *d, struct arena *a, int64_t *project, bool *out,
                           struct err *err)
{
    const struct om_in_project *projects;
    struct om_target_facts facts;
    size_t n = 0;
    int r = om_target_look(c, target_kind(d), d->omero_id, a, &facts, err);

    *out = r == 0 && facts.owner == c->who.user_id && facts.group == c->who.group_id;
    if (r < 0 || !*out || d->kind == LEDGER_KIND_SCREEN)
        return r < 0 ? -1 : 0;
    if (om_projects_of(c, d->omero_id, a, &projects, &n, err) < 0)
        return -1;
    *out = false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(projects[i].name, d->project) == 0) {
            *project = projects[i].id;
            *out = true;
        }
    return 0;
}

bool target_is_meant(const struct om_client *c, const struct ledger_dataset *d)
{
    return d->owner_id == c->who.user_id && d->group_id == c->who.group_id && strcmp(d->made_project, d->project) == 0;
}

int target_moved(struct engine *e, const struct session *s, const struct ledger_dataset *d, struct arena *a, struct err *err)
{
    struct om_client *c = s->client;
    struct ledger_made made = {.server = d->server, .omero_id = d->omero_id, .owner_id = c->who.user_id,
                               .group_id = c->who.group_id, .project = d->project, .user = d->user, .group = c->who.group_name};
    bool done = false;

    if (was_carried_out(c, d, a, &made.project_id, &done, err) < 0)
        return -1;
    if (done)
        return ledger_dataset_made(e->ledger, d->id, &made, err);
    if (d->owner_id != c->who.user_id)
        return say(d, "user", d->user, d->made_user, for_owner(c, d, a), err);
    if (d->group_id != c->who.group_id)
        return say(d, "group", c->who.group_name, d->made_group, for_owner(c, d, a), err);
    return say(d, "project", d->project, d->made_project, for_project(c, d, a), err);
}
