#include "engine/recover.h"

#include <string.h>

#include "base/clock.h"

/* There are images: they are taken, unless they are what a failed import has left. */
static enum recover_act decide_images(const struct recover_facts *f)
{
    if (f->way == OM_IMPORT_WHOLE)
        return RECOVER_ADOPT;
    if (f->way == OM_IMPORT_GHOSTS)
        return RECOVER_FAILED;
    return f->age_ms > RECOVER_PATIENCE_MS ? RECOVER_PERSON : RECOVER_WAIT;
}

/* With its session over, nothing will come of it any more. */
static bool is_dropped(const struct recover_facts *f)
{
    return f->unbegun || (f->call == LEDGER_CALL_VERIFY && f->unverified);
}

enum recover_act recover_decide(const struct recover_facts *f)
{
    bool may_run = f->call == LEDGER_CALL_VERIFY || f->call == LEDGER_CALL_RUNNING;

    if (f->call == LEDGER_CALL_NONE || f->call == LEDGER_CALL_FINISHED)
        return RECOVER_FRESH;
    if (f->other_server)
        return RECOVER_PERSON;
    if (f->n_images > 0)
        return decide_images(f);
    if (!f->found)
        return f->over || (!may_run && f->age_ms > RECOVER_LATE_MS) ? RECOVER_FRESH : RECOVER_WAIT;
    if (!may_run)
        return RECOVER_DELETE;
    if (f->log_has_size)
        return RECOVER_FAILED;
    if (f->over && is_dropped(f) && f->age_ms > RECOVER_LATE_MS)
        return RECOVER_DELETE;
    if (f->call == LEDGER_CALL_VERIFY && f->unverified && !f->over && f->age_ms > RECOVER_LATE_MS + f->hashing_ms)
        return RECOVER_END;
    return f->age_ms > RECOVER_PATIENCE_MS ? RECOVER_PERSON : RECOVER_WAIT;
}

/* The fileset of the token; what was asked while the call could still arrive is asked once more afterwards. */
static int find(struct engine *e, struct om_client *c, const struct ledger_fileset *f, bool answered, struct recover_facts *out,
                int64_t *fileset, struct err *err)
{
    int r = om_import_find(c, f->job, fileset, err);

    if (r < 0)
        return -1;
    out->over = answered;
    if (!answered && sessions_is_over(e->sessions, c, f->session_id, &out->over, err) < 0)
        return -1;
    if (r == OM_ABSENT && out->over && !answered)
        r = om_import_find(c, f->job, fileset, err);
    out->found = r == 0;
    return r < 0 ? -1 : 0;
}

static int look_at_log(struct om_client *c, int64_t fileset, struct recover_facts *out, struct err *err)
{
    bool begun = true;

    if (out->n_images > 0)
        return om_import_way(c, fileset, &out->way, err);
    if (out->over && !out->log_has_size && om_import_has_begun(c, fileset, &begun, err) < 0)
        return -1;
    out->unbegun = !begun;
    return 0;
}

/* The job and the log's size first, the images second: an import that ends in between is then taken as running, not as failed. */
static int look_inside(struct om_client *c, int64_t fileset, struct recover_facts *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_import_result found = {0};
    int64_t size = -1;

    bool verified;

    if (om_import_is_verified(c, fileset, &verified, err) < 0 || om_import_log_size(c, fileset, &size, err) < 0 ||
        om_fileset_look(c, fileset, mem, &found, err) < 0)
        return -1;
    out->unverified = !verified;
    out->log_has_size = size >= 0;
    out->n_images = found.n_images + found.n_plates;
    return look_at_log(c, fileset, out, err);
}

int recover_look(struct engine *e, struct session *s, const struct ledger_fileset *f, enum ledger_call call, bool answered,
                 struct recover_facts *out, int64_t *fileset, struct err *err)
{
    int64_t id = 0;

    *out = (struct recover_facts){.call = call, .age_ms = clock_wall_ms() - f->call_ms,
                                  .hashing_ms = f->bytes / RECOVER_HASHED_MS};
    out->other_server = f->server && strcmp(f->server, s->server) != 0;
    if (out->other_server || !f->job)
        return 0;
    if (find(e, s->client, f, answered, out, &id, err) < 0 || (out->found && look_inside(s->client, id, out, err) < 0))
        return err_prefix(err, "what became of '%s': ", f->path);
    *fileset = out->found ? id : 0;
    return 0;
}
