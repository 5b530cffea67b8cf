/* A worker's turn with one fileset: what an earlier try left, the steps, and what a failure leads to. */
#include "engine/work.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "engine/identity.h"
#include "engine/notes.h"
#include "engine/own.h"
#include "engine/recover.h"
#include "engine/retry.h"

/* ---- moving ---- */

int work_journal(struct work *w, struct ledger_journal *j, struct err *err)
{
    if (ledger_journal(w->e->ledger, w->f.id, j, err) < 0)
        return -1;
    if (j->call == LEDGER_CALL_IMPORT) {
        w->f.job = arena_str(w->a, j->job);
        w->f.server = j->server;
        w->f.session_id = j->session_id;
    }
    w->f.call = j->call;
    w->f.call_ms = clock_wall_ms();
    log_info("fileset.call", NULL, LOG_STR("path", w->f.path), LOG_STR("call", ledger_call_name(j->call)),
             LOG_INT("fileset", j->omero_id));
    return 0;
}

/* The ledger cannot be written: nothing else can be done either. */
static void ledger_failed(struct work *w, const struct err *err)
{
    log_error("ledger.failed", "all work stops", LOG_STR("path", w->f.path), LOG_ERR(err));
    engine_trouble(w->e, err);
}

void work_move(struct work *w, enum ledger_state to, const struct err *why)
{
    struct err err = ERR_INIT;
    int64_t delay = retry_delay_ms(why->why, why->cls == ERR_FINAL ? ERR_WAIT : why->cls, w->f.attempts, retry_random());
    int r = to == LEDGER_READY ? ledger_release(w->e->ledger, w->f.id, &err)
                               : ledger_move(w->e->ledger, w->f.id, to, why,
                                             to == LEDGER_WAITING ? clock_wall_ms() + delay : 0, &err);

    if (r < 0) {
        ledger_failed(w, &err);
        return;
    }
    w->f.state = to;
    if (to == LEDGER_READY) {
        log_debug("fileset.released", NULL, LOG_STR("path", w->f.path), LOG_ERR(why));
        return;
    }
    log_warn(to == LEDGER_HELD ? "fileset.held" : "fileset.waiting", to == LEDGER_HELD ? "until it or its card changes" : NULL,
             LOG_STR("path", w->f.path), LOG_ERR(why), LOG_INT("retry_s", to == LEDGER_WAITING ? delay / 1000 : 0));
    engine_tell(w->e, &(struct engine_event){.what = ENGINE_STUCK, .fileset = &w->f, .err = why});
}

static int link_plates(struct work *w, const struct ledger_dataset *d, const struct om_import_result *r, struct err *err)
{
    int64_t *ids = arena_alloc(w->a, r->n_plates, sizeof(*ids));

    for (size_t i = 0; i < r->n_plates; i++)
        ids[i] = r->plates[i].id;
    return d->kind == LEDGER_KIND_SCREEN ? notes_link_plates(w->e, w->s, d, ids, r->n_plates, err) : 0;
}

/* What could not ride along.  Before the import is written down as done: after a crash it is done again, and links and maps that
 * are there are left alone. */
static int dress(struct work *w, const struct om_import_result *r, struct err *err)
{
    bool each = notes_each(w->e->job->settings, w->f.root_path);
    const struct ledger_dataset *d;
    int got = r->n_plates == 0 && !each ? LEDGER_NOTHING : ledger_dataset(w->e->ledger, w->f.dataset, w->a, &d, err);

    if (got != 0)
        return got < 0 ? -1 : 0;
    if (link_plates(w, d, r, err) < 0)
        return -1;

    const struct own own = {.settings = w->e->job->settings, .ledger = w->e->ledger, .c = w->s->client,
                            .d = d, .notes = d->notes, .n_notes = d->n_notes};

    return own_need(&own, d->applied, w->images, w->n_images, err);
}

