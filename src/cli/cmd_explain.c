/* impomero explain: in which group a file is and why, who refused it, and what its set still misses. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/cards.h"
#include "format/format.h"

struct explained {
    char *path; /* absolute and canonical */
    char *root; /* the directory that was looked at */
    struct tree *tree;
    struct format_groups *groups;
    const struct tree_entry *entry;
    struct format_group group; /* where `grouped` */
    bool grouped;
};

static void explained_clear(struct explained *x)
{
    format_groups_free(x->groups);
    tree_free(x->tree);
    free(x->root);
    free(x->path);
}

/* Does this directory hold a card? */
static bool has_card(const char *dir)
{
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;
    struct policy any = {.kind = POLICY_ANY};
    struct cards cards;
    bool found;

    if (tree_scan_flat(dir, &t, &err) < 0)
        return false;
    cards_read(t, &any, &cards);
    found = cards.n > 0;
    cards_clear(&cards);
    return found;
}

/* What is given, the configured root, the nearest directory with a card, or the file's own directory. */
static char *choose_root(const struct cli *cli, const char *path)
{
    const char *given = cli_value(cli, "in");
    const struct settings_root *root = settings_root_of(&cli->settings, path);
    AUTO(mem_freep) char *own = mem_strn(path, (size_t)(strrchr(path, '/') - path));
    AUTO(mem_freep) char *dir = mem_str(own);

    if (given)
        return realpath(given, NULL);
    if (root)
        return mem_str(root->path);
    for (char *slash; *dir; *slash = '\0') {
        if (has_card(dir))
            return STEAL(dir);
        slash = strrchr(dir, '/');
    }
    return *own ? STEAL(own) : mem_str("/");
}

/* The group that has the file; false: none has. */
static bool find_group(struct explained *x)
{
    for (size_t i = 0; i < x->groups->n; i++) {
        x->group = format_group_at(x->groups, i);
        for (size_t m = 0; m < x->group.n_members; m++)
            if (x->group.members[m] == x->entry)
                return true;
    }
    return false;
}

static int find(struct cli *cli, struct explained *x, struct err *err)
{
    size_t n;

    x->path = realpath(cli->args[0], NULL);
    if (!x->path)
        return err_set(err, REASON_GONE, errno, "file '%s'", cli->args[0]);
    x->root = choose_root(cli, x->path);
    if (!x->root)
        return err_set(err, REASON_ROOT_AWAY, errno, "directory '%s'", cli_value(cli, "in"));
    n = strcmp(x->root, "/") == 0 ? 0 : strlen(x->root);
    if (strncmp(x->path, x->root, n) != 0 || x->path[n] != '/')
        return err_set(err, REASON_USAGE, 0, "'%s' does not lie in '%s'", x->path, x->root);
    if (tree_scan(x->root, &x->tree, err) < 0 || format_group_tree(x->tree, NULL, &x->groups, err) < 0)
        return -1;
    x->entry = tree_find(x->tree, x->path + n + 1);
    if (!x->entry || x->entry->kind == TREE_DIR)
        return err_set(err, REASON_USAGE, 0, "'%s' is no file below '%s' that is looked at", x->path, x->root);
    x->grouped = find_group(x);
    return 0;
}

/* ---- for programs ---- */

static void take_json(void *list, const char *driver, bool has_it, const char *text)
{
    json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "driver", driver, "has_it", has_it, "text", js_text(text)));
}

static json_t *names_json(const struct format_group *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->n_missing && i < FORMAT_MISSING_KEPT; i++)
        json_array_append_new(list, js_text(g->missing[i].name));
    return list;
}

static void add_group(json_t *o, const struct format_group *g)
{
    json_t *files = json_array();

    for (size_t i = 0; i < g->n_members; i++)
        json_array_append_new(files, js_text(g->members[i]->path));
    js_add_path(o, "target", g->members[0]->path);
    json_object_set_new(o, "files", files);
    json_object_set_new(o, "format", json_string(g->format));
    json_object_set_new(o, "reader", g->reader ? json_string(g->reader) : json_null());
    json_object_set_new(o, "plate", json_boolean(g->plate));
    json_object_set_new(o, "text", js_text(g->text));
    json_object_set_new(o, "missing", names_json(g));
    json_object_set_new(o, "n_missing", json_integer((json_int_t)g->n_missing));
}

