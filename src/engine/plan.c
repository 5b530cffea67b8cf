#include "engine/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* What is under way while a plan is made. */
struct work {
    struct plan *p;
    struct policy *policy;
    size_t cap_targets, cap_filesets, cap_held, cap_skips;
};

static void skip(struct work *w, const char *path, enum reason why, const char *text)
{
    struct plan *p = w->p;

    p->skips = mem_grow(p->skips, p->n_skips, &w->cap_skips, sizeof(*p->skips));
    p->skips[p->n_skips++] = (struct plan_skip){.path = path, .why = why, .text = text};
}

static char *name_of(const struct plan *p, const char *template, const struct found_card *card, const char *path,
                     struct arena *a)
{
    const struct naming_of of = {.root_name = p->root_name, .card_dir = card->dir, .path = path,
                                 .project = card->card ? card->card->project : "",
                                 .user = card->card ? card->card->user : ""};

    return naming_make(template, &of, a);
}

static size_t target_of(struct work *w, const struct found_card *card, bool screen)
{
    struct plan *p = w->p;
    size_t i = p->n_targets;

    /* filesets come sorted by path: the target is nearly always the last one or one of the few above it */
    while (i-- > 0)
        if (p->targets[i].screen == screen && strcmp(p->targets[i].dir, card->dir) == 0)
            return i;

    char *name = name_of(p, p->names.dataset, card, NULL, p->arena);
    p->targets = mem_grow(p->targets, p->n_targets, &w->cap_targets, sizeof(*p->targets));
    p->targets[p->n_targets] = (struct plan_target){
        .dir = card->dir, .screen = screen, .card = card,
        .name = screen ? arena_printf(p->arena, "%s / %s", card->card->project, name) : name};
    return p->n_targets++;
}

/* The first path of the set that is not UTF-8, the root's name included where it would be used. */
static const char *odd_path(const struct plan *p, const struct format_group *g, const struct found_card *card)
{
    if (!*card->dir && !str_is_utf8(p->root_name, strlen(p->root_name)))
        return p->root_name;
    for (size_t i = 0; i < g->n_members; i++)
        if (!str_is_utf8(g->members[i]->path, strlen(g->members[i]->path)))
            return g->members[i]->path;
    return NULL;
}

/* A member for which another card is nearer than the one of the target, or NULL. */
static const struct tree_entry *stray(const struct plan *p, const struct format_group *g, const struct found_card *near)
{
    for (size_t i = 1; i < g->n_members; i++) {
        const struct tree_entry *m = g->members[i];
        size_t n = 0;

        if (cards_near(p->cards, m->path, m->dir_len, &n) != near)
            return m;
    }
    return NULL;
}

static void hold(struct plan_fileset *f, enum reason why, const char *text)
{
    f->why = why;
    f->text = text;
}

/* "its path 'a\xE9.tif' is not UTF-8" */
static const char *about(struct plan *p, const char *before, const char *path, const char *after)
{
    AUTO(mem_freep) char *shown = str_show(path);

    return arena_printf(p->arena, "%s '%s' %s", before, shown, after);
}

char *plan_blocked_text(const char *card_path)
{
    AUTO(mem_freep) char *shown = str_show(card_path);

    return mem_printf("the card '%s' cannot be used", shown);
}

static void hold_for_card(struct plan *p, struct plan_fileset *f, const struct found_card *blocked)
{
    AUTO(mem_freep) char *text = plan_blocked_text(blocked->entry->path);

    hold(f, blocked->why, arena_str(p->arena, text));
}

/* A file of the set that the card may not take for its user. */
static void judge_policy(struct work *w, struct plan_fileset *f)
{
    for (size_t i = 0; i < f->group.n_members && f->why == REASON_NONE; i++) {
        const struct tree_entry *m = f->group.members[i];
        const struct policy_owner owner = {m->stamp.uid, m->stamp.nlink};
        AUTO(mem_freep) char *dir = mem_strn(m->path, m->dir_len);
        struct err err = ERR_INIT;

        if (policy_file(w->policy, dir, f->card->card->user, &owner, &err) < 0)
            hold(f, err.why, i == 0 ? arena_str(w->p->arena, err.text) : about(w->p, err.text, m->path, "is of the set"));
    }
}

/* Why a set below a card cannot be imported as planned, if so. */
static void judge(struct work *w, struct plan_fileset *f, const struct found_card *near, const struct found_card *good,
                  const struct found_card *blocked)
{
    const struct format_group *g = &f->group;
    const char *odd = odd_path(w->p, g, f->card);
    const struct tree_entry *other = stray(w->p, g, near);

    if (odd)
        hold(f, REASON_NOT_UTF8, about(w->p, "its path", odd, "is not UTF-8"));
    else if (!good)
        hold_for_card(w->p, f, blocked);
    else if (f->why == REASON_NONE && other)
        hold(f, REASON_CONFLICT, about(w->p, "its file", other->path, "belongs to another card than the rest of the set"));
    else
        judge_policy(w, f);
}

int64_t plan_fileset_bytes(const struct plan_fileset *f)
{
    int64_t sum = 0;

    for (size_t i = 0; i < f->group.n_members; i++)
        sum += f->group.members[i]->stamp.size;
    return sum;
}

static size_t held_text(struct work *w, const char *text)
{
    struct plan *p = w->p;

    p->held_texts = mem_grow(p->held_texts, p->n_held, &w->cap_held, sizeof(*p->held_texts));
    p->held_texts[p->n_held] = text;
    return p->n_held++;
}

