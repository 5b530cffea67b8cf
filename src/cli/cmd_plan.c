/* impomero plan: what an import would make of a directory.  Asks no server and changes nothing. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/shape_plan.h"

/* ---- for programs ---- */

static json_t *images_json(const struct plan *p)
{
    json_t *images = json_array();

    for (size_t i = 0; i < p->n_filesets; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct plan_fileset f;

        plan_fileset_at(p, i, a, &f);
        if (f.why != REASON_NONE)
            continue;

        const struct plan_target *t = &p->targets[f.target];
        json_t *o = json_object();

        js_add_path(o, "file", f.path);
        json_object_set_new(o, "project", js_text(t->card->card->project));
        json_object_set_new(o, "dataset", js_text(t->name));
        json_object_set_new(o, "image_name", js_text(f.name));
        json_object_set_new(o, "user", js_text(t->card->card->user));
        json_object_set_new(o, "group", js_text(t->card->card->group));
        json_object_set_new(o, "dataset_dir", shape_dir(t->dir));
        json_array_append_new(images, o);
    }
    return images;
}

static json_t *annotations_json(const struct plan *p)
{
    json_t *o = json_object();

    for (size_t i = 0; i < p->n_targets; i++) {
        AUTO(js_freep) json_t *dir = shape_dir(p->targets[i].dir);

        json_object_set_new(o, json_string_value(dir), shape_planned_annotations(p->targets[i].card->card));
    }
    return o;
}

/* Cards that keep files from being imported, but for those that only contradict another one. */
static json_t *errors_json(const struct cards *c)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const struct found_card *f = &c->at[i];
        json_t *o;

        if (f->why == REASON_NONE || f->why == REASON_CONFLICT)
            continue;
        o = json_object();
        js_add_path(o, "card", f->entry->path);
        json_object_set_new(o, "line", f->line ? json_integer(f->line) : json_null());
        json_object_set_new(o, "column", f->column ? json_integer(f->column) : json_null());
        json_object_set_new(o, "message", js_text(f->text));
        json_object_set_new(o, "hint", js_text(f->hint));
        json_array_append_new(errors, o);
    }
    return errors;
}

static json_t *conflicts_json(const struct cards *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].why == REASON_CONFLICT)
            json_array_append_new(list, js_text(c->at[i].entry->path));
    return list;
}

static json_t *skip_json(const char *path, enum reason why, const char *text)
{
    json_t *o = json_object();

    js_add_path(o, "path", path);
    json_object_set_new(o, "reason", json_string(reason_row(why)->name));
    json_object_set_new(o, "text", js_text(text));
    return o;
}

static json_t *skipped_json(const struct plan *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n_filesets; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct plan_fileset f;

        plan_fileset_at(p, i, a, &f);
        for (size_t m = 0; f.why != REASON_NONE && m < f.group.n_members; m++)
            json_array_append_new(list, skip_json(f.group.members[m]->path, f.why, f.text));
    }
    for (size_t i = 0; i < p->n_skips; i++)
        json_array_append_new(list, skip_json(p->skips[i].path, p->skips[i].why, p->skips[i].text));
    return list;
}

static struct shape_problem card_problem(const struct found_card *f)
{
    return (struct shape_problem){.path = f->entry->path, .line = f->line, .column = f->column, .why = f->why,
                                  .cls = reason_row(f->why)->cls, .text = f->text, .hint = f->hint};
}

static struct shape_problem fileset_problem(const struct plan *p, size_t i)
{
    AUTO(arena_freep) struct arena *a = arena_new(); /* for its name, which is not asked for here */
    struct plan_fileset f;

    plan_fileset_at(p, i, a, &f);
    return (struct shape_problem){.path = f.path, .why = f.why, .cls = reason_row(f.why)->cls, .text = f.text};
}

static json_t *problems_json(const struct plan *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->cards->n; i++) {
        struct shape_problem problem = card_problem(&p->cards->at[i]);

        if (problem.why != REASON_NONE)
            json_array_append_new(list, shape_problem(&problem));
    }
    for (size_t i = 0; i < p->n_filesets; i++) {
        struct shape_problem problem = fileset_problem(p, i);

        if (problem.why != REASON_NONE)
            json_array_append_new(list, shape_problem(&problem));
    }
    return list;
}

