#include "engine/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void look_free(struct look *l)
{
    if (!l)
        return;
    plan_clear(&l->plan);
    format_groups_free(l->groups);
    cards_clear(&l->cards);
    tree_free(l->tree);
    free(l->path);
    free(l);
}

void look_freep(struct look **l)
{
    look_free(*l);
    *l = NULL;
}

int look_at(const char *path, struct look **out, struct err *err)
{
    AUTO(look_freep) struct look *l = mem_new(1, sizeof(*l));

    l->path = realpath(path, NULL);
    if (!l->path)
        return err_set(err, REASON_ROOT_AWAY, errno, "directory '%s'", path);
    if (tree_scan(l->path, &l->tree, err) < 0)
        return -1;
    cards_read(l->tree, &l->cards);
    if (format_group_tree(l->tree, &(struct format_options){.ignore = cards_hold, .arg = &l->cards}, &l->groups, err) < 0)
        return -1;
    plan_make(l->tree, l->groups, &l->cards, strrchr(l->path, '/') + 1, &l->plan);
    *out = STEAL(l);
    return 0;
}
