/* Cards by root and user, with what became of them; and all that waits or is held. */
#include <string.h>

#include "web/page.h"

/* ---- problems ---- */

int page_problems(struct view *v, struct err *err)
{
    struct problems found;
    const char *next = NULL;

    if (problems_page(v->l, request_text(v->q, "after"), PAGE_ROWS, v->a, &found, &next, err) < 0)
        return -1;
    page_begin(v, "/problems", "What waits or is held");
    html(v->b, "<p>First what needs a person: cards, datasets, held files; then what is tried again by itself, then files that"
               " changed after their import.</p>\n<section aria-label=\"Problems\"><h2 class=\"unseen\">Problems</h2>\n");
    if (found.n == 0)
        html(v->b, "<p>Nothing.</p>");
    for (size_t i = 0; i < found.n; i++)
        page_problem(v->b, &found.at[i]);
    html(v->b, "</section>\n");
    page_more(v->b, "/problems", NULL, NULL, next);
    page_end(v);
    return 0;
}

/* ---- cards ---- */

static const char *dir_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_strn(a, path, (size_t)(slash - path)) : "";
}

static int dataset(struct view *v, const struct ledger_dataset *d, struct err *err)
{
    int64_t n[N_LEDGER_STATES];

    if (ledger_tally(v->l, d->id, n, err) < 0)
        return -1;
    html(v->b, "<p>");
    if (d->omero_id)
        page_omero(v, ledger_kind_name(d->kind), d->omero_id, d->name);
    else
        html(v->b, "%s <bdi>%s</bdi>, not made yet", ledger_kind_name(d->kind), d->name);
    html(v->b, ": ");
    page_counts(v->b, n);
    if (d->why != REASON_NONE) {
        html(v->b, "; the card is not followed: ");
        page_reason(v->b, d->why, d->text);
    } else if (d->stale && d->omero_id) {
        html(v->b, "; its card is still to be followed");
    }
    html(v->b, "</p>\n");
    return 0;
}

static void content(struct buf *b, const struct ledger_revision *r)
{
    html(b, "<p class=\"when\">of <a href=\"/cards?user=%u\"><bdi>%s</bdi></a>", r->user, r->user);
    if (r->group)
        html(b, " in <bdi>%s</bdi>", r->group);
    html(b, ", project <bdi>%s</bdi>", r->project);
    if (r->title && *r->title)
        html(b, ": <bdi>%s</bdi>", r->title);
    html(b, "</p>");
}

static int card(struct view *v, const struct ledger_card *c, struct err *err)
{
    const struct ledger_dataset *found;
    size_t n = 0;

    if (ledger_datasets_at(v->l, c->root_id, dir_of(v->a, c->path), v->a, &found, &n, err) < 0)
        return -1;
    html(v->b, "<article class=\"card %s\"><h3>", c->why == REASON_NONE ? "applies" : "held");
    page_path(v->b, c->root, c->path, 0);
    html(v->b, "</h3>");
    if (c->revision)
        content(v->b, c->revision);
    if (c->why != REASON_NONE) {
        html(v->b, "<p>It does not apply: ");
        page_reason(v->b, c->why, c->text);
        if (c->line)
            html(v->b, ", line %d", (int64_t)c->line);
        html(v->b, "</p>");
    }
    for (size_t i = 0; i < n; i++)
        if (dataset(v, &found[i], err) < 0)
            return -1;
    html(v->b, "</article>\n");
    return 0;
}

int page_card_list(struct view *v, const struct ledger_card *cards, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (card(v, &cards[i], err) < 0)
            return -1;
    return 0;
}

/* Links that choose a tree. */
static int choices(struct view *v, struct err *err)
{
    const struct ledger_root *roots;
    size_t n = 0;

    if (ledger_roots(v->l, v->a, &roots, &n, err) < 0)
        return -1;
    html(v->b, "<nav aria-label=\"Directory trees\"><ul class=\"choices\"><li><a href=\"/cards\">all</a></li>");
    for (size_t i = 0; i < n; i++)
        html(v->b, "<li><a href=\"/cards?path=%u\"><bdi>%s</bdi></a></li>", roots[i].path, roots[i].name);
    html(v->b, "</ul></nav>\n");
    return 0;
}

int page_cards(struct view *v, struct err *err)
{
    struct ledger_card_filter f = {.all = true, .user = request_text(v->q, "user"), .path = request_text(v->q, "path"),
                                   .max = PAGE_ROWS};
    const struct ledger_card *cards;
    size_t n = 0;

    if (request_number(v->q, "after", 0, &f.after, err) < 0 || ledger_cards(v->l, &f, v->a, &cards, &n, err) < 0)
        return -1;
    page_begin(v, "/cards", "Cards");
    if (choices(v, err) < 0)
        return -1;
    html(v->b, "<section aria-label=\"Cards\"><h2>");
    if (f.user || f.path)
        html(v->b, f.user ? "Of <bdi>%s</bdi>" : "Below <bdi>%s</bdi>", f.user ? f.user : f.path);
    else
        html(v->b, "All");
    html(v->b, "</h2>\n");
    if (n == 0)
        html(v->b, "<p>None.</p>");
    if (page_card_list(v, cards, n, err) < 0)
        return -1;
    html(v->b, "</section>\n");
    page_more(v->b, "/cards", f.user ? "user" : "path", f.user ? f.user : f.path,
              n == PAGE_ROWS ? arena_printf(v->a, "%lld", (long long)cards[n - 1].id) : NULL);
    page_end(v);
    return 0;
}
