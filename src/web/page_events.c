/* History, and all that is known of one fileset. */
#include "web/page.h"

enum { EVENTS_OF_ONE = 50 };

/* ---- events ---- */

static void event(struct buf *b, const struct ledger_event *e, bool of_one)
{
    html(b, "<tr><td>");
    html_time(b, e->at_ms);
    html(b, "</td><td>%s%s</td><td>", e->fileset ? "" : "dataset ", e->what);
    if (!of_one)
        page_path(b, e->root_path, e->path, e->fileset);
    if (e->why != REASON_NONE) {
        html(b, of_one ? "" : "<br>");
        page_reason(b, e->why, e->text);
    }
    html(b, "</td></tr>\n");
}

static void events(struct buf *b, const struct ledger_event *list, size_t n, bool of_one)
{
    html(b,
         "<div class=\"wide\" role=\"region\" aria-label=\"Events\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">When</th>"
         "<th scope=\"col\">What</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
         of_one ? "Why" : "Where and why");
    for (size_t i = 0; i < n; i++)
        event(b, &list[i], of_one);
    html(b, "</tbody></table></div>\n");
}

int page_history(struct view *v, struct err *err)
{
    const struct ledger_event *list;
    int64_t before = 0;
    size_t n = 0;

    if (request_number(v->q, "after", 0, &before, err) < 0 ||
        ledger_events(v->l, before, 0, PAGE_ROWS, v->a, &list, &n, err) < 0)
        return -1;
    page_begin(v, "/history", "History");
    if (n == 0)
        html(v->b, "<p>Nothing has happened%s.</p>", before ? " before" : " yet");
    else
        events(v->b, list, n, false);
    page_more(v->b, "/history", NULL, NULL, n == PAGE_ROWS ? arena_printf(v->a, "%lld", (long long)list[n - 1].id) : NULL);
    page_end(v);
    return 0;
}

/* ---- one fileset ---- */

static void state(struct buf *b, const struct ledger_fileset *f)
{
    html(b, "<p class=\"verdict %s\"><strong>%s</strong> since ",
         f->state == LEDGER_HELD ? "critical" : f->state == LEDGER_WAITING ? "warning" : "ok", ledger_state_name(f->state));
    html_time(b, f->since_ms);
    html(b, ": %s%s</p>\n", ledger_state_help(f->state), f->gone_ms ? "; its files are not on the disk any more" : "");
    if (f->why == REASON_NONE)
        return;
    page_problem_words(b, &(struct shape_problem){.why = f->why, .text = f->text, .hint = f->hint, .since_ms = f->since_ms,
                                                  .retry_ms = f->retry_ms});
}

static void facts(struct view *v, const struct view_fileset *s)
{
    const struct ledger_fileset *f = s->f;
    struct buf *b = v->b;

    html(b, "<dl><dt>User</dt><dd><bdi>%s</bdi></dd><dt>Project</dt><dd><bdi>%s</bdi></dd><dt>Dataset</dt><dd>",
         *f->user ? f->user : "–", *f->project ? f->project : "–");
    if (s->dataset && s->dataset->omero_id)
        page_omero(v, ledger_kind_name(s->dataset->kind), s->dataset->omero_id, s->dataset->name);
    else
        html(b, "<bdi>%s</bdi>", s->dataset ? s->dataset->name : "–");
    html(b, "</dd><dt>Name</dt><dd><bdi>%s</bdi></dd><dt>Format</dt><dd>%s</dd><dt>Size</dt><dd>", f->name, f->format);
    html_bytes(b, f->bytes);
    html(b, "</dd><dt>First seen</dt><dd>");
    html_time(b, f->first_ms);
    html(b, "</dd></dl>\n");
}

static void files(struct buf *b, const struct ledger_fileset *f)
{
    html(b, "<section aria-labelledby=\"files\"><h2 id=\"files\">Files</h2><ul class=\"files\">");
    for (size_t i = 0; i < f->n_members; i++) {
        html(b, "<li>");
        page_path(b, f->root_path, f->members[i].path, 0);
        html(b, " <span class=\"size\">");
        html_bytes(b, f->members[i].stamp.size);
        html(b, "</span></li>\n");
    }
    html(b, f->more_members ? "<li>and more</li></ul></section>\n" : "</ul></section>\n");
}

static void images(struct view *v, const struct view_fileset *s)
{
    html(v->b, "<section aria-labelledby=\"images\"><h2 id=\"images\">In OMERO</h2><ul class=\"files\">");
    for (size_t i = 0; i < s->n_images; i++) {
        html(v->b, "<li>");
        page_omero(v, s->images[i].plate ? "plate" : "image", s->images[i].omero_id, s->images[i].name);
        html(v->b, s->images[i].deleted_ms ? " (deleted in OMERO)</li>\n" : "</li>\n");
    }
    if (s->n_images == 0)
        html(v->b, "<li>nothing yet</li>");
    html(v->b, "</ul></section>\n");
}

int page_fileset(struct view *v, struct err *err)
{
    const struct ledger_event *list;
    struct view_fileset s;
    int64_t id = 0;
    size_t n = 0;

    if (request_number(v->q, "id", 0, &id, err) < 0)
        return -1;
    int r = view_fileset(v, id, &s, err);
    if (r != 0)
        return r;
    if (ledger_events(v->l, 0, id, EVENTS_OF_ONE, v->a, &list, &n, err) < 0)
        return -1;
    page_begin(v, NULL, s.f->path);
    state(v->b, s.f);
    facts(v, &s);
    images(v, &s);
    files(v->b, s.f);
    html(v->b, "<section aria-labelledby=\"events\"><h2 id=\"events\">History</h2>\n");
    events(v->b, list, n, true);
    html(v->b, "</section>\n");
    page_end(v);
    return 0;
}
