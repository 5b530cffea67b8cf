/* An upload that goes on after its connection was lost. */
#include <string.h>

#include "base/clock.h"
#include "omero/handle.h"
#include "omero/lane.h"

static const int64_t patience_ns = 120 * NS_PER_S;

static const struct ice_proxy *asked_of(const struct lane *l)
{
    return l->store ? l->store : l->imp->process;
}

int lane_ask(struct lane *l, const struct ice_op *op, const void *in, struct err *err)
{
    l->op = op;
    l->in = in;
    l->asked = true; /* also when it fails: it is to be asked again */
    l->asked_ns = clock_mono_ns();
    l->client->fault = NULL;
    l->id = -1;
    return l->client->way->send(l->client, asked_of(l), op, in, &l->id, err);
}

int lane_wait(struct lane *l, void *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_client *c = l->client;

    if (c->dead)
        return err_set(err, REASON_LOST, 0, "the connection is over");
    if (c->way->wait(c, asked_of(l), l->op, l->in, l->id, out, out ? l->mem : mem, err) < 0) {
        l->asked &= c->dead; /* an answer, if a bad one, is an answer */
        return -1;
    }
    l->asked = false;
    return 0;
}

/* ---- a session that outlives its connection ---- */

static int set_detach(struct om_client *c, bool detach, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    return detach ? om_api_service_factory_detach_on_destroy(&c->caller, c->factory, mem, err)
                  : om_api_service_factory_close_on_destroy(&c->caller, c->factory, mem, err);
}

int lanes_hold(struct lanes *all, struct err *err)
{
    if (!all->resumes || !all->imp->client->way->rejoin)
        return 0;
    all->held = true;
    return set_detach(all->imp->client, true, err);
}

void lanes_let_go(struct lanes *all)
{
    struct err ignored; /* it idles out */

    if (all->held && !all->imp->client->dead)
        (void)set_detach(all->imp->client, false, &ignored);
}

/* ---- joining it again ---- */

static int find_process(struct om_import *imp, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_client *c = imp->client;
    const struct ice_proxy *found;

    if (om_api_service_factory_get_by_name(&c->caller, c->factory, imp->process->id.name, mem, &found, err) < 0)
        return -1;
    if (!found)
        return err_set(err, REASON_SESSION, 0, "the import is not known any more");
    imp->process = ice_proxy_copy(imp->mem, found);
    return 0;
}

/* What was out may or may not have arrived: it is asked again. */
static int take_up(struct lane *l, struct err *err)
{
    struct ice_caller *caller = &l->client->caller;
    int32_t i = (int32_t)l->index;

    if (l->store && om_grid_import_process_get_uploader(caller, l->imp->process, i, l->mem, &l->store, err) < 0)
        return -1;
    return l->asked ? lane_ask(l, l->op, l->in, err) : 0;
}

/* The one that is being opened comes last: what it asks is out to the import's process afterwards. */
static int take_up_all(struct lanes *all, struct err *err)
{
    for (int opening = 0; opening <= 1; opening++)
        for (size_t i = 0; i < all->n; i++) {
            struct lane *l = &all->at[i];
            if (l->stage != LANE_FREE && (l->store == NULL) == opening && take_up(l, err) < 0)
                return -1;
        }
    return 0;
}

static int join(struct lanes *all, struct err *err)
{
    struct om_client *c = all->imp->client;

    if (c->way->rejoin(c, err) < 0 || set_detach(c, true, err) < 0 || find_process(all->imp, err) < 0)
        return -1;
    return take_up_all(all, err);
}

static bool is_lost(const struct lanes *all, const struct err *err)
{
    return all->held && all->imp->client->dead && (err->why == REASON_LOST || err->why == REASON_TIMEOUT);
}

static bool may_come_back(enum reason why)
{
    return why == REASON_LOST || why == REASON_TIMEOUT || why == REASON_NO_SERVER || why == REASON_SERVER_DOWN;
}

int lanes_resume(struct lanes *all, struct err *err)
{
    const struct lane *l = &all->at[0];
    int64_t until = clock_after_ns(patience_ns), pause = 0;
    struct err why = *err;

    if (!is_lost(all, err))
        return -1;
    for (;;) {
        if (join(all, &why) == 0)
            return 0;
        if (!may_come_back(why.why) || clock_mono_ns() > until)
            return -1;
        if (om_handle_pause(&pause, l->set->keep_on, l->set->arg, &why) < 0) {
            *err = why;
            return -1;
        }
    }
}
