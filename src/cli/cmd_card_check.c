/* impomero card check: read cards and say what an import would take from them. */
#include "cli/command.h"

#include <string.h>

#include "base/ceilings.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/slurp.h"
#include "base/str.h"
#include "card/card.h"

/* What became of one file. */
struct outcome {
    enum kind { GOOD, NOT_A_CARD, BROKEN, UNREAD } kind;
    struct card *card;
    struct card_fault fault;
    struct err err;
};

static void look_at(const char *path, struct outcome *o)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(CARD_MAX_BYTES + 16);
    static const enum kind kinds[] = {[0] = GOOD, [CARD_NOT_A_CARD] = NOT_A_CARD, [CARD_BROKEN] = BROKEN};

    o->kind = UNREAD;
    if (slurp(path, &text, &o->err) == 0 || o->err.why == REASON_TOO_LARGE)
        o->kind = kinds[card_parse(text.data ? (const char *)text.data : "", text.len, &o->card, &o->fault)];
}

/* --- for programs --- */

static json_t *card_json(const struct card *c)
{
    json_t *tags = json_array(), *pairs = json_array();

    for (size_t i = 0; i < c->n_tags; i++)
        json_array_append_new(tags, js_text(c->tags[i]));
    for (size_t i = 0; i < c->n_pairs; i++)
        json_array_append_new(pairs, json_pack("[o, o]", js_text(c->pairs[i].key), js_text(c->pairs[i].value)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "title", js_text(c->title), "created", js_text(c->created),
                     "project", js_text(c->project), "user", js_text(c->user), "group", js_text(c->group), "comment",
                     js_text(c->comment), "tags", tags, "kv_pairs", pairs);
}

static json_t *place_json(int n)
{
    return n ? json_integer(n) : json_null();
}

static json_t *outcome_json(const struct outcome *o)
{
    switch (o->kind) {
    case GOOD:
        return json_pack("{s:o}", "card", card_json(o->card));
    case NOT_A_CARD:
        return json_pack("{s:b}", "not_a_card", 1);
    case BROKEN:
        return json_pack("{s:{s:o, s:o, s:o, s:o}}", "error", "line", place_json(o->fault.line), "column",
                         place_json(o->fault.column), "message", js_text(o->fault.message), "hint", js_text(o->fault.hint));
    case UNREAD:
        break;
    }
    return json_pack("{s:{s:n, s:n, s:o, s:o}}", "error", "line", "column", "message", js_text(o->err.text), "hint",
                     js_text(err_hint_text(&o->err)));
}

/* --- for people --- */

static void say_card(struct cli *cli, const char *path, const struct card *c)
{
    AUTO(mem_freep) char *project = str_show(c->project);
    AUTO(mem_freep) char *user = str_show(c->user);
    AUTO(mem_freep) char *group = str_show(c->group ? c->group : "");

    fprintf(cli->out, "%s: a good card: project '%s', user '%s', %s%s%s, %zu tag%s, %zu pair%s, %s\n", path, project, user,
            c->group ? "group '" : "the user's default group", group, c->group ? "'" : "", c->n_tags, c->n_tags == 1 ? "" : "s",
            c->n_pairs, c->n_pairs == 1 ? "" : "s", c->comment[0] ? "a comment" : "no comment");
}

static void say_fault(struct cli *cli, const char *path, const struct card_fault *f)
{
    bool colour = cli->colour_err;

    fflush(cli->out);
    fprintf(cli->err, "%s:%d:%d: %s%s%s\n", path, f->line, f->column, cli_colour(colour, CLI_RED), f->message,
            cli_colour(colour, CLI_PLAIN));
    if (f->source[0])
        fprintf(cli->err, "    %s\n", f->source);
    if (f->hint[0])
        fprintf(cli->err, "  hint: %s\n", f->hint);
}

static void say(struct cli *cli, const char *path, const struct outcome *o)
{
    AUTO(mem_freep) char *shown = str_show(path);

    switch (o->kind) {
    case GOOD:
        say_card(cli, shown, o->card);
        break;
    case NOT_A_CARD:
        fprintf(cli->out, "%s: not a card: its first line is not '# omero annotation file'\n", shown);
        break;
    case BROKEN:
        say_fault(cli, shown, &o->fault);
        break;
    case UNREAD:
        cli_fail(cli, NULL, &o->err);
        break;
    }
}

/* One object for one file, a list with the files' names for several. */
static void add_json(const struct cli *cli, const char *path, const struct outcome *o, json_t *list)
{
    json_t *object = outcome_json(o);

    if (cli->n_args > 1)
        js_add_path(object, "file", path);
    json_array_append_new(list, object);
}

static int run(struct cli *cli)
{
    AUTO(js_freep) json_t *list = json_array();
    int status = CLI_OK;

    for (int i = 0; i < cli->n_args; i++) {
        struct outcome o = {.err = ERR_INIT};
        look_at(cli->args[i], &o);
        if (o.kind == BROKEN || o.kind == UNREAD)
            status = CLI_SOME;
        if (cli->json)
            add_json(cli, cli->args[i], &o, list);
        else
            say(cli, cli->args[i], &o);
        card_free(o.card);
    }
    if (cli->json)
        js_print(cli->out, cli->n_args > 1 ? list : json_array_get(list, 0));
    return status;
}

const struct command command_card_check = {
    .name = "card check",
    .args = "FILE...",
    .summary = "read cards and say what an import would take from them",
    .help = "A card is a file *.toml whose first line is '# omero annotation file', with the texts project\n"
            "and user.  What is wrong with one is said with its line and how to mend it.  Nothing is sent\n"
            "anywhere.\n"
            "\n"
            "Examples:\n"
            "  impomero card check experiment/card.toml\n"
            "  impomero card check --json */*.toml\n",
    .min_args = 1,
    .max_args = -1,
    .json = true,
    .run = run,
};
