/* impomero formats: every format, and what is done with its files.  doc/formats.md is its output. */
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "format/format.h"

enum { LEFT = 20 }; /* columns of a format's name on a terminal */

static const char *const ways[] = {
    [FORMAT_NATIVE] = "imported",
    [FORMAT_HELPER] = "left to Bio-Formats: deferred unless grouping.helper is set",
    [FORMAT_BY_NAME] = "deferred, for only its name says what it is; imported where `formats` names it",
};

static void take_json(void *list, const struct format_about *a)
{
    static const char *const words[] = {[FORMAT_NATIVE] = "native", [FORMAT_HELPER] = "helper", [FORMAT_BY_NAME] = "by-name"};

    json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:s, s:s}", "format", a->format, "reader", a->reader, "names",
                                          a->names, "told", a->told, "way", words[a->way]));
}

/* A cell of a table in Markdown. */
static void say_cell(FILE *out, const char *text)
{
    fputs(" ", out);
    for (; *text; text++) {
        if (strchr("|<*_", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" |", out);
}

static void take_text(void *out, const struct format_about *a)
{
    const char *reader = a->reader ? strrchr(a->reader, '.') + 1 : "";

    fputs("|", out);
    say_cell(out, a->format);
    say_cell(out, a->names ? a->names : "any name");
    say_cell(out, a->told);
    say_cell(out, ways[a->way]);
    say_cell(out, reader);
    fputs("\n", out);
}

/* For a terminal: as wide as it is. */
static void take_rows(void *out, const struct format_about *a)
{
    AUTO(mem_freep) char *told = mem_printf("told by %s", a->told);

    cli_row(out, LEFT, a->format, ways[a->way]);
    cli_row(out, LEFT, "", a->names ? a->names : "any name");
    cli_row(out, LEFT, "", told);
    if (a->reader)
        cli_row(out, LEFT, "", strrchr(a->reader, '.') + 1);
}

static int run(struct cli *cli)
{
    if (cli->json) {
        AUTO(js_freep) json_t *list = json_array();

        format_each(take_json, list);
        js_print(cli->out, list);
        return CLI_OK;
    }
    if (isatty(fileno(cli->out))) {
        format_each(take_rows, cli->out);
        return CLI_OK;
    }
    fputs("# Formats\n\n"
          "What is done with the files of each format, in the order in which they are asked about.  This page is what\n"
          "`impomero formats` prints; a test holds it against the program.\n\n"
          "| format | names | told by, and what belongs to it | what is done | reader of Bio-Formats |\n"
          "|---|---|---|---|---|\n", cli->out);
    format_each(take_text, cli->out);
    return CLI_OK;
}

const struct command command_formats = {
    .name = "formats",
    .args = "",
    .summary = "list every format and what is done with its files",
    .help = "Lists the formats in the order in which they are asked about, as a table in Markdown: by which names\n"
            "and signs they are known, which files belong together, whether they are imported or left alone.\n"
            "On a terminal it is a list.\n"
            "\n"
            "Examples:\n"
            "  impomero formats\n"
            "  impomero formats --json | jq -r '.[].format'\n",
    .max_args = 0,
    .json = true,
    .run = run,
};
