#include "engine/retry.h"

#include <stddef.h>
#include <sys/random.h>

#include "base/clock.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* The first row that fits; people mend cards and accounts slowly, connections come back soon. */
static const struct pace {
    enum reason why;
    int base_ms, most_ms;
} paces[] = {
    {REASON_SETTLING, 1 * SECOND, 10 * SECOND},
    {REASON_UNDER_WAY, 10 * SECOND, 10 * SECOND},
    {REASON_OPEN, 5 * SECOND, 5 * MINUTE},
    {REASON_LOST, 1 * SECOND, 5 * MINUTE},
    {REASON_SESSION, 1 * SECOND, 1 * MINUTE},
    {REASON_TIMEOUT, 30 * SECOND, 10 * MINUTE},
    {REASON_NO_SERVER, 10 * SECOND, 5 * MINUTE},
    {REASON_SERVER_DOWN, 10 * SECOND, 5 * MINUTE},
    {REASON_SERVER_BUSY, 5 * SECOND, 5 * MINUTE},
    {REASON_SERVER_ERROR, 1 * MINUTE, 30 * MINUTE},
    {REASON_REPOSITORY_FULL, 5 * MINUTE, 1 * HOUR},
    {REASON_DB_READ_ONLY, 1 * MINUTE, 10 * MINUTE},
    {REASON_DISK_FULL, 10 * SECOND, 1 * MINUTE},
    {REASON_BUSY, 5 * SECOND, 1 * MINUTE},
    {REASON_CHECKSUM, 5 * SECOND, 10 * MINUTE},
    {REASON_CHANGED, 30 * SECOND, 30 * MINUTE},
    {REASON_UNREADABLE, 1 * MINUTE, 1 * HOUR},
    {REASON_GONE, 1 * MINUTE, 1 * HOUR},
    {REASON_NO_USER, 5 * MINUTE, 1 * HOUR},
    {REASON_NO_GROUP, 5 * MINUTE, 1 * HOUR},
    {REASON_NOT_MEMBER, 5 * MINUTE, 1 * HOUR},
    {REASON_DEACTIVATED, 5 * MINUTE, 1 * HOUR},
};
static const struct pace other_retry = {.base_ms = 1 * SECOND, .most_ms = 1 * MINUTE};
static const struct pace other_wait = {.base_ms = 30 * SECOND, .most_ms = 30 * MINUTE};

static const struct pace *pace_of(enum reason why, enum err_class cls)
{
    for (size_t i = 0; i < ARRAY_LEN(paces); i++)
        if (paces[i].why == why)
            return &paces[i];
    return cls == ERR_RETRY ? &other_retry : &other_wait;
}

int64_t retry_delay_ms(enum reason why, enum err_class cls, int attempts, uint32_t random)
{
    const struct pace *p = pace_of(why, cls);
    int64_t delay = p->base_ms;

    if (cls == ERR_FINAL)
        return CLOCK_NEVER;
    for (int i = 0; i < attempts && delay < p->most_ms; i++)
        delay *= 2;
    if (delay > p->most_ms)
        delay = p->most_ms;
    return delay - delay / 4 + (int64_t)random % (delay / 2 + 1);
}

bool retry_is_for_all(enum reason why)
{
    static const enum reason all[] = {REASON_NO_SERVER, REASON_NOT_OMERO, REASON_CERTIFICATE, REASON_TLS, REASON_SERVER_DOWN,
                                      REASON_LOGIN, REASON_CONFIG, REASON_DB_READ_ONLY, REASON_REPOSITORY_FULL,
                                      REASON_LEDGER, REASON_DISK_FULL};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i] == why)
            return true;
    return false;
}

bool retry_is_unanswered(enum reason why)
{
    return why == REASON_LOST || why == REASON_TIMEOUT || why == REASON_SESSION || why == REASON_NO_SERVER ||
           why == REASON_SERVER_DOWN || why == REASON_STOPPED;
}

uint32_t retry_random(void)
{
    uint32_t n = 0;

    (void)!getrandom(&n, sizeof(n), 0); /* it only spreads things out: zero will do */
    return n;
}
