/* Made at build time and not installed: what the tables say, for manual pages and shells.
 *
 *   manual FILE    copies a scdoc(5) file and puts in place of a line @commands, @settings, @options, @exits or @messages what
 *                  the table holds; @version@ anywhere is the version
 *   manual --bash, --zsh, --messages   a completion for the shell; the table of messages as Markdown */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"

enum { LINE_BYTES = 4096 };

/* Text that scdoc takes as it is. */
static void escape(const char *s)
{
    for (const char *at = s; *at; at++) {
        if (strchr("\\*_+~`<>", *at) || (at == s && !isalnum((unsigned char)*at)))
            putchar('\\');
        putchar(*at);
    }
}

static void escape_line(const char *s, size_t n)
{
    AUTO(mem_freep) char *line = mem_printf("%.*s", (int)n, s);

    escape(line);
    putchar('\n');
}

/* Help: paragraphs flow, lines that are set in stay as they are. */
static void help_text(const char *s)
{
    bool literal = false;

    while (*s) {
        size_t n = strcspn(s, "\n");
        bool set_in = n > 2 && strncmp(s, "  ", 2) == 0;

        if (set_in != literal)
            puts(set_in ? "\n```" : "```\n");
        literal = set_in;
        if (literal)
            printf("%.*s\n", (int)n, s);
        else if (n > 0)
            escape_line(s, n);
        else
            putchar('\n');
        s += n + (s[n] == '\n');
    }
    if (literal)
        puts("```");
}

static void option(const char *name, const char *arg, const char *text)
{
    printf("*--%s*%s", name, arg ? "=" : "");
    escape(arg ? arg : "");
    printf("\n\t");
    escape(text);
    printf("\n\n");
}

static void commands_section(void)
{
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = commands[i];

        printf("## impomero %s [OPTION...] ", c->name);
        for (const char *s = c->args; *s; s++)
            putchar(*s);
        printf("\n\n%c%s.\n\n", toupper((unsigned char)c->summary[0]), c->summary + 1);
        help_text(c->help);
        putchar('\n');
        for (const struct cli_option *o = c->options; o && o->name; o++)
            option(o->name, o->arg, o->text);
        if (c->json)
            option("json", NULL, "print JSON for programs");
        if (c->settings)
            puts("and the options of the settings.\n");
    }
}

static void settings_options_section(void)
{
    option("config", "FILE", "the configuration file to read");
    option("quiet", NULL, "say only what went wrong");
    option("verbose", NULL, "say more: the log's level is debug");
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *key = &settings_keys[i];
        char name[64];

        conf_option_name(key, name);
        if (name[0])
            option(name, key->type == CONF_BOOL ? NULL : conf_type_word(key), key->text);
    }
}

static void settings_section(void)
{
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *key = &settings_keys[i];
        char name[64], env[80];

        conf_key_name(key, name);
        conf_env_name(key, env);
        printf("*");
        escape(name);
        printf("* = ");
        escape(conf_type_word(key));
        printf("\n\t");
        escape(key->text);
        printf(".");
        if (key->fallback && key->fallback[0]) {
            printf(" Default: ");
            escape(key->fallback);
            printf(".");
        }
        if (key->type == CONF_INT || key->type == CONF_SECONDS)
            printf(" From %lld to %lld.", (long long)key->min, (long long)key->max);
        printf(" %s", key->level == CONF_ROOT ? "Also in a \\[\\[root]]. " : "");
        printf("%sIn the environment: ", key->restart ? "Taken at the next start. " : "");
        escape(env);
        if (key->env) {
            printf(", ");
            escape(key->env);
        }
        printf(".\n\n");
    }
}

static void exits_section(void)
{
    for (unsigned i = 0; i < cli_n_exits; i++) {
        printf("*%d*\n\t", cli_exits[i].code);
        escape(cli_exits[i].text);
        printf("\n\n");
    }
}

static void messages_section(void)
{
    for (int i = REASON_NONE + 1; i < N_REASONS; i++) {
        const struct reason_row *r = reason_row((enum reason)i);

        printf("*%s*\n\t", r->name);
        escape(r->text);
        printf(". Who can act: %s. What to do: ", reason_who_name(r->who));
        escape(r->hint);
        printf(".\n\n");
    }
}

static void messages_markdown(void)
{
    puts("# Messages\n\nThe word that `impomero status`, the log and JSON give as the reason why something waits or is held,"
         " what it means, and\nwhat to do.  `impomero explain FILE` and `impomero card check FILE` say more of one file or"
         " card.\n\n"
         "| message | what it means | who can act | what to do | what impomero does |\n|---|---|---|---|---|");
    for (int i = REASON_NONE + 1; i < N_REASONS; i++) {
        const struct reason_row *r = reason_row((enum reason)i);
        static const char *const does[] = {"tries again at once", "waits and tries again", "leaves it until something changes"};

        printf("| `%s` | %s | %s | %s | %s |\n", r->name, r->text, reason_who_name(r->who), r->hint, does[r->cls]);
    }
}

/* ---- shells ---- */

/* The options of a command, each after a blank. */
static void option_words(const struct command *c)
{
    for (const struct cli_option *o = c->options; o && o->name; o++)
        printf(" --%s%s", o->name, o->arg ? "=" : "");
    printf(" --help%s%s", c->json ? " --json" : "", c->settings ? " --config= --quiet --verbose" : "");
    for (size_t i = 0; c->settings && i < settings_n_keys; i++) {
        char name[64];

        conf_option_name(&settings_keys[i], name);
        if (name[0])
            printf(" --%s%s", name, settings_keys[i].type == CONF_BOOL ? "" : "=");
    }
}

