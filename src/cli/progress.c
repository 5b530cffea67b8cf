#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "shape/shape.h"

enum { BAR_WIDTH = 30, BAR_EVERY_MS = 100 };

/* ---- the bar ---- */

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", p->cli->err);
    p->drawn = false;
}

static void draw(struct progress *p, bool now)
{
    char sent[32], all[32], line[160];
    int full = p->bytes > 0 ? (int)(p->bytes_sent * BAR_WIDTH / p->bytes) : 0;
    int64_t ms = clock_wall_ms();

    if (!p->bar || (!now && ms - p->drawn_ms < BAR_EVERY_MS))
        return;
    p->drawn_ms = ms;
    p->drawn = true;
    full = full < 0 ? 0 : full > BAR_WIDTH ? BAR_WIDTH : full;
    shape_bytes(p->bytes_sent, sent);
    shape_bytes(p->bytes, all);
    snprintf(line, sizeof(line), "[%.*s%*s] %zu of %zu done, %s of %s sent", full, "##############################",
             BAR_WIDTH - full, "", p->n_done, p->n_taken, sent, all);
    fprintf(p->cli->err, "\r\033[K%.*s", (int)cli_width(p->cli->err) - 1, line); /* one that wraps could not be taken back */
    fflush(p->cli->err);
}

/* ---- lines ---- */

static void line_start(struct progress *p)
{
    progress_clear(p);
    fflush(p->cli->err);
}

static size_t n_images(const struct engine_event *e)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_images; i++)
        n += !e->images[i].plate;
    return n;
}

/* Of a plate its thousands of images are only counted. */
static void say_images(FILE *out, const struct engine_event *e)
{
    size_t n_said = 0;

    for (size_t i = 0; i < e->n_images; i++)
        if (e->images[i].plate || !e->fileset->plate)
            fprintf(out, "%s %s:%lld", n_said++ == 0 ? "" : ",", e->images[i].plate ? "Plate" : "Image",
                    (long long)e->images[i].omero_id);
    if (e->fileset->plate)
        fprintf(out, " (%zu images)", n_images(e));
}

static void say_done(struct progress *p, const struct engine_event *e)
{
    const struct ledger_fileset *f = e->fileset;
    AUTO(mem_freep) char *path = str_show(f->path);
    AUTO(mem_freep) char *project = str_show(f->project);
    AUTO(mem_freep) char *dataset = str_show(e->dataset ? e->dataset->name : "");
    FILE *out = p->cli->out;

    line_start(p);
    if (e->fileset->plate)
        fprintf(out, "%s -> screen %s:", path, dataset);
    else
        fprintf(out, "%s -> %s / %s:", path, project, dataset);
    say_images(out, e);
    fputc('\n', out);
    fflush(out);
}

static void say_followed(struct progress *p, const struct engine_event *e)
{
    AUTO(mem_freep) char *root = str_show(e->dataset->root_path);
    AUTO(mem_freep) char *dir = str_show(e->dataset->dir);

    line_start(p);
    fprintf(p->cli->out, "%s%s%s: the annotations follow the changed card (%s:%lld)\n", root, *dir ? "/" : "", dir,
            e->dataset->kind == LEDGER_KIND_SCREEN ? "Screen" : "Dataset", (long long)e->dataset->omero_id);
}

/* ---- objects ---- */

static json_t *images_json(const struct engine_event *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < e->n_images; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:i}", "kind", e->images[i].plate ? "plate" : "image", "id",
                                              (json_int_t)e->images[i].omero_id, "name", js_text(e->images[i].name), "series",
                                              e->images[i].series));
    return list;
}

static void keep_done(struct progress *p, const struct engine_event *e)
{
    json_t *o = shape_fileset(e->fileset);

    json_object_set_new(o, "dataset", js_text(e->dataset ? e->dataset->name : NULL));
    json_object_set_new(o, "dataset_id", e->dataset ? json_integer(e->dataset->omero_id) : json_null());
    json_object_set_new(o, "images", images_json(e));
    json_array_append_new(p->imported, o);
}

static void keep_followed(struct progress *p, const struct engine_event *e)
{
    json_t *o = json_pack("{s:I, s:o}", "dataset_id", (json_int_t)e->dataset->omero_id, "name", js_text(e->dataset->name));

    js_add_path(o, "dir", *e->dataset->dir ? e->dataset->dir : ".");
    json_array_append_new(p->followed, o);
}

/* ---- what the engine tells ---- */

static void on_begin(struct progress *p, const struct engine_event *e)
{
    p->n_taken++;
    p->bytes += e->fileset->bytes;
}

static void on_bytes(struct progress *p, const struct engine_event *e)
{
    p->bytes_sent += e->bytes;
}

static void on_done(struct progress *p, const struct engine_event *e)
{
    p->n_done++;
    p->n_images += n_images(e);
    if (p->imported)
        keep_done(p, e);
    else if (!p->quiet)
        say_done(p, e);
}

static void on_followed(struct progress *p, const struct engine_event *e)
{
    p->n_followed++;
    if (p->followed)
        keep_followed(p, e);
    else if (!p->quiet)
        say_followed(p, e);
}

static void on_settling(struct progress *p, const struct engine_event *e)
{
    if (p->quiet || p->imported)
        return;
    line_start(p);
    cli_say(p->cli, "%s: waiting %lld s until all files have been quiet for long enough (--settle)", e->path,
            (long long)(e->ms + 999) / 1000);
}

static void on_away(struct progress *p, const struct engine_event *e)
{
    p->n_away++;
    line_start(p);
    cli_fail(p->cli, NULL, e->err);
}

void progress_tell(void *arg, const struct engine_event *event)
{
    static void (*const on[])(struct progress *, const struct engine_event *) = {
        [ENGINE_ROOT_AWAY] = on_away, [ENGINE_SETTLING] = on_settling, [ENGINE_BEGIN] = on_begin,
        [ENGINE_BYTES] = on_bytes,    [ENGINE_DONE] = on_done,         [ENGINE_FOLLOWED] = on_followed,
        [ENGINE_SESSIONS] = NULL, /* the last one: others are not shown either */
    };
    struct progress *p = arg;

    if (on[event->what])
        on[event->what](p, event);
    draw(p, event->what != ENGINE_BYTES);
}

bool progress_ask(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known)
{
    struct progress *p = arg;
    AUTO(mem_freep) char *subject = str_show(cert->subject);
    AUTO(mem_freep) char *why = str_show(cert->why);
    char answer[8] = "";

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    progress_clear(p);
    fprintf(p->cli->err, "The certificate of %s:%u is not trusted: %s\n  it names itself  %s\n  SHA-256          %s\n", host,
            port, why, subject, cert->sha256);
    if (known)
        fprintf(p->cli->err, "  it was           %s\nSomebody else may be answering there.\n", known);
    fputs("Trust it from now on? Compare the fingerprint with the server's first. (yes/no) ", p->cli->err);
    fflush(p->cli->err);
    return fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
}
