/* impomero watch: import, and go on with what comes later. */
#include "base/log.h"
#include "cli/job.h"
#include "daemon/daemon.h"

/* -1 in words that name the way out. */
static int check_roots(const struct cli *cli, struct err *err)
{
    if (cli->n_args > 0 || cli->settings.n_roots > 0)
        return 0;
    err_set(err, REASON_CONFIG, 0, "no directory to watch: none is given, and the configuration has no [[root]]");
    return err_hint(err, "name directories, or write [[root]] tables with name, path and policy into the configuration");
}

/* What stood in the environment and on the command line stands there still. */
static int load(void *cli, struct settings *out, struct err *err)
{
    return cli_load_settings(cli, out, err);
}

static int watch(struct cli *cli, struct ledger *l, char *const *dirs)
{
    const struct daemon_job job = {.settings = &cli->settings, .load = load, .arg = cli, .ledger = l,
                                   .dirs = (const char *const *)dirs, .n_dirs = (size_t)cli->n_args};
    struct err err = ERR_INIT;

    log_info("watch.begin", NULL, LOG_STR("ledger", ledger_uuid(l)), LOG_STR("state", cli->settings.state_dir),
             LOG_STR("server", cli->settings.server.host), LOG_INT("port", cli->settings.server.port));
    if (daemon_run(&job, &err) < 0)
        return cli_fail(cli, NULL, &err);
    log_info("watch.end", "what is not done goes on at the next start");
    return CLI_OK;
}

static int run(struct cli *cli)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    struct err err = ERR_INIT;
    char **dirs = NULL;
    int status;

    daemon_prepare();
    if (check_roots(cli, &err) < 0 || job_find_dirs(cli, &dirs, &err) < 0 ||
        ledger_open(cli->settings.state_dir, LEDGER_ENGINE, &l, &err) < 0)
        status = cli_fail(cli, NULL, &err);
    else
        status = watch(cli, l, dirs);
    job_free_dirs(cli, dirs);
    return status;
}

const struct command command_watch = {
    .name = "watch",
    .args = "[DIR...]",
    .summary = "import directories, and go on with what comes later until it is stopped",
    .help = "Does what import does, and stays: files and cards that appear later, in any order and also by being\n"
            "renamed into place, are imported once they have been quiet for a while (--settle); a card that\n"
            "changes has its annotations followed.  Without a DIR, the roots of the configuration are watched.\n"
            "\n"
            "Where a file system tells of changes (local disks) they are seen at once, and all of the tree is\n"
            "looked at every --rescan seconds all the same; elsewhere (network shares) every --poll seconds.\n"
            "A server that is away, a tree that is not mounted and a user that OMERO does not know are waited\n"
            "for.  What happens is written to standard error, a line each; impomero status says what waits.\n"
            "\n"
            "SIGTERM or SIGINT (Ctrl-C) ends it in order.  What was under way goes on at the next start.\n"
            "SIGHUP reads the configuration again: roots and their settings hold at once, what needs a restart\n"
            "is named, and a wrong one is refused.  Under systemd it speaks sd_notify and writes to the journal.\n"
            "\n"
            "With --web-listen=4080 a page on http://127.0.0.1:4080/ shows what it does, with metrics and an API.\n"
            "\n"
            "Examples:\n"
            "  impomero watch /data/microscope\n"
            "  impomero watch --settle=2m --poll=5m /mnt/share/lab\n",
    .max_args = -1,
    .settings = true,
    .run = run,
};
