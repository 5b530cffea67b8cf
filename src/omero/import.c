/* The first step: which repository, which checksum, and the fileset with its upload job. */
#include "omero/import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/ceilings.h"
#include "omero/import_state.h"
#include "omero/note.h"
#include "omero/object.h"
#include "omero/path.h"
#include "omero/repository.h"
#include "omero/save.h"

/* --- the checksum algorithm --- */

static const struct om_checksum_algorithm *algorithm_object(struct arena *mem, const char *name)
{
    struct om_checksum_algorithm *a = om_object_new(mem, &om_checksum_algorithm_class);

    a->value = om_rstring(mem, name);
    return a;
}

/* The server's choice among ours, or among the one that is asked for. */
static int suggest_algorithm(struct om_import *imp, const char *wanted, struct err *err)
{
    const char *const one[] = {wanted, NULL};
    const char *chosen;

    if (om_repository_suggest(imp->client, wanted ? one : hash_algorithms, imp->mem, &chosen, err) < 0)
        return -1;
    for (size_t i = 0; hash_algorithms[i]; i++)
        if (strcmp(hash_algorithms[i], chosen) == 0)
            imp->algorithm = chosen;
    if (imp->algorithm)
        return 0;
    if (!wanted)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO wants a checksum that this program does not know");
    err_set(err, REASON_CONFIG, 0, "OMERO does not take the checksum %s", wanted);
    return err_hint(err, "name another one by checksum, or none: then OMERO chooses");
}

/* --- what is left out --- */

int om_skip_parse(const char *text, struct om_skip *out, struct err *err)
{
    static const struct {
        const char *word;
        struct om_skip what;
    } words[] = {
        {"checksum", {.checksum = true}}, {"minmax", {.minmax = true}}, {"thumbnails", {.thumbnails = true}},
        {"upgrade", {0}},                 {"all", {true, true, true}},
    };
    struct om_skip found = {0};

    for (size_t n; text && *text; text += n + (text[n] == ',')) {
        size_t i = 0;

        n = strcspn(text, ",");
        while (i < ARRAY_LEN(words) && (strncmp(words[i].word, text, n) != 0 || words[i].word[n]))
            i++;
        if (i == ARRAY_LEN(words)) {
            err_set(err, REASON_CONFIG, 0, "'%.*s' is nothing that an import can leave out", (int)n, text);
            return err_hint(err, "write checksum, minmax, thumbnails or all, with commas between");
        }
        found.checksum |= words[i].what.checksum;
        found.minmax |= words[i].what.minmax;
        found.thumbnails |= words[i].what.thumbnails;
    }
    *out = found;
    return 0;
}

/* --- the fileset --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two entries of one path are refused by a constraint of the database, after the directories were made. */
static int check_distinct(const char *const *paths, size_t n, struct arena *mem, struct err *err)
{
    const char **sorted = arena_alloc(mem, n, sizeof(*sorted));

    memcpy(sorted, paths, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            return err_set(err, REASON_CONFLICT, 0, "two files of one set have the same path for OMERO: %s", sorted[i]);
    return 0;
}

/* The server's router cuts the connection of a client that sends it more. */
static int check_size(const char *const *paths, size_t n, struct err *err)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += strlen(paths[i]) + OM_ENTRY_BYTES;
    if (bytes <= ICE_MESSAGE_MAX)
        return 0;
    err_set(err, REASON_TOO_LARGE, 0, "a set of %zu files with paths of %zu MiB: a server takes them in one message of %u MiB", n,
            bytes >> 20, ICE_MESSAGE_MAX >> 20);
    return err_hint(err, "give its directories shorter names, or lay it nearer to the root; nothing was sent");
}

