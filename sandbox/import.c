/* The managed repository: what begins an import. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/uuid.h"
#include "sandbox/process.h"
#include "sandbox/save.h"

#define LOG_TYPE "application/omero-log-file"

/* --- what is asked for --- */

static bool is_algorithm(const char *name)
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
    if (!is_algorithm(a->value->val))
        return call_throw(c, &om_validation_exception_class, "unknown checksum algorithm: %s", a->value->val);
    return 0;
}

static const struct om_upload_job *upload_job(const struct om_fileset *fs)
{
    const struct om_fileset_job_link *link = fs->job_links_seq.n == 1 ? fs->job_links_seq.at[0] : NULL;

    return link && link->child && link->child->cls == &om_upload_job_class ? (const struct om_upload_job *)link->child : NULL;
}

static int check_fileset(struct call *c, const struct om_fileset *fs)
{
    if (!fs || fs->used_files_seq.n == 0)
        return call_throw(c, &om_api_usage_exception_class, "No paths provided");
    if (!upload_job(fs))
        return call_throw(c, &om_validation_exception_class, "Found more than one job link. Link only updateJob on creation!");
    for (size_t i = 0; i < fs->used_files_seq.n; i++)
        if (!fs->used_files_seq.at[i] || !fs->used_files_seq.at[i]->client_path)
            return call_throw(c, &om_api_usage_exception_class, "An entry has no client path");
    return 0;
}

static bool has_reader(const struct om_upload_job *job)
{
    for (size_t i = 0; i < job->version_info.n; i++)
        if (job->version_info.at[i] && strcmp(job->version_info.at[i]->name, "bioformats.reader") == 0)
            return true;
    return false;
}

/* --- completing the graph --- */

static struct om_original_file *new_file(struct call *c, const char *dir, const char *name, const char *algorithm, const char *type)
{
    struct om_original_file *f = object_new(c->mem, &om_original_file_class);

    f->path = r_string(c->mem, arena_printf(c->mem, "%s/", dir));
    f->name = r_string(c->mem, name);
    f->repo = r_string(c->mem, c->server->repo_uuid);
    f->hasher = (const struct om_checksum_algorithm *)enum_object(c->mem, &om_checksum_algorithm_class, algorithm);
    f->mimetype = r_string(c->mem, type);
    return f;
}

/* "dir/sub/name" -> "dir/sub" and "name" */
static struct om_original_file *file_below(struct call *c, const char *prefix, const char *below, const char *algorithm)
{
    const char *slash = strrchr(below, '/');
    const char *dir = slash ? arena_printf(c->mem, "%s/%.*s", prefix, (int)(slash - below), below) : prefix;

    return new_file(c, dir, slash ? slash + 1 : below, algorithm, NULL);
}

static int add_files(struct call *c, struct om_fileset *fs, const char *prefix, const char *algorithm, const char **below)
{
    size_t n = fs->used_files_seq.n;
    const char **client = arena_alloc(c->mem, n, sizeof(*client));

    for (size_t i = 0; i < n; i++)
        client[i] = fs->used_files_seq.at[i]->client_path->val;
    if (paths_plan(c, client, n, has_reader(upload_job(fs)), below) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct om_fileset_entry *entry = (struct om_fileset_entry *)fs->used_files_seq.at[i];
        entry->fileset = fs;
        entry->original_file = file_below(c, prefix, below[i], algorithm);
    }
    return 0;
}

static void set_job(struct call *c, struct om_job *job, const char *state)
{
    job->username = job->groupname = job->type = job->message = r_string(c->mem, "");
    job->status = (const struct om_job_status *)enum_object(c->mem, &om_job_status_class, state);
    job->submitted = job->scheduled_for = r_time(c->mem, 0);
}

static void add_jobs(struct call *c, struct om_fileset *fs)
{
    static const struct ice_class *const later[] = {&om_metadata_import_job_class, &om_pixel_data_job_class,
                                                    &om_thumbnail_generation_job_class, &om_indexing_job_class};
    const struct om_fileset_job_link **links = arena_alloc(c->mem, 1 + ARRAY_LEN(later), sizeof(struct om_fileset_job_link *));

    links[0] = fs->job_links_seq.at[0];
    ((struct om_fileset_job_link *)links[0])->parent = fs;
    set_job(c, (struct om_job *)links[0]->child, "Submitted");
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct om_fileset_job_link *link = object_new(c->mem, &om_fileset_job_link_class);
        struct om_job *job = object_new(c->mem, later[i]);
        set_job(c, job, "Submitted");
        link->parent = fs;
        link->child = job;
        links[i + 1] = link;
    }
    fs->job_links_seq = (struct om_fileset_job_links_seq){.n = 1 + ARRAY_LEN(later), .at = links};
}

