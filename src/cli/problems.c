#include "cli/problems.h"

#include <string.h>

#include "base/str.h"

struct list {
    struct arena *a;
    const char *path;
    struct shape_problem *at;
    size_t n;
};

static bool lies_below(const char *root, const char *path, const char *dir)
{
    AUTO(mem_freep) char *full = mem_printf("%s%s%s", strcmp(root, "/") == 0 ? "" : root, *path ? "/" : "", path);
    size_t n = strlen(dir);

    return str_starts(full, dir) && (full[n] == '\0' || full[n] == '/' || strcmp(dir, "/") == 0);
}

static void add(struct list *l, struct shape_problem p)
{
    if (!l->path || lies_below(p.root, p.path, l->path))
        l->at[l->n++] = p;
}

static void add_card(struct list *l, const struct ledger_card *c)
{
    add(l, (struct shape_problem){.root = c->root, .path = c->path, .line = c->line, .why = c->why, .cls = reason_row(c->why)->cls,
                                  .text = c->text, .since_ms = c->since_ms});
}

static void add_dataset(struct list *l, const struct ledger_dataset *d)
{
    add(l, (struct shape_problem){.root = d->root_path, .path = d->dir, .why = d->why, .cls = reason_row(d->why)->cls,
                                  .text = d->text, .since_ms = d->since_ms, .retry_ms = d->retry_ms});
}

static void add_fileset(struct list *l, const struct ledger_fileset *f)
{
    add(l, (struct shape_problem){.root = f->root_path, .path = f->path, .why = f->why, .cls = f->cls, .text = f->text,
                                  .hint = f->hint, .since_ms = f->since_ms, .retry_ms = f->retry_ms});
}

int problems_read(struct ledger *ledger, const char *path, struct arena *a, struct problems *out, struct err *err)
{
    const struct ledger_filter stuck = {.path = path, .states = 1u << LEDGER_WAITING | 1u << LEDGER_HELD};
    const struct ledger_filter changed = {.path = path, .changed = true};
    const struct ledger_card *cards;
    const struct ledger_dataset *datasets;
    const struct ledger_fileset *held, *other;
    size_t n_cards, n_datasets, n_held, n_other;

    if (ledger_cards(ledger, false, a, &cards, &n_cards, err) < 0 ||
        ledger_datasets(ledger, true, a, &datasets, &n_datasets, err) < 0 ||
        ledger_list(ledger, &stuck, a, &held, &n_held, err) < 0 || ledger_list(ledger, &changed, a, &other, &n_other, err) < 0)
        return -1;

    struct list l = {.a = a, .path = path};

    l.at = arena_alloc(a, n_cards + n_datasets + n_held + n_other, sizeof(*l.at));
    for (size_t i = 0; i < n_cards; i++)
        add_card(&l, &cards[i]);
    for (size_t i = 0; i < n_datasets; i++)
        add_dataset(&l, &datasets[i]);
    for (size_t i = 0; i < n_held; i++)
        add_fileset(&l, &held[i]);
    for (size_t i = 0; i < n_other; i++)
        add_fileset(&l, &other[i]);
    *out = (struct problems){l.at, l.n};
    return 0;
}

char *problem_where(const struct shape_problem *p)
{
    AUTO(mem_freep) char *root = str_show(p->root);
    AUTO(mem_freep) char *path = str_show(p->path);
    const char *slash = *path ? "/" : "";

    return p->line ? mem_printf("%s%s%s:%d", root, slash, path, p->line) : mem_printf("%s%s%s", root, slash, path);
}
