/* The first page: is all well, and if not, why. */
#include <string.h>

#include "base/clock.h"
#include "web/page.h"

enum { HOURS = 48, FIRST_PROBLEMS = 10, UNDER_WAY_ROWS = 20 };

/* ---- the verdict ---- */

static const char *headline(const struct health *h)
{
    static const char *const words[] = {"All is well", "Something wants attention", "Work stands still", "Not known"};

    return words[h->worst];
}

static void verdict(struct buf *b, const struct health *h)
{
    static const char *const classes[] = {"ok", "warning", "critical", "warning"};

    html(b, "<div role=\"status\" class=\"verdict %s\">", classes[h->worst]);
    if (h->worst == HEALTH_OK)
        html(b, "<p>Work proceeds, OMERO and the directory trees are there, and nothing waits for an administrator.</p>");
    else
        html(b, "<ul>");
    for (size_t i = 0; i < h->n && h->worst != HEALTH_OK; i++)
        if (h->at[i].level != HEALTH_OK)
            html(b, "<li><strong>%s</strong> %s: %s</li>", health_word(h->at[i].level), h->at[i].check, h->at[i].text);
    html(b, h->worst == HEALTH_OK ? "</div>\n" : "</ul></div>\n");
}

/* ---- numbers ---- */

static void numbers(struct buf *b, const struct status *s)
{
    int64_t n[N_LEDGER_STATES] = {0}, bytes[N_LEDGER_STATES] = {0};

    for (size_t i = 0; i < s->n_counts; i++) {
        n[s->counts[i].state] += s->counts[i].n;
        bytes[s->counts[i].state] += s->counts[i].bytes;
    }
    html(b, "<section aria-labelledby=\"numbers\"><h2 id=\"numbers\">Filesets</h2><ul class=\"numbers\">");
    for (unsigned i = 0; i < N_LEDGER_STATES; i++) {
        const char *name = ledger_state_name((enum ledger_state)i);

        html(b, "<li class=\"%s\"><span class=\"n\">%d</span> <span class=\"state\">%s</span> <span class=\"size\">", name, n[i],
             name);
        html_bytes(b, bytes[i]);
        html(b, "</span><br><span class=\"help\">%s</span></li>", ledger_state_help((enum ledger_state)i));
    }
    html(b, "</ul></section>\n");
}

/* ---- under way ---- */

static const struct live_work *work_of(const struct live_facts *live, int64_t fileset)
{
    for (size_t i = 0; i < LIVE_WORKS_MAX; i++)
        if (live->works[i].fileset == fileset)
            return &live->works[i];
    return NULL;
}

static void progress(struct buf *b, const struct ledger_fileset *f, const struct live_work *w)
{
    if (f->state == LEDGER_STARTED || (w && w->running_ns)) {
        html(b, "all sent; OMERO imports");
        return;
    }
    if (!w || w->bytes == 0) {
        html(b, "being sent");
        return;
    }
    int64_t percent = w->sent >= w->bytes ? 100 : 100 * w->sent / w->bytes;
    html(b, "<progress max=\"100\" value=\"%d\" aria-label=\"sent of %s\"></progress> %d %%", percent, f->path, percent);
}

static void under_way(struct view *v, const struct status *s)
{
    struct live_facts live;
    struct buf *b = v->b;

    live_copy(v->web->live, v->a, &live);
    html(b, "<section aria-labelledby=\"way\"><h2 id=\"way\">Under way</h2>\n");
    if (s->n_busy == 0)
        html(b, "<p>Nothing at the moment.</p>");
    for (size_t i = 0; i < s->n_busy; i++) {
        const struct ledger_fileset *f = &s->busy[i];

        html(b, "<article class=\"work\"><h3>");
        page_path(b, f->root_path, f->path, f->id);
        html(b, "</h3><p>");
        progress(b, f, work_of(&live, f->id));
        html(b, "</p><p class=\"when\">");
        html_bytes(b, f->bytes);
        html(b, " of <bdi>%s</bdi>, since ", f->user);
        html_time(b, f->since_ms);
        html(b, "</p></article>\n");
    }
    html(b, "</section>\n");
}

/* ---- problems ---- */

static int problems(struct view *v, struct err *err)
{
    struct problems found;
    const char *next = NULL;

    if (problems_page(v->l, NULL, FIRST_PROBLEMS, v->a, &found, &next, err) < 0)
        return -1;
    html(v->b, "<section aria-labelledby=\"problems\"><h2 id=\"problems\">What waits or is held</h2>\n");
    if (found.n == 0)
        html(v->b, "<p>Nothing.</p>");
    for (size_t i = 0; i < found.n; i++)
        page_problem(v->b, &found.at[i]);
    if (next)
        html(v->b, "<p class=\"more\"><a href=\"/problems\">All problems</a></p>");
    html(v->b, "</section>\n");
    return 0;
}

