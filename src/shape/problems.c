#include "shape/problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct list {
    const struct problems_ask *ask;
    struct shape_problem *at;
    size_t n, cap, n_cards;
    bool more;
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
        AUTO(mem_freep) char *text = l->ask->blocked_text(card->path);
        if (strcmp(text, f->text) == 0)
            return true;
    }
    return false;
}

/* As it was asked for, long gone, or said of the card; gone from the disk before anything of it was sent: all is over. */
static bool is_left_out(const struct list *l, const struct ledger_fileset *f)
{
    if (f->why == REASON_COPY || !l->ask->unfinished)
        return f->why == REASON_COPY || (f->gone_ms != 0 && f->call == LEDGER_CALL_NONE && l->ask->n_paths == 0);
    return (f->gone_ms != 0 && f->since_ms < l->ask->since_ms) || is_the_cards(l, f);
}

static void add_fileset(struct list *l, const struct ledger_fileset *f)
{
    struct shape_problem p = {.root = f->root_path, .path = f->path, .why = f->why, .cls = f->cls, .text = f->text,
                              .hint = f->hint, .since_ms = f->since_ms, .retry_ms = f->retry_ms, .fileset = f->id};

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
    l->more |= filter->max > 0 && n >= filter->max;
    return 0;
}

static int add_files(struct list *l, struct ledger *ledger, const char *path, struct arena *a, struct err *err)
{
    const unsigned stuck = 1u << LEDGER_WAITING | 1u << LEDGER_HELD;
    const unsigned open = ((1u << N_LEDGER_STATES) - 1) & ~(1u << LEDGER_DONE);
    const struct ledger_filter waiting = {.path = path, .states = l->ask->unfinished ? open : stuck,
                                          .max = l->ask->max};
    const struct ledger_filter changed = {.path = path, .changed = true, .max = l->ask->max};

    return add_filesets(l, ledger, &waiting, a, err) < 0 ? -1 : add_filesets(l, ledger, &changed, a, err);
}

static int add_cards(struct list *l, struct ledger *ledger, struct arena *a, struct err *err)
{
    const struct ledger_card *cards;
    const struct ledger_dataset *datasets;
    size_t n_cards = 0, n_datasets = 0;

    if (ledger_cards(ledger, &(struct ledger_card_filter){.max = l->ask->max}, a, &cards, &n_cards, err) < 0 ||
        ledger_datasets_page(ledger, true, 0, l->ask->max, a, &datasets, &n_datasets, err) < 0)
        return -1;
    for (size_t i = 0; i < n_cards; i++)
        add_card(l, &cards[i]);
    l->n_cards = l->n;
    l->more |= l->ask->max > 0 && (n_cards >= l->ask->max || n_datasets >= l->ask->max);
    for (size_t i = 0; i < n_datasets; i++)
        add_dataset(l, &datasets[i]);
    return 0;
}

static const struct shape_problem *keep(struct arena *a, const struct list *l)
{
    struct shape_problem *kept = arena_alloc(a, l->n, sizeof(*kept));

    if (l->n > 0)
        memcpy(kept, l->at, l->n * sizeof(*kept));
    return kept;
}

int problems_read(struct ledger *ledger, const struct problems_ask *ask, struct arena *a, struct problems *out, struct err *err)
{
    AUTO(list_clear) struct list l = {.ask = ask};

    if (add_cards(&l, ledger, a, err) < 0 || (ask->n_paths == 0 && add_files(&l, ledger, NULL, a, err) < 0))
        return -1;
    for (size_t i = 0; i < ask->n_paths; i++)
        if (add_files(&l, ledger, ask->paths[i], a, err) < 0)
            return -1;
    *out = (struct problems){keep(a, &l), l.n, l.more};
    return 0;
}

/* ---- in pages ---- */

/* One kind of problem: reads at most `max` of them after a row, adds what is to be shown, and says the row of the last read. */
struct stage {
    char key;
    int (*read)(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a, struct err *err);
};

