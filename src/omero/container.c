#include "omero/container.h"

#include "base/ceilings.h"
#include "omero/note.h"
#include "omero/object.h"
#include "omero/save.h"

int om_project_find(struct om_client *c, const char *name, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_string("n", name), om_arg_long("o", c->who.user_id)};
    const struct om_query q = {
        .hql = "select new map(p.id as c0, p as c1_details_permissions) from Project p "
               "where p.name = :n and p.details.owner.id = :o order by p.id",
        .cols = "lp",
        .n_args = 2,
        .args = args,
        .limit = 1};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_ABSENT;
    if (!om_cell(&rows, 0, 1)->may.link)
        return err_set(err, REASON_NO_RIGHT, 0, "project '%s' (Project:%lld) may not be linked to", name,
                       (long long)om_long(&rows, 0, 0));
    *out = om_long(&rows, 0, 0);
    return 0;
}

static int project_create(struct om_client *c, const char *name, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_project *p = om_object_new(mem, &om_project_class);

    p->name = om_rstring(mem, name);
    return om_save_one(c, (const struct om_iobject *)p, out, err);
}

int om_project_need(struct om_client *c, const char *name, int64_t *out, bool *made, struct err *err)
{
    int r = om_project_find(c, name, out, err);

    if (r < 0 || (r == OM_ABSENT && project_create(c, name, out, err) < 0))
        return err_prefix(err, "project '%s': ", name);
    if (made)
        *made = r == OM_ABSENT;
    return 0;
}

const char *om_parent_name(enum om_parent kind)
{
    static const char *const names[] = {
        [OM_PROJECT] = "Project", [OM_DATASET] = "Dataset", [OM_IMAGE] = "Image", [OM_PLATE] = "Plate", [OM_SCREEN] = "Screen",
    };

    return names[kind];
}

/* ---- making one ---- */

static const struct om_annotation *map_of(struct arena *mem, const struct om_target_new *spec)
{
    return (const struct om_annotation *)om_map_object(mem, spec->ns, spec->pairs, spec->n_pairs);
}

static void add_project(struct arena *mem, struct om_dataset *d, int64_t project)
{
    struct om_project_dataset_link *link = om_object_new(mem, &om_project_dataset_link_class);
    const struct om_project_dataset_link **links = arena_alloc(mem, 1, sizeof(struct om_project_dataset_link *));

    link->parent = om_object_ref(mem, &om_project_class, project);
    link->child = d;
    links[0] = link;
    d->project_links_seq = (struct om_dataset_project_links_seq){.n = 1, .at = links};
}

/* The list of one link to a new map, of the parent's own type of list. */
#define NOTE_LINKS(mem, kind, parent, spec, type) \
    ((struct type){.n = (spec)->ns ? 1 : 0, .at = note_links(mem, kind, (const struct om_iobject *)(parent), spec)})

static const void *note_links(struct arena *mem, enum om_parent kind, const struct om_iobject *parent,
                              const struct om_target_new *spec)
{
    const void **links = arena_alloc(mem, 1, sizeof(*links));

    links[0] = spec->ns ? om_note_link(mem, kind, parent, map_of(mem, spec)) : NULL;
    return links;
}

static const struct om_iobject *new_dataset(struct arena *mem, const struct om_target_new *spec)
{
    struct om_dataset *d = om_object_new(mem, &om_dataset_class);

    d->name = om_rstring(mem, spec->name);
    d->description = om_rstring(mem, spec->description);
    d->annotation_links_seq = NOTE_LINKS(mem, OM_DATASET, d, spec, om_dataset_annotation_links_seq);
    if (spec->project)
        add_project(mem, d, spec->project);
    return (const struct om_iobject *)d;
}

static const struct om_iobject *new_screen(struct arena *mem, const struct om_target_new *spec)
{
    struct om_screen *s = om_object_new(mem, &om_screen_class);

    s->name = om_rstring(mem, spec->name);
    s->description = om_rstring(mem, spec->description);
    s->annotation_links_seq = NOTE_LINKS(mem, OM_SCREEN, s, spec, om_screen_annotation_links_seq);
    return (const struct om_iobject *)s;
}

int om_target_create(struct om_client *c, enum om_parent kind, const struct om_target_new *spec, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    if (spec->ns && om_pairs_check(spec->pairs, spec->n_pairs, err) < 0)
        return -1;
    if (om_save_one(c, kind == OM_SCREEN ? new_screen(mem, spec) : new_dataset(mem, spec), out, err) < 0)
        return err_prefix(err, "%s '%s': ", kind == OM_SCREEN ? "screen" : "dataset", spec->name);
    return 0;
}

