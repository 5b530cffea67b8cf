/* What the engine says, in the words of the page. */
#include "daemon/inside.h"

#include "base/log.h"
#include "base/mem.h"

static const int words[] = {
    [ENGINE_LOOKED] = WEB_LOOKED, [ENGINE_WATCHED] = WEB_WATCHED, [ENGINE_SESSIONS] = WEB_SESSIONS, [ENGINE_BEGIN] = WEB_BEGIN,
    [ENGINE_BYTES] = WEB_BYTES,   [ENGINE_RUNNING] = WEB_RUNNING, [ENGINE_DONE] = WEB_DONE,         [ENGINE_STUCK] = WEB_STUCK,
    [ENGINE_LEFT] = WEB_LEFT,
};

static int64_t number(const struct engine_event *e)
{
    return e->what == ENGINE_BYTES ? e->bytes : e->what == ENGINE_DONE ? (int64_t)e->n_images : e->n;
}

void shown_event(struct daemon *d, const struct engine_event *e)
{
    if ((size_t)e->what >= ARRAY_LEN(words) || words[e->what] == WEB_BEAT)
        return;
    web_tell(d->web, &(struct web_news){.what = (enum web_what)words[e->what], .path = e->path, .text = e->text,
                                        .fileset = e->fileset, .why = e->err ? e->err->why : REASON_NONE, .n = number(e)});
}

void shown_beat(struct daemon *d, int64_t within_s)
{
    web_tell(d->web, &(struct web_news){.what = WEB_BEAT, .n = within_s});
}

static const struct health_root *watched(const struct daemon *d, struct arena *a, size_t *n)
{
    const struct settings *s = d->job->settings;
    size_t n_dirs = d->job->n_dirs;
    struct health_root *roots = arena_alloc(a, s->n_roots + n_dirs + 1, sizeof(*roots));

    *n = n_dirs ? n_dirs : s->n_roots;
    for (size_t i = 0; i < *n; i++) {
        const char *path = n_dirs ? d->job->dirs[i] : s->roots[i].path;

        roots[i] = (struct health_root){.path = path, .look_s = settings_look_s(settings_for(s, path))};
    }
    return roots;
}

void shown_start(struct daemon *d)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct settings *s = d->job->settings;
    struct web_job job = {.listen = s->web.listen, .token = s->web.token, .hosts = s->web.hosts, .omero_web = s->web.omero_web,
                          .state_dir = s->state_dir};
    struct err err = ERR_INIT;

    if (!s->web.listen)
        return;
    job.roots = watched(d, a, &job.n_roots);
    if (web_start(&job, &d->web, &err) < 0)
        log_error("web.failed", "work goes on without the page", LOG_ERR(&err), LOG_STR("hint", err_hint_text(&err)));
    else
        log_info("web.listening", NULL, LOG_STR("at", s->web.listen), LOG_INT("port", web_port(d->web)));
}
