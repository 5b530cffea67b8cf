/* impomero ledger copy: for backups. */
#include "cli/command.h"
#include "ledger/ledger.h"

static int copy(struct cli *cli, const char *to, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    int r = ledger_open(cli->settings.state_dir, LEDGER_READ, &l, err);

    if (r == LEDGER_NOTHING) {
        err_set(err, REASON_LEDGER, 0, "there is no ledger in '%s'", cli->settings.state_dir);
        return err_hint(err, "name the directory by --state=DIR");
    }
    return r < 0 ? -1 : ledger_copy(l, to, err);
}

static int run_ledger_copy(struct cli *cli)
{
    struct err err = ERR_INIT;

    return copy(cli, cli->args[0], &err) < 0 ? cli_fail(cli, NULL, &err) : CLI_OK;
}

const struct command command_ledger_copy = {
    .name = "ledger copy",
    .args = "FILE",
    .summary = "write a copy of the ledger to a new file, for a backup",
    .help = "May be said while a service or an import works on the ledger: the copy is whole, as of one moment.\n"
            "To restore it, stop the service, put the copy in the place of ledger.db, remove ledger.db-wal and\n"
            "ledger.db-shm, and let impomero adopt take what was imported since.\n"
            "\n"
            "Examples:\n"
            "  impomero ledger copy /backup/impomero.db\n"
            "  impomero ledger copy --state=/var/lib/impomero \"/backup/$(date +%F).db\"\n",
    .min_args = 1,
    .max_args = 1,
    .settings = true,
    .run = run_ledger_copy,
};