int work_done(struct work *w, const struct om_import_result *r, struct err *err)
{
    w->images = own_parts(r, w->f.plate, notes_each(w->e->job->settings, w->f.root_path), w->a, &w->n_images);
    if (dress(w, r, err) < 0 || ledger_done(w->e->ledger, w->f.id, r->fileset, w->images, w->n_images, err) < 0)
        return -1;
    w->f.omero_id = r->fileset;
    w->f.state = LEDGER_DONE;
    w->f.call = LEDGER_CALL_FINISHED;
    log_info("fileset.done", NULL, LOG_STR("path", w->f.path), LOG_INT("fileset", r->fileset),
             LOG_INT("images", (int64_t)w->n_images));
    return 0;
}

static void tell_done(struct work *w)
{
    struct err err = ERR_INIT;

    if (!w->dataset && w->f.dataset && ledger_dataset(w->e->ledger, w->f.dataset, w->a, &w->dataset, &err) != 0)
        w->dataset = NULL;
    engine_tell(w->e, &(struct engine_event){.what = ENGINE_DONE, .fileset = &w->f, .dataset = w->dataset, .images = w->images,
                                             .n_images = w->n_images});
}

/* ---- what is on the server already ---- */

static int forget(struct work *w, struct err *err)
{
    struct ledger_journal none = {.call = LEDGER_CALL_NONE};

    if (work_journal(w, &none, err) < 0)
        return -1;
    w->f.state = LEDGER_READY;
    return 0;
}

static int remove_rest(struct work *w, int64_t fileset, struct err *err)
{
    if (om_fileset_delete_empty(w->s->client, fileset, err) < 0)
        return -1;
    log_info("fileset.removed", "nothing had been imported of it", LOG_STR("path", w->f.path), LOG_INT("fileset", fileset));
    return forget(w, err);
}

static int adopt(struct work *w, int64_t fileset, struct err *err)
{
    struct om_import_result found = {0};

    if (om_fileset_look(w->s->client, fileset, w->a, &found, err) < 0)
        return -1;
    log_info("fileset.adopted", "an earlier try had succeeded", LOG_STR("path", w->f.path), LOG_INT("fileset", fileset));
    return work_done(w, &found, err);
}

/* After an import of which the server said that it failed: what it left goes, images without pixels too. */
static int remove_failed(struct work *w, struct err *err)
{
    int64_t fileset = 0;
    int r = om_import_find(w->s->client, w->f.job, &fileset, err);

    if (r < 0 || (r == 0 && om_fileset_delete(w->s->client, fileset, err) < 0))
        return -1;
    if (r == 0)
        log_info("fileset.removed", "its import had failed", LOG_STR("path", w->f.path), LOG_INT("fileset", fileset));
    return forget(w, err);
}

/* What the server's log says of a failed import, before it goes with the rest. */
static void add_log(struct work *w, struct err *why)
{
    struct err err = ERR_INIT, before = *why;
    const char *words = "";
    int64_t fileset;

    if (om_import_find(w->s->client, w->f.job, &fileset, &err) != 0 ||
        om_import_log_words(w->s->client, fileset, w->a, &words, &err) != 0 || !words[0])
        return;
    (void)err_set(why, before.why, 0, "%s; OMERO's log: %s", before.text, words);
    why->cls = before.cls;
    (void)err_hint(why, "%s", before.hint);
}

/* An earlier try failed, and its answer was not heard. */
static int end_failed(struct work *w, struct err *err)
{
    err_set(err, REASON_IMPORT_FAILED, 0, "OMERO could not import it, in an earlier try that was cut short");
    add_log(w, err);

    const struct err why = *err;

    if (remove_failed(w, err) == 0)
        *err = why;
    return -1;
}

/* A session of an earlier try would idle for ten minutes.  Not if more filesets than `own` have something under way in it: an
 * import that may still be queued there would be dropped. */
static void end_unused(struct work *w, int64_t session_id, int64_t own)
{
    struct err err = ERR_INIT;
    int64_t users = 0;

    if (ledger_session_users(w->e->ledger, session_id, &users, &err) < 0 || users > own ||
        om_session_end(w->s->client, session_id, &err) < 0)
        log_debug("session.left", "it ends by itself", LOG_INT("session", session_id), LOG_ERR(&err));
}

