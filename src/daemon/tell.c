/* What is gathered, when it is told, and how often. */
#include "daemon/tell.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/tell_inside.h"

enum {
    TICK_S = 1,
    STUCK_MAX = 20, /* filesets named in one message */
    UNDER_WAY = 1u << LEDGER_SEEN | 1u << LEDGER_SETTLING | 1u << LEDGER_READY | 1u << LEDGER_SENT | 1u << LEDGER_STARTED,
};

/* What there is to tell of one dataset. */
struct news {
    int64_t dataset;
    int64_t since_ns;   /* the last thing that happened; 0: all was told */
    size_t n_imported, n_images;
    uint64_t told;      /* which trouble was told last; 0: none */
};

struct teller {
    const struct settings *(*settings)(void *arg);
    void *arg;
    struct ledger *ledger;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t changed;
    bool ending;
    struct news *news;
    size_t n_news, cap_news;
    /* Only the thread's: */
    int64_t hour_ns; /* when the counted hour began */
    int64_t n_sent;
    size_t n_untold;
};

/* ---- gathering ---- */

static struct news *news_of(struct teller *t, int64_t dataset)
{
    for (size_t i = 0; i < t->n_news; i++)
        if (t->news[i].dataset == dataset)
            return &t->news[i];
    t->news = mem_grow(t->news, t->n_news, &t->cap_news, sizeof(*t->news));
    t->news[t->n_news] = (struct news){.dataset = dataset};
    return &t->news[t->n_news++];
}

void teller_event(struct teller *t, const struct engine_event *event)
{
    if ((event->what != ENGINE_DONE && event->what != ENGINE_STUCK) || event->fileset->dataset == 0)
        return;
    pthread_mutex_lock(&t->mutex);
    struct news *n = news_of(t, event->fileset->dataset);

    n->since_ns = clock_mono_ns();
    if (event->what == ENGINE_DONE) {
        n->n_imported++;
        n->n_images += event->n_images;
    }
    pthread_mutex_unlock(&t->mutex);
}

/* ---- one message ---- */

