#include "web/live.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const double histogram_bounds[HISTOGRAM_BUCKETS] = {0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400, INFINITY};

void live_init(struct live *l)
{
    *l = (struct live){.mutex = PTHREAD_MUTEX_INITIALIZER, .f = {.began_ms = clock_wall_ms()}};
}

void live_clear(struct live *l)
{
    for (size_t i = 0; i < l->f.n_roots; i++) {
        free(l->f.roots[i].path);
        free(l->f.roots[i].blind);
    }
    free(l->f.roots);
}

static void note_time(struct histogram *h, double seconds)
{
    size_t i = 0;

    while (i + 1 < HISTOGRAM_BUCKETS && seconds > histogram_bounds[i])
        i++;
    h->n[i]++;
    h->sum_s += seconds > 0 ? seconds : 0;
}

static double since(int64_t ns)
{
    return (double)(clock_mono_ns() - ns) / (double)NS_PER_S;
}

static struct live_work *work_of(struct live_facts *f, int64_t fileset)
{
    for (size_t i = 0; i < LIVE_WORKS_MAX; i++)
        if (f->works[i].fileset == fileset)
            return &f->works[i];
    return NULL;
}

static void note_root(struct live *l, const struct web_news *n)
{
    struct live_facts *f = &l->f;
    size_t i = 0;

    while (i < f->n_roots && strcmp(f->roots[i].path, n->path) != 0)
        i++;
    if (i == LIVE_ROOTS_MAX)
        return;
    if (i == f->n_roots) {
        f->roots = mem_grow(f->roots, f->n_roots++, &l->cap_roots, sizeof(*f->roots));
        f->roots[i] = (struct live_root){.path = mem_str(n->path)};
    }
    free(f->roots[i].blind);
    f->roots[i].blind = mem_str(n->text);
}

static void note_begin(struct live_facts *f, const struct web_news *n)
{
    struct live_work *free_one = work_of(f, n->fileset->id);

    free_one = free_one ? free_one : work_of(f, 0);
    if (free_one)
        *free_one = (struct live_work){.fileset = n->fileset->id, .bytes = n->fileset->bytes, .began_ns = clock_mono_ns()};
}

static void note_sent(struct live_facts *f, struct live_work *w, int64_t n)
{
    f->sent_bytes += n;
    if (w)
        w->sent += n;
}

static void note_running(struct live_facts *f, struct live_work *w)
{
    if (!w)
        return;
    w->running_ns = clock_mono_ns();
    note_time(&f->times[LIVE_UPLOAD], since(w->began_ns));
}

static void note_done(struct live_facts *f, const struct live_work *w, const struct web_news *n)
{
    f->done++;
    f->done_bytes += n->fileset->bytes;
    f->images += n->n;
    if (w && w->running_ns)
        note_time(&f->times[LIVE_IMPORT], since(w->running_ns));
    note_time(&f->times[LIVE_WHOLE], (double)(clock_wall_ms() - n->fileset->first_ms) / 1000);
}

static void note_work(struct live_facts *f, const struct web_news *n)
{
    struct live_work *w = work_of(f, n->fileset->id);

    f->moved_ms = clock_wall_ms();
    if (n->what == WEB_BEGIN)
        note_begin(f, n);
    else if (n->what == WEB_BYTES)
        note_sent(f, w, n->n);
    else if (n->what == WEB_RUNNING)
        note_running(f, w);
    else if (n->what == WEB_DONE)
        note_done(f, w, n);
    else if (n->what == WEB_STUCK)
        f->stuck[n->why]++;
    else if (w)
        *w = (struct live_work){0};
}

void live_tell(struct live *l, const struct web_news *n)
{
    pthread_mutex_lock(&l->mutex);
    if (n->what == WEB_BEAT)
        l->f.alive_until_ns = clock_after_ns(n->n * NS_PER_S);
    else if (n->what == WEB_LOOKED)
        l->f.n_looks++;
    else if (n->what == WEB_WATCHED)
        note_root(l, n);
    else if (n->what == WEB_SESSIONS)
        l->f.n_sessions = n->n;
    else
        note_work(&l->f, n);
    pthread_mutex_unlock(&l->mutex);
}

void live_copy(struct live *l, struct arena *a, struct live_facts *out)
{
    pthread_mutex_lock(&l->mutex);
    *out = l->f;
    out->roots = arena_alloc(a, l->f.n_roots + 1, sizeof(*out->roots));
    for (size_t i = 0; i < l->f.n_roots; i++)
        out->roots[i] = (struct live_root){.path = arena_str(a, l->f.roots[i].path),
                                           .blind = l->f.roots[i].blind ? arena_str(a, l->f.roots[i].blind) : NULL};
    pthread_mutex_unlock(&l->mutex);
}
