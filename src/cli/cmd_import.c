/* impomero import: bring what lies in directories into OMERO, once, and end. */
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "cli/shape.h"

/* ---- what was left out, waits or failed: from the ledger ---- */

struct problems {
    struct cli *cli;
    json_t *list; /* NULL: said */
    size_t n;
};

/* "it (and 11 more for the same reason)" */
static void say(struct problems *ps, const struct shape_problem *p, size_t more)
{
    struct err e = ERR_INIT;
    AUTO(mem_freep) char *line = p->line ? mem_printf(":%d", p->line) : mem_str("");
    AUTO(mem_freep) char *others = more ? mem_printf(" (and %zu more)", more) : mem_str("");
    AUTO(mem_freep) char *where = mem_printf("%s%s%s%s%s", p->root, *p->path ? "/" : "", p->path, line, others);

    err_set(&e, p->why, 0, "%s%s%s", reason_row(p->why)->text, p->text && *p->text ? ": " : "", p->text ? p->text : "");
    if (p->hint && *p->hint)
        err_hint(&e, "%s", p->hint);
    cli_fail(ps->cli, where, &e);
}

static void add(struct problems *ps, const struct shape_problem *p, size_t more)
{
    ps->n++;
    if (ps->list)
        json_array_append_new(ps->list, shape_problem(p));
    else
        say(ps, p, more);
}

static bool is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strcmp(dir, "/") == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* Cards and datasets of the directories that were asked for. */
static bool is_asked(const char *root, const char *path, char *const *dirs, size_t n_dirs)
{
    AUTO(mem_freep) char *full = mem_printf("%s%s%s", root, *path ? "/" : "", path);

    for (size_t i = 0; i < n_dirs; i++)
        if (is_below(full, dirs[i]))
            return true;
    return false;
}

