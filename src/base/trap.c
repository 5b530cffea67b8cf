#include "base/trap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/trap_place.h"

static const char *const names[] = {
#define X(id, name, help) name,
    TRAP_KINDS(X)
#undef X
};

enum { COPY_S = 30 };

static bool set, listing, each, in_copy;
static enum trap_kind armed = N_TRAP_KINDS;
static unsigned long nth; /* 0: the first at a place */
static uint64_t place;
static atomic_bool met;
static atomic_ulong passed[N_TRAP_KINDS];

static void say_counts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        fprintf(stderr, "%s %s %lu", i ? "," : "traps:", names[i], atomic_load(&passed[i]));
    fputc('\n', stderr);
    if (listing)
        trap_place_say(names);
}

static _Noreturn void refuse(const char *name, const char *text)
{
    fprintf(stderr, "impomero: %s='%s' is not understood\n", name, text);
    _exit(2);
}

static void arm(const char *text)
{
    const char *sign = strpbrk(text, ":@");
    char *end = NULL;

    for (size_t i = 0; sign && i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == (size_t)(sign - text) && strncmp(text, names[i], strlen(names[i])) == 0)
            armed = (enum trap_kind)i;
    if (sign && *sign == ':')
        nth = strtoul(sign + 1, &end, 10);
    else if (sign && strcmp(sign, "@each") == 0)
        each = true;
    else if (sign)
        place = strtoull(sign + 1, &end, 16);
    if (armed == N_TRAP_KINDS || (!each && ((nth == 0 && place == 0) || *end)))
        refuse("IMPOMERO_TRAP", text);
}

static void warp(const char *text)
{
    char *end;
    long rate = strtol(text, &end, 10), ahead_s = *end == '+' ? strtol(end, &end, 10) : 0;

    if (*end || clock_warp(rate, ahead_s) < 0)
        refuse("IMPOMERO_CLOCK", text);
}

void trap_start(void)
{
    const char *trap = getenv("IMPOMERO_TRAP"), *clock = getenv("IMPOMERO_CLOCK");

    if (clock)
        warp(clock);
    if (!trap)
        return;
    set = true;
    listing = strcmp(trap, "list") == 0;
    if (!listing && strcmp(trap, "count") != 0)
        arm(trap);
    trap_place_start();
    atexit(say_counts);
}

bool trap_is_set(void)
{
    return set;
}

static bool meets(enum trap_kind kind, uint64_t here)
{
    unsigned long n = atomic_fetch_add(&passed[kind], 1) + 1;
    if (kind != armed)
        return false;
    return nth ? n == nth : here == place && !atomic_exchange(&met, true);
}

static void may_die(enum trap_kind kind, const char *what, const char *subject)
{
    if (in_copy)
        _exit(TRAP_WENT_ON);
    if (listing)
        fprintf(stderr, "point %s: %s %s\n", names[kind], what, subject);
    if (!set || !meets(kind, 0))
        return;
    fprintf(stderr, "trap: dies at %s %lu: %s %s\n", names[kind], atomic_load(&passed[kind]), what, subject);
    _exit(TRAP_STATUS);
}

void trap_step(const char *what, const char *subject)
{
    may_die(TRAP_STEP, what, subject);
}

void trap_sent(const char *subject)
{
    may_die(TRAP_SENT, "sent", subject);
}

/* In the copy: true.  It must not go on to where it would speak to a server, or write, in the name of this one. */
static bool fails_in_copy(enum trap_kind kind, uint64_t here)
{
    int status = 0;
    pid_t copy = fork();

    if (copy == 0) {
        in_copy = true;
        alarm(COPY_S);
        return true;
    }
    while (copy > 0 && waitpid(copy, &status, 0) < 0 && errno == EINTR)
        continue;
    fprintf(stderr, "copy %s %016" PRIx64 " %d\n", names[kind], here,
            WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return false;
}

static bool fails_here(enum trap_kind kind)
{
    uint64_t here = listing || place || each ? trap_place_here() : 0; /* asked in one line alone, which is part of it */
    bool first = (listing || (each && kind == armed && !in_copy)) && trap_place_count(kind, here);

    return each ? first && fails_in_copy(kind, here) : meets(kind, here);
}

bool trap_fails(enum trap_kind kind)
{
    static const char text[] = "trap: this one fails\n";

    if (!set || !fails_here(kind))
        return false;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* no stdio here: it may be an allocation that fails */
    errno = EIO;
    return true;
}

ssize_t trap_read(int fd, void *bytes, size_t n)
{
    return trap_fails(TRAP_READ) ? -1 : read(fd, bytes, n);
}

ssize_t trap_pread(int fd, void *bytes, size_t n, off_t offset)
{
    return trap_fails(TRAP_READ) ? -1 : pread(fd, bytes, n, offset);
}

ssize_t trap_write(int fd, const void *bytes, size_t n)
{
    return trap_fails(TRAP_WRITE) ? -1 : write(fd, bytes, n);
}

int trap_fsync(int fd)
{
    return trap_fails(TRAP_SYNC) ? -1 : fsync(fd);
}

int trap_rename(const char *from, const char *to)
{
    return trap_fails(TRAP_RENAME) ? -1 : rename(from, to);
}
