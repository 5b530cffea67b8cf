/* Delete2: what is to go is gathered in a table of the connection, looked at, and removed.
 *
 * What only the doomed hold goes with them: datasets, images, annotations; a fileset goes with the last of its images. */
#include "sandbox/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "sandbox/rows.h"

struct deletion {
    struct call *c;
    struct store *store;
    const struct om_cmd_delete2 *request;
    const char *why; /* of a refusal */
};

static int refuse(struct deletion *d, const char *why)
{
    d->why = why;
    return -1;
}

/* --- functions for SQL --- */

static void sql_may(sqlite3_context *context, int n, sqlite3_value **values)
{
    const struct deletion *d = sqlite3_user_data(context);
    unsigned may = viewer_may(d->c->viewer, sqlite3_value_int64(values[0]), sqlite3_value_int64(values[1]));

    (void)n;
    sqlite3_result_int(context, (may & MAY_DELETE) != 0);
}

/* Did the client ask to keep annotations of this kind? */
static void sql_kept(sqlite3_context *context, int n, sqlite3_value **values)
{
    const struct deletion *d = sqlite3_user_data(context);
    const char *kind = (const char *)sqlite3_value_text(values[0]);
    bool kept = false;

    (void)n;
    for (size_t i = 0; i < d->request->child_options.n; i++) {
        const struct om_cmd_graphs_child_option *o = d->request->child_options.at[i];
        for (size_t k = 0; o && kind && k < o->exclude_type.n; k++)
            kept |= strcmp(o->exclude_type.at[k], kind) == 0 || strcmp(o->exclude_type.at[k], "Annotation") == 0;
    }
    sqlite3_result_int(context, kept);
}

/* --- gathering --- */

static void doom(struct deletion *d, const char *select)
{
    AUTO(mem_freep) char *sql = mem_printf("insert or ignore into doomed %s", select);

    (void)store_run(d->store, sql, "");
}

static const char *const rules[] = {
    ("select 'Dataset', l.child from doomed d join ProjectDatasetLink l on d.t = 'Project' and l.parent = d.id join Dataset x on "
     "x.id = l.child "
     "where may_delete(x._grp, x._owner) and not exists (select 1 from ProjectDatasetLink o where o.child = l.child and not "
     "exists "
     "(select 1 from doomed y where y.t = 'Project' and y.id = o.parent))"),
    ("select 'Image', l.child from doomed d join DatasetImageLink l on d.t = 'Dataset' and l.parent = d.id join Image x on x.id "
     "= l.child "
     "where may_delete(x._grp, x._owner) and not exists (select 1 from DatasetImageLink o where o.child = l.child and not exists "
     "(select 1 from doomed y where y.t = 'Dataset' and y.id = o.parent))"),
    ("select 'Plate', l.child from doomed d join ScreenPlateLink l on d.t = 'Screen' and l.parent = d.id join Plate x on "
     "x.id = l.child where may_delete(x._grp, x._owner) and not exists (select 1 from ScreenPlateLink o where o.child = l.child "
     "and not exists (select 1 from doomed y where y.t = 'Screen' and y.id = o.parent))"),
    "select 'Well', w.id from doomed d join Well w on d.t = 'Plate' and w.plate = d.id",
    "select 'WellSample', s.id from doomed d join WellSample s on d.t = 'Well' and s.well = d.id",
    "select 'Image', s.image from doomed d join WellSample s on d.t = 'WellSample' and s.id = d.id",
    "select 'WellSample', s.id from doomed d join WellSample s on d.t = 'Image' and s.image = d.id",
    "select 'Image', i.id from doomed d join Image i on d.t = 'Fileset' and i.fileset = d.id",
    ("select 'Fileset', i.fileset from doomed d join Image i on d.t = 'Image' and i.id = d.id where i.fileset is not null and "
     "not exists "
     "(select 1 from Image o where o.fileset = i.fileset and not exists (select 1 from doomed y where y.t = 'Image' and y.id = "
     "o.id))"),
    "select 'Pixels', p.id from doomed d join Pixels p on d.t = 'Image' and p.image = d.id",
    "select 'Channel', h.id from doomed d join Channel h on d.t = 'Pixels' and h.pixels = d.id",
    "select 'LogicalChannel', h.logicalChannel from doomed d join Channel h on d.t = 'Channel' and h.id = d.id",
    "select 'FilesetEntry', e.id from doomed d join FilesetEntry e on d.t = 'Fileset' and e.fileset = d.id",
    "select 'OriginalFile', e.originalFile from doomed d join FilesetEntry e on d.t = 'FilesetEntry' and e.id = d.id",
    "select 'Job', l.child from doomed d join FilesetJobLink l on d.t = 'Fileset' and l.parent = d.id",
    "select 'OriginalFile', l.child from doomed d join JobOriginalFileLink l on d.t = 'Job' and l.parent = d.id",
    "select 'OriginalFile', a.file from doomed d join Annotation a on d.t = 'Annotation' and a.id = d.id where a.file is not "
    "null",
};

