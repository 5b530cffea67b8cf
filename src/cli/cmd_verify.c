/* impomero verify: disk, ledger and OMERO held against each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/job.h"
#include "engine/verify.h"
#include "shape/problems.h"

#define DATASET "Dataset:"

struct output {
    struct cli *cli;
    json_t *list; /* NULL: lines */
};

static struct shape_problem shape_of(const struct verify_finding *f)
{
    return (struct shape_problem){.root = f->root, .path = f->path, .why = f->why->why, .cls = f->why->cls, .text = f->why->text,
                                  .hint = f->why->hint};
}

static void tell(void *arg, const struct verify_finding *f)
{
    const struct output *o = arg;
    const struct shape_problem p = shape_of(f);
    AUTO(mem_freep) char *where = problem_where(&p);
    AUTO(mem_freep) char *text = str_show(f->why->text);

    if (o->list)
        json_array_append_new(o->list, shape_problem(&p));
    else
        fprintf(o->cli->out, "%s: %s\n", where, text);
}

/* A number of OMERO's, or a path that need not be there any more. */
static int choose(const struct cli *cli, struct verify_job *job, char **path, struct err *err)
{
    const char *arg = cli->n_args ? cli->args[0] : NULL;
    char *end;

    if (!arg)
        return 0;
    if (!str_starts(arg, DATASET)) {
        *path = realpath(arg, NULL);
        if (!*path)
            return err_set(err, REASON_ROOT_AWAY, errno, "'%s'", arg);
        job->path = *path;
        return 0;
    }
    errno = 0;
    job->dataset = strtoll(arg + strlen(DATASET), &end, 10);
    if (errno || *end || end == arg + strlen(DATASET) || job->dataset <= 0)
        return err_set(err, REASON_USAGE, 0, "'%s' is no dataset: write Dataset:42", arg);
    return 0;
}

static void report(const struct output *o, const struct verify_counts *n)
{
    if (o->list) {
        AUTO(js_freep) json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:O}", "filesets", (json_int_t)n->filesets, "files",
                                               (json_int_t)n->files, "images", (json_int_t)n->images, "unseen",
                                               (json_int_t)n->unseen, "problems", o->list);
        js_print(o->cli->out, all);
        return;
    }
    fprintf(o->cli->out, "%zu files and %zu images looked at, %zu problem%s\n", n->files, n->images, n->problems,
            n->problems == 1 ? "" : "s");
    if (n->unseen)
        fprintf(o->cli->out, "%zu files in OMERO's repository are not seen from this host (in_place.paths)\n", n->unseen);
}

static int verify(struct cli *cli, struct verify_job *job, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    AUTO(js_freep) json_t *list = cli->json ? json_array() : NULL;
    struct output out = {.cli = cli, .list = list};
    struct verify_counts counts;
    int r = ledger_open(cli->settings.state_dir, LEDGER_READ, &l, err);

    if (r < 0)
        return cli_fail(cli, NULL, err);
    job->ledger = l;
    job->arg = &out;
    if (r == LEDGER_NOTHING)
        counts = (struct verify_counts){0};
    else if (verify_run(job, &counts, err) < 0)
        return cli_fail(cli, NULL, err);
    report(&out, &counts);
    return counts.problems ? CLI_SOME : CLI_OK;
}

static int run(struct cli *cli)
{
    AUTO(mem_freep) char *path = NULL;
    struct verify_job job = {.settings = &cli->settings, .stop = &job_stop, .tell = tell};
    struct err err = ERR_INIT;

    job_catch_signals();
    job_quieten(cli);
    if (choose(cli, &job, &path, &err) < 0)
        return cli_fail(cli, NULL, &err);
    return verify(cli, &job, &err);
}

const struct command command_verify = {
    .name = "verify",
    .args = "[DIR | Dataset:ID]",
    .summary = "is what was imported still there, on the disk and in OMERO, and the same",
    .help = "Reads every imported file again and compares its checksum with what was imported and with what OMERO\n"
            "has; looks for its images, for the card's annotations on them and on their dataset, and, where OMERO's\n"
            "repository is seen from this host, whether links still lead to the same file.  Prints what differs and\n"
            "changes nothing.\n"
            "\n"
            "Examples:\n"
            "  impomero verify\n"
            "  impomero verify /data/microscope/day1\n"
            "  impomero verify --json Dataset:42 | jq .problems\n",
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};
