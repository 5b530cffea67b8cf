/* Exit statuses: the one table.  `--help` and the manual page print it. */
#pragma once

#include "base/err.h"

#define EXITS(X)                                                                            \
    X(OK, 0, "all went well")                                                               \
    X(SOME, 1, "something was refused or failed for a file or a card; the others went on")  \
    X(USAGE, 2, "the command line is not right")                                            \
    X(CONFIG, 3, "the configuration is not right")                                          \
    X(SERVER, 4, "the OMERO server cannot be reached, is not trusted, or fails")                \
    X(LOGIN, 5, "OMERO refuses the login or the permission")                                \
    X(BUSY, 6, "another impomero works on this ledger")                                     \
    X(STATE, 7, "the ledger or the state directory cannot be used")                         \
    X(BUG, 70, "a fault of this program: please report it")                                 \
    X(MEMORY, 71, "out of memory; nothing is half done")

enum cli_exit {
#define X(id, code, text) CLI_##id = code,
    EXITS(X)
#undef X
};

struct cli_exit_row {
    int code;
    const char *text;
};
extern const struct cli_exit_row cli_exits[];
extern const unsigned cli_n_exits;

/* The status for an error that ends a command. */
enum cli_exit cli_exit_of(const struct err *err);
