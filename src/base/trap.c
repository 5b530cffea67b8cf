#include "base/trap.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

static const char *const names[] = {
#define X(id, name, help) name,
    TRAP_KINDS(X)
#undef X
};

static bool set;
static enum trap_kind armed = N_TRAP_KINDS;
static unsigned long nth;
static atomic_ulong passed[N_TRAP_KINDS];

static void say_counts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        fprintf(stderr, "%s %s %lu", i ? "," : "traps:", names[i], atomic_load(&passed[i]));
    fputc('\n', stderr);
}

static _Noreturn void refuse(const char *name, const char *text)
{
    fprintf(stderr, "impomero: %s='%s' is not understood\n", name, text);
    _exit(2);
}

static void arm(const char *text)
{
    const char *colon = strchr(text, ':');
    char *end = NULL;

    set = true;
    if (strcmp(text, "count") == 0)
        return;
    for (size_t i = 0; colon && i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == (size_t)(colon - text) && strncmp(text, names[i], strlen(names[i])) == 0)
            armed = (enum trap_kind)i;
    nth = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (armed == N_TRAP_KINDS || nth == 0 || *end)
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
    arm(trap);
    atexit(say_counts);
}

bool trap_is_set(void)
{
    return set;
}

static bool meets(enum trap_kind kind)
{
    return set && atomic_fetch_add(&passed[kind], 1) + 1 == nth && kind == armed;
}

static void may_die(enum trap_kind kind, const char *what, const char *subject)
{
    if (!meets(kind))
        return;
    fprintf(stderr, "trap: dies at %s %lu: %s %s\n", names[kind], nth, what, subject);
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

bool trap_fails(enum trap_kind kind)
{
    static const char text[] = "trap: this one fails\n";

    if (!meets(kind))
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
