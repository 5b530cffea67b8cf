/* impomero where: from a path to OMERO and back, by the ledger alone. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shape/shape.h"

/* What was asked for, and all that is known of it. */
struct answer {
    struct ledger *l;
    struct arena *a;
    const char *path; /* absolute; NULL: a number in OMERO */
    struct ledger_filter filter;
    const struct ledger_fileset *filesets;
    size_t n_filesets;
    const struct ledger_dataset **datasets;
    size_t n_datasets;
    const struct ledger_card *cards;
    size_t n_cards;
};

/* ---- the question ---- */

static int64_t *place_of(struct ledger_filter *f, const char *word)
{
    static const struct {
        const char *prefix;
        size_t offset;
    } kinds[] = {
        {"Image:", offsetof(struct ledger_filter, image)},
        {"Fileset:", offsetof(struct ledger_filter, omero_fileset)},
        {"Dataset:", offsetof(struct ledger_filter, omero_dataset)},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(word, kinds[i].prefix))
            return (int64_t *)(void *)((char *)f + kinds[i].offset);
    return NULL;
}

static int read_number(const char *word, int64_t *out, struct err *err)
{
    char *end = NULL;

    errno = 0;
    *out = strtoll(strchr(word, ':') + 1, &end, 10);
    if (errno == 0 && *end == '\0' && *out > 0)
        return 0;
    return err_set(err, REASON_USAGE, 0, "'%s': a number is to follow the colon", word);
}

/* Clean and absolute; what is gone from the disk may still be in the ledger. */
static const char *full_path(const char *word, struct arena *a)
{
    AUTO(mem_freep) char *there = realpath(word, NULL);
    AUTO(mem_freep) char *here = there ? NULL : realpath(".", NULL);

    if (there)
        return arena_str(a, there);
    return *word == '/' || !here ? arena_str(a, word) : arena_printf(a, "%s/%s", here, word);
}

static int understand(const char *word, struct answer *q, struct err *err)
{
    int64_t *number = place_of(&q->filter, word);

    q->filter.members = true;
    if (number)
        return read_number(word, number, err);
    q->path = q->filter.path = full_path(word, q->a);
    return 0;
}

/* ---- the answer ---- */

static bool has_dataset(const struct answer *q, int64_t id)
{
    for (size_t i = 0; i < q->n_filesets; i++)
        if (q->filesets[i].dataset == id)
            return true;
    return false;
}

static const char *dir_of(const struct answer *q, const struct ledger_dataset *d)
{
    return arena_printf(q->a, "%s%s%s", d->root_path, *d->dir ? "/" : "", d->dir);
}

/* Datasets of the filesets found, and those of the directory itself or below it. */
static bool is_meant(const struct answer *q, const struct ledger_dataset *d)
{
    return has_dataset(q, d->id) || (q->path && str_below(dir_of(q, d), q->path)) ||
           (q->filter.omero_dataset && d->omero_id == q->filter.omero_dataset && d->kind == LEDGER_KIND_DATASET);
}

static int find(struct answer *q, struct err *err)
{
    const struct ledger_dataset *all;
    size_t n = 0;

    if (ledger_list(q->l, &q->filter, q->a, &q->filesets, &q->n_filesets, err) < 0 ||
        ledger_datasets(q->l, false, q->a, &all, &n, err) < 0 ||
        ledger_cards(q->l, &(struct ledger_card_filter){.all = true}, q->a, &q->cards, &q->n_cards, err) < 0)
        return -1;
    q->datasets = arena_alloc(q->a, n + 1, sizeof(const struct ledger_dataset *));
    for (size_t i = 0; i < n; i++)
        if (is_meant(q, &all[i]))
            q->datasets[q->n_datasets++] = &all[i];
    return 0;
}

/* The card file of a dataset's directory, or NULL. */
static const char *card_of(const struct answer *q, const struct ledger_dataset *d)
{
    for (size_t i = 0; i < q->n_cards; i++) {
        const char *slash = strrchr(q->cards[i].path, '/');
        size_t n = slash ? (size_t)(slash - q->cards[i].path) : 0;

        if (strcmp(q->cards[i].root, d->root_path) == 0 && strlen(d->dir) == n && strncmp(q->cards[i].path, d->dir, n) == 0)
            return q->cards[i].path;
    }
    return NULL;
}

static const struct ledger_dataset *dataset_of(const struct answer *q, const struct ledger_fileset *f)
{
    for (size_t i = 0; i < q->n_datasets; i++)
        if (q->datasets[i]->id == f->dataset)
            return q->datasets[i];
    return NULL;
}

/* ---- for programs ---- */

static int add_fileset(const struct answer *q, json_t *list, const struct ledger_fileset *f, struct err *err)
{
    const struct ledger_dataset *d = dataset_of(q, f);
    const struct ledger_image *images;
    size_t n = 0;

    if (ledger_fileset_images(q->l, f->id, 0, q->a, &images, &n, err) < 0)
        return -1;
    json_array_append_new(list, shape_fileset_whole(f, d, images, n));
    return 0;
}

