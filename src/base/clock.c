#include "base/clock.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t real_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t real_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME) / NS_PER_MS;
}

/* A warped clock: where it began, and how fast it goes. */
static struct {
    int64_t rate, mono_ns, wall_ms, ahead_s;
} warp = {.rate = 1};

static int64_t warped_mono_ns(void)
{
    return warp.mono_ns + (real_mono_ns() - warp.mono_ns) * warp.rate;
}

static int64_t warped_wall_ms(void)
{
    return warp.wall_ms + 1000 * warp.ahead_s + (real_mono_ns() - warp.mono_ns) / NS_PER_MS * warp.rate;
}

static const struct clock_source warped = {warped_mono_ns, warped_wall_ms};
static const struct clock_source real = {real_mono_ns, real_wall_ms};
static const struct clock_source *source = &real;

void clock_inject(const struct clock_source *s)
{
    source = s ? s : &real;
}

int clock_warp(int64_t rate, int64_t ahead_s)
{
    const int64_t rate_most = 1000, ahead_most_s = INT64_C(10) * 365 * 86400;

    if (rate < 1 || rate > rate_most || ahead_s < 0 || ahead_s > ahead_most_s)
        return -1;
    warp.rate = rate;
    warp.mono_ns = real_mono_ns();
    warp.wall_ms = real_wall_ms();
    warp.ahead_s = ahead_s;
    clock_inject(&warped);
    return 0;
}

int64_t clock_real_ms(int64_t ms)
{
    return (ms + warp.rate - 1) / warp.rate;
}

void clock_sleep_ns(int64_t ns)
{
    int64_t real_ns = ns / warp.rate;
    const struct timespec t = {.tv_sec = real_ns / NS_PER_S, .tv_nsec = real_ns % NS_PER_S};

    (void)nanosleep(&t, NULL); /* what waits asks the clock itself */
}

int64_t clock_mono_ns(void)
{
    return source->mono_ns();
}

int64_t clock_wall_ms(void)
{
    return source->wall_ms();
}

int64_t clock_after_ns(int64_t ns)
{
    int64_t at;

    return __builtin_add_overflow(clock_mono_ns(), ns, &at) ? CLOCK_NEVER : at;
}

int clock_poll_ms(int64_t deadline_ns)
{
    if (deadline_ns == CLOCK_NEVER)
        return -1;

    int64_t left = deadline_ns - clock_mono_ns();
    if (left <= 0)
        return 0;
    int64_t ms = clock_real_ms(left / NS_PER_MS) + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

void clock_text(int64_t wall_ms, char out[25])
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    char date[20];

    if (!gmtime_r(&s, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        date[0] = '\0';
    snprintf(out, 25, "%s.%03dZ", date, (int)(wall_ms % 1000));
}