/* ---- finding and looking ---- */

int om_target_find(struct om_client *c, enum om_parent kind, const char *ns, const char *key, const char *value, int64_t *out,
                   struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_string("ns", ns), om_arg_string("k", key), om_arg_string("v", value),
                                  om_arg_long("o", c->who.user_id)};
    const struct om_query q = {
        .hql = arena_printf(mem,
                            "select d.id from %sAnnotationLink l join l.parent d join l.child a join a.mapValue m "
                            "where a.ns = :ns and m.name = :k and m.value = :v and l.details.owner.id = :o "
                            "and d.details.owner.id = :o order by d.id",
                            om_parent_name(kind)),
        .cols = "l",
        .n_args = 4,
        .args = args};
    int r = om_query_long(c, &q, out, err);

    return r == OM_NO_ROW ? OM_ABSENT : r;
}

int om_target_look(struct om_client *c, enum om_parent kind, int64_t id, struct arena *mem, struct om_target_facts *out,
                   struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", id)};
    const struct om_query q = {
        .hql = arena_printf(mem, "select new map(d.details.owner.id as c0, d.details.group.id as c1, d.name as c2, "
                                 "d as c3_details_permissions) from %s d where d.id = :d", om_parent_name(kind)),
        .cols = "llsp",
        .n_args = 1,
        .args = args};
    struct om_rows rows;

    if (om_query_everywhere(c, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_ABSENT;
    *out = (struct om_target_facts){.owner = om_long(&rows, 0, 0),
                                    .group = om_long(&rows, 0, 1),
                                    .name = om_string(&rows, 0, 2),
                                    .can_link = om_cell(&rows, 0, 3)->may.link,
                                    .can_annotate = om_cell(&rows, 0, 3)->may.annotate};
    return 0;
}

int om_target_check(struct om_client *c, enum om_parent kind, int64_t id, int64_t owner, int64_t group, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const char *name = om_parent_name(kind);
    struct om_target_facts now;
    int r = om_target_look(c, kind, id, mem, &now, err);

    if (r < 0)
        return -1;
    if (r == OM_ABSENT)
        return err_set(err, REASON_TARGET_GONE, 0, "%s:%lld is not there any more", name, (long long)id);
    if (now.group != group || now.owner != owner)
        return err_set(err, REASON_TARGET_GONE, 0,
                       "%s:%lld now belongs to user %lld in group %lld, not to user %lld in group %lld", name, (long long)id,
                       (long long)now.owner, (long long)now.group, (long long)owner, (long long)group);
    if (!now.can_link)
        return err_set(err, REASON_NO_RIGHT, 0, "no images may be put into %s:%lld", name, (long long)id);
    return 0;
}

/* Both lists rise. */
static void mark_there(const int64_t *ids, size_t n, const struct om_rows *rows, bool *there)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        while (at < rows->n && om_long(rows, at, 0) < ids[i])
            at++;
        there[i] = at < rows->n && om_long(rows, at, 0) == ids[i];
    }
}

int om_alive(struct om_client *c, enum om_parent kind, const int64_t *ids, size_t n, bool *there, struct err *err)
{
    enum { AT_ONCE = 4 * OM_BATCH }; /* asking is much lighter than saving */

    for (size_t i = 0, count; i < n; i += count) {
        AUTO(arena_freep) struct arena *mem = arena_new();

        count = n - i < AT_ONCE ? n - i : AT_ONCE;
        const struct om_arg args[] = {om_arg_longs("ids", ids + i, count)};
        const struct om_query q = {.hql = arena_printf(mem, "select o.id from %s o where o.id in (:ids) order by o.id",
                                                       om_parent_name(kind)),
                                   .cols = "l",
                                   .n_args = 1,
                                   .args = args};
        struct om_rows rows;

        if (om_query(c, &q, mem, &rows, err) < 0)
            return -1;
        mark_there(ids + i, count, &rows, there + i);
    }
    return 0;
}

int om_project_link(struct om_client *c, int64_t dataset, int64_t project, int64_t *link, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", dataset), om_arg_long("p", project)};
    const struct om_query q = {.hql = "select l.id from ProjectDatasetLink l where l.parent.id = :p and l.child.id = :d",
                               .cols = "l",
                               .n_args = 2,
                               .args = args};
    int r = om_query_long(c, &q, link, err);

    return r == OM_NO_ROW ? OM_ABSENT : r;
}
