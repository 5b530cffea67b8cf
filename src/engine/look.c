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
    free(l->helper_text);
    free(l->path);
    free(l);
}

void look_freep(struct look **l)
{
    look_free(*l);
    *l = NULL;
}

void look_rules_of(const struct root_settings *set, const struct settings *s, struct look_rules *out)
{
    *out = (struct look_rules){
        .set = set,
        .choice = {.include = set->include, .exclude = set->exclude, .formats = set->formats,
                   .exclude_formats = set->exclude_formats, .gaps = set->gaps, .ready = set->ready},
        .names = set->names,
        .helper = {.command = s->helper, .timeout_s = s->helper_s},
    };
}

/* A helper that fails leaves everything as it was; the sets stay deferred and say why. */
static void ask_helper(struct look *l)
{
    struct err err = ERR_INIT;

    if (l->rules.helper.command && format_help(l->tree, l->path, &l->rules.helper, l->groups, &err) < 0)
        l->helper_text = mem_str(err.text);
}

int look_at(const char *path, const struct look_rules *rules, struct look **out, struct err *err)
{
    static const struct root_settings by_hand;
    const struct root_settings *set = rules && rules->set ? rules->set : &by_hand;
    struct policy policy;
    AUTO(look_freep) struct look *l = mem_new(1, sizeof(*l));

    if (rules)
        l->rules = *rules;
    l->path = realpath(path, NULL);
    if (!l->path)
        return err_set(err, REASON_ROOT_AWAY, errno, "directory '%s'", path);
    if (policy_of(set, &policy, err) < 0 || tree_scan_into(l->path, set->follow_into, &l->tree, err) < 0)
        return -1;
    cards_read(l->tree, &policy, &l->cards);

    const struct format_options options = {.ignore = cards_hold, .arg = &l->cards, .memory = l->rules.memory};

    if (format_group_tree(l->tree, &options, &l->groups, err) < 0)
        return -1;
    ask_helper(l);
    l->rules.memory = NULL; /* only as long as the files were looked at */
    plan_make(l->tree, l->groups, &l->cards, &l->rules.choice, strrchr(l->path, '/') + 1, &l->rules.names, &policy, &l->plan);
    *out = STEAL(l);
    return 0;
}
