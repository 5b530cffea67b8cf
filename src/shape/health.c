#include "shape/health.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

typedef enum health_level check_fn(const struct health_ask *ask, char *text, size_t size);

#define BIT(x) (1u << LEDGER_##x)
#define SAY(level, ...) (snprintf(text, size, __VA_ARGS__), (level))

static int64_t count(const struct health_ask *ask, unsigned states)
{
    int64_t n = 0;

    for (size_t i = 0; i < ask->status->n_counts; i++)
        if (states & 1u << ask->status->counts[i].state)
            n += ask->status->counts[i].n;
    return n;
}

static enum health_level engine(const struct health_ask *ask, char *text, size_t size)
{
    if (!ask->status->who[0])
        return SAY(HEALTH_CRITICAL, "no impomero works on the ledger");
    if (ask->live && !ask->live->alive)
        return SAY(HEALTH_CRITICAL, "the loop that hands out work does not come round any more");
    return SAY(HEALTH_OK, "%s works", ask->status->who);
}

/* Of what is due or under way something must happen now and then.  Bytes of a large upload are seen by the service alone. */
static enum health_level progress(const struct health_ask *ask, char *text, size_t size)
{
    int64_t due = count(ask, BIT(READY)), sent = count(ask, BIT(SENT)), started = count(ask, BIT(STARTED));
    int64_t since_ms = ask->pulse->oldest_due_ms, moved_ms = ask->pulse->event_ms;

    if (ask->live && ask->live->moved_ms > moved_ms)
        moved_ms = ask->live->moved_ms;
    if (moved_ms > since_ms)
        since_ms = moved_ms;
    if (due + sent + started == 0)
        return SAY(HEALTH_OK, "nothing is to be done");
    if (ask->trouble || ask->now_ms - since_ms < HEALTH_STALLED_S * INT64_C(1000))
        return SAY(HEALTH_OK, "%lld ready, %lld under way", (long long)due, (long long)(sent + started));
    return SAY(!ask->live && sent > 0 ? HEALTH_WARNING : HEALTH_CRITICAL,
               "nothing has happened for %lld min, with %lld ready and %lld under way",
               (long long)((ask->now_ms - since_ms) / 60000), (long long)due, (long long)(sent + started));
}

static enum health_level server(const struct health_ask *ask, char *text, size_t size)
{
    char at[25];

    if (!ask->trouble)
        return SAY(HEALTH_OK, "nothing is known against it");
    clock_text(ask->trouble->since_ms, at);
    return SAY(HEALTH_CRITICAL, "all work waits since %s: %s: %s", at, reason_row(ask->trouble->why)->text, ask->trouble->text);
}

/* The root that a path is, or lies in. */
static const struct ledger_root *known(const struct health_ask *ask, const char *path)
{
    for (size_t i = 0; i < ask->status->n_roots; i++)
        if (str_below(path, ask->status->roots[i].path))
            return &ask->status->roots[i];
    return NULL;
}

static enum health_level roots(const struct health_ask *ask, char *text, size_t size)
{
    size_t n = ask->n_roots ? ask->n_roots : ask->status->n_roots, away = 0;
    const char *first = "";

    for (size_t i = 0; i < n; i++) {
        const struct ledger_root *r = ask->n_roots ? known(ask, ask->roots[i].path) : &ask->status->roots[i];

        if (r && r->away_ms == 0)
            continue;
        first = away++ ? first : ask->n_roots ? ask->roots[i].path : r->path;
    }
    if (away == 0)
        return SAY(HEALTH_OK, "%zu directory trees are there", n);
    return SAY(away == n ? HEALTH_CRITICAL : HEALTH_WARNING, "%zu of %zu directory trees are away: %s%s", away, n, first,
               away > 1 ? " ..." : "");
}

static enum health_level looks(const struct health_ask *ask, char *text, size_t size)
{
    for (size_t i = 0; i < ask->n_roots; i++) {
        const struct ledger_root *r = known(ask, ask->roots[i].path);
        int64_t late_s = r && r->away_ms == 0 ? (ask->now_ms - r->scanned_ms) / 1000 : 0;

        if (late_s > 3 * ask->roots[i].look_s + HEALTH_STALLED_S)
            return SAY(HEALTH_WARNING, "%s was not looked at for %lld min", r->path, (long long)(late_s / 60));
    }
    return SAY(HEALTH_OK, "all were looked at in time");
}

static enum health_level people(const struct health_ask *ask, char *text, size_t size)
{
    int64_t n = 0;
    enum reason first = REASON_NONE;

    for (size_t i = 0; i < ask->status->n_counts; i++) {
        const struct ledger_count *c = &ask->status->counts[i];
        enum reason_who who = reason_row(c->why)->who;

        if (!(BIT(HELD) & 1u << c->state) || (who != WHO_ADMIN && who != WHO_DEVELOPER))
            continue;
        n += c->n;
        first = first == REASON_NONE ? c->why : first;
    }
    if (n == 0)
        return SAY(HEALTH_OK, "nothing is held for an administrator");
    return SAY(HEALTH_WARNING, "%lld held for an administrator (%s): see impomero status", (long long)n, reason_row(first)->name);
}

static const struct {
    const char *name;
    int answers;
    check_fn *run;
} checks[HEALTH_CHECKS] = {
    {"engine", HEALTH_ALIVE | HEALTH_READY | HEALTH_ALL, engine},
    {"progress", HEALTH_ALIVE | HEALTH_ALL, progress},
    {"server", HEALTH_READY | HEALTH_ALL, server},
    {"roots", HEALTH_READY | HEALTH_ALL, roots},
    {"looks", HEALTH_ALIVE | HEALTH_ALL, looks},
    {"people", HEALTH_ALL, people},
};

/* Texts of the ledger and paths go to one line of a terminal or of a monitor, where | begins the figures. */
static void make_plain(char *text, size_t size)
{
    AUTO(mem_freep) char *shown = str_show(text);

    snprintf(text, size, "%s", shown);
    for (char *c = text; *c; c++)
        if (*c == '|')
            *c = '/';
}

void health_judge(const struct health_ask *ask, int question, struct health *out)
{
    *out = (struct health){.worst = HEALTH_OK};
    for (size_t i = 0; i < HEALTH_CHECKS; i++) {
        struct health_line *line = &out->at[out->n];

        if (!(checks[i].answers & question))
            continue;
        line->check = checks[i].name;
        line->level = checks[i].run(ask, line->text, sizeof(line->text));
        make_plain(line->text, sizeof(line->text));
        if (line->level > out->worst)
            out->worst = line->level;
        out->n++;
    }
    if ((question & HEALTH_READY) && ask->live && !ask->live->begun)
        out->worst = HEALTH_CRITICAL;
}

const char *health_word(enum health_level level)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

    return words[level];
}

void health_summary(const struct health *h, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < h->n && used < size; i++)
        if (h->at[i].level != HEALTH_OK)
            used += (size_t)snprintf(out + used, size - used, "%s%s: %s", used ? "; " : "", h->at[i].check, h->at[i].text);
    if (used == 0)
        snprintf(out, size, h->worst == HEALTH_OK ? "all is well" : "it has just begun");
}
