/* What the service manager is told (sd_notify(3)); it is silent where there is none. */
#include "daemon/inside.h"

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

void notify_ready(struct daemon *d)
{
    if (!atomic_exchange(&d->ready, true))
        sd_notify(0, "READY=1\nSTATUS=looking at the directory trees");
}

void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_mono_ns() / 1000));
}

void notify_reloaded(const char *why_not)
{
    AUTO(mem_freep) char *shown = why_not ? str_show(why_not) : NULL;

    if (shown)
        sd_notifyf(0, "READY=1\nSTATUS=the new configuration was not taken: %s", shown);
    else
        sd_notify(0, "READY=1\nSTATUS=the new configuration holds");
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=stopping: what is under way goes on at the next start");
}

void notify_status(struct daemon *d)
{
    const long long now[] = {atomic_load(&d->n_working), atomic_load(&d->n_done), atomic_load(&d->n_stuck)};

    if (!atomic_load(&d->ready) || (now[0] == d->said[0] && now[1] == d->said[1] && now[2] == d->said[2]))
        return;
    for (size_t i = 0; i < ARRAY_LEN(now); i++)
        d->said[i] = now[i];
    sd_notifyf(0, "STATUS=%lld under way; since the start %lld imported, %lld put off or held", now[0], now[1], now[2]);
}

void notify_watchdog(struct daemon *d)
{
    int64_t now = clock_mono_ns();

    if (d->ping_every_ns == 0 || now - d->pinged_ns < d->ping_every_ns || now > atomic_load(&d->alive_until_ns))
        return;
    d->pinged_ns = now;
    sd_notify(0, "WATCHDOG=1");
}
