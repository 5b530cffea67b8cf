/* What the commands share that run the engine. */
#pragma once

#include <stdatomic.h>

#include "cli/command.h"
#include "ledger/ledger.h"

/* Set by SIGINT and SIGTERM once job_catch_signals() was called: for struct engine_job. */
extern atomic_bool job_stop;
void job_catch_signals(void);

/* The directories of the command line, canonical and absolute; REASON_ROOT_AWAY for one that is not there.  `*dirs` has
 * cli->n_args items, to be freed by job_free_dirs also after a failure. */
int job_find_dirs(const struct cli *cli, char ***dirs, struct err *err);
/* Before the first import of a tree: are more than one in a hundred of its files in OMERO already?  REASON_THERE.  The options
 * --adopt (take these first) and --again (do not look) are heeded. */
int job_before(struct cli *cli, struct ledger *l, const char *const *dirs, size_t n, struct err *err);
#define JOB_BEFORE_OPTIONS                                                                                                  \
    {"adopt", NULL, "first take what other programs have imported of it (see impomero adopt)"},                              \
    {"again", NULL, "import also what other programs have imported already"}
void job_free_dirs(const struct cli *cli, char **dirs);

/* The log would say again what the command says: it is for those who ask for it. */
void job_quieten(const struct cli *cli);