static struct om_original_file *add_log(struct call *c, struct om_fileset *fs, const char *prefix, const char *algorithm)
{
    struct om_upload_job *job = (struct om_upload_job *)fs->job_links_seq.at[0]->child;
    struct om_job_original_file_link *link = object_new(c->mem, &om_job_original_file_link_class);
    const struct om_job_original_file_link **links = arena_alloc(c->mem, 1, sizeof(struct om_job_original_file_link *));
    const char *slash = strrchr(prefix, '/');
    struct om_original_file *log = new_file(c, arena_strn(c->mem, prefix, (size_t)(slash - prefix)),
                                            arena_printf(c->mem, "%s.log", slash + 1), algorithm, LOG_TYPE);

    link->parent = (const struct om_job *)job;
    link->child = log;
    links[0] = link;
    job->original_file_links_seq = (struct om_job_original_file_links_seq){.n = 1, .at = links};
    return log;
}

/* --- the process --- */

void import_unref(struct import_process *p)
{
    if (--p->refs > 0)
        return;
    arena_free(p->mem);
    free(p);
}

static void keep_settings(struct import_process *p, const struct om_grid_managed_repository_import_fileset_in *in)
{
    struct om_grid_managed_repository_import_fileset_in *copy = arena_alloc(p->mem, 1, sizeof(*copy));
    const struct ice_op *op = &om_grid_managed_repository_import_fileset_op;
    const struct om_grid_managed_repository_import_fileset_in asked = {.settings = in->settings};

    copy_values(p->mem, op->in, op->n_in, &asked, copy);
    p->settings = copy->settings;
    p->algorithm = copy->settings->checksum_algorithm->value->val;
}

static struct import_process *new_process(struct call *c, const struct om_fileset *fs, const char *prefix, const char *const *below,
                                          const struct om_original_file *log)
{
    struct import_process *p = mem_new(1, sizeof(*p));
    struct arena *mem = arena_new();
    size_t n = fs->used_files_seq.n;

    *p = (struct import_process){.refs = 1,
                                 .mem = mem,
                                 .server = c->server,
                                 .fileset = fs->id->val,
                                 .group = c->group,
                                 .log_file = log->id->val,
                                 .upload_link = fs->job_links_seq.at[0]->id->val,
                                 .prefix = arena_str(mem, prefix),
                                 .log_path = arena_printf(mem, "%s/%s.log", c->server->repository, prefix),
                                 .n = n,
                                 .files = arena_alloc(mem, n, sizeof(*p->files))};
    for (size_t i = 0; i < n; i++)
        p->files[i] = (struct import_file){.id = fs->used_files_seq.at[i]->original_file->id->val,
                                           .path = arena_printf(mem, "%s/%s/%s", c->server->repository, prefix, below[i]),
                                           .client_path = arena_str(mem, fs->used_files_seq.at[i]->client_path->val)};
    return p;
}

static int import_fileset(struct call *c)
{
    const struct om_grid_managed_repository_import_fileset_in *in = c->in;
    struct om_grid_managed_repository_import_fileset_out *out = c->out;
    struct om_fileset *fs = (struct om_fileset *)in->fs;
    const char *prefix = NULL, **below;
    struct om_original_file *log;
    struct saver *saver = NULL;

    if (check_fileset(c, fs) < 0 || check_settings(c, in->settings) < 0)
        return -1;
    below = arena_alloc(c->mem, fs->used_files_seq.n, sizeof(*below));
    if (paths_make(c, &prefix) < 0 || add_files(c, fs, prefix, in->settings->checksum_algorithm->value->val, below) < 0)
        return -1;
    add_jobs(c, fs);
    log = add_log(c, fs, prefix, in->settings->checksum_algorithm->value->val);
    fs->template_prefix = r_string(c->mem, arena_printf(c->mem, "%s/", prefix));
    if (save_graph(c, &saver, (const struct om_iobject *)fs) < 0)
        return -1;
    for (size_t i = 0; i < fs->used_files_seq.n; i++)
        if (paths_parents(c, arena_printf(c->mem, "%s/%s", prefix, below[i])) < 0)
            return -1;

    struct import_process *p = new_process(c, fs, prefix, below, log);

    keep_settings(p, in);
    out->ret = process_proxy(c, p);
    return 0;
}

