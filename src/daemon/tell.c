/* What is gathered, when it is told, and how often. */
#include "daemon/tell.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/tell_inside.h"

enum { TICK_S = 1 };

/* What there is to tell of one dataset. */
struct news {
    int64_t dataset;
    int64_t since_ns; /* the last thing that happened; 0: all was told */
    size_t n_imported, n_images;
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
    bool cards; /* cards may be in trouble that nobody was told of */
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

static void looked(struct teller *t)
{
    pthread_mutex_lock(&t->mutex);
    t->cards = true;
    pthread_mutex_unlock(&t->mutex);
}

void teller_event(struct teller *t, const struct engine_event *event)
{
    if (event->what == ENGINE_LOOKED)
        looked(t);
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

/* ---- sending ---- */

static void failed(const char *way, const struct err *err)
{
    log_warn("tell.failed", "it is not tried again", LOG_STR("way", way), LOG_ERR(err));
}

static void send_all(const struct settings *s, const struct tell_message *m)
{
    AUTO(js_freep) json_t *json = tell_json(m);
    AUTO(mem_freep) char *text = js_dump(json);
    AUTO(mem_freep) char *mail = tell_mail(m, s->tell.mail_to, s->tell.mail_else, s->tell.mail_from);
    char *const hook[] = {(char *)s->tell.command, NULL};
    char *const sendmail[] = {(char *)s->tell.sendmail, "-i", "-t", NULL};
    struct err err = ERR_INIT;

    if (s->tell.command && tell_run(hook, text, &err) < 0)
        failed("command", &err);
    if (mail && tell_run(sendmail, mail, &err) < 0)
        failed("mail", &err);
    if (s->tell.webhook && tell_post(s->tell.webhook, text, &err) < 0)
        failed("webhook", &err);
    log_info("tell.told", NULL, LOG_STR("dir", m->dir), LOG_INT("imported", (int64_t)m->n_imported),
             LOG_INT("stuck", (int64_t)(m->n_stuck + m->n_more)));
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

static bool has_way(const struct settings *s)
{
    return s->tell.command || s->tell.webhook || s->tell.mail_to || s->tell.mail_else;
}

/* ---- a dataset ---- */

static bool is_wanted(const struct settings *s, const struct tell_message *m, uint64_t trouble, uint64_t told)
{
    if (m->n_stuck == 0)
        return m->n_imported > 0 && strcmp(s->tell.on, "all") == 0;
    return trouble != told;
}

/* TELL_LATER: something is under way. */
static int tell_outcome(struct teller *t, const struct settings *s, const struct news *n, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct tell_message m;
    uint64_t trouble = 0, told = 0;
    int r = tell_read_dataset(t->ledger, n->dataset, a, &m, &trouble, &told, err);

    if (r != 0)
        return r;
    m.n_imported = n->n_imported;
    m.n_images = n->n_images;
    m.n_untold = t->n_untold;
    bool wanted = is_wanted(s, &m, trouble, told), allowed = wanted && is_allowed(t, s);

    if (allowed) {
        t->n_sent++;
        t->n_untold = 0;
        send_all(s, &m);
    } else if (wanted)
        t->n_untold++;
    return trouble == told ? 0 : ledger_dataset_told(t->ledger, n->dataset, trouble, err);
}

/* The outcome of one dataset, with the mutex released while it is sent. */
static void tell(struct teller *t, const struct settings *s, int64_t dataset)
{
    struct news n = *news_of(t, dataset);
    struct err err = ERR_INIT;

    pthread_mutex_unlock(&t->mutex);
    int r = tell_outcome(t, s, &n, &err);
    if (r < 0)
        failed("ledger", &err);
    pthread_mutex_lock(&t->mutex);

    struct news *now = news_of(t, dataset);
    if (r > 0) {
        now->since_ns = clock_mono_ns();
        return;
    }
    now->n_imported -= n.n_imported;
    now->n_images -= n.n_images;
    if (now->since_ns == n.since_ns)
        now->since_ns = 0;
}

/* ---- cards ---- */

/* One message a root.  What the limit keeps back is told when the hour is over: nothing else would tell of it again. */
static int send_cards(struct teller *t, const struct settings *s, struct tell_cards *c, struct err *err)
{
    if (!is_allowed(t, s))
        return TELL_LATER;
    t->n_sent++;
    c->message.n_untold = t->n_untold;
    t->n_untold = 0;
    send_all(s, &c->message);
    for (size_t i = 0; i < c->n_ids; i++)
        if (ledger_card_told(t->ledger, c->ids[i], err) < 0)
            return -1;
    return 0;
}

static int tell_all_cards(struct teller *t, const struct settings *s, int64_t quiet_ms, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct tell_cards *cards;
    size_t n = 0;
    int later = tell_read_cards(t->ledger, quiet_ms, a, &cards, &n, err), r = later;

    for (size_t i = 0; i < n && r >= 0; i++) {
        r = send_cards(t, s, &cards[i], err);
        later |= r;
    }
    return r < 0 ? -1 : later;
}

static void tell_cards(struct teller *t, const struct settings *s, int64_t quiet_ms)
{
    struct err err = ERR_INIT;

    t->cards = false;
    pthread_mutex_unlock(&t->mutex);
    int r = tell_all_cards(t, s, quiet_ms, &err);
    if (r < 0)
        failed("ledger", &err);
    pthread_mutex_lock(&t->mutex);
    t->cards |= r == TELL_LATER;
}

static void tell_due(struct teller *t)
{
    const struct settings *s = t->settings(t->arg);
    int64_t quiet_s = t->ending ? 0 : s->tell.quiet_s;

    if (!has_way(s))
        return;
    for (size_t i = 0; i < t->n_news; i++)
        if (t->news[i].since_ns != 0 && clock_mono_ns() - t->news[i].since_ns >= quiet_s * NS_PER_S)
            tell(t, s, t->news[i].dataset);
    if (t->cards)
        tell_cards(t, s, quiet_s * 1000);
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
