/* impomero groups: which files of a directory make one import.  Asks no server, and knows no cards unless they are there. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "format/helper.h"
#include "shape/shape.h"

enum { OFFICIAL_DEPTH = 4 };

/* "impossible" depths mean no limit; 0: the option makes no sense. */
static int read_depth(const struct cli *cli, bool official, unsigned *out, struct err *err)
{
    const char *text = cli_value(cli, "depth");
    char *end;

    *out = official ? OFFICIAL_DEPTH : 0;
    if (!text)
        return 0;

    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n == 0 || n > 1000)
        return err_set(err, REASON_USAGE, 0, "--depth takes a number from 1 to 1000, not '%s'", text);
    *out = (unsigned)n;
    return 0;
}

/* ---- for programs ---- */

static const char *simple_name(const char *reader)
{
    const char *dot = strrchr(reader, '.');

    return dot ? dot + 1 : reader;
}

/* Written as they come, without a tree of values: there are as many as files. */
struct list {
    FILE *out;
    size_t n;
};

static void begin_list(struct list *l, const char *name, bool first)
{
    fprintf(l->out, "%s\"%s\": [", first ? "{" : "], ", name);
    l->n = 0;
}

/* `before` is what stands before the value, its name included: a literal, for there are a million of them. */
static void put_value(struct list *l, const char *before, const char *value)
{
    fputs(before, l->out);
    js_print_text(l->out, value);
}

static void put_first(struct list *l, const char *before, const char *value)
{
    fputs(l->n++ ? ",\n{" : "\n{", l->out);
    put_value(l, before, value);
}

/* The bytes of a path that is not UTF-8, as js_add_path has them. */
static void put_bytes(struct list *l, const char *before, const char *path)
{
    AUTO(mem_freep) char *bytes = js_bytes(path);

    if (bytes)
        put_value(l, before, bytes);
}

static void put_files(struct list *l, const struct format_group *g)
{
    fputs(", \"files\": [", l->out);
    for (size_t i = 0; i < g->n_members; i++)
        put_value(l, i > 0 ? ", " : "", g->members[i]->path);
    fputc(']', l->out);
}

static void put_group(struct list *l, const struct format_group *g)
{
    put_first(l, "\"target\": ", g->members[0]->path);
    put_bytes(l, ", \"target_b64\": ", g->members[0]->path);
    put_files(l, g);
    put_value(l, ", \"kind\": ", g->plate ? "plate" : "image");
    if (g->reader)
        put_value(l, ", \"format\": ", simple_name(g->reader));
    put_value(l, ", \"reader\": ", g->reader);
    put_value(l, ", \"name\": ", g->format);
    fputc('}', l->out);
}

static void put_left_out(struct list *l, const char *path, const char *word, const struct format_group *g)
{
    put_first(l, "\"path\": ", path);
    put_bytes(l, ", \"path_b64\": ", path);
    put_value(l, ", \"reason\": ", word);
    put_value(l, ", \"code\": ", reason_row(g->why)->name);
    put_value(l, ", \"format\": ", g->format);
    put_value(l, ", \"text\": ", g->text);
    fputc('}', l->out);
}

static bool is_later(const struct format_group *g, bool official)
{
    return g->why == REASON_DEFERRED || (!official && (g->why == REASON_INCOMPLETE || g->why == REASON_TEMPORARY));
}

/* What a snapshot leaves out by itself, in the official importer's words. */
static const char *entry_word(const struct tree_entry *e)
{
    if (e->skip == REASON_HIDDEN)
        return "hidden";
    return e->skip == REASON_UNREADABLE || e->skip == REASON_GONE ? "unreadable" : "unknown";
}

static void put_all_left_out(struct list *l, const struct format_groups *groups, bool official, bool later)
{
    for (size_t i = 0; i < groups->n; i++) {
        const struct format_group g = format_group_at(groups, i);

        for (size_t m = 0; g.why != REASON_NONE && is_later(&g, official) == later && m < g.n_members; m++)
            put_left_out(l, g.members[m]->path, format_official_word(&g), &g);
    }
}

static void print_json(FILE *out, const struct tree *tree, const struct format_groups *groups, bool official)
{
    struct list l = {.out = out};

    begin_list(&l, "groups", true);
    for (size_t i = 0; i < groups->n; i++) {
        const struct format_group g = format_group_at(groups, i);

        if (g.why == REASON_NONE)
            put_group(&l, &g);
    }
    begin_list(&l, "skipped", false);
    put_all_left_out(&l, groups, official, false);
    for (size_t i = 0; i < tree->n; i++) {
        const struct tree_entry *e = &tree->entries[i];
        const struct format_group none = {.why = e->skip, .format = "", .text = ""};

        if (e->skip != REASON_NONE)
            put_left_out(&l, e->path, entry_word(e), &none);
    }
    begin_list(&l, "deferred", false);
    put_all_left_out(&l, groups, official, true);
    fputs("]}\n", out);
}