static int clean_paths(const struct om_import_plan *plan, struct arena *mem, const char ***out, struct err *err)
{
    const char **paths = arena_alloc(mem, plan->n_files, sizeof(*paths));

    for (size_t i = 0; i < plan->n_files; i++) {
        AUTO(mem_freep) char *clean = NULL;
        if (om_path_clean(plan->files[i].client_path, &clean, err) < 0)
            return -1;
        paths[i] = arena_str(mem, clean);
    }
    if (check_distinct(paths, plan->n_files, mem, err) < 0 || check_size(paths, plan->n_files, err) < 0)
        return -1;
    *out = paths;
    return 0;
}

static void add_entries(struct arena *mem, struct om_fileset *fs, const char *const *paths, size_t n)
{
    const struct om_fileset_entry **list = arena_alloc(mem, n, sizeof(struct om_fileset_entry *));

    for (size_t i = 0; i < n; i++) {
        struct om_fileset_entry *entry = om_object_new(mem, &om_fileset_entry_class);
        entry->fileset = fs;
        entry->client_path = om_rstring(mem, paths[i]);
        list[i] = entry;
    }
    fs->used_files_seq = (struct om_fileset_used_files_seq){.n = n, .at = list};
}

/* What official clients say of themselves, and by what this import is found again. */
static struct om_api_named_value_list version_info(struct arena *mem, const struct om_import_plan *plan)
{
    struct utsname os;
    bool known = uname(&os) == 0;
    const struct om_pair all[] = {
        {"bioformats.reader", plan->reader},
        {"client.language.name", "C"},
        {"client.language.version", IMPOMERO_VERSION},
        {"os.name", known ? arena_str(mem, os.sysname) : NULL},
        {"os.version", known ? arena_str(mem, os.release) : NULL},
        {"os.architecture", known ? arena_str(mem, os.machine) : NULL},
        {OM_JOB_KEY, plan->token},
        {OM_PATH_KEY, plan->path_hash},
    };
    struct om_pair *said = arena_alloc(mem, ARRAY_LEN(all), sizeof(*said));
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].value && all[i].value[0])
            said[n++] = all[i];
    return om_named_values(mem, said, n);
}

static void add_job(struct arena *mem, struct om_fileset *fs, const struct om_import_plan *plan)
{
    struct om_upload_job *job = om_object_new(mem, &om_upload_job_class);
    struct om_fileset_job_link *link = om_object_new(mem, &om_fileset_job_link_class);
    const struct om_fileset_job_link **list = arena_alloc(mem, 1, sizeof(struct om_fileset_job_link *));

    job->version_info = version_info(mem, plan);
    link->parent = fs;
    link->child = (const struct om_job *)job;
    list[0] = link;
    fs->job_links_seq = (struct om_fileset_job_links_seq){.n = 1, .at = list};
}

/* What official clients write beside a fileset that was not uploaded (ome.formats.importer.transfers). */
const char *const om_transfer_classes[OM_N_TRANSFERS] = {
    [OM_LN_S] = "ome.formats.importer.transfers.SymlinkFileTransfer",
    [OM_LN] = "ome.formats.importer.transfers.HardlinkFileTransfer",
    [OM_CP] = "ome.formats.importer.transfers.CopyFileTransfer",
};
const char *const om_transfers[] = {[OM_UPLOAD] = "upload", [OM_LN_S] = "ln_s", [OM_LN] = "ln", [OM_CP] = "cp", NULL};

enum om_transfer om_transfer_named(const char *name)
{
    int i = 0;

    while (om_transfers[i + 1] && strcmp(om_transfers[i], name) != 0)
        i++;
    return (enum om_transfer)i;
}

static void add_transfer(struct arena *mem, struct om_fileset *fs, enum om_transfer how)
{
    const char *class_name = om_transfer_classes[how];

    if (!class_name)
        return;

    struct om_comment_annotation *note = om_object_new(mem, &om_comment_annotation_class);
    struct om_fileset_annotation_link *link = om_object_new(mem, &om_fileset_annotation_link_class);
    const struct om_fileset_annotation_link **list = arena_alloc(mem, 1, sizeof(struct om_fileset_annotation_link *));

    note->ns = om_rstring(mem, OM_TRANSFER_NS);
    note->text_value = om_rstring(mem, class_name);
    link->parent = fs;
    link->child = (const struct om_annotation *)note;
    list[0] = link;
    fs->annotation_links_seq = (struct om_fileset_annotation_links_seq){.n = 1, .at = list};
}