static int card_problems(struct problems *ps, struct ledger *l, char *const *dirs, size_t n_dirs, struct arena *a, struct err *err)
{
    const struct ledger_card *cards;
    const struct ledger_dataset *sets;
    size_t n = 0, n_sets = 0;

    if (ledger_cards(l, false, a, &cards, &n, err) < 0 || ledger_datasets(l, true, a, &sets, &n_sets, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (is_asked(cards[i].root, cards[i].path, dirs, n_dirs))
            add(ps, &(struct shape_problem){.root = cards[i].root, .path = cards[i].path, .line = cards[i].line, .why = cards[i].why,
                                            .cls = reason_row(cards[i].why)->cls, .text = cards[i].text,
                                            .since_ms = cards[i].since_ms}, 0);
    for (size_t i = 0; i < n_sets; i++)
        if (is_asked(sets[i].root_path, sets[i].dir, dirs, n_dirs))
            add(ps, &(struct shape_problem){.root = sets[i].root_path, .path = sets[i].dir, .why = sets[i].why,
                                            .cls = reason_row(sets[i].why)->cls, .text = sets[i].text,
                                            .since_ms = sets[i].since_ms, .retry_ms = sets[i].retry_ms}, 0);
    return 0;
}

static bool same_problem(const struct ledger_fileset *a, const struct ledger_fileset *b)
{
    return a->why == b->why && strcmp(a->text, b->text) == 0 && a->state == b->state;
}

/* What keeps a card from applying is said of the card. */
static bool is_the_cards(const struct ledger_fileset *f)
{
    return f->why == REASON_BROKEN_CARD || (f->why == REASON_CONFLICT && !*f->project) || f->gone_ms != 0;
}

static struct shape_problem fileset_problem(const struct ledger_fileset *f)
{
    return (struct shape_problem){.root = f->root_path, .path = f->path, .why = f->why, .cls = f->cls, .text = f->text,
                                  .hint = f->hint, .since_ms = f->since_ms, .retry_ms = f->retry_ms};
}

/* For people, files in one trouble are one problem; for programs each is one. */
static void add_filesets(struct problems *ps, const struct ledger_fileset *list, size_t n)
{
    AUTO(mem_freep) bool *said = mem_new(n + 1, sizeof(*said));

    for (size_t i = 0; i < n; i++) {
        struct shape_problem p = fileset_problem(&list[i]);
        size_t more = 0;

        if (said[i] || is_the_cards(&list[i]))
            continue;
        for (size_t j = i + 1; !ps->list && j < n; j++)
            if (!said[j] && !is_the_cards(&list[j]) && same_problem(&list[i], &list[j])) {
                said[j] = true;
                more++;
            }
        if (list[i].state != LEDGER_DONE && p.why == REASON_NONE) {
            p.why = list[i].state == LEDGER_SETTLING ? REASON_SETTLING : REASON_STOPPED;
            p.text = "it was not imported yet";
        }
        add(ps, &p, more);
    }
}

static int file_problems(struct problems *ps, struct ledger *l, const char *dir, struct arena *a, struct err *err)
{
    const struct ledger_filter open = {.path = dir, .states = ~(1u << LEDGER_DONE) & ((1u << N_LEDGER_STATES) - 1)};
    const struct ledger_filter changed = {.path = dir, .changed = true};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_list(l, &open, a, &list, &n, err) < 0)
        return -1;
    add_filesets(ps, list, n);
    if (ledger_list(l, &changed, a, &list, &n, err) < 0)
        return -1;
    add_filesets(ps, list, n);
    return 0;
}

static int all_problems(struct problems *ps, struct ledger *l, char *const *dirs, size_t n_dirs, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();

    if (card_problems(ps, l, dirs, n_dirs, a, err) < 0)
        return -1;
    for (size_t i = 0; i < n_dirs; i++)
        if (file_problems(ps, l, dirs[i], a, err) < 0)
            return -1;
    return 0;
}

/* ---- the end ---- */

static void say_summary(const struct progress *p, size_t problems)
{
    FILE *out = p->cli->out;

    if (p->n_done == 0 && problems == 0 && p->n_followed == 0)
        fputs("nothing new: all is in OMERO already\n", out);
    else
        fprintf(out, "%zu imported (%zu image%s), %zu problem%s\n", p->n_done, p->n_images, p->n_images == 1 ? "" : "s", problems,
                problems == 1 ? "" : "s");
}

static void print_json(const struct progress *p, json_t *problems, const struct err *err)
{
    AUTO(js_freep) json_t *o = json_pack("{s:O, s:O, s:O}", "imported", p->imported, "followed", p->followed, "problems", problems);

    json_object_set_new(o, "error", err->why == REASON_NONE
                                        ? json_null()
                                        : json_pack("{s:s, s:o, s:o}", "reason", reason_row(err->why)->name, "text",
                                                    js_text(err->text), "hint", js_text(err_hint_text(err))));
    js_print(p->cli->out, o);
}

/* ---- the command ---- */

/* The log would say the same things again: it is for those who ask for it. */
static void quieten(const struct cli *cli)
{
    for (size_t i = 0; i < settings_n_keys; i++) {
        const struct conf_key *k = &settings_keys[i];

        if (k->level == CONF_GLOBAL && k->offset == offsetof(struct settings, log_level) &&
            conf_get(cli->settings.conf, k, CONF_NO_ROOT)->from == CONF_FROM_DEFAULT)
            log_start(STDERR_FILENO, LOG_LEVEL_ERROR);
    }
}

static int import(struct cli *cli, struct progress *p, struct ledger *l, char *const *dirs)
{
    const struct engine_job job = {.settings = &cli->settings, .ledger = l, .dirs = (const char *const *)dirs,
                                   .n_dirs = (size_t)cli->n_args, .until_idle = true, .stop = &job_stop, .tell = progress_tell,
                                   .ask = progress_ask, .arg = p};
    AUTO(js_freep) json_t *list = cli->json ? json_array() : NULL;
    struct problems problems = {.cli = cli, .list = list};
    struct err why = ERR_INIT, err = ERR_INIT;
    int status = engine_run(&job, &why) < 0 ? (int)cli_exit_of(&why) : CLI_OK;

    progress_clear(p);
    if (status != CLI_OK)
        cli_fail(cli, NULL, &why);
    else if (all_problems(&problems, l, dirs, (size_t)cli->n_args, &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (cli->json)
        print_json(p, list, &why);
    else if (!p->quiet && status == CLI_OK)
        say_summary(p, problems.n);
    return status != CLI_OK ? status : problems.n + p->n_away > 0 || atomic_load(&job_stop) ? CLI_SOME : CLI_OK;
}

static int run(struct cli *cli)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    struct progress p = {.cli = cli, .quiet = cli_flag(cli, "quiet"), .imported = cli->json ? json_array() : NULL,
                         .followed = cli->json ? json_array() : NULL};
    char **dirs = NULL;
    struct err err = ERR_INIT;
    int status;

    p.bar = !cli->json && !p.quiet && cli->colour_err;
    quieten(cli);
    job_catch_signals();
    if (job_find_dirs(cli, &dirs, &err) < 0 || ledger_open(cli->settings.state_dir, LEDGER_ENGINE, &l, &err) < 0)
        status = cli_fail(cli, NULL, &err);
    else
        status = import(cli, &p, l, dirs);
    job_free_dirs(cli, dirs);
    json_decref(p.imported);
    json_decref(p.followed);
    return status;
}

static const struct cli_option options[] = {
    {"quiet", NULL, "say only what went wrong"},
    {NULL},
};

const struct command command_import = {
    .name = "import",
    .args = "DIR...",
    .summary = "import the images of directories into OMERO, as their cards say",
    .help = "Each image below a card is imported for the card's user, into the card's project and a dataset for\n"
            "the card's directory, with the card's annotations.  What was imported before is not imported again,\n"
            "and an import that was cut short goes on where it was.  Files that may still be written are waited\n"
            "for (--settle).  The last lines say what was not imported, why, and what to do about it.\n"
            "\n"
            "Where this host sees OMERO's repository, files may stay where they are: --transfer=ln_s (or --link)\n"
            "puts links to them there, for directories whose files stay as they are (--trusted).\n"
            "\n"
            "The server is named by OMERO_SERVER, OMERO_PORT and OMERO_ROOT_PASSWORD, or by the configuration.\n"
            "\n"
            "Examples:\n"
            "  impomero import /data/microscope/day1\n"
            "  impomero import --settle=0 --json . | jq .imported\n",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .settings = true,
    .json = true,
    .run = run,
};
