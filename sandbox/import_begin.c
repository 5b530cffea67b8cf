/* The first step of an import: rows, directories and the log for a fileset that is to come. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/uuid.h"
#include "sandbox/command.h"
#include "sandbox/import.h"
#include "sandbox/objects.h"
#include "sandbox/rows.h"

enum { INDEX_ROW_MAX = 2704 };

struct import *import_ref(struct import *imp)
{
    imp->refs++;
    return imp;
}

void import_unref(struct import *imp)
{
    if (--imp->refs > 0)
        return;
    for (size_t i = 0; i < imp->n; i++)
        free(imp->files[i].path);
    free(imp->files);
    free(imp->log_path);
    arena_free(imp->mem);
    free(imp);
}

static void unref_p(struct import **imp)
{
    if (*imp)
        import_unref(*imp);
}

/* --- is it a fileset that can be imported? --- */

static bool knows_algorithm(const char *name)
{
    for (size_t i = 0; hash_algorithms[i]; i++)
        if (strcmp(hash_algorithms[i], name) == 0)
            return true;
    return false;
}

static int check_settings(struct call *c, const struct om_grid_import_settings *s)
{
    const struct om_checksum_algorithm *a = s ? s->checksum_algorithm : NULL;

    if (!a || !a->value)
        return call_throw(c, &om_api_usage_exception_class, "must specify checksum algorithm");
    if (!knows_algorithm(a->value->val))
        return call_throw(c, &om_validation_exception_class, "unknown checksum algorithm: %s", a->value->val);
    return 0;
}

static int check_job(struct call *c, const struct om_fileset *fs)
{
    const struct om_fileset_job_link *link = fs->job_links_seq.n == 1 ? fs->job_links_seq.at[0] : NULL;

    if (!link || !link->child || link->child->cls != &om_upload_job_class)
        return call_throw(c, &om_validation_exception_class, "Found more than one job link. Link only updateJob on creation!");

    const struct om_upload_job *job = (const void *)link->child;

    for (size_t i = 0; i < job->version_info.n; i++) {
        const struct om_named_value *v = job->version_info.at[i];
        size_t bytes = v && v->value ? strlen(v->value) + (v->name ? strlen(v->name) : 0) : 0;
        if (bytes > INDEX_ROW_MAX)
            return call_throw(c, &om_internal_exception_class, "ERROR: index row size %zu exceeds btree maximum, %d", bytes,
                              INDEX_ROW_MAX);
    }
    return 0;
}

static int check_entries(struct call *c, const struct om_fileset *fs)
{
    if (fs->used_files_seq.n == 0)
        return call_throw(c, &om_api_usage_exception_class, "No paths provided");
    if (fs->used_files_seq.n > OM_FILESET_FILES_MAX)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox takes at most %u files at once", OM_FILESET_FILES_MAX);
    for (size_t i = 0; i < fs->used_files_seq.n; i++)
        if (!fs->used_files_seq.at[i] || !fs->used_files_seq.at[i]->client_path)
            return call_throw(c, &om_validation_exception_class,
                              "not-null property references a null or transient value: ome.model.fs.FilesetEntry.clientPath");
    return 0;
}

