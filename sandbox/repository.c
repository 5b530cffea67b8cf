/* The managed repository, and the shared resources by which it is found. */
#include <string.h>

#include "base/hash.h"
#include "sandbox/import.h"
#include "sandbox/objects.h"

static const void *algorithm(struct call *c, const char *name)
{
    struct om_checksum_algorithm *a = object_new(c->mem, &om_checksum_algorithm_class);

    a->value = r_string(c->mem, name);
    return a;
}

static bool names(const struct om_api_checksum_algorithm_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i] && list->at[i]->value && strcmp(list->at[i]->value->val, name) == 0)
            return true;
    return false;
}

static int suggest_algorithm(struct call *c)
{
    const struct om_grid_managed_repository_suggest_checksum_algorithm_in *in = c->in;

    for (size_t i = 0; hash_algorithms[i]; i++)
        if (names(&in->supported, hash_algorithms[i])) {
            ((struct om_grid_managed_repository_suggest_checksum_algorithm_out *)c->out)->ret = algorithm(c, hash_algorithms[i]);
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
    for (size_t i = 0; i < n; i++)
        list[i] = algorithm(c, hash_algorithms[i]);
    out->ret = (struct om_api_checksum_algorithm_list){.n = n, .at = list};
    return 0;
}

static const struct om_original_file *root_object(struct call *c)
{
    struct om_original_file *root = object_new(c->mem, &om_original_file_class);
    const char *dir = c->server->repository, *slash = strrchr(dir, '/');

    root->path = r_string(c->mem, arena_strn(c->mem, dir, (size_t)(slash - dir)));
    root->name = r_string(c->mem, arena_str(c->mem, slash + 1));
    root->repo = root->hash = r_string(c->mem, c->server->repo_uuid);
    root->mimetype = r_string(c->mem, "Repository");
    return root;
}

static int root(struct call *c)
{
    ((struct om_grid_repository_root_out *)c->out)->ret = root_object(c);
    return 0;
}

static bool is_mine(const struct call *c, const struct servant *v)
{
    return v->kind == &process_kind && v->session->user == c->session->user;
}

static int list_imports(struct call *c)
{
    struct om_grid_managed_repository_list_imports_out *out = c->out;
    const struct ice_proxy **list;
    size_t n = 0;

    for (const struct session *s = c->server->sessions; s; s = s->next)
        for (const struct servant *v = s->servants; v; v = v->next)
            n += is_mine(c, v);
    list = arena_alloc(c->mem, n, sizeof(struct ice_proxy *));
    out->ret = (struct om_grid_import_process_list){.at = list};
    for (const struct session *s = c->server->sessions; s; s = s->next)
        for (const struct servant *v = s->servants; v; v = v->next)
            if (is_mine(c, v))
                list[out->ret.n++] = call_proxy(c, v);
    return 0;
}

static const struct handler handlers[] = {
    {&om_grid_managed_repository_import_fileset_op, import_fileset},
    {&om_grid_managed_repository_suggest_checksum_algorithm_op, suggest_algorithm},
    {&om_grid_managed_repository_list_checksum_algorithms_op, list_algorithms},
    {&om_grid_managed_repository_list_imports_op, list_imports},
    {&om_grid_repository_root_op, root},
    {&om_grid_repository_file_by_id_op, file_by_id},
};
const struct kind repository_kind = {.name = "PublicRepository",
                                     .types = "::omero::grid::ManagedRepository ::omero::grid::Repository",
                                     .handlers = handlers,
                                     .n = ARRAY_LEN(handlers)};

/* --- shared resources --- */

static int repositories(struct call *c)
{
    struct om_grid_shared_resources_repositories_out *out = c->out;
    const struct om_original_file **roots = arena_alloc(c->mem, 1, sizeof(struct om_original_file *));
    const struct ice_proxy **proxies = arena_alloc(c->mem, 1, sizeof(struct ice_proxy *));

    for (const struct servant *v = c->server->common; v; v = v->next)
        if (v->kind == &repository_kind)
            proxies[0] = call_proxy(c, v);
    roots[0] = root_object(c);
    out->ret.descriptions = (struct om_api_original_file_list){.n = 1, .at = roots};
    out->ret.proxies = (struct om_grid_repository_proxy_list){.n = 1, .at = proxies};
    return 0;
}

static const struct handler resources_handlers[] = {{&om_grid_shared_resources_repositories_op, repositories}};

const struct kind resources_kind = {.name = "omero.grid.SharedResources",
                                    .types = "::omero::grid::SharedResources",
                                    .handlers = resources_handlers,
                                    .n = ARRAY_LEN(resources_handlers)};
