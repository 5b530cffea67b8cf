#include "omero/handle.h"

#include <time.h>

#include "base/clock.h"

static const int64_t first_pause_ns = 100 * NS_PER_MS, longest_pause_ns = 2 * NS_PER_S, slice_ns = 200 * NS_PER_MS;

static int ask_response(struct om_client *c, const struct ice_proxy *handle, struct arena *mem, const struct om_cmd_response **out,
                        struct err *err)
{
    if (om_cmd_handle_get_response(&c->caller, handle, mem, out, err) < 0)
        return -1;
    return *out ? 0 : OM_HANDLE_BUSY;
}

static bool has_failed(const struct om_cmd_status *status)
{
    for (size_t i = 0; status && i < status->flags.n; i++)
        if (status->flags.at[i] == OM_CMD_STATE_FAILURE || status->flags.at[i] == OM_CMD_STATE_CANCELLED)
            return true;
    return false;
}

int om_handle_ask(struct om_client *c, const struct ice_proxy *handle, struct arena *mem, const struct om_cmd_response **out,
                  struct err *err)
{
    const struct om_cmd_status *status;
    int r = ask_response(c, handle, mem, out, err);

    if (r != OM_HANDLE_BUSY)
        return r;
    if (om_cmd_handle_get_status(&c->caller, handle, mem, &status, err) < 0)
        return -1;
    if (!has_failed(status))
        return OM_HANDLE_BUSY;
    r = ask_response(c, handle, mem, out, err); /* it may have come between the two questions */
    if (r != OM_HANDLE_BUSY)
        return r;
    return err_set(err, REASON_SERVER_ERROR, 0, "OMERO gave the command up without saying why (it failed before its first step)");
}

static void sleep_ns(int64_t ns)
{
    const struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};

    (void)nanosleep(&t, NULL); /* a signal ends the pause early, which does no harm */
}

int om_handle_pause(int64_t *pause_ns, int (*keep_on)(void *arg, struct err *err), void *arg, struct err *err)
{
    int64_t next = *pause_ns ? *pause_ns + *pause_ns / 2 : first_pause_ns;

    *pause_ns = next < longest_pause_ns ? next : longest_pause_ns;
    for (int64_t left = *pause_ns; left > 0; left -= slice_ns) {
        if (keep_on && keep_on(arg, err) < 0)
            return -1;
        sleep_ns(left < slice_ns ? left : slice_ns);
    }
    return 0;
}
