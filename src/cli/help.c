/* What --help prints, made of the tables. */
#include "cli/command.h"

#include <string.h>
#include <sys/ioctl.h>

enum {
    LEFT = 26,   /* columns of the left part of a list */
    WIDTH = 100, /* where there is no terminal */
    CODE = 4,    /* of exit statuses */
    NARROW = 38, /* less than that is not written for */
};

size_t cli_width(FILE *out)
{
    struct winsize size;

    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROW ? size.ws_col : WIDTH;
}

/* Bytes of a text that go on one line: up to a blank, or all of a word that is too long. */
static size_t line_of(const char *text, size_t most)
{
    size_t n = strlen(text);

    if (n <= most)
        return n;
    for (n = most; n > 0 && text[n] != ' '; n--)
        ;
    return n > 0 ? n : strcspn(text, " ");
}

void cli_row(FILE *out, int column, const char *left, const char *right)
{
    size_t most = cli_width(out) - (size_t)column - 2, n = line_of(right, most);

    if (strlen(left) < (size_t)column)
        fprintf(out, "  %-*s%.*s\n", column, left, (int)n, right);
    else
        fprintf(out, "  %s\n  %-*s%.*s\n", left, column, "", (int)n, right);
    while (*(right += n + strspn(right + n, " "))) {
        n = line_of(right, most);
        fprintf(out, "  %-*s%.*s\n", column, "", (int)n, right);
    }
}

static void row(FILE *out, const char *left, const char *right)
{
    cli_row(out, LEFT, left, right);
}

static void option_row(FILE *out, const char *name, const char *arg, const char *text)
{
    char left[160];

    snprintf(left, sizeof(left), "--%s%s%s", name, arg ? "=" : "", arg ? arg : "");
    row(out, left, text);
}

static void settings_rows(FILE *out)
{
    fprintf(out, "\nSettings (also in %s and the environment):\n", settings_file);
    option_row(out, "config", "FILE", "the configuration file to read");
    option_row(out, "quiet", NULL, "say only what went wrong");
    option_row(out, "verbose", NULL, "say more: the log's level is debug");
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *key = &settings_keys[i];
        char option[64], text[512];
        conf_option_name(key, option);
        if (!option[0])
            continue;
        bool has_default = key->fallback && key->fallback[0];
        snprintf(text, sizeof(text), "%s%s%s%s", key->text, has_default ? " (default " : "", has_default ? key->fallback : "",
                 has_default ? ")" : "");
        option_row(out, option, key->type == CONF_BOOL ? NULL : conf_type_word(key), text);
    }
}

static void exit_rows(FILE *out)
{
    fputs("\nExit status:\n", out);
    for (unsigned i = 0; i < cli_n_exits; i++) {
        char code[8];
        snprintf(code, sizeof(code), "%d", cli_exits[i].code);
        cli_row(out, CODE, code, cli_exits[i].text);
    }
}

static void command_help(FILE *out, const struct command *c)
{
    fprintf(out, "Usage: impomero %s [OPTION...]%s%s\n\n%s.\n\n%s", c->name, c->args[0] ? " " : "", c->args, c->summary, c->help);
    fputs("\nOptions:\n", out);
    for (const struct cli_option *o = c->options; o && o->name; o++)
        option_row(out, o->name, o->arg, o->text);
    if (c->json)
        option_row(out, "json", NULL, "print JSON for programs");
    option_row(out, "help", NULL, "print this");
    if (c->settings)
        settings_rows(out);
    exit_rows(out);
}

void cli_help(FILE *out, const struct command *command)
{
    if (command) {
        command_help(out, command);
        return;
    }
    fputs("Usage: impomero COMMAND [OPTION...] [ARGUMENT...]\n\n"
          "Keeps OMERO in step with directory trees: what lies below an annotation card is imported\n"
          "as that card says.\n\nCommands:\n", out);
    for (size_t i = 0; i < n_commands; i++)
        row(out, commands[i]->name, commands[i]->summary);
    fputs("\nOptions:\n", out);
    option_row(out, "help", NULL, "print this; after a command: its own help");
    option_row(out, "version", NULL, "print the version");
    exit_rows(out);
}