static void print_json(struct cli *cli, const struct explained *x)
{
    AUTO(js_freep) json_t *o = json_object();
    json_t *asked = json_array();
    struct err ignored = ERR_INIT; /* a file that cannot be opened has its reason in its group */

    js_add_path(o, "path", x->entry->path);
    js_add_path(o, "root", x->root);
    json_object_set_new(o, "reason", json_string(reason_row(x->grouped ? x->group.why : x->entry->skip)->name));
    if (x->grouped)
        add_group(o, &x->group);
    (void)format_ask(x->tree, x->entry, take_json, asked, &ignored);
    json_object_set_new(o, "asked", asked);
    js_print(cli->out, o);
}

/* ---- for people ---- */

static void take_text(void *out, const char *driver, bool has_it, const char *text)
{
    AUTO(mem_freep) char *shown = str_show(text);

    fprintf(out, "  %s: %s%s\n", driver, has_it ? "yes: " : "no: ", shown);
}

static void say_group(FILE *out, const struct explained *x)
{
    const struct format_group *g = &x->group;
    AUTO(mem_freep) char *target = str_show(g->members[0]->path);
    AUTO(mem_freep) char *text = str_show(g->text);
    const struct reason_row *row = reason_row(g->why);

    if (g->n_members > 1)
        fprintf(out, "  is one of %zu files of the set of %s\n", g->n_members, target);
    if (*g->format)
        fprintf(out, "  format: %s%s%s%s\n", g->format, g->plate ? ", a plate" : "", g->reader ? ", read by " : "",
                g->reader ? g->reader : "");
    if (g->why == REASON_NONE)
        fprintf(out, "  would be imported\n");
    else
        fprintf(out, "  left out: %s%s%s\n    %s: %s\n", row->text, *text ? ": " : "", text, reason_who_name(row->who),
                row->hint);
    for (size_t i = 0; i < g->n_missing && i < FORMAT_MISSING_KEPT; i++) {
        AUTO(mem_freep) char *name = str_show(g->missing[i].name);

        fprintf(out, "  missing: %s\n", name);
    }
    if (g->n_missing > FORMAT_MISSING_KEPT)
        fprintf(out, "  missing: %zu more\n", g->n_missing - FORMAT_MISSING_KEPT);
}

static void say_all(struct cli *cli, const struct explained *x)
{
    AUTO(mem_freep) char *path = str_show(x->entry->path);
    AUTO(mem_freep) char *root = str_show(x->root);
    struct err ignored = ERR_INIT; /* as above */

    fprintf(cli->out, "%s  (in %s)\n", path, root);
    if (x->grouped)
        say_group(cli->out, x);
    else
        fprintf(cli->out, "  left out: %s\n", reason_row(x->entry->skip)->text);
    fprintf(cli->out, "Asked, in this order:\n");
    (void)format_ask(x->tree, x->entry, take_text, cli->out, &ignored);
}

static int run(struct cli *cli)
{
    AUTO(explained_clear) struct explained x = {0};
    struct err err = ERR_INIT;

    if (find(cli, &x, &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (cli->json)
        print_json(cli, &x);
    else
        say_all(cli, &x);
    return CLI_OK;
}

static const struct cli_option options[] = {
    {"in", "DIR", "look at this directory; else at the root or the card's directory that the file lies in"},
    {NULL},
};

const struct command command_explain = {
    .name = "explain",
    .args = "FILE",
    .summary = "say in which group of files one file is, and why",
    .help = "Says which files make an image together with this one, who reads them, what is missing to complete\n"
            "the set, or why the file is left out; and what each driver says of it, in the order in which they\n"
            "are asked.  The first that wants a file has it.\n"
            "\n"
            "Example:\n"
            "  impomero explain /data/microscope/day1/exp_w1_t1.TIF\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};
