#include "engine/gate.h"

#include "base/log.h"
#include "engine/adopt.h"

static int set_free(struct engine *e, const char *path, enum gate *gate, struct err *err)
{
    *gate = GATE_OPEN;
    return ledger_root_free(e->ledger, path, err);
}

int gate_begin(struct engine *e, const struct engine_place *place, bool asks, enum gate *out, struct err *err)
{
    bool is_new = false;

    if (asks && ledger_root_is_new(e->ledger, place->path, &is_new, err) < 0)
        return -1;
    if (!is_new)
        return set_free(e, place->path, out, err);
    *out = GATE_ASK;
    return 0;
}

static int ask(struct engine *e, const struct engine_place *place, int64_t root, enum gate *gate, struct err *err)
{
    const struct adopt_job job = {.settings = e->job->settings, .ledger = e->ledger, .dir = place->path, .mode = ADOPT_COUNT,
                                  .stop = e->job->stop};
    struct adopt_counts counts;
    struct err why = ERR_INIT;

    if (adopt_count(&job, e->sessions, &counts, err) < 0)
        return -1;
    if (counts.looked + counts.unasked == 0)
        return 0;
    if (adopt_is_little(&counts, place->path, &why))
        return set_free(e, place->path, gate, err);
    err_hint(&why, "impomero adopt --dry-run shows them; with the service stopped impomero adopt takes them as they are; "
                   "impomero retry imports them once more");
    log_warn("root.held", "until a person says what is to be done", LOG_STR("path", place->path), LOG_ERR(&why));
    engine_tell(e, &(struct engine_event){.what = ENGINE_ROOT_AWAY, .path = place->path, .err = &why});
    *gate = GATE_SHUT;
    return ledger_root_hold(e->ledger, root, &why, err);
}

int gate_look(struct engine *e, const struct engine_place *place, int64_t root, enum gate *gate, struct err *err)
{
    if (*gate == GATE_OPEN)
        return 0;
    return *gate == GATE_ASK ? ask(e, place, root, gate, err) : ledger_root_hold(e->ledger, root, NULL, err);
}
