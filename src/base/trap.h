/* Traps: places at which a test lets the program die, or lets a step fail, once.
 *
 * They are in every build, so that what is tested is what is shipped, and do nothing unless the environment says so at start:
 *
 *   IMPOMERO_TRAP=KIND:N    the N-th of a kind: `step` and `sent` end the program at once with status 100, the others fail
 *   IMPOMERO_TRAP=KIND@PLACE
 *                           the first of those that fail at that place (base/trap_place.h)
 *   IMPOMERO_TRAP=KIND@each the first of those that fail at each place, in a copy of the process that must end there; how it
 *                           ended is said, a line each ("copy alloc 0123456789abcdef 71"; 101: it came to the next `step`), and
 *                           this one goes on
 *   IMPOMERO_TRAP=count     nothing happens
 *   IMPOMERO_TRAP=list      nothing happens; each `step` and `sent` is said as it is passed ("point step: before importFileset"),
 *                           and at the end how often each place of the others was ("place alloc 0123456789abcdef 12")
 *   IMPOMERO_CLOCK=RATE[+SECONDS]
 *                           time passes RATE times as fast, from SECONDS ahead on: what is waited for is short
 *
 * With IMPOMERO_TRAP a line "traps: step 12, alloc 345, ..." on stderr says at the end how many of each kind were passed, and the
 * one that was met says where. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define TRAP_KINDS(X)                                                             \
    X(STEP, "step", "before and after each durable step and each call: death")    \
    X(SENT, "sent", "a call that has left and is not answered yet: death")        \
    X(ALLOC, "alloc", "an allocation, SQLite's included")                         \
    X(READ, "read", "a read of a file, the ledger's included")                    \
    X(WRITE, "write", "a write to a file, the ledger's included")                 \
    X(SYNC, "sync", "an fsync, the ledger's included")                            \
    X(RENAME, "rename", "a rename")

enum trap_kind {
#define X(id, name, help) TRAP_##id,
    TRAP_KINDS(X)
#undef X
    N_TRAP_KINDS,
};

/* Read the environment; before threads start.  A text that is not understood ends the program with status 2. */
void trap_start(void);
bool trap_is_set(void);

/* The place may be the last one: `what` happens next, or has just happened (`subject` names it closer). */
void trap_step(const char *what, const char *subject);
void trap_sent(const char *subject);
/* Is this one to fail?  errno is EIO then. */
bool trap_fails(enum trap_kind kind);

/* The system calls, which may be the ones to fail. */
ssize_t trap_read(int fd, void *at, size_t n);
ssize_t trap_pread(int fd, void *at, size_t n, off_t offset);
ssize_t trap_write(int fd, const void *at, size_t n);
int trap_fsync(int fd);
int trap_rename(const char *from, const char *to);

enum { TRAP_STATUS = 100, TRAP_WENT_ON = 101 };