static const struct om_iobject *target_of(struct arena *mem, const struct om_import_plan *plan)
{
    if (plan->dataset)
        return om_object_ref(mem, &om_dataset_class, plan->dataset);
    return plan->screen ? om_object_ref(mem, &om_screen_class, plan->screen) : NULL;
}

static const struct om_grid_import_settings *settings_of(struct om_import *imp, struct arena *mem,
                                                         const struct om_import_plan *plan)
{
    struct om_grid_import_settings *s = om_object_new(mem, &om_grid_import_settings_class);
    const struct om_annotation **notes = arena_alloc(mem, plan->n_annotations, sizeof(struct om_annotation *));

    for (size_t i = 0; i < plan->n_annotations; i++)
        notes[i] = om_note_object(mem, &plan->annotations[i]);
    s->user_specified_target = target_of(mem, plan);
    s->user_specified_name = om_rstring(mem, plan->name);
    s->user_specified_annotation_list = (struct om_api_annotation_list){.n = plan->n_annotations, .at = notes};
    s->checksum_algorithm = algorithm_object(mem, imp->algorithm);
    if (plan->no_thumbnails)
        s->do_thumbnails = om_rbool(mem, false);
    if (plan->no_minmax)
        s->no_stats_info = om_rbool(mem, true);
    return s;
}

static int import_fileset(struct om_import *imp, const struct om_import_plan *plan, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_fileset *fs = om_object_new(mem, &om_fileset_class);
    struct om_client *c = imp->client;
    const char **paths;
    const struct ice_proxy *process;

    if (clean_paths(plan, mem, &paths, err) < 0)
        return -1;
    add_entries(mem, fs, paths, plan->n_files);
    add_job(mem, fs, plan);
    add_transfer(mem, fs, plan->transfer);
    if (om_grid_managed_repository_import_fileset(&c->caller, c->repository, fs, settings_of(imp, mem, plan), mem, &process,
                                                  err) < 0)
        return -1;
    if (!process)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO began an import without a process");
    imp->process = ice_proxy_copy(imp->mem, process);
    return 0;
}

static struct om_import *import_new(struct om_client *c, size_t n_files)
{
    struct om_import *imp = mem_new(1, sizeof(*imp));

    imp->client = c;
    imp->mem = arena_new();
    imp->n_files = n_files;
    imp->hashes = arena_alloc(imp->mem, n_files, sizeof(*imp->hashes));
    imp->touched = arena_alloc(imp->mem, n_files, sizeof(*imp->touched));
    imp->fileset = -1;
    return imp;
}

int om_import_start(struct om_client *c, const struct om_import_plan *plan, struct om_import **out, struct err *err)
{
    if (plan->n_files == 0 || plan->n_files > OM_FILESET_FILES_MAX)
        return err_set(err, REASON_TOO_LARGE, 0, "a set of %zu files (at most %u)", plan->n_files, OM_FILESET_FILES_MAX);

    AUTO(om_import_endp) struct om_import *imp = import_new(c, plan->n_files);

    imp->token = arena_str(imp->mem, plan->token);
    if (suggest_algorithm(imp, plan->algorithm, err) < 0 || import_fileset(imp, plan, err) < 0)
        return err_prefix(err, "begin the import: ");
    *out = STEAL(imp);
    return 0;
}

const char *om_import_algorithm(const struct om_import *imp)
{
    return imp->algorithm;
}

const char *om_import_hash(const struct om_import *imp, size_t i)
{
    return i < imp->n_files && imp->hashes[i][0] ? imp->hashes[i] : NULL;
}
