/* The command line, read by the tables of commands and settings. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/suggest.h"

/* What is known at any place of the command line. */
static const struct cli_option common[] = {
    {"help", NULL, ""}, {"version", NULL, ""}, {"json", NULL, ""}, {"config", "FILE", ""}, {"quiet", NULL, ""},
    {"verbose", NULL, ""}, {NULL},
};

/* Words for an option with a value. */
static const struct {
    const char *name, *means, *value;
} aliases[] = {
    {"link", "transfer", "ln_s"}, /* as the importer of old has it */
};

enum takes { TAKES_UNKNOWN, TAKES_NOTHING, TAKES_VALUE };

static enum takes takes_of(const struct cli_option *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table->arg ? TAKES_VALUE : TAKES_NOTHING;
    return TAKES_UNKNOWN;
}

static enum takes option_takes(const struct cli *cli, const char *name)
{
    enum takes takes = takes_of(common, name);

    if (takes == TAKES_UNKNOWN && cli->command)
        takes = takes_of(cli->command->options, name);
    if (takes != TAKES_UNKNOWN)
        return takes;

    const struct conf_key *key = conf_option(settings_keys, settings_n_keys, name);
    if (!key)
        return TAKES_UNKNOWN;
    return key->type == CONF_BOOL ? TAKES_NOTHING : TAKES_VALUE;
}

static void add_words(const char **words, size_t *n, const struct cli_option *table)
{
    for (; table && table->name && *n < CLI_OPTIONS_MAX; table++)
        words[(*n)++] = table->name;
}

static int unknown_option(const struct cli *cli, const char *name, struct err *err)
{
    const char *words[CLI_OPTIONS_MAX];
    char names[CLI_OPTIONS_MAX][64];
    size_t n = 0;

    add_words(words, &n, common);
    if (cli->command)
        add_words(words, &n, cli->command->options);
    for (size_t i = 0; i < settings_n_keys && n < CLI_OPTIONS_MAX; i++) {
        conf_option_name(&settings_keys[i], names[n]);
        if (names[n][0]) {
            words[n] = names[n];
            n++;
        }
    }
    AUTO(mem_freep) char *shown = str_show(name);
    const char *near = suggest_word(name, words, n);
    err_set(err, REASON_USAGE, 0, "unknown option --%s", shown);
    if (near)
        err_hint(err, "did you mean --%s?", near);
    return -1;
}

static int keep_option(struct cli *cli, const char *name, const char *value, struct err *err)
{
    if (cli->n_given == CLI_OPTIONS_MAX)
        return err_set(err, REASON_USAGE, 0, "more than %u options", CLI_OPTIONS_MAX);
    cli->given[cli->n_given++] = (struct cli_given){name, value};
    return 0;
}

/* One "--name", "--name=value" or "--name value" at argv[*at].  The part before "=" is cut off in place. */
static int take_option(struct cli *cli, int argc, char **argv, int *at, struct err *err)
{
    char *name = strcmp(argv[*at], "-h") == 0 ? "help" : argv[*at] + 2;
    char *equals = strchr(name, '=');

    if (argv[*at][1] != '-' && strcmp(argv[*at], "-h") != 0) {
        AUTO(mem_freep) char *shown = str_show(argv[*at]);
        err_set(err, REASON_USAGE, 0, "unknown option %s", shown);
        return err_hint(err, "options are words after two dashes; a file of that name is written ./%s", shown);
    }
    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < ARRAY_LEN(aliases) && !equals; i++)
        if (strcmp(name, aliases[i].name) == 0)
            return keep_option(cli, aliases[i].means, aliases[i].value, err);
    enum takes takes = option_takes(cli, name);
    if (takes == TAKES_UNKNOWN)
        return unknown_option(cli, name, err);
    if (equals && takes == TAKES_NOTHING && !conf_option(settings_keys, settings_n_keys, name))
        return err_set(err, REASON_USAGE, 0, "option --%s takes no value", name);
    if (equals)
        return keep_option(cli, name, equals + 1, err);
    if (takes == TAKES_NOTHING)
        return keep_option(cli, name, "", err);
    if (*at + 1 >= argc)
        return err_set(err, REASON_USAGE, 0, "option --%s needs a value", name);
    return keep_option(cli, name, argv[++*at], err);
}

