#include "omero/origin.h"

static void fill_path(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_entry *)out = (struct om_entry){.fileset = om_long(rows, i, 0), .group = om_long(rows, i, 1), .size = -1,
        .client_path = om_string(rows, i, 2), .hash = "", .algorithm = ""};
}

int om_entries_by_path(struct om_client *c, const char *const *paths, size_t n, struct arena *mem, struct om_entries *out,
                       struct err *err)
{
    const struct om_arg args[] = {om_arg_strings("p", paths, n), om_arg_long("o", c->who.user_id)};
    const struct om_query q = {.hql = "select e.fileset.id, e.details.group.id, e.clientPath from FilesetEntry e "
                                      "where e.clientPath in (:p) and e.details.owner.id = :o order by e.fileset.id, e.id",
                               .cols = "lls",
                               .n_args = 2,
                               .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(*out->at), fill_path, &at, &out->n, err) < 0)
        return -1;
    out->at = at;
    return 0;
}

static void fill_entry(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_entry *)out = (struct om_entry){.fileset = om_long(rows, i, 0), .group = om_long(rows, i, 1),
        .client_path = om_string(rows, i, 2),
        .size = om_cell(rows, i, 3)->null ? -1 : om_long(rows, i, 3),
        .hash = om_string(rows, i, 4), .algorithm = om_string(rows, i, 5)};
}

int om_entries_of(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, struct om_entries *out,
                  struct err *err)
{
    const struct om_arg args[] = {om_arg_longs("f", filesets, n)};
    const struct om_query q = {.hql = "select f.id, f.details.group.id, e.clientPath, o.size, o.hash, h.value from Fileset f "
                                      "join f.usedFiles e join e.originalFile o left outer join o.hasher h "
                                      "where f.id in (:f) order by f.id, index(e)",
                               .cols = "llsLSS",
                               .n_args = 1,
                               .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(*out->at), fill_entry, &at, &out->n, err) < 0)
        return -1;
    out->at = at;
    return 0;
}

static void fill_number(const struct om_rows *rows, size_t i, void *out)
{
    *(int64_t *)out = om_long(rows, i, 0);
}

int om_dataset_filesets(struct om_client *c, int64_t dataset, struct arena *mem, const int64_t **out, size_t *n, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", dataset), om_arg_long("o", c->who.user_id)};
    const struct om_query q = {.hql = "select distinct f.id from DatasetImageLink l join l.child i join i.fileset f "
                                      "where l.parent.id = :d and f.details.owner.id = :o order by f.id",
                               .cols = "l",
                               .n_args = 2,
                               .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(**out), fill_number, &at, n, err) < 0)
        return -1;
    *out = at;
    return 0;
}

static void fill_in_dataset(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_in_dataset *)out = (struct om_in_dataset){om_long(rows, i, 0), om_long(rows, i, 1)};
}

int om_datasets_of(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, const struct om_in_dataset **out,
                   size_t *n_out, struct err *err)
{
    const struct om_arg args[] = {om_arg_longs("f", filesets, n), om_arg_long("o", c->who.user_id)};
    const struct om_query q = {.hql = "select distinct f.id, d.id from DatasetImageLink l join l.parent d join l.child i "
                                      "join i.fileset f where f.id in (:f) and d.details.owner.id = :o order by f.id, d.id",
                               .cols = "ll",
                               .n_args = 2,
                               .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(**out), fill_in_dataset, &at, n_out, err) < 0)
        return -1;
    *out = at;
    return 0;
}

static void fill_in_project(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_in_project *)out = (struct om_in_project){om_long(rows, i, 0), om_string(rows, i, 1)};
}

int om_projects_of(struct om_client *c, int64_t dataset, struct arena *mem, const struct om_in_project **out, size_t *n,
                   struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", dataset)};
    const struct om_query q = {.hql = "select p.id, p.name from ProjectDatasetLink l join l.parent p where l.child.id = :d "
                                      "order by p.id",
                               .cols = "ls",
                               .n_args = 1,
                               .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(**out), fill_in_project, &at, n, err) < 0)
        return -1;
    *out = at;
    return 0;
}

static void fill_pair(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_source_pair *)out = (struct om_source_pair){.target = om_long(rows, i, 0), .map = om_long(rows, i, 1),
        .target_owner = om_long(rows, i, 2), .link_owner = om_long(rows, i, 3),
        .map_owner = om_long(rows, i, 4), .group = om_long(rows, i, 5),
        .key = om_string(rows, i, 6), .value = om_string(rows, i, 7)};
}

int om_sources_find(struct om_client *c, enum om_parent kind, const char *ns, int64_t target, struct arena *mem,
                    const struct om_source_pair **out, size_t *n, struct err *err)
{
    const struct om_arg args[] = {om_arg_string("ns", ns), om_arg_long("d", target)};
    const struct om_query q = {
        .hql = arena_printf(mem,
                            "select d.id, a.id, d.details.owner.id, l.details.owner.id, a.details.owner.id, d.details.group.id, "
                            "m.name, m.value from %sAnnotationLink l join l.parent d join l.child a join a.mapValue m "
                            "where a.ns = :ns and (:d < 1L or d.id = :d) order by d.id, a.id, index(m)",
                            om_parent_name(kind)),
        .cols = "llllllss",
        .n_args = 2,
        .args = args};
    void *at;

    if (om_query_list(c, &q, mem, sizeof(**out), fill_pair, &at, n, err) < 0)
        return -1;
    *out = at;
    return 0;
}
