#include "omero/handle.h"

#include "base/clock.h"

static const int64_t first_pause_ns = 100 * NS_PER_MS, longest_pause_ns = 2 * NS_PER_S, slice_ns = 200 * NS_PER_MS;
static const int64_t grace_ns = 10 * NS_PER_S;

static bool has_failed(const struct om_cmd_status *status)
{
    for (size_t i = 0; status && i < status->flags.n; i++)
        if (status->flags.at[i] == OM_CMD_STATE_FAILURE || status->flags.at[i] == OM_CMD_STATE_CANCELLED)
            return true;
    return false;
}

int om_handle_ask(struct om_client *c, struct om_wait *w, struct arena *mem, const struct om_cmd_response **out, struct err *err)
{
    const struct om_cmd_status *status;

    if (om_cmd_handle_get_response(&c->caller, w->handle, mem, out, err) < 0)
        return -1;
    if (*out)
        return 0;
    if (w->failed_ns && clock_mono_ns() - w->failed_ns > grace_ns)
        return err_set(err, REASON_SERVER_ERROR, 0,
                       "OMERO gave the command up without saying why (it failed before its first step)");
    if (om_cmd_handle_get_status(&c->caller, w->handle, mem, &status, err) < 0)
        return -1;
    if (!w->failed_ns && has_failed(status))
        w->failed_ns = clock_mono_ns();
    return OM_HANDLE_BUSY;
}

int om_handle_look(struct om_client *c, const struct om_wait *w, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_cmd_status *status;

    if (om_cmd_handle_get_status(&c->caller, w->handle, mem, &status, err) < 0)
        return -1;
    if (has_failed(status))
        return OM_HANDLE_FAILED;
    return status && status->stop_time > 0 ? 0 : OM_HANDLE_BUSY;
}

int om_handle_pause(int64_t *pause_ns, int (*keep_on)(void *arg, struct err *err), void *arg, struct err *err)
{
    int64_t next = *pause_ns ? *pause_ns + *pause_ns / 2 : first_pause_ns;

    *pause_ns = next < longest_pause_ns ? next : longest_pause_ns;
    for (int64_t left = *pause_ns; left > 0; left -= slice_ns) {
        if (keep_on && keep_on(arg, err) < 0)
            return -1;
        clock_sleep_ns(left < slice_ns ? left : slice_ns);
    }
    return 0;
}