/* --- the repository's other answers --- */

static int suggest(struct call *c)
{
    const struct om_api_checksum_algorithm_list *list = &((const struct om_grid_managed_repository_suggest_checksum_algorithm_in *)c->in)->supported;
    struct om_grid_managed_repository_suggest_checksum_algorithm_out *out = c->out;

    for (size_t i = 0; hash_algorithms[i]; i++)
        for (size_t k = 0; k < list->n; k++)
            if (list->at[k] && list->at[k]->value && strcmp(list->at[k]->value->val, hash_algorithms[i]) == 0) {
                struct om_checksum_algorithm *a = object_new(c->mem, &om_checksum_algorithm_class);
                a->value = r_string(c->mem, hash_algorithms[i]);
                out->ret = a;
                return 0;
            }
    return 0;
}

static int list_algorithms(struct call *c)
{
    struct om_grid_managed_repository_list_checksum_algorithms_out *out = c->out;
    const struct om_checksum_algorithm **list;
    size_t n = 0;

    while (hash_algorithms[n])
        n++;
    list = arena_alloc(c->mem, n, sizeof(struct om_checksum_algorithm *));
    for (size_t i = 0; i < n; i++) {
        struct om_checksum_algorithm *a = object_new(c->mem, &om_checksum_algorithm_class);
        a->value = r_string(c->mem, hash_algorithms[i]);
        list[i] = a;
    }
    out->ret = (struct om_api_checksum_algorithm_list){.n = n, .at = list};
    return 0;
}

static struct om_original_file *root_file(struct call *c)
{
    const char *path = c->server->repository, *slash = strrchr(path, '/');
    struct om_original_file *f = object_new(c->mem, &om_original_file_class);

    f->id = r_long(c->mem, 0);
    f->path = r_string(c->mem, arena_strn(c->mem, path, (size_t)(slash - path)));
    f->name = r_string(c->mem, slash + 1);
    f->mimetype = r_string(c->mem, "Repository");
    f->hash = r_string(c->mem, c->server->repo_uuid);
    return f;
}

static int root(struct call *c)
{
    ((struct om_grid_repository_root_out *)c->out)->ret = root_file(c);
    return 0;
}

static const struct handler repository_handlers[] = {
    {&om_grid_managed_repository_import_fileset_op, import_fileset},
    {&om_grid_managed_repository_suggest_checksum_algorithm_op, suggest},
    {&om_grid_managed_repository_list_checksum_algorithms_op, list_algorithms},
    {&om_grid_repository_root_op, root},
};
const struct kind repository_kind = {.name = "ManagedRepository",
                                     .types = "::omero::grid::ManagedRepository ::omero::grid::Repository",
                                     .handlers = repository_handlers,
                                     .n = ARRAY_LEN(repository_handlers)};

/* --- where the repositories are --- */

static int repositories(struct call *c)
{
    struct om_grid_shared_resources_repositories_out *out = c->out;
    const struct om_original_file **descriptions = arena_alloc(c->mem, 1, sizeof(struct om_original_file *));
    const struct ice_proxy **proxies = arena_alloc(c->mem, 1, sizeof(struct ice_proxy *));
    const struct servant *v = c->server->common;

    while (v && v->kind != &repository_kind)
        v = v->next;
    descriptions[0] = root_file(c);
    proxies[0] = call_proxy(c, v);
    out->ret.descriptions = (struct om_api_original_file_list){.n = 1, .at = descriptions};
    out->ret.proxies = (struct om_grid_repository_proxy_list){.n = 1, .at = proxies};
    return 0;
}

static const struct handler resources_handlers[] = {{&om_grid_shared_resources_repositories_op, repositories}};
const struct kind resources_kind = {.name = "omero.grid.SharedResources",
                                    .types = "::omero::grid::SharedResources",
                                    .handlers = resources_handlers,
                                    .n = ARRAY_LEN(resources_handlers)};
