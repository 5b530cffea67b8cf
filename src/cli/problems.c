#include "cli/problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct list {
    const struct problems_ask *ask;
    struct shape_problem *at;
    size_t n, cap, n_cards;
};

static void list_clear(struct list *l)
{
    free(l->at);
}

static void add(struct list *l, struct shape_problem p)
{
    l->at = mem_grow(l->at, l->n, &l->cap, sizeof(*l->at));
    l->at[l->n++] = p;
}

static bool is_asked(const struct problems_ask *ask, const char *root, const char *path)
{
    AUTO(mem_freep) char *full = mem_printf("%s%s%s", strcmp(root, "/") == 0 ? "" : root, *path ? "/" : "", path);

    for (size_t i = 0; i < ask->n_paths; i++)
        if (str_below(full, ask->paths[i]))
            return true;
    return ask->n_paths == 0;
}

static void add_card(struct list *l, const struct ledger_card *c)
{
    if (is_asked(l->ask, c->root, c->path))
        add(l, (struct shape_problem){.root = c->root, .path = c->path, .line = c->line, .why = c->why,
                                      .cls = reason_row(c->why)->cls, .text = c->text, .since_ms = c->since_ms});
}

static void add_dataset(struct list *l, const struct ledger_dataset *d)
{
    if (is_asked(l->ask, d->root_path, d->dir))
        add(l, (struct shape_problem){.root = d->root_path, .path = d->dir, .why = d->why, .cls = reason_row(d->why)->cls,
                                      .text = d->text, .since_ms = d->since_ms, .retry_ms = d->retry_ms});
}

/* What keeps a card from applying is said of the card, which is in the list before the files. */
static bool is_the_cards(const struct list *l, const struct ledger_fileset *f)
{
    for (size_t i = 0; i < l->n_cards; i++) {
        const struct shape_problem *card = &l->at[i];

        if (card->why != f->why || strcmp(card->root, f->root_path) != 0)
            continue;
        AUTO(mem_freep) char *text = plan_blocked_text(card->path);
        if (strcmp(text, f->text) == 0)
            return true;
    }
    return false;
}

/* As it was asked for, long gone, or said of the card. */
static bool is_left_out(const struct list *l, const struct ledger_fileset *f)
{
    if (f->why == REASON_COPY || !l->ask->unfinished)
        return f->why == REASON_COPY;
    return (f->gone_ms != 0 && f->since_ms < l->ask->since_ms) || is_the_cards(l, f);
}

static void add_fileset(struct list *l, const struct ledger_fileset *f)
{
    struct shape_problem p = {.root = f->root_path, .path = f->path, .why = f->why, .cls = f->cls, .text = f->text,
                              .hint = f->hint, .since_ms = f->since_ms, .retry_ms = f->retry_ms};

    if (is_left_out(l, f))
        return;
    if (f->gone_ms != 0 && p.why == REASON_NONE) {
        p.why = REASON_GONE;
    } else if (f->state != LEDGER_DONE && p.why == REASON_NONE) {
        p.why = f->state == LEDGER_SETTLING ? REASON_SETTLING : REASON_STOPPED;
        p.text = "it was not imported yet";
    }
    add(l, p);
}

static int add_filesets(struct list *l, struct ledger *ledger, const struct ledger_filter *filter, struct arena *a,
                        struct err *err)
{
    const struct ledger_fileset *found;
    size_t n = 0;

    if (ledger_list(ledger, filter, a, &found, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        add_fileset(l, &found[i]);
    return 0;
}

static int add_files(struct list *l, struct ledger *ledger, const char *path, struct arena *a, struct err *err)
{
    const unsigned stuck = 1u << LEDGER_WAITING | 1u << LEDGER_HELD;
    const unsigned open = ((1u << N_LEDGER_STATES) - 1) & ~(1u << LEDGER_DONE);
    const struct ledger_filter waiting = {.path = path, .states = l->ask->unfinished ? open : stuck};
    const struct ledger_filter changed = {.path = path, .changed = true};

    return add_filesets(l, ledger, &waiting, a, err) < 0 ? -1 : add_filesets(l, ledger, &changed, a, err);
}

static int add_cards(struct list *l, struct ledger *ledger, struct arena *a, struct err *err)
{
    const struct ledger_card *cards;
    const struct ledger_dataset *datasets;
    size_t n_cards = 0, n_datasets = 0;

    if (ledger_cards(ledger, false, a, &cards, &n_cards, err) < 0 ||
        ledger_datasets(ledger, true, a, &datasets, &n_datasets, err) < 0)
        return -1;
    for (size_t i = 0; i < n_cards; i++)
        add_card(l, &cards[i]);
    l->n_cards = l->n;
    for (size_t i = 0; i < n_datasets; i++)
        add_dataset(l, &datasets[i]);
    return 0;
}

int problems_read(struct ledger *ledger, const struct problems_ask *ask, struct arena *a, struct problems *out, struct err *err)
{
    AUTO(list_clear) struct list l = {.ask = ask};

    if (add_cards(&l, ledger, a, err) < 0 || (ask->n_paths == 0 && add_files(&l, ledger, NULL, a, err) < 0))
        return -1;
    for (size_t i = 0; i < ask->n_paths; i++)
        if (add_files(&l, ledger, ask->paths[i], a, err) < 0)
            return -1;

    struct shape_problem *kept = arena_alloc(a, l.n, sizeof(*kept));

    if (l.n > 0)
        memcpy(kept, l.at, l.n * sizeof(*kept));
    *out = (struct problems){kept, l.n};
    return 0;
}

char *problem_where(const struct shape_problem *p)
{
    AUTO(mem_freep) char *root = str_show(p->root);
    AUTO(mem_freep) char *path = str_show(p->path);
    const char *slash = *path ? "/" : "";

    return p->line ? mem_printf("%s%s%s:%d", root, slash, path, p->line) : mem_printf("%s%s%s", root, slash, path);
}