/* Links go with either of their ends. */
static void doom_links(struct deletion *d)
{
    for (size_t i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        const struct ice_field *child = entity_is_link(e) ? class_field(e->cls, "_child") : NULL;
        const struct entity *parent_entity = child ? entity_by_class(e->link_parent) : NULL;
        const struct entity *child_entity = child ? entity_by_class(child->type->cls) : NULL;
        if (!parent_entity || !child_entity)
            continue;
        AUTO(mem_freep)
        char *by_parent = mem_printf("select '%s', l.id from doomed d join %s l on d.t = '%s' and l.parent = d.id", e->table,
                                     e->table, parent_entity->table);
        AUTO(mem_freep)
        char *by_child = mem_printf("select '%s', l.id from doomed d join %s l on d.t = '%s' and l.child = d.id", e->table,
                                    e->table, child_entity->table);
        doom(d, by_parent);
        doom(d, by_child);
    }
}

static bool is_annotation_link(const struct entity *e)
{
    return entity_is_link(e) && class_field(e->cls, "_child")->type->cls == &om_annotation_class;
}

/* "and nothing else holds annotation a" */
static void add_unheld(struct buf *sql)
{
    for (size_t i = 0; i < n_entities; i++)
        if (is_annotation_link(&entities[i]))
            buf_printf(sql,
                       " and not exists (select 1 from %s o where o.child = a.id and not exists (select 1 from doomed y where "
                       "y.t = '%s' "
                       "and y.id = o.id))",
                       entities[i].table, entities[i].table);
}

/* Annotations that hung only on what goes. */
static void doom_notes(struct deletion *d)
{
    for (size_t i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        AUTO(buf_clear) struct buf sql = BUF_INIT(16384);
        if (!is_annotation_link(e))
            continue;
        buf_printf(&sql,
                   "select 'Annotation', a.id from doomed d join %s l on d.t = '%s' and l.parent = d.id join Annotation a on "
                   "a.id = l.child "
                   "where may_delete(a._grp, a._owner) and not kept(a._kind)",
                   e->table, entity_by_class(e->link_parent)->table);
        add_unheld(&sql);
        AUTO(mem_freep) char *text = buf_take_str(&sql);
        doom(d, text);
    }
}

static void gather(struct deletion *d)
{
    for (int64_t before = -1, now = 0; before != now;) {
        before = now;
        for (size_t i = 0; i < ARRAY_LEN(rules); i++)
            doom(d, rules[i]);
        doom_links(d);
        doom_notes(d);
        now = store_long(d->store, 0, "select count(*) from doomed", "");
    }
}

/* --- what the client named --- */

static int add_target(struct deletion *d, const struct entity *e, int64_t id)
{
    struct arena *mem = d->c->mem;
    const struct entity *real = object_entity(d->c, e, id);
    AUTO(mem_freep) char *sql = mem_printf("select may_delete(_grp, _owner) from %s where id = ?", e->table);

    if (!real || !ice_class_is_a(real->cls, e->cls) || object_check(d->c, e, id, NULL, NULL) < 0)
        return refuse(d, arena_printf(mem, "cannot read %s.%s[%lld]", e->package, e->name, (long long)id));
    if (store_long(d->store, 0, sql, "i", id) == 0)
        return refuse(d, arena_printf(mem, "not permitted to delete %s.%s[%lld]", e->package, real->name, (long long)id));
    (void)store_run(d->store, "insert or ignore into doomed values (?, ?)", "si", e->table, id);
    return 0;
}

