/* impomero adopt and impomero ledger rebuild: what is in OMERO already is taken into the ledger. */
#include <stdlib.h>

#include "base/str.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "engine/adopt.h"
#include "shape/shape.h"

struct output {
    struct progress trust; /* first: for progress_ask */
    struct cli *cli;
    enum adopt_mode mode;
    json_t *taken, *datasets, *problems; /* NULL: lines */
};

static json_t *number(int64_t n)
{
    return n ? json_integer(n) : json_null();
}

static void add(const struct output *o, const struct adopt_finding *f)
{
    json_t *list = f->what == ADOPT_DATASET ? o->datasets : o->taken, *one;

    if (f->what == ADOPT_UNCLEAR) {
        json_array_append_new(o->problems, shape_problem(&(struct shape_problem){.root = f->root, .path = f->path,
                                                                                  .why = f->why->why, .cls = f->why->cls,
                                                                                  .text = f->why->text, .hint = f->why->hint}));
        return;
    }
    one = json_object();
    js_add_path(one, "root", f->root);
    js_add_path(one, "path", *f->path ? f->path : ".");
    json_object_set_new(one, "fileset_id", number(f->fileset));
    json_object_set_new(one, "dataset_id", number(f->dataset));
    json_array_append_new(list, one);
}

static void say(const struct output *o, const struct adopt_finding *f)
{
    AUTO(mem_freep) char *root = str_show(f->root);
    AUTO(mem_freep) char *path = str_show(f->path);
    AUTO(mem_freep) char *where = mem_printf("%s%s%s", root, *path ? "/" : "", path);
    const char *verb = o->mode == ADOPT_DRY ? "would be taken" : "taken";

    if (f->what == ADOPT_UNCLEAR)
        cli_fail(o->cli, where, f->why);
    else if (f->what == ADOPT_DATASET)
        fprintf(o->cli->out, "%s: %s with Dataset:%lld\n", where, verb, (long long)f->dataset);
    else
        fprintf(o->cli->out, "%s: %s as Fileset:%lld\n", where, verb, (long long)f->fileset);
}

static void tell(void *arg, const struct adopt_finding *f)
{
    const struct output *o = arg;

    if (o->taken)
        add(o, f);
    else
        say(o, f);
}

static void report(const struct output *o, const struct adopt_counts *n)
{
    if (!o->taken) {
        fprintf(o->cli->out, "%zu of %zu filesets and %zu datasets %s, %zu unclear", n->taken, n->looked, n->datasets,
                o->mode == ADOPT_DRY ? "would be taken" : "taken", n->unclear);
        fprintf(o->cli->out, n->doubted ? ", %zu held until a person decides\n" : "\n", n->doubted);
        return;
    }
    AUTO(js_freep) json_t *all = json_pack("{s:I, s:O, s:O, s:O, s:I}", "looked", (json_int_t)n->looked, "taken", o->taken,
                                           "datasets", o->datasets, "problems", o->problems, "held", (json_int_t)n->doubted);
    js_print(o->cli->out, all);
}

static int adopt(struct cli *cli, struct output *o, char *const *dirs)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    struct err err = ERR_INIT;
    struct adopt_counts sum = {0};
    int r = ledger_open(cli->settings.state_dir, LEDGER_ENGINE, &l, &err);

    for (int i = 0; r == 0 && i < cli->n_args; i++) {
        const struct adopt_job job = {.settings = &cli->settings, .ledger = l, .dir = dirs[i], .mode = o->mode, .stop = &job_stop,
                                      .lost = o->mode == ADOPT_REBUILD ? cli_value(cli, "ledger") : NULL, .tell = tell,
                                      .ask = progress_ask, .arg = o};
        struct adopt_counts n;

        r = adopt_run(&job, &n, &err);
        sum.looked += n.looked;
        sum.taken += n.taken;
        sum.datasets += n.datasets;
        sum.unclear += n.unclear;
        sum.doubted += n.doubted;
    }
    if (r < 0)
        return cli_fail(cli, NULL, &err);
    report(o, &sum);
    return sum.unclear + sum.doubted > 0 ? CLI_SOME : CLI_OK;
}

static int run_as(struct cli *cli, enum adopt_mode mode)
{
    struct output o = {.trust = {.cli = cli}, .cli = cli, .mode = mode, .taken = cli->json ? json_array() : NULL,
                       .datasets = cli->json ? json_array() : NULL, .problems = cli->json ? json_array() : NULL};
    struct err err = ERR_INIT;
    char **dirs = NULL;
    int status;

    job_quieten(cli);
    job_catch_signals();
    status = job_find_dirs(cli, &dirs, &err) < 0 ? cli_fail(cli, NULL, &err) : adopt(cli, &o, dirs);
    job_free_dirs(cli, dirs);
    json_decref(o.taken);
    json_decref(o.datasets);
    json_decref(o.problems);
    return status;
}

static int run_adopt(struct cli *cli)
{
    return run_as(cli, cli_flag(cli, "dry-run") ? ADOPT_DRY : ADOPT_REALLY);
}

static int run_rebuild(struct cli *cli)
{
    return run_as(cli, ADOPT_REBUILD);
}

static const struct cli_option adopt_options[] = {{"dry-run", NULL, "say what would be taken, and change nothing"}, {NULL}};

const struct command command_adopt = {
    .name = "adopt",
    .args = "DIR...",
    .summary = "take what other programs have imported of a directory as imported",
    .help = "Looks in OMERO for filesets of the cards' users whose files lay at the same paths, compares sizes\n"
            "and checksums (files are read), and takes those that are the same into the ledger: they are not\n"
            "imported again, and get the cards' annotations at the next import.  Where all files of a card's\n"
            "directory lie in one dataset of the user, later files go there too.  Of several filesets of the\n"
            "same files none is taken.  A dataset that another impomero has made and that this ledger knows is\n"
            "taken over.  Nothing is imported or removed.  Exit status 1: something was unclear.\n"
            "\n"
            "Examples:\n"
            "  impomero adopt --dry-run /data/microscope\n"
            "  impomero import --adopt /data/microscope\n",
    .options = adopt_options,
    .min_args = 1,
    .max_args = -1,
    .settings = true,
    .json = true,
    .run = run_adopt,
};

static const struct cli_option rebuild_options[] = {
    {"ledger", "UUID", "which ledger was lost, where OMERO knows several"}, {NULL},
};

const struct command command_ledger_rebuild = {
    .name = "ledger rebuild",
    .args = "DIR...",
    .summary = "restore a lost ledger from what OMERO knows",
    .help = "For a state directory whose ledger is gone (put a backup back instead, if there is one).  Datasets\n"
            "whose provenance names the lost ledger become those of the cards' directories again, where dataset,\n"
            "annotation and link have one owner and no other dataset carries the same identity.  Files are\n"
            "matched with the users' filesets by path and size.  A file below such a dataset that OMERO does not\n"
            "have is held: it may have been deleted there, and a person decides (impomero retry imports it).\n"
            "Annotations stay as OMERO has them: the cards as they are now count as what was applied, so that\n"
            "nothing that people changed or removed there is undone; later changes of a card are followed.\n"
            "Exit status 1: something is held or unclear.\n"
            "\n"
            "Example:\n"
            "  impomero ledger rebuild /data/microscope\n",
    .options = rebuild_options,
    .min_args = 1,
    .max_args = -1,
    .settings = true,
    .json = true,
    .run = run_rebuild,
};
