#include "engine/record.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void record_revision(struct arena *a, const struct card *c, struct ledger_revision *out)
{
    struct ledger_pair *pairs = arena_alloc(a, c->n_pairs + 1, sizeof(*pairs));

    for (size_t i = 0; i < c->n_pairs; i++)
        pairs[i] = (struct ledger_pair){.key = c->pairs[i].key, .value = c->pairs[i].value};
    *out = (struct ledger_revision){.sha256 = c->sha256, .project = c->project, .user = c->user, .group = c->group,
                                    .title = c->title, .comment = c->comment ? c->comment : "", .tags = c->tags,
                                    .n_tags = c->n_tags, .pairs = pairs, .n_pairs = c->n_pairs};
}

/* Of equal cards in one directory the first one stands for all. */
static bool applies(const struct cards *c, size_t i)
{
    if (c->at[i].why != REASON_NONE)
        return false;
    for (size_t k = i; k-- > 0 && strcmp(c->at[k].dir, c->at[i].dir) == 0;)
        if (c->at[k].why == REASON_NONE)
            return false;
    return true;
}

/* What a person is to hear of, for nobody knows what it holds. */
static bool is_closed(const struct plan_skip *s)
{
    return s->why == REASON_UNREADABLE || s->why == REASON_TOO_LONG || s->why == REASON_TOO_LARGE;
}

static size_t n_closed(const struct plan *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_skips; i++)
        n += is_closed(&p->skips[i]);
    return n;
}

static struct ledger_card *cards_of(struct arena *a, const struct plan *p, struct ledger_revision *revisions, size_t *n)
{
    const struct cards *c = p->cards;
    struct ledger_card *cards = arena_alloc(a, c->n + n_closed(p) + 1, sizeof(*cards));

    *n = c->n;
    for (size_t i = 0; i < p->n_skips; i++)
        if (is_closed(&p->skips[i]))
            cards[(*n)++] = (struct ledger_card){.path = p->skips[i].path, .why = p->skips[i].why, .text = p->skips[i].text};
    for (size_t i = 0; i < c->n; i++) {
        const struct found_card *f = &c->at[i];

        if (f->card)
            record_revision(a, f->card, &revisions[i]);
        cards[i] = (struct ledger_card){.path = f->entry->path, .dir = applies(c, i) ? f->dir : NULL, .why = f->why,
                                        .line = f->line, .text = f->text ? f->text : "",
                                        .revision = f->card ? &revisions[i] : NULL};
    }
    return cards;
}

static struct ledger_target *targets_of(struct arena *a, const struct plan *p, const struct ledger_revision *revisions)
{
    struct ledger_target *targets = arena_alloc(a, p->n_targets + 1, sizeof(*targets));

    for (size_t i = 0; i < p->n_targets; i++) {
        const struct plan_target *t = &p->targets[i];

        targets[i] = (struct ledger_target){.dir = t->dir, .name = t->name, .revision = &revisions[t->card - p->cards->at],
                                            .kind = t->screen ? LEDGER_KIND_SCREEN : LEDGER_KIND_DATASET};
    }
    return targets;
}

static struct ledger_member *members_of(struct arena *a, const struct format_group *g)
{
    struct ledger_member *members = arena_alloc(a, g->n_members, sizeof(*members));

    for (size_t i = 0; i < g->n_members; i++) {
        const struct tree_stamp *s = &g->members[i]->stamp;

        members[i] = (struct ledger_member){.path = g->members[i]->path,
                                            .shared = i + g->n_shared >= g->n_members,
                                            .stamp = {.size = s->size, .mtime_ns = s->mtime_ns, .ctime_ns = s->ctime_ns,
                                                      .ino = s->ino}};
    }
    return members;
}

static bool is_young(const struct format_group *g, int64_t incomplete_ms)
{
    int64_t newest = INT64_MIN;

    for (size_t i = 0; i < g->n_members; i++) {
        const struct tree_stamp *s = &g->members[i]->stamp;

        newest = s->mtime_ns > newest ? s->mtime_ns : newest;
        newest = s->ctime_ns > newest ? s->ctime_ns : newest;
    }
    return clock_wall_ms() - newest / NS_PER_MS < incomplete_ms;
}

/* The rest of a set may still be on its way: that is no news for anybody yet. */
static void wait_in_silence(struct arena *a, struct ledger_plan *p, const struct plan_fileset *f, int64_t incomplete_ms)
{
    if (f->why != REASON_INCOMPLETE || !is_young(&f->group, incomplete_ms))
        return;
    p->why = REASON_SETTLING;
    p->text = arena_printf(a, "incomplete so far: %s", f->text);
}

static void wait_for_marker(struct arena *a, struct ledger_plan *p, const struct look *look, const char *ready)
{
    if (!ready || p->why != REASON_NONE || plan_is_ready(look->tree, ready, p->path))
        return;
    p->why = REASON_SETTLING;
    p->text = arena_printf(a, "until a file '%s' says that its directory is complete", ready);
}

/* What plans are made of when the ledger asks for them. */
struct source {
    const struct look *look;
    const struct record_rules *rules;
};

/* A set whose name is not known is held: nothing is imported without one. */
static void plan_of(const void *arg, size_t i, struct arena *a, struct ledger_plan *out)
{
    const struct source *s = arg;
    struct plan_fileset f;

    plan_fileset_at(&s->look->plan, i, a, &f);
    *out = (struct ledger_plan){.path = f.path, .target = f.target, .name = f.name ? f.name : "", .format = f.group.format,
                                .reader = f.group.reader, .plate = f.group.plate, .why = f.why, .text = f.text,
                                .members = members_of(a, &f.group), .n_members = f.group.n_members};
    wait_for_marker(a, out, s->look, s->rules->ready);
    wait_in_silence(a, out, &f, s->rules->incomplete_ms);
}

int record_look(struct ledger *ledger, const struct look *look, const struct record_rules *rules, struct ledger_synced *out,
                struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct source source = {.look = look, .rules = rules};
    const struct plan *p = &look->plan;
    struct ledger_revision *revisions = arena_alloc(a, p->cards->n + 1, sizeof(*revisions));
    struct ledger_scan scan = {.root = rules->root, .settle_ms = rules->settle_ms, .trust_times = rules->trust_times};

    scan.cards = cards_of(a, p, revisions, &scan.n_cards);
    scan.targets = targets_of(a, p, revisions);
    scan.n_targets = p->n_targets;
    scan.plan = plan_of;
    scan.arg = &source;
    scan.n_plans = p->n_filesets;
    return ledger_sync(ledger, &scan, out, err);
}