static int stage_cards(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a,
                       struct err *err)
{
    const struct ledger_card_filter f = {.after = *after, .max = max};
    const struct ledger_card *cards;

    if (ledger_cards(ledger, &f, a, &cards, n, err) < 0)
        return -1;
    for (size_t i = 0; i < *n; i++)
        add_card(l, &cards[i]);
    *after = *n > 0 ? cards[*n - 1].id : *after;
    return 0;
}

static int stage_datasets(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a,
                          struct err *err)
{
    const struct ledger_dataset *datasets;

    if (ledger_datasets_page(ledger, true, *after, max, a, &datasets, n, err) < 0)
        return -1;
    for (size_t i = 0; i < *n; i++)
        add_dataset(l, &datasets[i]);
    *after = *n > 0 ? datasets[*n - 1].id : *after;
    return 0;
}

static int stage_filesets(struct list *l, struct ledger *ledger, const struct ledger_filter *f, int64_t *after, size_t *n,
                          struct arena *a, struct err *err)
{
    const struct ledger_fileset *found;

    if (ledger_list(ledger, f, a, &found, n, err) < 0)
        return -1;
    for (size_t i = 0; i < *n; i++)
        add_fileset(l, &found[i]);
    *after = *n > 0 ? found[*n - 1].id : *after;
    return 0;
}

static int stage_held(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a,
                      struct err *err)
{
    return stage_filesets(l, ledger, &(struct ledger_filter){.states = 1u << LEDGER_HELD, .after = *after, .max = max}, after, n,
                          a, err);
}

static int stage_waiting(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a,
                         struct err *err)
{
    return stage_filesets(l, ledger, &(struct ledger_filter){.states = 1u << LEDGER_WAITING, .after = *after, .max = max}, after,
                          n, a, err);
}

static int stage_changed(struct list *l, struct ledger *ledger, int64_t *after, size_t max, size_t *n, struct arena *a,
                         struct err *err)
{
    return stage_filesets(l, ledger, &(struct ledger_filter){.changed = true, .after = *after, .max = max}, after, n, a, err);
}

/* In this order: what needs a person first. */
static const struct stage stages[] = {
    {'c', stage_cards}, {'d', stage_datasets}, {'h', stage_held}, {'w', stage_waiting}, {'x', stage_changed},
};

/* "h123": after row 123 of the held ones. */
static int read_key(const char *key, size_t *stage, int64_t *after, struct err *err)
{
    char *end = NULL;

    *stage = 0;
    *after = 0;
    if (!key)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        if (*key != stages[i].key)
            continue;
        *stage = i;
        *after = strtoll(key + 1, &end, 10);
        if (key[1] && *end == '\0' && *after >= 0)
            return 0;
    }
    return err_set(err, REASON_USAGE, 0, "'%.40s' is no place in the list", key);
}

int problems_page(struct ledger *ledger, const char *after, size_t max, struct arena *a, struct problems *out, const char **next,
                  struct err *err)
{
    const struct problems_ask all = {0};
    AUTO(list_clear) struct list l = {.ask = &all};
    size_t stage = 0, taken = 0;
    int64_t row = 0;
    bool cut = false;

    if (read_key(after, &stage, &row, err) < 0)
        return -1;
    for (; stage < ARRAY_LEN(stages) && !cut; stage += !cut) {
        size_t n = 0, room = max - taken;

        if (room > 0 && stages[stage].read(&l, ledger, &row, room, &n, a, err) < 0)
            return -1;
        taken += n;
        cut = taken == max;
        if (!cut)
            row = 0;
    }
    *next = cut ? arena_printf(a, "%c%lld", stages[stage].key, (long long)row) : NULL;
    *out = (struct problems){keep(a, &l), l.n, cut};
    return 0;
}

char *problem_where(const struct shape_problem *p)
{
    AUTO(mem_freep) char *root = str_show(p->root);
    AUTO(mem_freep) char *path = str_show(p->path);
    const char *slash = *path ? "/" : "";

    return p->line ? mem_printf("%s%s%s:%d", root, slash, path, p->line) : mem_printf("%s%s%s", root, slash, path);
}
