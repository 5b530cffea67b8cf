/* /api/v1: the objects of doc/schema, by the writers of every --json. */
#include <string.h>

#include "web/routes.h"

enum { LIST_FILES = 20, LIST_ROWS = 50 }; /* of a fileset in a list; rows of a list unless `limit` says */

/* ---- lists ---- */

struct page_ask {
    int64_t after, limit;
};

static int read_limit(const struct request *q, int64_t *out, struct err *err)
{
    if (request_number(q, "limit", LIST_ROWS, out, err) < 0)
        return -1;
    return *out >= 1 && *out <= WEB_PAGE_MAX ? 0 : err_set(err, REASON_USAGE, 0, "'limit' is from 1 to %u", WEB_PAGE_MAX);
}

static int read_page(const struct request *q, struct page_ask *out, struct err *err)
{
    return request_number(q, "after", 0, &out->after, err) < 0 ? -1 : read_limit(q, &out->limit, err);
}

/* The object of list.json; takes both references. */
static void answer_list(struct view *v, json_t *items, json_t *next)
{
    answer_json(v, json_pack("{s:o, s:o}", "items", items, "next", next));
}

/* The row to go on after; null at the end. */
static json_t *next_row(size_t n, const struct page_ask *p, int64_t last)
{
    return n == (size_t)p->limit ? json_integer(last) : json_null();
}

/* ---- filesets ---- */

/* A name of a state -> its bit; 0 for NULL. */
static int state_bit(const char *name, unsigned *out, struct err *err)
{
    *out = 0;
    for (unsigned i = 0; name && i < N_LEDGER_STATES; i++)
        if (strcmp(ledger_state_name((enum ledger_state)i), name) == 0)
            *out = 1u << i;
    return name && *out == 0 ? err_set(err, REASON_USAGE, 0, "'state' is no state of a fileset") : 0;
}

static int read_filter(const struct request *q, struct ledger_filter *f, struct err *err)
{
    f->path = request_text(q, "path");
    f->user = request_text(q, "user");
    f->name = request_text(q, "name");
    f->in_order = f->path != NULL;
    return state_bit(request_text(q, "state"), &f->states, err) < 0 || request_number(q, "image", 0, &f->image, err) < 0 ||
                   request_number(q, "dataset", 0, &f->omero_dataset, err) < 0
               ? -1
               : 0;
}

int api_filesets(struct view *v, struct err *err)
{
    struct ledger_filter f = {.members = true, .members_max = LIST_FILES};
    const struct ledger_fileset *found;
    struct page_ask p;
    size_t n = 0;

    if (read_page(v->q, &p, err) < 0 || read_filter(v->q, &f, err) < 0)
        return -1;
    f.after = p.after;
    f.max = (size_t)p.limit;
    if (ledger_list(v->l, &f, v->a, &found, &n, err) < 0)
        return -1;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, shape_fileset(&found[i]));
    answer_list(v, items, next_row(n, &p, n > 0 ? found[n - 1].id : 0));
    return 0;
}

int api_fileset(struct view *v, struct err *err)
{
    struct view_fileset s;
    int64_t id = 0;

    if (request_number(v->q, "id", 0, &id, err) < 0)
        return -1;
    int r = view_fileset(v, id, &s, err);
    if (r == 0)
        answer_json(v, shape_fileset_whole(s.f, s.dataset, s.images, s.n_images));
    return r;
}

/* ---- the rest ---- */

int api_status(struct view *v, struct err *err)
{
    const struct status_ask ask = {.state_dir = v->web->job->state_dir, .max = WEB_PAGE_MAX, .members_max = LIST_FILES};
    struct status s;

    if (status_read(v->l, &ask, v->a, &s, err) < 0)
        return -1;
    answer_json(v, status_json(&s));
    return 0;
}

int api_datasets(struct view *v, struct err *err)
{
    const struct ledger_dataset *found;
    struct page_ask p;
    size_t n = 0;

    if (read_page(v->q, &p, err) < 0 ||
        ledger_datasets_page(v->l, false, p.after, (size_t)p.limit, v->a, &found, &n, err) < 0)
        return -1;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, shape_dataset(&found[i], NULL));
    answer_list(v, items, next_row(n, &p, n > 0 ? found[n - 1].id : 0));
    return 0;
}

int api_cards(struct view *v, struct err *err)
{
    const struct ledger_card *found;
    struct page_ask p;
    size_t n = 0;

    if (read_page(v->q, &p, err) < 0)
        return -1;
    const struct ledger_card_filter f = {.all = true, .user = request_text(v->q, "user"), .path = request_text(v->q, "path"),
                                         .after = p.after, .max = (size_t)p.limit};
    if (ledger_cards(v->l, &f, v->a, &found, &n, err) < 0)
        return -1;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, shape_card(&found[i]));
    answer_list(v, items, next_row(n, &p, n > 0 ? found[n - 1].id : 0));
    return 0;
}

int api_problems(struct view *v, struct err *err)
{
    struct problems found;
    const char *next = NULL, *after = request_text(v->q, "after");
    int64_t limit = 0;

    if (read_limit(v->q, &limit, err) < 0 || problems_page(v->l, after, (size_t)limit, v->a, &found, &next, err) < 0)
        return -1;
    json_t *items = json_array();
    for (size_t i = 0; i < found.n; i++)
        json_array_append_new(items, shape_problem(&found.at[i]));
    answer_list(v, items, js_text(next));
    return 0;
}

int api_events(struct view *v, struct err *err)
{
    const struct ledger_event *found;
    struct page_ask p;
    int64_t fileset = 0;
    size_t n = 0;

    if (read_page(v->q, &p, err) < 0 || request_number(v->q, "fileset", 0, &fileset, err) < 0 ||
        ledger_events(v->l, p.after, fileset, (size_t)p.limit, v->a, &found, &n, err) < 0)
        return -1;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, shape_event(&found[i]));
    answer_list(v, items, next_row(n, &p, n > 0 ? found[n - 1].id : 0));
    return 0;
}
