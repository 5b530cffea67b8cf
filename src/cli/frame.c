/* One run: command line, settings, command. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

int cli_load_settings(const struct cli *cli, struct settings *out, struct err *err)
{
    AUTO(mem_freep) struct settings_option *options = mem_new(cli->n_given + 1, sizeof(*options));
    size_t n = 0;

    if (cli_flag(cli, "quiet") || cli_flag(cli, "verbose")) /* before --log-level, which is more exact */
        options[n++] = (struct settings_option){"log-level", cli_flag(cli, "verbose") ? "debug" : "error"};

    for (size_t i = 0; i < cli->n_given; i++)
        if (conf_option(settings_keys, settings_n_keys, cli->given[i].name))
            options[n++] = (struct settings_option){cli->given[i].name, cli->given[i].value};
    return settings_load(out, cli_value(cli, "config"), cli->env, options, n, err);
}

static int load_settings(struct cli *cli, struct err *err)
{
    if (cli_load_settings(cli, &cli->settings, err) < 0)
        return -1;
    log_start(STDERR_FILENO, (enum log_level)log_level_named(cli->settings.log_level));
    return 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct err err = ERR_INIT;

    switch (cli_parse(cli, argc, argv, &err)) {
    case CLI_WANTS_VERSION:
        fputs("impomero " IMPOMERO_VERSION "\n", cli->out);
        return CLI_OK;
    case CLI_WANTS_HELP:
        cli_help(cli->out, cli->command);
        return CLI_OK;
    case 0:
        break;
    default:
        return cli_fail(cli, NULL, &err);
    }
    if (cli->command->settings && load_settings(cli, &err) < 0)
        return cli_fail(cli, NULL, &err);
    return cli->command->run(cli);
}

/* Results that could not be written (a full disk, a closed pipe) are not a success. */
static int close_output(struct cli *cli, int status)
{
    if (fflush(cli->out) == 0 && !ferror(cli->out))
        return status;
    cli_say(cli, "standard output: cannot be written");
    return status == CLI_OK ? CLI_SOME : status;
}

int cli_main(int argc, char **argv, const char *const *env)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    bool colour = (!no_colour || !no_colour[0]) && (!term || strcmp(term, "dumb") != 0);
    struct cli cli = {
        .env = env,
        .out = stdout,
        .err = stderr,
        .colour_out = colour && isatty(STDOUT_FILENO),
        .colour_err = colour && isatty(STDERR_FILENO),
    };
    int status = close_output(&cli, run(&cli, argc, argv));

    settings_clear(&cli.settings);
    free(cli.given);
    free(cli.args);
    return status;
}