static int add_targets(struct deletion *d)
{
    const struct om_api_string_long_list_map *targets = &d->request->target_objects;

    for (size_t i = 0; i < targets->n; i++) {
        const struct entity *e = entity_by_name(targets->at[i].key);
        if (!e)
            return refuse(d, arena_printf(d->c->mem, "java.lang.NullPointerException: %s", targets->at[i].key));
        for (size_t k = 0; k < targets->at[i].value.n; k++)
            if (add_target(d, e, targets->at[i].value.at[k]) < 0)
                return -1;
    }
    return 0;
}

/* --- what stands in the way --- */

/* The images of a fileset go together. */
static int check_filesets(struct deletion *d)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(d->store,
                                  "select i.fileset, i.id, o.id from doomed d join Image i on d.t = 'Image' and i.id = d.id join "
                                  "Image o on o.fileset = i.fileset "
                                  "where not exists (select 1 from doomed x where (x.t = 'Image' and x.id = o.id) or (x.t = "
                                  "'Fileset' and x.id = o.fileset))",
                                  "");

    if (!store_next(d->store, q))
        return 0;
    return refuse(d, arena_printf(d->c->mem, "within Fileset[%lld] may not delete Image[%lld] while Image[%lld] remains",
                                  (long long)sqlite3_column_int64(q, 0), (long long)sqlite3_column_int64(q, 1),
                                  (long long)sqlite3_column_int64(q, 2)));
}

/* An annotation stays while somebody else's link, which may not go, holds it. */
static int check_links_of(struct deletion *d, const struct entity *e)
{
    const struct entity *parent = entity_by_class(e->link_parent);
    AUTO(mem_freep)
    char *sql = mem_printf(
        "select a._kind, a.id, l.parent from doomed d join %s l on d.t = '%s' and l.id = d.id join Annotation a on a.id = "
        "l.child "
        "where not may_delete(l._grp, l._owner) and exists (select 1 from doomed x where x.t = 'Annotation' and x.id = a.id) "
        "and not exists (select 1 from doomed x where x.t = '%s' and x.id = l.parent)",
        e->table, e->table, parent->table);
    AUTO(store_donep) sqlite3_stmt *q = store_query(d->store, sql, "");

    if (!store_next(d->store, q))
        return 0;
    return refuse(d, arena_printf(d->c->mem, "may not delete %s[%lld] while %s[%lld] remains", store_col_text(d->c->mem, q, 0),
                                  (long long)sqlite3_column_int64(q, 1), parent->name, (long long)sqlite3_column_int64(q, 2)));
}

static int check_links(struct deletion *d)
{
    for (size_t i = 0; i < n_entities; i++)
        if (is_annotation_link(&entities[i]) && check_links_of(d, &entities[i]) < 0)
            return -1;
    return 0;
}

/* --- the answer --- */

static bool list_ids(struct deletion *d, const struct entity *e, struct om_api_string_long_list_map_entry *out)
{
    AUTO(mem_freep) char *count = mem_printf("select count(*) from doomed d join %s x on x.id = d.id where d.t = '%s' and "
                                             "coalesce(x._kind, '%s') = '%s'", e->table, e->table, e->table, e->name);
    AUTO(mem_freep)
    char *list = mem_printf("select d.id from doomed d join %s x on x.id = d.id where d.t = '%s' and "
                            "coalesce(x._kind, '%s') = '%s' order by d.id",
                            e->table, e->table, e->table, e->name);
    size_t n = (size_t)store_long(d->store, 0, count, "");
    int64_t *ids = arena_alloc(d->c->mem, n, sizeof(*ids));
    AUTO(store_donep) sqlite3_stmt *q = store_query(d->store, list, "");

    for (size_t i = 0; i < n && store_next(d->store, q); i++)
        ids[i] = sqlite3_column_int64(q, 0);
    *out = (struct om_api_string_long_list_map_entry){
        .key = arena_printf(d->c->mem, "%s.%s", e->package, e->name), .value = {.n = n, .at = ids}};
    return n > 0;
}

