#include "omero/repository.h"

#include "base/hash.h"
#include "omero/object.h"

#define MANAGED_REPOSITORY "::omero::grid::ManagedRepository"

enum { CHECKSUMS_MAX = 16 };

static int find_repository(struct om_client *c, const struct om_grid_repository_map *map, struct arena *mem, struct err *err)
{
    for (size_t i = 0; i < map->proxies.n; i++) {
        const struct ice_proxy *p = map->proxies.at[i];
        bool yes = false;
        if (p && om_ice_object_ice_is_a(&c->caller, p, MANAGED_REPOSITORY, mem, &yes, err) < 0)
            return -1;
        if (yes) {
            c->repository = ice_proxy_copy(c->mem, p);
            return 0;
        }
    }
    return err_set(err, REASON_SERVER_DOWN, 0, "OMERO shows no repository for imports");
}

int om_repository_need(struct om_client *c, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *resources;
    struct om_grid_repository_map map;

    if (c->repository)
        return 0;
    if (om_client_service(c, OM_RESOURCES, &resources, err) < 0 ||
        om_grid_shared_resources_repositories(&c->caller, resources, mem, &map, err) < 0)
        return -1;
    return find_repository(c, &map, mem, err);
}

int om_repository_suggest(struct om_client *c, const char *const *names, struct arena *mem, const char **out, struct err *err)
{
    const struct om_checksum_algorithm *ours[CHECKSUMS_MAX], *chosen;
    struct om_api_checksum_algorithm_list list = {.at = ours};

    for (; names[list.n] && list.n < CHECKSUMS_MAX; list.n++) {
        struct om_checksum_algorithm *a = om_object_new(mem, &om_checksum_algorithm_class);

        a->value = om_rstring(mem, names[list.n]);
        ours[list.n] = a;
    }
    if (om_repository_need(c, err) < 0 ||
        om_grid_managed_repository_suggest_checksum_algorithm(&c->caller, c->repository, list, mem, &chosen, err) < 0)
        return -1;
    *out = chosen && chosen->value ? chosen->value->val : "";
    return 0;
}

static const char *text_of(const struct om_rstring *s)
{
    return s ? s->val : "";
}

const char *om_repository_path(const struct om_original_file *root, struct arena *mem)
{
    char *path = arena_printf(mem, "%s/%s", text_of(root->path), text_of(root->name)), *to = path;

    for (const char *from = path; *from; from++)
        if (from[0] != '/' || from[1] != '/')
            *to++ = *from;
    *to = '\0';
    return path;
}

static int list_checksums(struct om_client *c, struct arena *mem, struct om_repository *out, struct err *err)
{
    struct om_api_checksum_algorithm_list list;

    if (om_grid_managed_repository_list_checksum_algorithms(&c->caller, c->repository, mem, &list, err) < 0)
        return -1;

    const char **names = arena_alloc(mem, list.n, sizeof(*names));

    for (size_t i = 0; i < list.n; i++)
        names[i] = list.at[i] ? text_of(list.at[i]->value) : "";
    out->checksums = names;
    out->n_checksums = list.n;
    return 0;
}

int om_repository_look(struct om_client *c, struct arena *mem, struct om_repository *out, struct err *err)
{
    const struct om_original_file *root;

    if (om_repository_need(c, err) < 0 || om_grid_repository_root(&c->caller, c->repository, mem, &root, err) < 0)
        return -1;
    if (!root)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say where its repository is");
    out->path = om_repository_path(root, mem);
    return list_checksums(c, mem, out, err);
}
