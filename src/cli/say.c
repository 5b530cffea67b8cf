/* Messages on standard error, and colours. */
#include "cli/command.h"

#include <stdarg.h>

#include "base/mem.h"
#include "base/str.h"

const char *cli_colour(bool on, enum cli_colour colour)
{
    static const char *const codes[] = {
        [CLI_PLAIN] = "\033[0m", [CLI_RED] = "\033[31m",  [CLI_GREEN] = "\033[32m",
        [CLI_YELLOW] = "\033[33m", [CLI_BOLD] = "\033[1m", [CLI_DIM] = "\033[2m",
    };

    return on ? codes[colour] : "";
}

int cli_fail(struct cli *cli, const char *where, const struct err *err)
{
    AUTO(mem_freep) char *place = where ? str_show(where) : NULL;
    AUTO(mem_freep) char *text = str_show(err->text);
    AUTO(mem_freep) char *hint = str_show(err_hint_text(err));
    bool c = cli->colour_err;

    fflush(cli->out); /* in the order in which things happened */
    fprintf(cli->err, "%simpomero:%s %s%s%s\n", cli_colour(c, CLI_RED), cli_colour(c, CLI_PLAIN), place ? place : "",
            place ? ": " : "", text);
    if (hint[0])
        fprintf(cli->err, "  hint: %s\n", hint);
    return (int)cli_exit_of(err);
}

void cli_say(struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    AUTO(mem_freep) char *text = mem_vprintf(fmt, args);
    va_end(args);

    AUTO(mem_freep) char *shown = str_show(text);

    fflush(cli->out);
    fprintf(cli->err, "impomero: %s\n", shown);
}