/* ---- charts ---- */

struct series {
    int64_t done[HOURS], bytes[HOURS], queue[HOURS];
};

/* An hour without anything has the queue of the one before. */
static void fill(struct series *s, const struct ledger_hour *hours, size_t n, int64_t first, int64_t queue_now)
{
    size_t at = 0;
    int64_t queue = 0;

    for (size_t i = 0; i < HOURS; i++) {
        for (; at < n && hours[at].hour < first + (int64_t)i; at++)
            queue = hours[at].queue;
        if (at < n && hours[at].hour == first + (int64_t)i) {
            s->done[i] = hours[at].done;
            s->bytes[i] = hours[at].bytes;
            queue = hours[at].queue;
        }
        s->queue[i] = queue;
    }
    s->queue[HOURS - 1] = queue_now;
}

static int64_t queued(const struct status *s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s->n_counts; i++)
        if (s->counts[i].state != LEDGER_DONE && s->counts[i].state != LEDGER_HELD)
            n += s->counts[i].n;
    return n;
}

static int charts(struct view *v, const struct status *status, struct err *err)
{
    const struct ledger_hour *hours;
    struct series s = {0};
    int64_t first = clock_wall_ms() / 3600000 - HOURS + 1;
    size_t n = 0;

    if (ledger_pace(v->l, first, v->a, &hours, &n, err) < 0)
        return -1;
    fill(&s, hours, n, first, queued(status));
    const struct chart all[] = {
        {"c-done", "Imported filesets an hour", "filesets", s.done, HOURS, false},
        {"c-bytes", "Imported bytes an hour", "", s.bytes, HOURS, true},
        {"c-queue", "Filesets that wait for their turn", "filesets", s.queue, HOURS, false},
    };
    html(v->b, "<section aria-labelledby=\"pace\"><h2 id=\"pace\">The last two days</h2><div class=\"charts\">\n");
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        page_chart(v->b, &all[i]);
    html(v->b, "</div></section>\n");
    return 0;
}

/* ---- trees ---- */

static void watched(struct buf *b, const struct live_facts *live, const char *path)
{
    for (size_t i = 0; i < live->n_roots; i++) {
        if (strcmp(live->roots[i].path, path) != 0)
            continue;
        if (live->roots[i].blind)
            html(b, "looked at now and then: %s", live->roots[i].blind);
        else
            html(b, "changes are told");
        return;
    }
    html(b, "–");
}

static void trees(struct view *v, const struct status *s)
{
    struct live_facts live;
    struct buf *b = v->b;

    live_copy(v->web->live, v->a, &live);
    html(b, "<section aria-labelledby=\"trees\"><h2 id=\"trees\">Directory trees</h2><div class=\"wide\" role=\"region\""
            " aria-label=\"Table of directory trees\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Name</th><th "
            "scope=\"col\">Path</th>"
            "<th scope=\"col\">State</th><th scope=\"col\">Changes</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < s->n_roots; i++) {
        const struct ledger_root *r = &s->roots[i];

        html(b, "<tr><th scope=\"row\"><bdi>%s</bdi></th><td>", r->name);
        page_path(b, r->path, "", 0);
        html(b, r->away_ms ? "</td><td><strong>away</strong> since " : "</td><td>looked at ");
        html_time(b, r->away_ms ? r->away_ms : r->scanned_ms);
        if (r->away_ms)
            html(b, ": %s", r->away_text);
        html(b, "</td><td>");
        watched(b, &live, r->path);
        html(b, "</td></tr>\n");
    }
    html(b, "</tbody></table></div></section>\n");
}

int page_overview(struct view *v, struct err *err)
{
    const struct status_ask ask = {.state_dir = v->web->job->state_dir, .max = UNDER_WAY_ROWS, .members_max = 1};
    struct status judged, s;
    struct health h;

    if (view_health(v, HEALTH_ALL, &h, &judged, err) < 0 || status_read(v->l, &ask, v->a, &s, err) < 0)
        return -1;
    page_begin(v, "/", headline(&h));
    verdict(v->b, &h);
    under_way(v, &s);
    if (problems(v, err) < 0)
        return -1;
    numbers(v->b, &s);
    if (charts(v, &s, err) < 0)
        return -1;
    trees(v, &s);
    page_end(v);
    return 0;
}
