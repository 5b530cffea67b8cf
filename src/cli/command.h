/* Commands: one file and one literal each, listed in commands.c.  The frame (main.c, args.c, help.c) parses the command line by
 * these tables, prints help, loads the settings for commands that want them and says errors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/exit.h"
#include "engine/settings.h"

/* An option of a command (beside --help and --json, which are handled for all). */
struct cli_option {
    const char *name; /* without dashes; NULL ends the table */
    const char *arg;  /* what --help calls the value; NULL: a flag */
    const char *text;
};

struct cli;

struct command {
    const char *name; /* one or two words: "import", "card check" */
    const char *args; /* for the usage line: "DIR [FILE...]" */
    const char *summary;
    const char *help; /* paragraphs and examples, lines ended by \n; no line over 100 columns */
    const struct cli_option *options; /* or NULL */
    int min_args, max_args;           /* max_args -1: any number */
    bool settings; /* load the settings before `run`, and take their options; they are in cli->settings */
    bool json;     /* --json is understood */
    int (*run)(struct cli *cli); /* the exit status; errors are said by cli_fail() */
};

/* One run of the program. */
struct cli {
    const struct command *command;
    int n_args;
    char **args; /* what stands after the command and its options, in order */
    bool json;
    struct settings settings; /* zeroed unless command->settings */
    FILE *out;  /* results */
    FILE *err;  /* messages */
    bool colour_out, colour_err; /* a terminal that is not dumb, and NO_COLOR is not set */
    struct cli_given { const char *name, *value; } *given; /* the options that stood there; value "" for flags */
    size_t n_given;
    const char *const *env;
};

/* Read the settings, as at the start. */
int cli_load_settings(const struct cli *cli, struct settings *out, struct err *err);

/* The table of all commands, in the order of --help. */
extern const struct command *const commands[];
extern const size_t n_commands;

/* The value of an option of the command: the last one given; NULL when absent.  "" for a flag. */
const char *cli_value(const struct cli *cli, const char *option);
bool cli_flag(const struct cli *cli, const char *option);

/* Say an error (`impomero: where: what`, then `  hint: ...`) and return its exit status.  `where` may be NULL. */
int cli_fail(struct cli *cli, const char *where, const struct err *err);
/* A remark on standard error that does not end anything: `impomero: text`, in a form that can be shown. */
void cli_say(struct cli *cli, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Terminal colours; "" where there are none. */
enum cli_colour { CLI_PLAIN, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BOLD, CLI_DIM };
const char *cli_colour(bool on, enum cli_colour colour);

/* Columns to write in: the terminal's, or 100. */
size_t cli_width(FILE *out);
/* A line of a list, within that width: `left`, and `right` from `column` on, in as many lines as it takes. */
void cli_row(FILE *out, int column, const char *left, const char *right);

/* The frame's own parts. */
int cli_parse(struct cli *cli, int argc, char **argv, struct err *err); /* 0, CLI_WANTS_HELP, CLI_WANTS_VERSION or -1 */
enum { CLI_WANTS_HELP = 1, CLI_WANTS_VERSION = 2 };
void cli_help(FILE *out, const struct command *command); /* NULL: the list of commands */
int cli_main(int argc, char **argv, const char *const *env);
