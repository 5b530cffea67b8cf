/* /metrics: OpenMetrics 1.0 text, all of it from one table. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "web/routes.h"

/* What the table's rows are written from. */
struct figures {
    struct buf *b;
    struct status status;
    struct health health;
    struct ledger_pulse pulse;
    const struct ledger_trouble *trouble;
    struct live_facts live;
    int64_t now_ms;
    const char *name; /* of the row at hand */
};

/* ---- writing ---- */

/* The inside of a label's quotes. */
static void label(struct buf *b, const char *value)
{
    AUTO(mem_freep) char *shown = str_show(value);

    for (const char *c = shown; *c; c++) {
        if (*c == '\\' || *c == '"')
            buf_add_byte(b, '\\');
        buf_add_byte(b, (uint8_t)*c);
    }
}

static void sample(struct figures *f, const char *suffix, const char *key, const char *value, double n)
{
    buf_printf(f->b, "impomero_%s%s", f->name, suffix);
    if (key) {
        buf_printf(f->b, "{%s=\"", key);
        label(f->b, value);
        buf_add_str(f->b, "\"}");
    }
    buf_printf(f->b, " %.15g\n", n);
}

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

/* ---- rows ---- */

static void by_state(struct figures *f, bool bytes)
{
    int64_t n[N_LEDGER_STATES] = {0};

    for (size_t i = 0; i < f->status.n_counts; i++)
        n[f->status.counts[i].state] += bytes ? f->status.counts[i].bytes : f->status.counts[i].n;
    for (unsigned i = 0; i < N_LEDGER_STATES; i++)
        sample(f, "", "state", ledger_state_name((enum ledger_state)i), (double)n[i]);
}

static void filesets(struct figures *f)
{
    by_state(f, false);
}

static void filesets_bytes(struct figures *f)
{
    by_state(f, true);
}

/* Of one reason there may be some that wait and some that are held. */
static void stuck_filesets(struct figures *f)
{
    for (size_t i = 0; i < f->status.n_counts; i++) {
        const struct ledger_count *c = &f->status.counts[i];
        const struct reason_row *row = reason_row(c->why);

        if (c->state == LEDGER_WAITING || c->state == LEDGER_HELD)
            buf_printf(f->b, "impomero_%s{state=\"%s\",reason=\"%s\",who=\"%s\"} %lld\n", f->name, ledger_state_name(c->state),
                       row->name, reason_who_name(row->who), (long long)c->n);
    }
}

static void imported(struct figures *f)
{
    sample(f, "_total", NULL, NULL, (double)f->live.done);
}

static void imported_bytes(struct figures *f)
{
    sample(f, "_total", NULL, NULL, (double)f->live.done_bytes);
}

static void images(struct figures *f)
{
    sample(f, "_total", NULL, NULL, (double)f->live.images);
}

static void sent_bytes(struct figures *f)
{
    sample(f, "_total", NULL, NULL, (double)f->live.sent_bytes);
}

static void failures(struct figures *f)
{
    static const char *const classes[] = {[ERR_RETRY] = "retry", [ERR_WAIT] = "wait", [ERR_FINAL] = "held"};

    for (unsigned i = 0; i < N_REASONS; i++)
        if (f->live.stuck[i] > 0)
            buf_printf(f->b, "impomero_%s_total{reason=\"%s\",class=\"%s\"} %lld\n", f->name, reason_row((enum reason)i)->name,
                       classes[reason_row((enum reason)i)->cls], (long long)f->live.stuck[i]);
}

static void histogram(struct figures *f, const struct histogram *h)
{
    int64_t sum = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum += h->n[i];
        if (isinf(histogram_bounds[i]))
            buf_printf(f->b, "impomero_%s_bucket{le=\"+Inf\"} %lld\n", f->name, (long long)sum);
        else
            buf_printf(f->b, "impomero_%s_bucket{le=\"%.1f\"} %lld\n", f->name, histogram_bounds[i], (long long)sum);
    }
    sample(f, "_count", NULL, NULL, (double)sum);
    sample(f, "_sum", NULL, NULL, h->sum_s);
}

static void upload_seconds(struct figures *f)
{
    histogram(f, &f->live.times[LIVE_UPLOAD]);
}

static void import_seconds(struct figures *f)
{
    histogram(f, &f->live.times[LIVE_IMPORT]);
}

static void whole_seconds(struct figures *f)
{
    histogram(f, &f->live.times[LIVE_WHOLE]);
}

static void queue_age(struct figures *f)
{
    int64_t age = f->pulse.oldest_due_ms ? f->now_ms - f->pulse.oldest_due_ms : 0;

    sample(f, "", NULL, NULL, seconds(age > 0 ? age : 0));
}

static void last_event(struct figures *f)
{
    sample(f, "", NULL, NULL, seconds(f->pulse.event_ms));
}

static void began(struct figures *f)
{
    sample(f, "", NULL, NULL, seconds(f->live.began_ms));
}

static void under_way(struct figures *f)
{
    int n = 0;

    for (size_t i = 0; i < LIVE_WORKS_MAX; i++)
        n += f->live.works[i].fileset != 0;
    sample(f, "", NULL, NULL, n);
}

