#include "cli/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/progress.h"
#include "engine/adopt.h"
#include "engine/engine.h"

atomic_bool job_stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&job_stop, true);
}

void job_catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int job_find_dirs(const struct cli *cli, char ***dirs, struct err *err)
{
    *dirs = mem_new((size_t)cli->n_args, sizeof(**dirs));
    for (int i = 0; i < cli->n_args; i++) {
        (*dirs)[i] = realpath(cli->args[i], NULL);
        if (!(*dirs)[i]) {
            AUTO(mem_freep) char *shown = str_show(cli->args[i]);
            return err_set(err, REASON_ROOT_AWAY, errno, "directory '%s'", shown);
        }
    }
    return 0;
}

void job_free_dirs(const struct cli *cli, char **dirs)
{
    for (int i = 0; dirs && i < cli->n_args; i++)
        free(dirs[i]);
    free(dirs);
}

void job_quieten(const struct cli *cli)
{
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *k = &settings_keys[i];

        if (k->level == CONF_GLOBAL && k->offset == offsetof(struct settings, log_level) &&
            conf_get(cli->settings.conf, k, CONF_NO_ROOT)->from == CONF_FROM_DEFAULT)
            log_start(STDERR_FILENO, LOG_LEVEL_ERROR);
    }
}

/* ---- what is in OMERO already ---- */

static bool ask_trust(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known)
{
    struct progress p = {.cli = arg};

    return progress_ask(&p, host, port, cert, known);
}

static int adopt_dir(struct cli *cli, struct ledger *l, const char *dir, enum adopt_mode mode, struct adopt_counts *counts,
                     struct err *err)
{
    const struct adopt_job job = {.settings = &cli->settings, .ledger = l, .dir = dir, .mode = mode, .stop = &job_stop,
                                  .ask = ask_trust, .arg = cli};

    return adopt_run(&job, counts, err);
}

static bool is_away(const struct err *err)
{
    return err->why == REASON_ROOT_AWAY || err->why == REASON_UNREADABLE || err->why == REASON_TOO_LARGE;
}

static int check_dir(struct cli *cli, struct ledger *l, const char *dir, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct adopt_counts counts;
    struct engine_place place;
    struct err why = ERR_INIT;
    bool is_new = false;

    if (engine_place(&cli->settings, l, dir, a, &place, err) < 0 || ledger_root_is_new(l, place.path, &is_new, err) < 0)
        return -1;
    if (!is_new)
        return 0;
    if (adopt_dir(cli, l, dir, ADOPT_COUNT, &counts, &why) < 0) {
        if (is_away(&why))
            return 0; /* said by the import itself */
        *err = why;
        return -1;
    }
    if (adopt_is_little(&counts, dir, err))
        return 0;
    return err_hint(err, "impomero adopt --dry-run shows them; --adopt takes them as they are, --again imports them once more");
}

int job_before(struct cli *cli, struct ledger *l, const char *const *dirs, size_t n, struct err *err)
{
    for (size_t i = 0; i < n && !cli_flag(cli, "again"); i++) {
        struct adopt_counts counts;
        bool adopts = cli_flag(cli, "adopt");
        int r = adopts ? adopt_dir(cli, l, dirs[i], ADOPT_REALLY, &counts, err) : check_dir(cli, l, dirs[i], err);

        if (r < 0)
            return -1;
    }
    return 0;
}