static json_t *look_json(const struct look *l)
{
    const struct plan *p = &l->plan;
    json_t *o = json_object(), *filesets = json_array(), *datasets = json_array(), *cards = json_array();

    for (size_t i = 0; i < p->n_filesets; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct plan_fileset f;

        plan_fileset_at(p, i, a, &f);
        json_array_append_new(filesets, shape_planned_fileset(p, &f));
    }
    for (size_t i = 0; i < p->n_targets; i++)
        json_array_append_new(datasets, shape_planned_dataset(&p->targets[i]));
    for (size_t i = 0; i < p->cards->n; i++)
        json_array_append_new(cards, shape_found_card(&p->cards->at[i]));
    js_add_path(o, "root", l->path);
    json_object_set_new(o, "images", images_json(p));
    json_object_set_new(o, "annotations", annotations_json(p));
    json_object_set_new(o, "errors", errors_json(p->cards));
    json_object_set_new(o, "conflicts", conflicts_json(p->cards));
    json_object_set_new(o, "skipped", skipped_json(p));
    json_object_set_new(o, "filesets", filesets);
    json_object_set_new(o, "datasets", datasets);
    json_object_set_new(o, "cards", cards);
    json_object_set_new(o, "problems", problems_json(p));
    return o;
}

/* ---- for people ---- */

static void say_target(struct cli *cli, const struct plan_target *t)
{
    const struct card *c = t->card->card;
    AUTO(mem_freep) char *project = str_show(c->project);
    AUTO(mem_freep) char *name = str_show(t->name);
    AUTO(mem_freep) char *user = str_show(c->user);
    AUTO(mem_freep) char *group = str_show(c->group ? c->group : "default group");
    AUTO(mem_freep) char *card = str_show(t->card->entry->path);
    bool colour = cli->colour_out;

    fprintf(cli->out, "\n  %s%s%s%s%s%s  for %s (%s), by the card %s\n", t->screen ? "screen " : "", cli_colour(colour, CLI_BOLD),
            t->screen ? "" : project, t->screen ? "" : " / ", name, cli_colour(colour, CLI_PLAIN), user, group, card);
}

static void say_fileset(struct cli *cli, const struct plan_fileset *f)
{
    AUTO(mem_freep) char *name = str_show(f->name);
    AUTO(mem_freep) char *path = str_show(f->path);
    size_t more = f->group.n_members - 1;

    fprintf(cli->out, "    %s  %s<- %s", name, cli_colour(cli->colour_out, CLI_DIM), path);
    if (more > 0)
        fprintf(cli->out, " and %zu more file%s", more, more == 1 ? "" : "s");
    fprintf(cli->out, "  %s%s%s\n", f->group.format, f->group.helped ? " (by the grouping helper)" : "",
            cli_colour(cli->colour_out, CLI_PLAIN));
}

/* Numbers of the filesets to be imported, those of a target together and in their order; owned by the caller. */
static size_t *by_target(const struct plan *p)
{
    AUTO(mem_freep) size_t *from = mem_new(p->n_targets + 1, sizeof(*from));
    size_t *order = mem_new(p->n_filesets + 1, sizeof(*order));

    for (size_t t = 1; t < p->n_targets; t++)
        from[t] = from[t - 1] + p->targets[t - 1].n_filesets;
    for (size_t i = 0; i < p->n_filesets; i++)
        if (p->filesets[i].why == REASON_NONE)
            order[from[p->filesets[i].of]++] = i;
    return order;
}

/* The filesets of each target in turn. */
static void say_targets(struct cli *cli, const struct plan *p)
{
    AUTO(mem_freep) size_t *order = by_target(p);
    size_t at = 0;

    for (size_t t = 0; t < p->n_targets; t++) {
        AUTO(arena_freep) struct arena *a = arena_new();

        say_target(cli, &p->targets[t]);
        for (size_t end = at + p->targets[t].n_filesets; at < end; at++) {
            struct plan_fileset f;

            plan_fileset_at(p, order[at], a, &f);
            say_fileset(cli, &f);
        }
    }
}

static void say_problem(struct cli *cli, const struct shape_problem *p)
{
    const struct reason_row *row = reason_row(p->why);
    AUTO(mem_freep) char *path = str_show(p->path);
    AUTO(mem_freep) char *text = str_show(p->text ? p->text : "");
    AUTO(mem_freep) char *hint = str_show(p->hint && *p->hint ? p->hint : row->hint);

    fprintf(cli->out, "    %s", path);
    if (p->line)
        fprintf(cli->out, ":%d", p->line);
    fprintf(cli->out, ": %s%s%s", row->text, *text ? ": " : "", text);
    fprintf(cli->out, "\n      %s: %s\n", reason_who_name(row->who), hint);
}