static void choice_cases(void)
{
    for (size_t i = 0; i < settings_n_keys; i++) {
        char name[64];

        conf_option_name(&settings_keys[i], name);
        if (settings_keys[i].type != CONF_CHOICE || !name[0])
            continue;
        printf("        --%s) values='", name);
        for (const char *const *word = settings_keys[i].choices; *word; word++)
            printf("%s%s", word == settings_keys[i].choices ? "" : " ", *word);
        puts("' ;;");
    }
}

static void command_cases(void)
{
    for (size_t i = 0; i < n_commands; i++) {
        printf("        '%s') options='", commands[i]->name);
        option_words(commands[i]);
        puts("' ;;");
    }
}

/* First words, or the second words after a first one; each once. */
static void words_after(const char *first)
{
    size_t n = strlen(first);

    for (size_t i = 0; i < n_commands; i++) {
        const char *name = commands[i]->name;
        size_t len = strcspn(name, " ");
        bool seen = !*first && i > 0 && strncmp(commands[i - 1]->name, name, len + 1) == 0 && name[len] == ' ';

        if (!*first && !seen)
            printf(" %.*s", (int)len, name);
        if (*first && strncmp(name, first, n) == 0 && name[n] == ' ')
            printf(" %s", name + n + 1);
    }
}

static void second_word_cases(void)
{
    for (size_t i = 0; i < n_commands; i++) {
        const char *name = commands[i]->name, *blank = strchr(name, ' ');
        AUTO(mem_freep) char *first = blank ? mem_printf("%.*s", (int)(blank - name), name) : NULL;

        if (!first || (i > 0 && strncmp(commands[i - 1]->name, name, (size_t)(blank - name) + 1) == 0))
            continue;
        printf("        %s) words='", first);
        words_after(first);
        puts("' ;;");
    }
}

/* What both shells share: from $1 (the words before, options left out) and $2 (the option whose value is asked for). */
static void shell_tables(void)
{
    puts("_impomero_tables() {\n    words= options= values=\n    case $1 in");
    printf("        '') words='");
    words_after("");
    puts(" --help --version' ;;");
    second_word_cases();
    puts("    esac\n    case $1 in");
    command_cases();
    puts("    esac\n    case $2 in");
    choice_cases();
    puts("    esac\n}\n");
}

static void bash(void)
{
    puts("# completion of impomero for bash; made of its tables");
    shell_tables();
    puts("_impomero() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} before='' option='' i words options values\n"
         "    [ \"$cur\" = = ] && { option=$prev; cur=''; }\n"
         "    [ \"$prev\" = = ] && option=${COMP_WORDS[COMP_CWORD-2]}\n"
         "    for ((i = 1; i < COMP_CWORD && i < 3; i++)); do\n"
         "        case ${COMP_WORDS[i]} in -* | =) break ;; esac\n"
         "        _impomero_tables \"$before\" ''\n"
         "        [ -n \"$words\" ] || break\n"
         "        before=\"${before:+$before }${COMP_WORDS[i]}\"\n"
         "    done\n"
         "    _impomero_tables \"$before\" \"$option\"\n"
         "    COMPREPLY=()\n"
         "    if [ -n \"$option\" ]; then\n"
         "        [ -n \"$values\" ] && mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
         "    elif [ -n \"$words\" ] || [[ $cur == -* ]]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words $options\" -- \"$cur\")\n"
         "        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
         "    fi\n"
         "}\n"
         "complete -o default -o filenames -F _impomero impomero");
}

static void zsh(void)
{
    puts("#compdef impomero\n# completion of impomero for zsh; made of its tables");
    shell_tables();
    puts("_impomero() {\n"
         "    local before='' option='' words_then=(${words[2,CURRENT-1]}) cur=${words[CURRENT]} w\n"
         "    local words options values\n"
         "    for w in ${words_then[1,2]}; do\n"
         "        [[ $w == -* ]] && break\n"
         "        _impomero_tables \"$before\" ''\n"
         "        [[ -n $words ]] || break\n"
         "        before=\"${before:+$before }$w\"\n"
         "    done\n"
         "    [[ $cur == --*=* ]] && option=${cur%%=*}\n"
         "    _impomero_tables \"$before\" \"$option\"\n"
         "    if [[ -n $values ]]; then\n"
         "        compset -P '*='\n"
         "        compadd -- ${=values}\n"
         "    elif [[ -n $words || $cur == -* ]]; then\n"
         "        compadd -S '' -- ${(M)${=options}:#*=}\n"
         "        compadd -- ${=words} ${${=options}:#*=}\n"
         "    else\n"
         "        _files\n"
         "    fi\n"
         "}\n"
         "compdef _impomero impomero");
}

/* ---- the program ---- */

static const struct part {
    const char *word;
    void (*print)(void);
} parts[] = {
    {"@commands", commands_section}, {"@settings", settings_section}, {"@options", settings_options_section},
    {"@exits", exits_section},       {"@messages", messages_section}, {"--bash", bash},
    {"--zsh", zsh},                  {"--messages", messages_markdown},
};

static bool print_part(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strcmp(parts[i].word, word) == 0) {
            parts[i].print();
            return true;
        }
    return false;
}

static void print_line(const char *line)
{
    const char *version = strstr(line, "@version@");

    if (version)
        printf("%.*s" IMPOMERO_VERSION "%s\n", (int)(version - line), line, version + strlen("@version@"));
    else
        puts(line);
}

static int page(const char *path)
{
    char line[LINE_BYTES];
    FILE *f = fopen(path, "re");

    if (!f) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '@' || !print_part(line))
            print_line(line);
    }
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: manual FILE|--bash|--zsh|--messages\n", stderr);
        return 2;
    }
    return print_part(argv[1]) ? 0 : page(argv[1]);
}