static int print_json(struct cli *cli, const struct answer *q, struct err *err)
{
    AUTO(js_freep) json_t *o = json_object();
    json_t *filesets = json_array(), *datasets = json_array();

    json_object_set_new(o, "ledger", q->l ? json_string(ledger_uuid(q->l)) : json_null());
    json_object_set_new(o, "datasets", datasets);
    json_object_set_new(o, "filesets", filesets);
    for (size_t i = 0; i < q->n_datasets; i++)
        json_array_append_new(datasets, shape_dataset(q->datasets[i], card_of(q, q->datasets[i])));
    for (size_t i = 0; i < q->n_filesets; i++)
        if (add_fileset(q, filesets, &q->filesets[i], err) < 0)
            return -1;
    js_print(cli->out, o);
    return 0;
}

/* ---- for people ---- */

static void say_dataset(struct cli *cli, const struct answer *q, const struct ledger_dataset *d)
{
    AUTO(mem_freep) char *dir = str_show(dir_of(q, d));
    AUTO(mem_freep) char *name = str_show(d->name);
    AUTO(mem_freep) char *project = str_show(d->made_project ? d->made_project : d->project);
    AUTO(mem_freep) char *user = str_show(d->made_user ? d->made_user : d->user);
    AUTO(mem_freep) char *group = str_show(d->made_group ? d->made_group : "");

    fprintf(cli->out, "%s\n  %s", dir, d->kind == LEDGER_KIND_SCREEN ? "Screen" : "Dataset");
    if (d->omero_id)
        fprintf(cli->out, ":%lld", (long long)d->omero_id);
    fprintf(cli->out, " '%s'%s, project '%s', user %s%s%s%s\n  identity %s\n", name, d->omero_id ? "" : " (not made yet)",
            project, user, *group ? " (" : "", group, *group ? ")" : "", d->uuid);
}

static void say_image(struct cli *cli, const struct ledger_image *i)
{
    AUTO(mem_freep) char *name = str_show(i->name);

    fprintf(cli->out, "    %s:%lld %s%s\n", i->plate ? "Plate" : "Image", (long long)i->omero_id, name,
            i->deleted_ms ? " (deleted in OMERO)" : "");
}

static int say_fileset(struct cli *cli, const struct answer *q, const struct ledger_fileset *f, struct err *err)
{
    AUTO(mem_freep) char *root = str_show(f->root_path);
    AUTO(mem_freep) char *path = str_show(f->path);
    const struct ledger_dataset *d = dataset_of(q, f);
    const struct ledger_image *images;
    size_t n = 0;

    if (ledger_fileset_images(q->l, f->id, 0, q->a, &images, &n, err) < 0)
        return -1;
    fprintf(cli->out, "  %s/%s: %s", root, path, ledger_state_name(f->state));
    if (f->omero_id)
        fprintf(cli->out, ", Fileset:%lld", (long long)f->omero_id);
    if (d && d->omero_id)
        fprintf(cli->out, ", %s:%lld", d->kind == LEDGER_KIND_SCREEN ? "Screen" : "Dataset", (long long)d->omero_id);
    fprintf(cli->out, "%s%s\n", f->gone_ms ? ", not on the disk any more" : "",
            f->why == REASON_CHANGED ? ", changed on the disk since" : "");
    for (size_t i = 1; i < f->n_members; i++) {
        AUTO(mem_freep) char *member = str_show(f->members[i].path);

        fprintf(cli->out, "    with %s/%s\n", root, member);
    }
    for (size_t i = 0; i < n; i++)
        say_image(cli, &images[i]);
    return 0;
}

static int say(struct cli *cli, const struct answer *q, struct err *err)
{
    for (size_t i = 0; i < q->n_datasets; i++)
        say_dataset(cli, q, q->datasets[i]);
    for (size_t i = 0; i < q->n_filesets; i++)
        if (say_fileset(cli, q, &q->filesets[i], err) < 0)
            return -1;
    if (q->n_datasets + q->n_filesets == 0)
        cli_say(cli, "nothing is known of it");
    return 0;
}

/* ---- the command ---- */

static int run(struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    AUTO(ledger_closep) struct ledger *l = NULL;
    struct err err = ERR_INIT;
    struct answer q = {.a = a};
    int r = understand(cli->args[0], &q, &err);

    if (r == 0)
        r = ledger_open(cli->settings.state_dir, LEDGER_READ, &l, &err);
    q.l = l;
    if (r == 0)
        r = find(&q, &err);
    if (r >= 0)
        r = cli->json ? print_json(cli, &q, &err) : say(cli, &q, &err);
    if (r < 0)
        return cli_fail(cli, NULL, &err);
    return q.n_datasets + q.n_filesets > 0 ? CLI_OK : CLI_SOME;
}

const struct command command_where = {
    .name = "where",
    .args = "PATH|Image:ID|Dataset:ID|Fileset:ID",
    .summary = "say what in OMERO a path became, or from which path something in OMERO came",
    .help = "Reads the ledger alone.  Of a directory with a card it says the dataset, of a file its fileset and\n"
            "images, of a number in OMERO the files on the disk: datasets of one name are told apart by the\n"
            "directories they come from.  What was moved on the disk is said where it lies now.  Exit status 1:\n"
            "nothing is known of it.\n"
            "\n"
            "Examples:\n"
            "  impomero where /data/microscope/day1/embryo.czi\n"
            "  impomero where Image:1234\n"
            "  impomero where --json Dataset:56 | jq -r '.filesets[].path'\n",
    .min_args = 1,
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};