static void say_problems(struct cli *cli, const struct plan *p)
{
    size_t said = 0;
    struct shape_problem problem;

    for (size_t i = 0; i < p->cards->n + p->n_filesets; i++) {
        problem = i < p->cards->n ? card_problem(&p->cards->at[i]) : fileset_problem(p, i - p->cards->n);
        if (problem.why == REASON_NONE)
            continue;
        if (said++ == 0)
            fprintf(cli->out, "\n  %sNot imported as it is:%s\n", cli_colour(cli->colour_out, CLI_YELLOW),
                    cli_colour(cli->colour_out, CLI_PLAIN));
        say_problem(cli, &problem);
    }
}

/* Each path with --all, else how many there are of each reason. */
static void say_skips(struct cli *cli, const struct plan *p)
{
    size_t counts[N_REASONS] = {0};
    bool all = cli_flag(cli, "all");

    if (p->n_skips > 0)
        fprintf(cli->out, "\n  Left out%s:\n", all ? "" : " (--all names each)");
    for (size_t i = 0; i < p->n_skips; i++) {
        AUTO(mem_freep) char *path = str_show(p->skips[i].path);
        AUTO(mem_freep) char *text = str_show(p->skips[i].text);

        counts[p->skips[i].why]++;
        if (all)
            fprintf(cli->out, "    %s: %s%s%s\n", path, reason_row(p->skips[i].why)->text, *text ? ": " : "", text);
    }
    for (size_t why = 0; !all && why < N_REASONS; why++)
        if (counts[why] > 0)
            fprintf(cli->out, "    %zu: %s\n", counts[why], reason_row((enum reason)why)->text);
}

static void say_look(struct cli *cli, const struct look *l)
{
    const struct plan *p = &l->plan;
    AUTO(mem_freep) char *root = str_show(l->path);
    char bytes[32];
    size_t n = 0;
    int64_t sum = 0;

    for (size_t i = 0; i < p->n_filesets; i++) {
        if (p->filesets[i].why != REASON_NONE)
            continue;

        AUTO(arena_freep) struct arena *a = arena_new();
        struct plan_fileset f;

        plan_fileset_at(p, i, a, &f);
        n++;
        sum += plan_fileset_bytes(&f);
    }
    shape_bytes(sum, bytes);
    fprintf(cli->out, "%s: %zu to import (%s) into %zu dataset%s, by %zu card%s\n", root, n, bytes, p->n_targets,
            p->n_targets == 1 ? "" : "s", p->cards->n, p->cards->n == 1 ? "" : "s");
    say_targets(cli, p);
    say_problems(cli, p);
    say_skips(cli, p);
}

/* ---- the command ---- */

/* By the rules of the root that holds the directory. */
static int look_for(struct cli *cli, const char *dir, struct look **out, struct err *err)
{
    AUTO(mem_freep) char *path = realpath(dir, NULL);
    const struct settings_root *root = path ? settings_root_of(&cli->settings, path) : NULL;
    struct look_rules rules;

    look_rules_of(root ? &root->set : &cli->settings.defaults, &cli->settings, &rules);
    return look_at(dir, &rules, out, err);
}

static int run(struct cli *cli)
{
    AUTO(js_freep) json_t *all = json_array();
    int status = CLI_OK;

    for (int i = 0; i < cli->n_args; i++) {
        AUTO(look_freep) struct look *l = NULL;
        struct err err = ERR_INIT;

        if (look_for(cli, cli->args[i], &l, &err) < 0) {
            status = cli_fail(cli, NULL, &err);
            continue;
        }
        if (l->helper_text)
            cli_say(cli, "the grouping helper: %s", l->helper_text);
        if (cli->json)
            json_array_append_new(all, look_json(l));
        else
            say_look(cli, l);
    }
    if (cli->json && cli->n_args == 1 && status == CLI_OK)
        js_print(cli->out, json_array_get(all, 0));
    else if (cli->json && cli->n_args > 1)
        js_print(cli->out, all);
    return status;
}

static const struct cli_option options[] = {
    {"all", NULL, "name each file that is left out, and not only how many"},
    {NULL},
};

const struct command command_plan = {
    .name = "plan",
    .args = "DIR...",
    .summary = "show what an import of a directory would make, without any server",
    .help = "Shows by which cards which files would be imported: into which project and dataset, under which\n"
            "name, for whom; what keeps others from being imported, and how to mend that; and what is left\n"
            "out.  Nothing is sent anywhere, and nothing is changed.  The status is 0 when the directory could\n"
            "be looked at, whatever was found there.\n"
            "\n"
            "Examples:\n"
            "  impomero plan /data/microscope\n"
            "  impomero plan --json . | jq .problems\n",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .settings = true,
    .json = true,
    .run = run,
};