static uint64_t mix(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

/* Reads what the ledger knows.  1: not yet, something is under way; 0; -1. */
static int read_message(struct teller *t, const struct news *n, struct arena *a, struct tell_message *m, uint64_t *trouble,
                        struct err *err)
{
    const struct ledger_dataset *d;
    const struct ledger_fileset *list;
    size_t n_list = 0, n_stuck = 0;
    int r = ledger_dataset(t->ledger, n->dataset, a, &d, err);

    if (r != 0)
        return -1;
    const char *dir = arena_printf(a, "%s%s%s", d->root_path, *d->dir ? "/" : "", d->dir);
    if (ledger_list(t->ledger, &(struct ledger_filter){.path = dir, .states = UNDER_WAY, .max = 1}, a, &list, &n_list, err) < 0)
        return -1;
    if (n_list > 0)
        return 1;
    if (ledger_list(t->ledger, &(struct ledger_filter){.path = dir, .states = 1u << LEDGER_WAITING | 1u << LEDGER_HELD}, a, &list,
                    &n_list, err) < 0)
        return -1;

    struct tell_stuck *stuck = arena_alloc(a, STUCK_MAX, sizeof(*stuck));
    *trouble = 0;
    for (size_t i = 0; i < n_list; i++) {
        if (list[i].dataset != n->dataset)
            continue;
        const struct reason_row *why = reason_row(list[i].why);
        *trouble = mix(mix(*trouble ? *trouble : UINT64_C(14695981039346656037), list[i].path), why->name);
        if (n_stuck < STUCK_MAX)
            stuck[n_stuck++] = (struct tell_stuck){.path = list[i].path, .reason = why->name,
                                                   .text = list[i].text && *list[i].text ? list[i].text : why->text,
                                                   .hint = list[i].hint && *list[i].hint ? list[i].hint : why->hint};
    }
    *m = (struct tell_message){.user = d->user, .group = d->group, .project = d->project, .dataset = d->name, .dir = dir,
                               .dataset_id = d->omero_id, .n_imported = n->n_imported, .n_images = n->n_images, .stuck = stuck,
                               .n_stuck = n_stuck, .n_untold = t->n_untold};
    return 0;
}

static void failed(const char *way, const struct err *err)
{
    log_warn("tell.failed", "it is not tried again", LOG_STR("way", way), LOG_ERR(err));
}

static void send_all(const struct settings *s, const struct tell_message *m)
{
    AUTO(js_freep) json_t *json = tell_json(m);
    AUTO(mem_freep) char *text = js_dump(json);
    AUTO(mem_freep) char *mail = s->tell.mail_to ? tell_mail(m, s->tell.mail_to, s->tell.mail_from) : NULL;
    char *const hook[] = {(char *)s->tell.command, NULL};
    char *const sendmail[] = {(char *)s->tell.sendmail, "-i", "-t", NULL};
    struct err err = ERR_INIT;

    if (s->tell.command && tell_run(hook, text, &err) < 0)
        failed("command", &err);
    if (mail && tell_run(sendmail, mail, &err) < 0)
        failed("mail", &err);
    if (s->tell.webhook && tell_post(s->tell.webhook, text, &err) < 0)
        failed("webhook", &err);
}

/* ---- how often ---- */

static bool is_allowed(struct teller *t, const struct settings *s)
{
    int64_t now = clock_mono_ns();

    if (t->hour_ns == 0 || now - t->hour_ns > 3600 * NS_PER_S) {
        t->hour_ns = now;
        t->n_sent = 0;
    }
    return t->n_sent < s->tell.per_hour;
}

static bool is_wanted(const struct settings *s, const struct news *n, const struct tell_message *m, uint64_t trouble)
{
    if (m->n_stuck == 0)
        return m->n_imported > 0 && strcmp(s->tell.on, "all") == 0;
    return trouble != n->told;
}

/* The outcome of one dataset, with the mutex released while it is sent. */
static void tell(struct teller *t, int64_t dataset)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct settings *s = t->settings(t->arg);
    struct news n = *news_of(t, dataset);
    struct tell_message m;
    struct err err = ERR_INIT;
    uint64_t trouble = 0;
    int r;

    pthread_mutex_unlock(&t->mutex);
    r = read_message(t, &n, a, &m, &trouble, &err);
    if (r < 0)
        failed("ledger", &err);
    bool wanted = r == 0 && is_wanted(s, &n, &m, trouble), allowed = wanted && is_allowed(t, s);
    if (allowed) {
        t->n_sent++;
        t->n_untold = 0;
        send_all(s, &m);
        log_info("tell.told", NULL, LOG_STR("dir", m.dir), LOG_INT("imported", (int64_t)m.n_imported),
                 LOG_INT("stuck", (int64_t)m.n_stuck));
    } else if (wanted)
        t->n_untold++;
    pthread_mutex_lock(&t->mutex);

    struct news *now = news_of(t, dataset);
    if (r > 0) {
        now->since_ns = clock_mono_ns();
        return;
    }
    now->n_imported -= n.n_imported;
    now->n_images -= n.n_images;
    now->told = trouble;
    if (now->since_ns == n.since_ns)
        now->since_ns = 0;
}

static void tell_due(struct teller *t)
{
    int64_t quiet_ns = t->ending ? 0 : t->settings(t->arg)->tell.quiet_s * NS_PER_S;

    for (size_t i = 0; i < t->n_news; i++)
        if (t->news[i].since_ns != 0 && clock_mono_ns() - t->news[i].since_ns >= quiet_ns)
            tell(t, t->news[i].dataset);
}

/* ---- the thread ---- */

static void *teller_main(void *arg)
{
    struct teller *t = arg;

    pthread_mutex_lock(&t->mutex);
    while (!t->ending) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += TICK_S;
        pthread_cond_timedwait(&t->changed, &t->mutex, &until);
        tell_due(t);
    }
    tell_due(t);
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

struct teller *teller_new(const struct settings *(*settings)(void *arg), void *arg, struct ledger *ledger)
{
    struct teller *t = mem_new(1, sizeof(*t));

    *t = (struct teller){.settings = settings, .arg = arg, .ledger = ledger, .mutex = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER};
    if (pthread_create(&t->thread, NULL, teller_main, t) != 0)
        abort();
    return t;
}

void teller_free(struct teller *t)
{
    pthread_mutex_lock(&t->mutex);
    t->ending = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    free(t->news);
    free(t);
}