/* ---- for people ---- */

static void say_group(struct cli *cli, const struct format_group *g)
{
    AUTO(mem_freep) char *path = str_show(g->members[0]->path);

    fprintf(cli->out, "%s%s%s  %s%s%s\n", cli_colour(cli->colour_out, CLI_BOLD), path, cli_colour(cli->colour_out, CLI_PLAIN),
            g->format, g->plate ? ", a plate" : "", g->reader ? "" : " (its reader is not known)");
    for (size_t i = 1; i < g->n_members; i++) {
        AUTO(mem_freep) char *member = str_show(g->members[i]->path);

        fprintf(cli->out, "    %s\n", member);
    }
}

static void say_left_out(struct cli *cli, const struct format_group *g)
{
    AUTO(mem_freep) char *path = str_show(g->members[0]->path);
    AUTO(mem_freep) char *text = str_show(g->text);

    fprintf(cli->out, "  %s: %s%s%s", path, reason_row(g->why)->text, *text ? ": " : "", text);
    if (*g->format)
        fprintf(cli->out, " (%s)", g->format);
    if (g->n_members > 1)
        fprintf(cli->out, ", and %zu more file%s", g->n_members - 1, g->n_members == 2 ? "" : "s");
    fputc('\n', cli->out);
}

static void say_all(struct cli *cli, const struct format_groups *groups)
{
    size_t n = 0, unknown = 0;

    for (size_t i = 0; i < groups->n; i++) {
        const struct format_group g = format_group_at(groups, i);

        if (g.why == REASON_NONE)
            say_group(cli, &g), n++;
    }
    for (size_t i = 0, said = 0; i < groups->n; i++) {
        const struct format_group g = format_group_at(groups, i);

        unknown += g.why == REASON_UNKNOWN_FORMAT ? g.n_members : 0;
        if (g.why == REASON_NONE || (g.why == REASON_UNKNOWN_FORMAT && !cli_flag(cli, "all")))
            continue;
        if (said++ == 0)
            fprintf(cli->out, "\nLeft out:\n");
        say_left_out(cli, &g);
    }
    fprintf(cli->out, "\n%zu group%s", n, n == 1 ? "" : "s");
    if (unknown > 0 && !cli_flag(cli, "all"))
        fprintf(cli->out, "; %zu file%s no image that is known (--all names each)", unknown, unknown == 1 ? " is" : "s are");
    fputc('\n', cli->out);
}

/* ---- the command ---- */

static int ask_helper(const struct cli *cli, const struct tree *tree, struct format_groups *groups, struct err *err)
{
    const struct format_helper helper = {.command = cli->settings.helper, .timeout_s = cli->settings.helper_s};
    AUTO(mem_freep) char *root = helper.command ? realpath(cli->args[0], NULL) : NULL;

    return root ? format_help(tree, root, &helper, groups, err) : 0;
}

static int run(struct cli *cli)
{
    AUTO(tree_freep) struct tree *tree = NULL;
    AUTO(format_groups_freep) struct format_groups *groups = NULL;
    struct format_options options = {.official = cli_flag(cli, "official")};
    struct err err = ERR_INIT;

    if (read_depth(cli, options.official, &options.depth, &err) < 0)
        return cli_fail(cli, NULL, &err);

    int scanned = options.official ? tree_scan_following(cli->args[0], options.depth, &tree, &err)
                                   : tree_scan_names(cli->args[0], &tree, &err);

    if (scanned < 0 || format_group_tree(tree, &options, &groups, &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (ask_helper(cli, tree, groups, &err) < 0)
        cli_say(cli, "the grouping helper: %s", err.text);
    if (cli->json)
        print_json(cli->out, tree, groups, options.official);
    else
        say_all(cli, groups);
    return CLI_OK;
}

static const struct cli_option options[] = {
    {"depth", "N", "files deeper than N directories (1: the directory itself) can only be members of sets"},
    {"official", NULL, "walk and choose as the official importer does: links followed, four levels deep"},
    {"all", NULL, "name each file that is no known image"},
    {NULL},
};

const struct command command_groups = {
    .name = "groups",
    .args = "DIR",
    .summary = "show which files make one image, without any server",
    .help = "Shows which files of a directory would be imported together, by which of Bio-Formats' readers,\n"
            "and why others are left out.  Nothing is sent anywhere, and cards are not looked at.\n"
            "\n"
            "Examples:\n"
            "  impomero groups /data/microscope\n"
            "  impomero groups --official --json . | jq .groups\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};
