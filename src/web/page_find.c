/* Search: by number in OMERO, path, user, name of an image, card; each by an index. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/page.h"

/* What was typed, understood. */
struct wanted {
    const char *text;  /* as typed */
    const char *path;  /* absolute, without a slash at the end; NULL */
    const char *kind;  /* "Image:", "Fileset:", "Dataset:" or "" for any */
    int64_t number;    /* 0: none */
};

/* A way to look: what its list is called, and the filter; false: it does not fit what was typed. */
struct way {
    const char *key, *title;
    bool (*fits)(const struct wanted *w, struct ledger_filter *f);
};

static bool is_number(const struct wanted *w, const char *kind)
{
    return w->number && (!*w->kind || strcmp(w->kind, kind) == 0);
}

static bool by_image(const struct wanted *w, struct ledger_filter *f)
{
    f->image = w->number;
    return is_number(w, "Image:");
}

static bool by_fileset(const struct wanted *w, struct ledger_filter *f)
{
    f->omero_fileset = w->number;
    return is_number(w, "Fileset:");
}

static bool by_dataset(const struct wanted *w, struct ledger_filter *f)
{
    f->omero_dataset = w->number;
    return is_number(w, "Dataset:");
}

static bool by_file(const struct wanted *w, struct ledger_filter *f)
{
    f->file = w->path;
    return w->path != NULL;
}

static bool by_path(const struct wanted *w, struct ledger_filter *f)
{
    f->path = w->path;
    f->in_order = true;
    return w->path != NULL;
}

static bool by_user(const struct wanted *w, struct ledger_filter *f)
{
    f->user = w->text;
    return !w->path && !*w->kind;
}

static bool by_name(const struct wanted *w, struct ledger_filter *f)
{
    f->name = w->text;
    return !w->path && !*w->kind;
}

static const struct way ways[] = {
    {"image", "Image with this number", by_image},
    {"fileset", "Fileset with this number", by_fileset},
    {"dataset", "In the dataset with this number", by_dataset},
    {"file", "With this file", by_file},
    {"path", "Files below this path", by_path},
    {"user", "Files of this user", by_user},
    {"name", "Images whose name begins so", by_name},
};

/* ---- understanding ---- */

static int64_t number_of(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n <= 18 && !text[n] ? strtoll(text, NULL, 10) : 0;
}

static void understand(const char *text, struct arena *a, struct wanted *w)
{
    static const char *const kinds[] = {"Image:", "Fileset:", "Dataset:"};
    size_t n = strlen(text);

    *w = (struct wanted){.text = text, .kind = "", .number = number_of(text)};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t len = strlen(kinds[i]);

        if (strncasecmp(text, kinds[i], len) == 0 && (w->number = number_of(text + len)))
            w->kind = kinds[i];
    }
    while (n > 1 && text[n - 1] == '/')
        n--;
    if (text[0] == '/')
        w->path = arena_strn(a, text, n);
}

/* ---- results ---- */

static void row(struct buf *b, const struct ledger_fileset *f)
{
    html(b, "<li>");
    page_path(b, f->root_path, f->path, f->id);
    html(b, " <span class=\"state %s\">%s</span> <bdi>%s</bdi>", ledger_state_name(f->state), ledger_state_name(f->state),
         f->user);
    if (f->why != REASON_NONE) {
        html(b, "<br>");
        page_reason(b, f->why, f->text);
    }
    html(b, "</li>\n");
}

/* Rows and "More". */
static int look(struct view *v, const struct way *way, const struct wanted *w, int64_t after, bool *any, struct err *err)
{
    struct ledger_filter f = {.after = after, .max = PAGE_ROWS};
    const struct ledger_fileset *found;
    size_t n = 0;

    if (!way->fits(w, &f))
        return 0;
    if (ledger_list(v->l, &f, v->a, &found, &n, err) < 0)
        return -1;
    if (n == 0)
        return 0;
    *any = true;
    html(v->b, "<section aria-labelledby=\"by-%s\"><h2 id=\"by-%s\">%s</h2><ul class=\"files\">\n", way->key, way->key,
         way->title);
    for (size_t i = 0; i < n; i++)
        row(v->b, &found[i]);
    html(v->b, "</ul>");
    if (n == PAGE_ROWS)
        html(v->b, "<p class=\"more\"><a rel=\"next\" href=\"/search?q=%u&amp;by=%s&amp;after=%d\">More</a></p>", w->text,
             way->key, found[n - 1].id);
    html(v->b, "</section>\n");
    return 0;
}

static int look_cards(struct view *v, const struct wanted *w, bool *any, struct err *err)
{
    const struct ledger_card_filter f = {.user = w->path ? NULL : w->text, .path = w->path, .max = PAGE_ROWS};
    const struct ledger_card *cards;
    size_t n = 0;

    if (*w->kind || ledger_cards(v->l, &f, v->a, &cards, &n, err) < 0)
        return *w->kind ? 0 : -1;
    if (n == 0)
        return 0;
    *any = true;
    html(v->b, "<section aria-labelledby=\"by-card\"><h2 id=\"by-card\">Cards</h2>\n");
    if (page_card_list(v, cards, n, err) < 0)
        return -1;
    if (n == PAGE_ROWS)
        html(v->b, "<p class=\"more\"><a href=\"/cards?%s=%u\">All of these cards</a></p>", w->path ? "path" : "user",
             w->path ? w->path : w->text);
    html(v->b, "</section>\n");
    return 0;
}

static int results(struct view *v, const struct wanted *w, const char *by, int64_t after, struct err *err)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if ((!by || strcmp(by, ways[i].key) == 0) && look(v, &ways[i], w, after, &any, err) < 0)
            return -1;
    if (!by && look_cards(v, w, &any, err) < 0)
        return -1;
    if (!any)
        html(v->b, "<p>Nothing is known of <bdi>%s</bdi>%s.</p>", w->text, after ? " further on" : "");
    return 0;
}

int page_search(struct view *v, struct err *err)
{
    const char *q = request_text(v->q, "q");
    struct wanted w;
    int64_t after = 0;

    if (request_number(v->q, "after", 0, &after, err) < 0)
        return -1;
    page_begin(v, NULL, "Search");
    html(v->b,
         "<p>A path (<code>/data/lab/day1</code>), the name of a user, what the name of an image begins with, or a number in"
         " OMERO (<code>Image:12</code>, <code>Dataset:3</code>, <code>Fileset:4</code>).</p>\n");
    if (q) {
        understand(q, v->a, &w);
        if (results(v, &w, request_text(v->q, "by"), after, err) < 0)
            return -1;
    }
    page_end(v);
    return 0;
}