/* The command of one word, or of the words "first second". */
static const struct command *find_command(const char *first, const char *second)
{
    size_t n = strlen(first);

    for (size_t i = 0; i < n_commands; i++) {
        const char *name = commands[i]->name;
        if (!second && strcmp(name, first) == 0)
            return commands[i];
        if (second && strncmp(name, first, n) == 0 && name[n] == ' ' && strcmp(name + n + 1, second) == 0)
            return commands[i];
    }
    return NULL;
}

static int take_command(struct cli *cli, int argc, char **argv, int *at, struct err *err)
{
    const char *second = *at + 1 < argc ? argv[*at + 1] : NULL;

    if ((cli->command = find_command(argv[*at], NULL)))
        return 0;
    if (second && (cli->command = find_command(argv[*at], second))) {
        ++*at;
        return 0;
    }

    const char *names[CLI_OPTIONS_MAX];
    size_t n = 0;
    for (; n < n_commands && n < CLI_OPTIONS_MAX; n++)
        names[n] = commands[n]->name;
    AUTO(mem_freep) char *both = second ? mem_printf("%s %s", argv[*at], second) : mem_str(argv[*at]);
    AUTO(mem_freep) char *shown = str_show(argv[*at]);
    const char *near = suggest_word(both, names, n);
    if (!near)
        near = suggest_word(argv[*at], names, n);
    err_set(err, REASON_USAGE, 0, "unknown command '%s'", shown);
    if (near)
        err_hint(err, "did you mean 'impomero %s'?", near);
    return -1;
}

/* Options of the settings are for commands that load them, --json for commands that know it. */
static int fits_command(const struct cli *cli, struct err *err)
{
    const struct command *c = cli->command;

    if (cli->json && !c->json)
        return err_set(err, REASON_USAGE, 0, "'%s' has no --json", c->name);
    for (size_t i = 0; i < cli->n_given && !c->settings; i++) {
        const char *name = cli->given[i].name;
        if (takes_of(c->options, name) == TAKES_UNKNOWN && strcmp(name, "json") != 0)
            return err_set(err, REASON_USAGE, 0, "'%s' has no option --%s", c->name, name);
    }
    if (cli->n_args < c->min_args || (c->max_args >= 0 && cli->n_args > c->max_args)) {
        err_set(err, REASON_USAGE, 0, "'%s' takes %s", c->name, c->args[0] ? c->args : "no arguments");
        return err_hint(err, "see impomero %s --help", c->name);
    }
    return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool only_args = false;

    cli->given = mem_new(CLI_OPTIONS_MAX, sizeof(*cli->given));
    cli->args = mem_new((size_t)argc + 1, sizeof(*cli->args));
    for (int i = 1; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0)
            only_args = true;
        else if (!only_args && argv[i][0] == '-' && argv[i][1]) {
            if (take_option(cli, argc, argv, &i, err) < 0)
                return -1;
        } else if (!cli->command) {
            if (take_command(cli, argc, argv, &i, err) < 0)
                return -1;
        } else
            cli->args[cli->n_args++] = argv[i];
    }
    cli->json = cli_flag(cli, "json");
    if (cli_flag(cli, "version"))
        return CLI_WANTS_VERSION;
    if (cli_flag(cli, "help"))
        return CLI_WANTS_HELP;
    if (!cli->command) {
        err_set(err, REASON_USAGE, 0, "no command");
        return -1;
    }
    return fits_command(cli, err);
}

const char *cli_value(const struct cli *cli, const char *option)
{
    for (size_t i = cli->n_given; i-- > 0;)
        if (strcmp(cli->given[i].name, option) == 0)
            return cli->given[i].value;
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *option)
{
    return cli_value(cli, option) != NULL;
}