/* 0: it goes on from w->f.state; -1: err says what becomes of it. */
static int act(struct work *w, enum recover_act what, int64_t fileset, struct err *err)
{
    switch (what) {
    case RECOVER_FRESH:
        return forget(w, err);
    case RECOVER_DELETE:
        return remove_rest(w, fileset, err);
    case RECOVER_ADOPT:
        return adopt(w, fileset, err);
    case RECOVER_FAILED:
        return end_failed(w, err);
    case RECOVER_END:
        end_unused(w, w->f.session_id, 1);
        __attribute__((fallthrough));
    case RECOVER_WAIT:
        return err_set(err, REASON_UNDER_WAY, 0, "last sent: %s", ledger_call_name(w->f.call));
    case RECOVER_PERSON:
        break;
    }
    return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "an earlier try was cut short, and the server does not say what became of it");
}

/* The same for a run that was killed, where nothing was verified. */
static void end_session(struct work *w, enum ledger_call call, int64_t call_ms, int64_t session_id)
{
    if ((call == LEDGER_CALL_IMPORT || call == LEDGER_CALL_UPLOAD) && call_ms < w->e->began_ms &&
        w->f.call == LEDGER_CALL_NONE)
        end_unused(w, session_id, 0);
}

static int recover(struct work *w, bool answered, struct err *err)
{
    enum ledger_call call = w->f.call;
    struct recover_facts facts;
    int64_t fileset = 0;

    if (answered && call == LEDGER_CALL_VERIFY) /* it was refused: nothing was started */
        call = LEDGER_CALL_UPLOAD;
    if (recover_look(w->e, w->s, &w->f, call, answered, &facts, &fileset, err) < 0)
        return -1;
    return act(w, recover_decide(&facts), fileset, err);
}

/* ---- failures ---- */

/* After an import that has ended badly: images that came of it all the same are taken, else what is left is removed. */
static int look_at_end(struct work *w, struct err *err)
{
    struct recover_facts facts;
    int64_t fileset = 0;

    if (recover_look(w->e, w->s, &w->f, w->f.call, true, &facts, &fileset, err) < 0)
        return -1;
    if (facts.n_images > 0)
        return adopt(w, fileset, err);
    return fileset ? remove_rest(w, fileset, err) : forget(w, err);
}

/* Leave nothing behind, as far as that is safe.  True: nothing of it is on the server any more, or it is done after all. */
static bool tidy(struct work *w, enum reason why, bool import_failed)
{
    struct err err = ERR_INIT;
    enum step_left left = import_failed ? LEFT_FAILED : step_left(w->f.call, why);
    int r = -1;

    om_import_end(STEAL(w->import));
    if (left == LEFT_NOTHING)
        return true;
    if (left == LEFT_UNKNOWN || w->s->client->dead)
        return false;
    r = left == LEFT_FAILED ? remove_failed(w, &err) : left == LEFT_OVER ? look_at_end(w, &err) : recover(w, true, &err);
    if (r < 0)
        log_warn("fileset.left", "looked at again at the next try", LOG_STR("path", w->f.path), LOG_ERR(&err));
    return r == 0;
}

static void failed(struct work *w, struct err *why)
{
    bool clean, cut_short, import_failed = w->import && om_import_has_failed(w->import);

    if (import_failed && !w->s->client->dead)
        add_log(w, why);
    if (why->why == REASON_STOPPED)
        w->s->client->until_ns = clock_after_ns(SESSIONS_END_NS); /* what is left is looked at when it starts again */
    clean = tidy(w, why->why, import_failed);

    if (w->f.state == LEDGER_DONE)
        return;
    w->s->leave |= !clean && (w->f.call == LEDGER_CALL_VERIFY || w->f.call == LEDGER_CALL_RUNNING);
    if (retry_is_for_all(why->why))
        engine_trouble(w->e, why);
    if (why->why == REASON_CHANGED || why->why == REASON_GONE || why->why == REASON_LINK || why->why == REASON_NOT_REGULAR)
        engine_look_again(w->e);
    cut_short = engine_is_stopped(w->e) && retry_is_unanswered(why->why);
    work_move(w, cut_short ? LEDGER_READY : step_failed(why->why, why->cls, clean), why);
}