static int check_group(struct call *c)
{
    if (c->group == GROUP_ALL)
        return call_throw(c, &om_api_usage_exception_class, "No valid permissions available! DUMMY permissions");
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_distinct(struct call *c, const char *const *names, size_t n)
{
    const char **sorted = arena_alloc(c->mem, n, sizeof(*sorted));

    memcpy(sorted, names, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            return call_throw(
                c, &om_validation_exception_class,
                "could not insert: [ome.model.core.OriginalFile]; ERROR: duplicate key value violates unique constraint "
                "\"originalfile_repo_path_index\": %s",
                sorted[i]);
    return 0;
}

/* --- its place --- */

static char *place_at(struct arena *mem, const char *user, int64_t id, int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    struct tm t;
    char day[32], hour[32];

    localtime_r(&s, &t);
    strftime(day, sizeof(day), "%Y-%m/%d", &t);
    strftime(hour, sizeof(hour), "%H-%M-%S", &t);
    return arena_printf(mem, "%s_%lld/%s/%s.%03d", user, (long long)id, day, hour, (int)(ms % 1000));
}

static int make_parents(struct call *c, const char *path)
{
    AUTO(mem_freep) char *dir = mem_strn(path, (size_t)(strrchr(path, '/') - path));
    struct err err = ERR_INIT;

    if (io_make_dirs(dir, &err) < 0)
        return call_throw(c, &om_resource_error_class, "Failed to create directory: %s", err.text);
    return 0;
}

/* A directory that nobody has, named by the time; its path in the repository without a slash at the end. */
static int make_place(struct call *c, const char **out)
{
    const char *user =
        store_text(c->server->store, c->mem, "select omeName from Experimenter where id = ?", "i", c->session->user);

    for (int64_t ms = clock_wall_ms();; ms++) {
        const char *place = place_at(c->mem, user, c->session->user, ms);
        AUTO(mem_freep) char *path = mem_printf("%s/%s", c->server->repository, place);
        if (make_parents(c, path) < 0)
            return -1;
        *out = place;
        if (mkdir(path, 0755) == 0)
            return 0;
        if (errno != EEXIST)
            return call_throw(c, &om_resource_error_class, "Failed to create directory %s: %s", path, strerror(errno));
    }
}

/* --- its rows --- */

/* A path in the repository as OMERO keeps it: the directory with a slash at its end, and the name. */
static int64_t add_file(struct rows *m, struct call *c, const char *path, const char *hasher, const char *mimetype)
{
    const char *slash = strrchr(path, '/');
    AUTO(mem_freep) char *dir = slash ? mem_strn(path, (size_t)(slash - path) + 1) : mem_str("");
    int64_t id = row_new(m, "OriginalFile");

    (void)store_run(m->c->server->store,
                    "update OriginalFile set path = ?, name = ?, repo = ?, hasher = ?, mimetype = ? where id = ?", "sssssi", dir,
                    slash ? slash + 1 : path, c->server->repo_uuid, hasher, mimetype, id);
    return id;
}

static void add_jobs(struct rows *m, struct import *imp, const struct om_upload_job *job, bool thumbnails)
{
    static const char *const kinds[] = {"UploadJob", "MetadataImportJob", "PixelDataJob", "IndexingJob",
                                        "ThumbnailGenerationJob"};

    for (size_t i = 0; i < ARRAY_LEN(kinds) - !thumbnails; i++) {
        int64_t id = row_new(m, kinds[i]);
        int64_t link = row_link(m, "FilesetJobLink", imp->fileset, id);
        (void)store_run(m->c->server->store, "update Job set status = 'Submitted', submitted = ?, message = '' where id = ?",
                        "ii", clock_wall_ms(), id);
        if (i > 0)
            continue;
        imp->upload_job = id;
        imp->job_link = link;
        row_pairs(m, "Job.versionInfo", id, &job->version_info);
    }
}

static void add_entries(struct rows *m, struct call *c, struct import *imp, const struct om_fileset *fs)
{
    const char *hasher = imp->settings->checksum_algorithm->value->val;

    for (size_t i = 0; i < imp->n; i++) {
        const char *path = arena_printf(c->mem, "%s%s", imp->prefix, imp->names[i]);
        int64_t entry = row_new(m, "FilesetEntry");
        imp->files[i].file = add_file(m, c, path, hasher, NULL);
        imp->files[i].path = mem_printf("%s/%s", c->server->repository, path);
        (void)store_run(m->c->server->store, "update FilesetEntry set fileset = ?, originalFile = ?, clientPath = ? where id = ?",
                        "iisi", imp->fileset, imp->files[i].file, fs->used_files_seq.at[i]->client_path->val, entry);
    }
}

static int make_log(struct call *c, struct import *imp, struct rows *m, const char *place)
{
    const char *path = arena_printf(c->mem, "%s.log", place);

    imp->log_path = mem_printf("%s/%s", c->server->repository, path);
    imp->log = add_file(m, c, path, NULL, "application/omero-log-file");
    (void)row_link(m, "JobOriginalFileLink", imp->upload_job, imp->log);

    AUTO(io_closep) int fd = open(imp->log_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0)
        return call_throw(c, &om_resource_error_class, "Failed to create %s: %s", imp->log_path, strerror(errno));
    return 0;
}

/* What a client says in place of an upload: how the files came there. */
static int add_notes(struct rows *m, int64_t fileset, const struct om_fileset *fs)
{
    for (size_t i = 0; i < fs->annotation_links_seq.n; i++) {
        const struct om_fileset_annotation_link *link = fs->annotation_links_seq.at[i];
        int64_t id = link && link->child ? row_note(m, link->child) : -1;
        if (id < 0)
            return link && link->child ? -1 : call_throw(m->c, &om_validation_exception_class, "a link without an annotation");
        (void)row_link(m, "FilesetAnnotationLink", fileset, id);
    }
    return 0;
}

static int add_rows(struct call *c, struct import *imp, const struct om_fileset *fs, const char *place)
{
    struct rows m = {.c = c};
    const struct om_rbool *thumbnails = imp->settings->do_thumbnails;

    imp->prefix = arena_printf(imp->mem, "%s/", place);
    imp->fileset = row_new(&m, "Fileset");
    (void)store_run(c->server->store, "update Fileset set templatePrefix = ? where id = ?", "si", imp->prefix, imp->fileset);
    add_jobs(&m, imp, (const void *)fs->job_links_seq.at[0]->child, !thumbnails || thumbnails->val);
    add_entries(&m, c, imp, fs);
    if (add_notes(&m, imp->fileset, fs) < 0 || make_log(c, imp, &m, place) < 0)
        return -1;
    for (size_t i = 0; i < imp->n; i++)
        if (make_parents(c, imp->files[i].path) < 0)
            return -1;
    return 0;
}

/* --- the process --- */

static const char *reader_of(const struct om_fileset *fs)
{
    const struct om_upload_job *job = (const void *)fs->job_links_seq.at[0]->child;

    for (size_t i = 0; i < job->version_info.n; i++) {
        const struct om_named_value *v = job->version_info.at[i];
        if (v && v->name && v->value && strcmp(v->name, "bioformats.reader") == 0)
            return v->value;
    }
    return NULL;
}

/* What is needed after the call, without the fileset. */
static int keep_settings(struct call *c, struct import *imp)
{
    const struct ice_op *op = &om_grid_managed_repository_import_fileset_op;
    struct om_grid_managed_repository_import_fileset_in only =
        *(const struct om_grid_managed_repository_import_fileset_in *)c->in;
    struct om_grid_managed_repository_import_fileset_in copy = {0};

    only.fs = NULL;
    copy_values(imp->mem, op->in, op->n_in, &only, &copy);
    if (!copy.settings)
        return call_unknown(c, "the settings cannot be kept");
    imp->settings = copy.settings;
    return 0;
}

static struct import *import_new(struct call *c, const char *const *names, size_t n)
{
    struct import *imp = mem_new(1, sizeof(*imp));
    const char **own;

    *imp = (struct import){.refs = 1, .mem = arena_new(), .group = c->group, .n = n};
    imp->files = mem_new(n, sizeof(*imp->files));
    own = arena_alloc(imp->mem, n, sizeof(*own));
    for (size_t i = 0; i < n; i++)
        own[i] = arena_str(imp->mem, names[i]);
    imp->names = own;
    return imp;
}

static const struct ice_proxy *give_process(struct call *c, struct import *imp)
{
    char uuid[UUID_TEXT];

    uuid_new(uuid);

    AUTO(mem_freep) char *name = mem_printf("%s-ManagedImportProcessI", uuid);
    struct servant *v = servant_add(c->server, c->session, &process_kind, name, c->session->uuid, imp);

    return call_proxy(c, v);
}

int import_fileset(struct call *c)
{
    const struct om_grid_managed_repository_import_fileset_in *in = c->in;
    const struct om_fileset *fs = in->fs;
    const char *place;

    if (!fs)
        return call_throw(c, &om_api_usage_exception_class, "No fileset provided");
    if (check_settings(c, in->settings) < 0 || check_group(c) < 0 || check_entries(c, fs) < 0 || check_job(c, fs) < 0)
        return -1;

    size_t n = fs->used_files_seq.n;
    const char **paths = arena_alloc(c->mem, n, sizeof(*paths)), **names = arena_alloc(c->mem, n, sizeof(*names));
    int32_t omitted;

    for (size_t i = 0; i < n; i++)
        paths[i] = fs->used_files_seq.at[i]->client_path->val;
    if (import_paths(c, paths, n, reader_of(fs), names, &omitted) < 0 || check_distinct(c, names, n) < 0)
        return -1;

    AUTO(unref_p) struct import *imp = import_new(c, names, n);

    imp->omitted = omitted;
    if (keep_settings(c, imp) < 0 || make_place(c, &place) < 0 || add_rows(c, imp, fs, place) < 0)
        return -1;
    ((struct om_grid_managed_repository_import_fileset_out *)c->out)->ret = give_process(c, STEAL(imp));
    return 0;
}
