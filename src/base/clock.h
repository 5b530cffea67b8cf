/* Time: monotonic for waiting, wall for people.  Tests may put a clock of their own in. */
#pragma once

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define CLOCK_NEVER INT64_MAX

int64_t clock_mono_ns(void);
int64_t clock_wall_ms(void); /* since 1970 UTC */
int64_t clock_after_ns(int64_t ns); /* a deadline: now + ns, saturated */
int clock_poll_ms(int64_t deadline_ns); /* what is left, rounded up, for poll(2): -1 never, 0 past */
void clock_text(int64_t wall_ms, char out[25]); /* "2026-11-23T18:15:42.943Z" */

void clock_sleep_ns(int64_t ns); /* a signal ends it early */
int64_t clock_real_ms(int64_t ms); /* how long to let a system call wait for `ms` on this clock: the same, unless it is warped */

/* For tests of a whole program: time passes `rate` times as fast, from `ahead_s` seconds ahead of now on.  Before threads start.
 * -1: out of range (rate 1 to 1,000, less than ten years ahead). */
int clock_warp(int64_t rate, int64_t ahead_s);

/* Replace both clocks (NULL: the real ones again).  Set before threads start. */
struct clock_source {
    int64_t (*mono_ns)(void);
    int64_t (*wall_ms)(void);
};
void clock_inject(const struct clock_source *source);