static struct om_api_string_long_list_map list_doomed(struct deletion *d)
{
    struct om_api_string_long_list_map_entry *list = arena_alloc(d->c->mem, n_entities, sizeof(*list));
    size_t n = 0;

    for (size_t i = 0; i < n_entities; i++)
        n += list_ids(d, &entities[i], &list[n]);
    return (struct om_api_string_long_list_map){.n = n, .at = list};
}

/* --- removing --- */

static void remove_files(struct deletion *d)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(
        d->store,
        "select o.path || o.name from doomed d join OriginalFile o on d.t = 'OriginalFile' and o.id = d.id where o.repo = ?", "s",
        d->c->server->repo_uuid);

    while (store_next(d->store, q)) {
        AUTO(mem_freep) char *path = mem_printf("%s/%s", d->c->server->repository, (const char *)sqlite3_column_text(q, 0));
        (void)unlink(path); /* a link goes, what it points to stays */
    }
}

static void remove_rows(struct deletion *d)
{
    for (size_t i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        AUTO(mem_freep)
        char *sql = mem_printf("delete from %s where id in (select id from doomed where t = '%s')", e->table, e->table);
        AUTO(mem_freep)
        char *pairs =
            mem_printf("delete from Pair where holder like '%s.%%' and object in (select id from doomed where t = '%s')",
                       e->table, e->table);
        (void)store_run(d->store, sql, "");
        (void)store_run(d->store, pairs, "");
    }
}

static int carry_out(struct deletion *d, struct om_cmd_delete2_response *out)
{
    (void)store_run(d->store, "create temp table if not exists doomed (t text, id integer, primary key (t, id)) without rowid",
                    "");
    (void)store_run(d->store, "delete from doomed", "");
    if (add_targets(d) < 0)
        return -1;
    gather(d);
    if (check_filesets(d) < 0 || check_links(d) < 0)
        return -1;
    out->deleted_objects = list_doomed(d);
    if (!d->request->dry_run) {
        remove_files(d);
        remove_rows(d);
    }
    return 0;
}

static void run_delete(struct command *k, struct call *c)
{
    struct store *store = c->server->store;
    struct deletion d = {.c = c, .store = store, .request = (const void *)k->request, .why = ""};
    struct om_cmd_delete2_response *answer = arena_alloc(c->mem, 1, sizeof(*answer));

    answer->cls = &om_cmd_delete2_response_class;
    sqlite3_create_function(store_db(store), "may_delete", 2, SQLITE_UTF8, &d, sql_may, NULL, NULL);
    sqlite3_create_function(store_db(store), "kept", 1, SQLITE_UTF8, &d, sql_kept, NULL, NULL);
    store_begin(store);
    int r = carry_out(&d, answer);
    store_end(store, r == 0);
    if (r == 0) {
        k->response = (const struct om_cmd_response *)answer;
        return;
    }
    /* A real server leaves the message empty and says everything in the stack. */
    command_fail(k, &om_cmd_graph_exception_class, "::omero::cmd::Delete2", "graph-fail", "",
                 arena_printf(c->mem, "ome.services.graphs.GraphException(message=%s)\n\tat omero-sandbox\n", d.why));
    ((struct om_cmd_graph_exception *)(void *)(uintptr_t)k->response)->message = d.why;
}

int delete_submit(struct call *c, const struct om_cmd_delete2 *request, const struct ice_proxy **out)
{
    const struct ice_op *op = &om_cmd_session_submit_op;
    const struct om_cmd_session_submit_in in = {.req = (const struct om_cmd_request *)request};
    struct om_cmd_session_submit_in copy = {0};
    struct command *k = command_new(c, 1);

    copy_values(k->mem, op->in, op->n_in, &in, &copy);
    k->request = copy.req;
    k->run = run_delete;
    *out = command_start(c, k);
    return 0;
}
