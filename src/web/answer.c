#include "web/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/routes.h"
#include "web/static_files.h"

void answer_clear(struct answer *a)
{
    buf_clear(&a->body);
}

void answer_text(struct answer *out, int status, const char *text)
{
    out->status = status;
    out->type = "text/plain; charset=utf-8";
    buf_reset(&out->body);
    buf_printf(&out->body, "%s\n", text);
}

void answer_json(struct view *v, json_t *value)
{
    AUTO(js_freep) json_t *o = value;
    AUTO(mem_freep) char *text = js_dump(o);

    v->out->type = "application/json";
    buf_printf(v->b, "%s\n", text);
}

/* ---- errors ---- */

static int status_of(enum reason why)
{
    return why == REASON_USAGE ? 400 : why == REASON_BUSY ? 503 : 500;
}

static void say_error(struct view *v, enum route_kind kind, int status, const struct err *err)
{
    AUTO(mem_freep) char *line = mem_printf("%s", err->text);

    buf_reset(v->b);
    v->out->status = status;
    if (kind == ROUTE_PAGE)
        page_error(v, status, err->text, err_hint_text(err));
    else if (kind == ROUTE_API)
        answer_json(v, json_pack("{s:o, s:o}", "error", js_text(err->text), "hint", js_text(err_hint_text(err))));
    else
        answer_text(v->out, status, line);
}

static void say_nothing(struct view *v, enum route_kind kind)
{
    struct err err = ERR_INIT;

    err_set(&err, REASON_USAGE, 0, "there is nothing at %s", v->q->path);
    err_hint(&err, "see the links of the first page");
    say_error(v, kind, 404, &err);
}

/* ---- routes ---- */

static bool find_file(struct view *v)
{
    for (size_t i = 0; i < n_static_files; i++) {
        if (strcmp(static_files[i].path, v->q->path) != 0)
            continue;
        v->out->type = static_files[i].type;
        v->out->fixed = static_files[i].bytes;
        v->out->n_fixed = static_files[i].n;
        return true;
    }
    return false;
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < n_routes; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

static void run(struct view *v, const struct route *route)
{
    struct err err = ERR_INIT;
    int r = route->run(v, &err);

    if (r == 0 && v->b->full)
        r = err_set(&err, REASON_TOO_LARGE, 0, "the answer is larger than %u bytes", WEB_BODY_MAX);
    if (r < 0)
        say_error(v, route->kind, status_of(err.why), &err);
    else if (r == VIEW_NOTHING)
        say_nothing(v, route->kind);
}

void answer_make(const struct web_facts *web, struct ledger *l, const char *target, struct answer *out)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct request q = {.path = ""};
    struct view v = {.web = web, .l = l, .a = a, .q = &q, .out = out, .b = &out->body};
    struct err err = ERR_INIT;

    *out = (struct answer){.status = 200, .body = BUF_INIT(WEB_BODY_MAX)};
    if (request_parse(target, a, &q, &err) < 0) {
        say_error(&v, ROUTE_PLAIN, 400, &err);
        return;
    }
    const struct route *route = find_route(q.path);
    if (route)
        run(&v, route);
    else if (!find_file(&v))
        say_nothing(&v, strncmp(q.path, "/api/", 5) == 0 ? ROUTE_API : ROUTE_PAGE);
}

/* ---- what several of them show ---- */

int view_fileset(struct view *v, int64_t id, struct view_fileset *out, struct err *err)
{
    const struct ledger_filter f = {.after = id - 1, .max = 1, .members = true, .members_max = WEB_MEMBERS_MAX};
    struct view_fileset s = {0};
    size_t n = 0;

    if (ledger_list(v->l, &f, v->a, &s.f, &n, err) < 0)
        return -1;
    if (n == 0 || s.f->id != id)
        return VIEW_NOTHING;
    if (ledger_fileset_images(v->l, id, WEB_MEMBERS_MAX, v->a, &s.images, &s.n_images, err) < 0 ||
        (s.f->dataset && ledger_dataset(v->l, s.f->dataset, v->a, &s.dataset, err) != 0))
        return -1;
    *out = s;
    return 0;
}

/* ---- health ---- */

int view_health(struct view *v, int question, struct health *out, struct status *status, struct err *err)
{
    const struct web_job *job = v->web->job;
    const struct status_ask ask = {.state_dir = job->state_dir, .max = 1};
    const struct ledger_trouble *trouble = NULL;
    struct live_facts live;
    struct ledger_pulse pulse;

    if (status_read(v->l, &ask, v->a, status, err) < 0 || ledger_trouble(v->l, v->a, &trouble, err) < 0 ||
        ledger_pulse(v->l, &pulse, err) < 0)
        return -1;
    live_copy(v->web->live, v->a, &live);
    const struct health_live facts = {.alive = live.alive_until_ns == 0 || clock_mono_ns() <= live.alive_until_ns,
                                      .begun = live.n_looks > 0, .moved_ms = live.moved_ms};
    health_judge(&(struct health_ask){.status = status, .trouble = trouble, .pulse = &pulse, .roots = job->roots,
                                      .n_roots = job->n_roots, .live = &facts, .now_ms = clock_wall_ms()},
                 question, out);
    return 0;
}

/* A line a check, worst first of all. */
static int say_health(struct view *v, int question, struct err *err)
{
    struct status status;
    struct health h;
    char text[1024];

    if (view_health(v, question, &h, &status, err) < 0)
        return -1;
    health_summary(&h, text, sizeof(text));
    v->out->type = "text/plain; charset=utf-8";
    v->out->status = h.worst == HEALTH_CRITICAL ? 503 : 200;
    buf_printf(v->b, "%s: %s\n", health_word(h.worst), text);
    for (size_t i = 0; i < h.n; i++)
        buf_printf(v->b, "%s %s: %s\n", health_word(h.at[i].level), h.at[i].check, h.at[i].text);
    return 0;
}

int health_alive(struct view *v, struct err *err)
{
    return say_health(v, HEALTH_ALIVE, err);
}

int health_ready(struct view *v, struct err *err)
{
    return say_health(v, HEALTH_READY, err);
}
