/* impomero import: bring what lies in directories into OMERO, once, and end. */
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "engine/plan.h"
#include "shape/problems.h"

/* ---- what was left out, waits or failed: from the ledger ---- */

/* "it (and 11 more for the same reason)" */
static void say_one(struct cli *cli, const struct shape_problem *p, size_t more)
{
    struct err e = ERR_INIT;
    AUTO(mem_freep) char *at = problem_where(p);
    AUTO(mem_freep) char *where = more ? mem_printf("%s (and %zu more)", at, more) : mem_str(at);

    err_set(&e, p->why, 0, "%s%s%s", reason_row(p->why)->text, p->text && *p->text ? ": " : "", p->text ? p->text : "");
    if (p->hint && *p->hint)
        err_hint(&e, "%s", p->hint);
    cli_fail(cli, where, &e);
}

static bool is_same(const struct shape_problem *a, const struct shape_problem *b)
{
    return a->why == b->why && a->cls == b->cls && a->line == b->line && strcmp(a->text, b->text) == 0;
}

/* What is in one trouble is said once. */
static void say_problems(struct cli *cli, const struct problems *ps)
{
    AUTO(mem_freep) bool *said = mem_new(ps->n + 1, sizeof(*said));

    for (size_t i = 0; i < ps->n; i++) {
        size_t more = 0;

        for (size_t j = i + 1; !said[i] && j < ps->n; j++)
            if (!said[j] && is_same(&ps->at[i], &ps->at[j])) {
                said[j] = true;
                more++;
            }
        if (!said[i])
            say_one(cli, &ps->at[i], more);
    }
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

static void print_json(const struct progress *p, const struct problems *problems, const struct err *err)
{
    AUTO(js_freep) json_t *o = json_pack("{s:O, s:O}", "imported", p->imported, "followed", p->followed);
    json_t *list = json_array();

    for (size_t i = 0; i < problems->n; i++)
        json_array_append_new(list, shape_problem(&problems->at[i]));
    json_object_set_new(o, "problems", list);
    json_object_set_new(o, "error", err->why == REASON_NONE
                                        ? json_null()
                                        : json_pack("{s:s, s:o, s:o}", "reason", reason_row(err->why)->name, "text",
                                                    js_text(err->text), "hint", js_text(err_hint_text(err))));
    js_print(p->cli->out, o);
}

/* ---- the command ---- */

static int import(struct cli *cli, struct progress *p, struct ledger *l, const char *const *dirs)
{
    const struct engine_job job = {.settings = &cli->settings, .ledger = l, .dirs = dirs, .n_dirs = (size_t)cli->n_args,
                                   .until_idle = true, .stop = &job_stop, .tell = progress_tell, .ask = progress_ask, .arg = p};
    const struct problems_ask ask = {.paths = dirs, .n_paths = (size_t)cli->n_args, .unfinished = true,
                                     .blocked_text = plan_blocked_text, .since_ms = clock_wall_ms()};
    AUTO(arena_freep) struct arena *a = arena_new();
    struct problems problems = {0};
    struct err why = ERR_INIT, err = ERR_INIT;
    bool failed = job_before(cli, l, job.dirs, job.n_dirs, &why) < 0 || engine_run(&job, &why) < 0;
    int status = failed ? (int)cli_exit_of(&why) : CLI_OK;

    progress_clear(p);
    if (status != CLI_OK)
        cli_fail(cli, NULL, &why);
    else if (problems_read(l, &ask, a, &problems, &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (cli->json)
        print_json(p, &problems, &why);
    else
        say_problems(cli, &problems);
    if (!cli->json && !p->quiet && status == CLI_OK)
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
    job_quieten(cli);
    job_catch_signals();
    if (job_find_dirs(cli, &dirs, &err) < 0 || ledger_open(cli->settings.state_dir, LEDGER_ENGINE, &l, &err) < 0)
        status = cli_fail(cli, NULL, &err);
    else
        status = import(cli, &p, l, (const char *const *)dirs);
    job_free_dirs(cli, dirs);
    json_decref(p.imported);
    json_decref(p.followed);
    return status;
}

static const struct cli_option options[] = {JOB_BEFORE_OPTIONS, {NULL}};

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
