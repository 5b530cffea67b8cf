#include "cli/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

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