/* ---- the turn ---- */

static int run_steps(struct work *w, struct err *err)
{
    while (w->f.state != LEDGER_DONE) {
        const struct step *step = &steps[w->f.state];

        if (step->run(w, err) < 0)
            return -1;
        w->f.state = step->next;
    }
    return 0;
}

/* A journal that is not at its beginning is looked into first; from there all begins anew. */
static int run(struct work *w, struct err *err)
{
    bool fresh = w->f.call == LEDGER_CALL_NONE || w->f.call == LEDGER_CALL_FINISHED;

    if (fresh)
        w->f.state = LEDGER_READY;

    const struct ledger_fileset before = w->f;
    int r = fresh ? 0 : recover(w, false, err);

    if (!fresh)
        end_session(w, before.call, before.call_ms, before.session_id);
    return r == 0 ? run_steps(w, err) : -1;
}

/* What the look at an earlier try ended in is not to be tidied up again. */
static void turn(struct work *w)
{
    struct err err = ERR_INIT;
    bool fresh = w->f.call == LEDGER_CALL_NONE || w->f.call == LEDGER_CALL_FINISHED;

    engine_tell(w->e, &(struct engine_event){.what = ENGINE_BEGIN, .fileset = &w->f});
    int r = run(w, &err);
    if (r == 0 || w->dataset)
        engine_worked(w->e);
    if (r == 0)
        tell_done(w);
    else if (!fresh && !w->dataset && w->f.call != LEDGER_CALL_NONE)
        work_move(w, err.why == REASON_UNKNOWN_OUTCOME ? LEDGER_HELD : LEDGER_WAITING, &err);
    else
        failed(w, &err);
    if (w->f.state == LEDGER_DONE && r < 0)
        tell_done(w);
    engine_tell(w->e, &(struct engine_event){.what = ENGINE_LEFT, .fileset = &w->f});
}

/* Nothing was sent in this turn. */
static void failed_early(struct work *w, const struct err *why)
{
    struct err err = ERR_INIT;

    if (w->f.state == LEDGER_DONE) {
        log_warn("fileset.unread", "compared again at the next look", LOG_STR("path", w->f.path), LOG_ERR(why));
        if (ledger_not_compared(w->e->ledger, w->f.id, &err) < 0)
            ledger_failed(w, &err);
        return;
    }
    if (why->why == REASON_CHANGED || why->why == REASON_GONE)
        engine_look_again(w->e);
    work_move(w, step_failed(why->why, why->cls, true), why);
}

static void import(struct work *w)
{
    struct err err = ERR_INIT;
    bool for_all = false;

    if (sessions_take(w->e->sessions, w->f.user, w->f.group, &w->s, &for_all, &err) < 0) {
        if (for_all)
            engine_trouble(w->e, &err);
        work_move(w, for_all ? LEDGER_READY : step_failed(err.why, err.cls, w->f.call == LEDGER_CALL_NONE), &err);
        return;
    }
    engine_well(w->e);
    turn(w);
    om_import_end(STEAL(w->import));
    sessions_give(w->e->sessions, w->s);
}

void work_fileset(struct engine *e, const struct ledger_fileset *f)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    AUTO(io_closep) int root = -1;
    struct work w = {.e = e, .f = *f, .a = a, .root = -1};
    struct err err = ERR_INIT;
    int r = identity_look(&w, &err);

    if (r == 0)
        import(&w);
    else if (r < 0)
        failed_early(&w, &err);
    root = w.root;
    if (f->gone_ms != 0)
        engine_look_again(e); /* it may lie elsewhere, and wait there for this */
}