static void add_fileset(struct work *w, size_t group, const struct format_group *g, const struct found_card *near, size_t n_near,
                        enum reason why, const char *text)
{
    struct plan *p = w->p;
    const struct found_card *blocked, *good = cards_apply(near, n_near, &blocked);
    struct plan_fileset f = {.group = *g, .card = good ? good : blocked, .why = why, .text = text};

    judge(w, &f, near, good, blocked);
    if (f.why == REASON_NONE) {
        f.target = target_of(w, good, g->plate);
        p->targets[f.target].n_filesets++;
    }
    p->filesets = mem_grow(p->filesets, p->n_filesets, &w->cap_filesets, sizeof(*p->filesets));
    p->filesets[p->n_filesets++] = (struct plan_kept){
        .group = (uint32_t)group, .why = f.why, .of = (uint32_t)(f.why == REASON_NONE ? f.target : held_text(w, f.text))};
}

void plan_fileset_at(const struct plan *p, size_t i, struct arena *a, struct plan_fileset *out)
{
    const struct plan_kept *kept = &p->filesets[i];
    const struct format_group g = format_group_at(p->groups, kept->group);
    size_t n = 0;
    const struct found_card *near = cards_near(p->cards, g.members[0]->path, g.members[0]->dir_len, &n);
    const struct found_card *blocked, *good = cards_apply(near, n, &blocked);

    *out = (struct plan_fileset){.group = g, .path = g.members[0]->path, .target = SIZE_MAX, .card = good ? good : blocked,
                                 .why = kept->why, .text = ""};
    if (kept->why == REASON_NONE)
        out->target = kept->of;
    else
        out->text = p->held_texts[kept->of];
    if (kept->why != REASON_NOT_UTF8)
        out->name = name_of(p, p->names.image, out->card, out->path, a);
}

bool plan_is_ready(const struct tree *tree, const char *name, const char *path)
{
    size_t n = strlen(path);

    do {
        while (n > 0 && path[n - 1] != '/')
            n--;

        AUTO(mem_freep) char *marker = mem_printf("%.*s%s", (int)n, path, name);

        if (tree_find(tree, marker))
            return true;
    } while (n-- > 0);
    return false;
}

/* The root's choice, then the card's for what lies below it. */
static enum reason chosen(const struct plan *p, const struct format_group *g, const struct found_card *near, size_t n_near,
                          const char **text)
{
    const struct found_card *blocked, *good = near ? cards_apply(near, n_near, &blocked) : NULL;
    const struct card *c = good ? good->card : NULL;
    const char *path = g->members[0]->path;
    struct format_choice root = *p->choice;

    root.gaps |= root.ready && plan_is_ready(p->tree, root.ready, path);

    enum reason why = format_chosen(g, &root, path, text);

    if (!c || why == REASON_EXCLUDED || (!c->include && !c->exclude && !c->formats && !c->exclude_formats))
        return why;

    const struct format_choice own = {.include = c->include, .exclude = c->exclude, .formats = c->formats,
                                      .exclude_formats = c->exclude_formats, .gaps = root.gaps};

    enum reason own_why = format_chosen(g, &own, path + strlen(good->dir) + (*good->dir != '\0'), text);

    return own_why == REASON_EXCLUDED || why != REASON_NONE ? own_why : why;
}

/* Files that are no images, and images that no card or nobody wants, are named and left out. */
static void take_group(struct work *w, size_t group)
{
    const struct format_group kept = format_group_at(w->p->groups, group), *g = &kept;
    const struct tree_entry *target = g->members[0];
    size_t n_near = 0;
    const struct found_card *near = cards_near(w->p->cards, target->path, target->dir_len, &n_near);
    const char *text;
    enum reason why = chosen(w->p, g, near, n_near, &text);
    bool wanted = why != REASON_UNKNOWN_FORMAT && why != REASON_EXCLUDED;

    if (wanted && near) {
        add_fileset(w, group, g, near, n_near, why, text);
        return;
    }
    for (size_t i = 0; i < g->n_members; i++)
        skip(w, g->members[i]->path, wanted ? REASON_NO_CARD : why, wanted ? "" : text);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct plan_skip *)a)->path, ((const struct plan_skip *)b)->path);
}

void plan_make(const struct tree *tree, const struct format_groups *groups, const struct cards *cards,
               const struct format_choice *choice, const char *root_name, const struct naming *names,
               struct policy *policy, struct plan *out)
{
    static const struct format_choice everything;
    static const struct naming seeds = {NAMING_DATASET, NAMING_IMAGE};
    struct work w = {.p = out, .policy = policy};

    *out = (struct plan){.root_name = root_name, .names = names && names->image ? *names : seeds,
                         .groups = groups, .cards = cards, .choice = choice ? choice : &everything,
                         .tree = tree, .arena = arena_new()};
    for (size_t i = 0; i < groups->n; i++)
        take_group(&w, i);
    for (size_t i = 0; i < tree->n; i++)
        if (tree->entries[i].skip != REASON_NONE)
            skip(&w, tree->entries[i].path, tree->entries[i].skip, "");
    if (out->n_skips > 0)
        qsort(out->skips, out->n_skips, sizeof(*out->skips), by_path);
}

void plan_clear(struct plan *p)
{
    free(p->targets);
    free(p->filesets);
    free(p->held_texts);
    free(p->skips);
    arena_free(p->arena);
    *p = (struct plan){0};
}