static void sessions(struct figures *f)
{
    sample(f, "", NULL, NULL, (double)f->live.n_sessions);
}

static void root_watched(struct figures *f)
{
    for (size_t i = 0; i < f->live.n_roots; i++) {
        const char *modes[] = {"told", "polled"};

        for (size_t m = 0; m < 2; m++) {
            buf_printf(f->b, "impomero_%s{path=\"", f->name);
            label(f->b, f->live.roots[i].path);
            buf_printf(f->b, "\",impomero_%s=\"%s\"} %d\n", f->name, modes[m], (m == 1) == (f->live.roots[i].blind != NULL));
        }
    }
}

static void root_away(struct figures *f)
{
    for (size_t i = 0; i < f->status.n_roots; i++)
        sample(f, "", "path", f->status.roots[i].path, f->status.roots[i].away_ms != 0);
}

static void root_looked(struct figures *f)
{
    for (size_t i = 0; i < f->status.n_roots; i++)
        sample(f, "", "path", f->status.roots[i].path, seconds(f->status.roots[i].scanned_ms));
}

static void trouble(struct figures *f)
{
    if (f->trouble)
        sample(f, "", "reason", reason_row(f->trouble->why)->name, 1);
    else
        sample(f, "", "reason", "none", 0);
}

static void health(struct figures *f)
{
    for (size_t i = 0; i < f->health.n; i++)
        sample(f, "", "check", f->health.at[i].check, f->health.at[i].level);
}

static void ledger_bytes(struct figures *f)
{
    sample(f, "", NULL, NULL, (double)f->pulse.bytes);
}

static void build(struct figures *f)
{
    sample(f, "_info", "version", IMPOMERO_VERSION, 1);
}

static const struct {
    const char *name, *type, *unit /* or NULL */, *help;
    void (*write)(struct figures *f);
} metrics[] = {
    {"build", "info", NULL, "The version that runs.", build},
    {"started_timestamp_seconds", "gauge", "seconds", "When it was started.", began},
    {"health", "gauge", NULL, "What each check finds: 0 well, 1 a warning, 2 critical.", health},
    {"paused", "gauge", NULL, "1 while something stands in the way of all work.", trouble},
    {"filesets", "gauge", NULL, "Filesets by state, as the ledger has them.", filesets},
    {"filesets_bytes", "gauge", "bytes", "The size of their files.", filesets_bytes},
    {"stuck_filesets", "gauge", NULL, "Filesets that wait or are held, by reason and who can act.", stuck_filesets},
    {"queue_age_seconds", "gauge", "seconds", "How long the oldest fileset has been waiting for a worker.", queue_age},
    {"last_event_timestamp_seconds", "gauge", "seconds", "When something happened to a fileset or a dataset last.", last_event},
    {"under_way", "gauge", NULL, "Filesets in the hands of workers.", under_way},
    {"sessions", "gauge", NULL, "Sessions of users that are open in OMERO.", sessions},
    {"imported_filesets", "counter", NULL, "Filesets imported since the start.", imported},
    {"imported_bytes", "counter", "bytes", "The size of their files.", imported_bytes},
    {"imported_images", "counter", NULL, "Images and plates made of them.", images},
    {"sent_bytes", "counter", "bytes", "Bytes sent to OMERO since the start.", sent_bytes},
    {"failures", "counter", NULL, "How often a fileset was put off or held since the start.", failures},
    {"upload_seconds", "histogram", "seconds", "From a worker's first touch to the last byte.", upload_seconds},
    {"import_seconds", "histogram", "seconds", "From the last byte to the server's answer.", import_seconds},
    {"whole_seconds", "histogram", "seconds", "From the first sight of a fileset to its images in OMERO.", whole_seconds},
    {"root_watched", "stateset", NULL, "Whether changes of a directory tree are told, or it is polled.", root_watched},
    {"root_away", "gauge", NULL, "1 for a directory tree that is empty or not there.", root_away},
    {"root_looked_timestamp_seconds", "gauge", "seconds", "When all of it was looked at last.", root_looked},
    {"ledger_bytes", "gauge", "bytes", "The size of the ledger.", ledger_bytes},
};

int metrics_text(struct view *v, struct err *err)
{
    struct figures f = {.b = v->b, .now_ms = clock_wall_ms()};

    if (view_health(v, HEALTH_ALL, &f.health, &f.status, err) < 0 || ledger_trouble(v->l, v->a, &f.trouble, err) < 0 ||
        ledger_pulse(v->l, &f.pulse, err) < 0)
        return -1;
    live_copy(v->web->live, v->a, &f.live);
    v->out->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        f.name = metrics[i].name;
        buf_printf(v->b, "# TYPE impomero_%s %s\n", f.name, metrics[i].type);
        if (metrics[i].unit)
            buf_printf(v->b, "# UNIT impomero_%s %s\n", f.name, metrics[i].unit);
        buf_printf(v->b, "# HELP impomero_%s %s\n", f.name, metrics[i].help);
        metrics[i].write(&f);
    }
    buf_add_str(v->b, "# EOF\n");
    return 0;
}
