/* What there is to tell, as the ledger knows it. */
#include "daemon/tell_inside.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    STUCK_MAX = 20, /* named in one message */
    UNDER_WAY = 1u << LEDGER_SEEN | 1u << LEDGER_SETTLING | 1u << LEDGER_READY | 1u << LEDGER_SENT | 1u << LEDGER_STARTED,
};

static uint64_t mix(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

static const char *first_of(const char *own, const char *of_row)
{
    return own && *own ? own : of_row;
}

static void add_stuck(struct tell_message *m, struct arena *a, struct tell_stuck stuck)
{
    struct tell_stuck *list = (struct tell_stuck *)m->stuck;

    if (!list)
        m->stuck = list = arena_alloc(a, STUCK_MAX, sizeof(*list));
    if (m->n_stuck < STUCK_MAX)
        list[m->n_stuck++] = stuck;
    else
        m->n_more++;
}

/* ---- a dataset ---- */

static void add_fileset(struct tell_message *m, struct arena *a, const struct ledger_fileset *f, uint64_t *trouble)
{
    const struct reason_row *why = reason_row(f->why);

    *trouble = mix(mix(*trouble ? *trouble : UINT64_C(14695981039346656037), f->path), why->name);
    add_stuck(m, a, (struct tell_stuck){.path = f->path, .reason = why->name, .text = first_of(f->text, why->text),
                                        .hint = first_of(f->hint, why->hint)});
}

int tell_read_dataset(struct ledger *ledger, int64_t dataset, struct arena *a, struct tell_message *m, uint64_t *trouble,
                      uint64_t *told, struct err *err)
{
    const unsigned stuck = 1u << LEDGER_WAITING | 1u << LEDGER_HELD;
    const struct ledger_dataset *d;
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_dataset(ledger, dataset, a, &d, err) != 0)
        return -1;
    const char *dir = arena_printf(a, "%s%s%s", d->root_path, *d->dir ? "/" : "", d->dir);
    if (ledger_list(ledger, &(struct ledger_filter){.path = dir, .states = UNDER_WAY, .max = 1}, a, &list, &n, err) < 0)
        return -1;
    if (n > 0)
        return TELL_LATER;
    if (ledger_list(ledger, &(struct ledger_filter){.path = dir, .states = stuck}, a, &list, &n, err) < 0)
        return -1;
    *m = (struct tell_message){.user = d->user, .group = d->group, .project = d->project, .dataset = d->name, .dir = dir,
                               .dataset_id = d->omero_id};
    *trouble = 0;
    *told = d->told;
    for (size_t i = 0; i < n; i++)
        if (list[i].dataset == dataset)
            add_fileset(m, a, &list[i], trouble);
    return 0;
}

/* ---- cards ---- */

static void add_card(struct tell_cards *c, struct arena *a, const struct ledger_card *card)
{
    const struct reason_row *why = reason_row(card->why);

    c->ids[c->n_ids++] = card->id;
    add_stuck(&c->message, a, (struct tell_stuck){.path = card->path, .line = card->line, .reason = why->name,
                                                  .text = first_of(card->text, why->text), .hint = why->hint});
}

/* The cards come in the order of their roots. */
int tell_read_cards(struct ledger *ledger, int64_t quiet_ms, struct arena *a, struct tell_cards **out, size_t *n,
                    struct err *err)
{
    const struct ledger_card *cards;
    size_t n_cards = 0;
    bool young = false;

    if (ledger_cards(ledger, &(struct ledger_card_filter){0}, a, &cards, &n_cards, err) < 0)
        return -1;
    struct tell_cards *all = arena_alloc(a, n_cards + 1, sizeof(*all));
    int64_t *ids = arena_alloc(a, n_cards + 1, sizeof(*ids)), now = clock_wall_ms();

    *n = 0;
    for (size_t i = 0; i < n_cards; i++) {
        if (cards[i].told)
            continue;
        if (now - cards[i].since_ms < quiet_ms) {
            young = true;
            continue;
        }
        if (*n == 0 || strcmp(all[*n - 1].message.dir, cards[i].root) != 0)
            all[(*n)++] = (struct tell_cards){.message = {.dir = cards[i].root}, .ids = ids + i};
        add_card(&all[*n - 1], a, &cards[i]);
    }
    *out = all;
    return young ? TELL_LATER : 0;
}
