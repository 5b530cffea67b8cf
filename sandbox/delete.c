/* Delete2: what goes with what, as rules in SQL over a table of what is doomed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sandbox/command.h"

#define CATEGORY "::omero::cmd::Delete2"
#define D(Table) "(select id from Doomed where tbl = '" #Table "')"
#define ADD(Table) "insert or ignore into Doomed select '" #Table "', id from " #Table " where "

enum { STEPS = 6, ROUNDS_MAX = 100 };

struct job {
    const struct om_cmd_delete2 *request;
};

/* Rules are gone through until nothing is added. */
static const char *const rules[] = {
    ADD(ProjectDatasetLink) "parent in " D(Project) " or child in " D(Dataset),
    ADD(Dataset) "id in (select child from ProjectDatasetLink where parent in " D(Project) ") and not exists (select 1 from "
                 "ProjectDatasetLink l where l.child = Dataset.id and l.parent not in " D(Project) ") and spared('Dataset') = 0",
    ADD(DatasetImageLink) "parent in " D(Dataset) " or child in " D(Image),
    ADD(Image) "id in (select child from DatasetImageLink where parent in " D(Dataset) ") and not exists (select 1 from "
               "DatasetImageLink l where l.child = Image.id and l.parent not in " D(Dataset) ") and spared('Image') = 0",
    ADD(Image) "fileset in " D(Fileset),
    ADD(Pixels) "image in " D(Image),
    ADD(Channel) "pixels in " D(Pixels),
    ADD(LogicalChannel) "id in (select logicalChannel from Channel where id in " D(Channel) ")",
    ADD(Fileset) "id in (select fileset from Image where id in " D(Image) ") and not exists (select 1 from Image i where "
                 "i.fileset = Fileset.id and i.id not in " D(Image) ")",
    ADD(FilesetEntry) "fileset in " D(Fileset),
    ADD(FilesetJobLink) "parent in " D(Fileset),
    ADD(Job) "id in (select child from FilesetJobLink where parent in " D(Fileset) ")",
    ADD(JobOriginalFileLink) "parent in " D(Job),
    ADD(OriginalFile) "id in (select originalFile from FilesetEntry where fileset in " D(Fileset) ")",
    ADD(OriginalFile) "id in (select child from JobOriginalFileLink where parent in " D(Job) ")",
};

/* Each kind of object that annotations hang on.  Unlinking alone leaves the annotation; with its last object it goes. */
static const char *const annotated[] = {"Project", "Dataset", "Image", "Screen", "Plate", "Fileset", "OriginalFile", "Annotation"};

static const struct om_cmd_delete2 *current; /* of spared(), under the lock */

static void sql_spared(sqlite3_context *context, int n, sqlite3_value **values)
{
    const char *kind = (const char *)sqlite3_value_text(values[0]), *ns = n > 1 ? (const char *)sqlite3_value_text(values[1]) : NULL;
    const struct entity *e = kind ? entity_by_name(kind) : NULL;
    bool yes = false;

    for (size_t i = 0; i < current->child_options.n && e; i++) {
        const struct om_cmd_graphs_child_option *o = current->child_options.at[i];
        for (size_t k = 0; o && k < o->exclude_type.n; k++) {
            const struct entity *spared = entity_by_name(o->exclude_type.at[k]);
            yes |= spared && ice_class_is_a(e->cls, spared->cls);
        }
        for (size_t k = 0; o && ns && k < o->exclude_ns.n; k++)
            yes |= strcmp(o->exclude_ns.at[k], ns) == 0;
    }
    sqlite3_result_int(context, yes);
}

/* --- refusals --- */

static int fail(struct command *cmd, const char *fmt, ...) ATTR_PRINTF(2, 3);
static int fail(struct command *cmd, const char *fmt, ...)
{
    AUTO(mem_freep) char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);

    AUTO(mem_freep) char *stack =
        mem_printf("ome.services.graphs.GraphException(message=%s)\n\tat omero-sandbox", text ? text : "");

    command_fail(cmd, &om_cmd_graph_exception_class, CATEGORY, "graph-fail", "", stack);
    ((struct om_cmd_graph_exception *)cmd->response)->message = arena_str(cmd->mem, text ? text : "");
    return -1;
}

static int fail_unknown_class(struct command *cmd)
{
    command_fail(cmd, &om_cmd_err_class, CATEGORY, "graph-fail", "", "java.lang.NullPointerException\n\tat omero-sandbox");
    return -1;
}

/* --- what is asked for --- */

static int doom_target(struct command *cmd, struct call *c, const struct entity *e, int64_t id)
{
    AUTO(mem_freep) char *sql = mem_printf("select _grp, _owner from %s where id = ?", e->table);
    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, sql, "i", id);
    const struct entity *real = store_next(c->server->store, q) ? object_entity(c, e, id) : NULL;
    unsigned may = real ? viewer_may(c->viewer, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)) : 0;

    if (!(may & MAY_SEE) || (!entity_is_abstract(e) && real != e))
        return fail(cmd, "cannot read %s.%s[%lld]", e->package, e->name, (long long)id);
    if (!(may & MAY_DELETE))
        return fail(cmd, "not permitted to delete %s.%s[%lld]", real->package, real->name, (long long)id);
    return store_run(c->server->store, "insert or ignore into Doomed values (?, ?)", "si", e->table, id);
}

static int doom_targets(struct command *cmd, struct call *c, const struct om_cmd_delete2 *r)
{
    for (size_t i = 0; i < r->target_objects.n; i++) {
        const struct entity *e = entity_by_name(r->target_objects.at[i].key);
        const struct om_ice_long_seq *ids = (const void *)&r->target_objects.at[i].value;
        if (!e)
            return fail_unknown_class(cmd);
        for (size_t k = 0; k < ids->n; k++)
            if (doom_target(cmd, c, e, ids->at[k]) < 0)
                return -1;
    }
    return 0;
}

/* --- what goes with it --- */

static int64_t n_doomed(struct call *c)
{
    return store_long(c->server->store, 0, "select count(*) from Doomed", "");
}

static void doom_annotations(struct call *c, const char *parent)
{
    AUTO(buf_clear) struct buf others = BUF_INIT(8192);

    for (size_t i = 0; i < ARRAY_LEN(annotated); i++)
        buf_printf(&others, " and not exists (select 1 from %sAnnotationLink l where l.child = a.id and l.id not in "
                            "(select id from Doomed where tbl = '%sAnnotationLink'))", annotated[i], annotated[i]);

    AUTO(mem_freep) char *rest = buf_take_str(&others);
    AUTO(mem_freep) char *links = mem_printf("insert or ignore into Doomed select '%sAnnotationLink', id from %sAnnotationLink where "
                                             "parent in (select id from Doomed where tbl = '%s') or child in " D(Annotation),
                                             parent, parent, parent);
    AUTO(mem_freep) char *orphans =
        mem_printf("insert or ignore into Doomed select 'Annotation', a.id from Annotation a where a.id in (select child from "
                   "%sAnnotationLink where parent in (select id from Doomed where tbl = '%s')) and spared(a._kind, a.ns) = 0%s",
                   parent, parent, rest);

    (void)store_run(c->server->store, links, "");
    (void)store_run(c->server->store, orphans, "");
}

static void doom_the_rest(struct call *c)
{
    int64_t before = -1;

    for (int round = 0; round < ROUNDS_MAX && n_doomed(c) != before; round++) {
        before = n_doomed(c);
        for (size_t i = 0; i < ARRAY_LEN(rules); i++)
            (void)store_run(c->server->store, rules[i], "");
        for (size_t i = 0; i < ARRAY_LEN(annotated); i++)
            doom_annotations(c, annotated[i]);
    }
}

/* --- what forbids it --- */

static int check_filesets(struct command *cmd, struct call *c)
{
    AUTO(store_donep) sqlite3_stmt *q =
        store_query(c->server->store, "select f.id, g.id, s.id from Image g join Fileset f on f.id = g.fileset join Image s on s.fileset = f.id "
                                      "where g.id in " D(Image) " and s.id not in " D(Image) " limit 1", "");

    if (!store_next(c->server->store, q))
        return 0;
    return fail(cmd, "within Fileset[%lld] may not delete Image[%lld] while Image[%lld] remains", sqlite3_column_int64(q, 0),
                sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2));
}

/* Links of others to an annotation that is to go. */
static int check_links(struct command *cmd, struct call *c, const char *parent)
{
    AUTO(mem_freep) char *sql = mem_printf("select l._grp, l._owner, l.child, l.parent from %sAnnotationLink l where l.id in "
                                           "(select id from Doomed where tbl = '%sAnnotationLink') and l.child in " D(Annotation),
                                           parent, parent);
    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, sql, "");

    while (store_next(c->server->store, q))
        if (!(viewer_may(c->viewer, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)) & MAY_DELETE)) {
            int64_t id = sqlite3_column_int64(q, 2);
            const struct entity *real = object_entity(c, entity_by_name("Annotation"), id);
            return fail(cmd, "may not delete %s[%lld] while %s[%lld] remains", real->name, (long long)id, parent,
                        sqlite3_column_int64(q, 3));
        }
    return 0;
}

static int check_all(struct command *cmd, struct call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(annotated); i++)
        if (check_links(cmd, c, annotated[i]) < 0)
            return -1;
    return check_filesets(cmd, c);
}

/* --- doing it --- */

static const struct om_cmd_response *answer_of(struct command *cmd, struct call *c)
{
    struct om_cmd_delete2_response *r = arena_alloc(cmd->mem, 1, sizeof(*r));
    struct om_api_string_long_list_map_entry *entries = arena_alloc(cmd->mem, n_entities, sizeof(*entries));
    size_t n = 0;

    for (size_t i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        size_t k = 0, most = (size_t)store_long(c->server->store, 0, "select count(*) from Doomed where tbl = ?", "s", e->table);
        int64_t *ids = arena_alloc(cmd->mem, most, sizeof(*ids));
        AUTO(mem_freep) char *sql = mem_printf("select x.id from Doomed d join %s x on x.id = d.id where d.tbl = '%s' and "
                                               "coalesce(x._kind, '%s') = '%s' order by x.id", e->table, e->table, e->name, e->name);
        AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, sql, "");
        while (k < most && store_next(c->server->store, q))
            ids[k++] = sqlite3_column_int64(q, 0);
        if (k)
            entries[n++] = (struct om_api_string_long_list_map_entry){
                .key = arena_printf(cmd->mem, "%s.%s", e->package, e->name), .value = {.n = k, .at = ids}};
    }
    *r = (struct om_cmd_delete2_response){.cls = &om_cmd_delete2_response_class, .deleted_objects = {.n = n, .at = entries}};
    return (const struct om_cmd_response *)r;
}

static void remove_rows(struct call *c)
{
    (void)store_run(c->server->store, "delete from Pair where (holder = 'Annotation.mapValue' and object in " D(Annotation) ") or "
                                      "(holder = 'Job.versionInfo' and object in " D(Job) ")", "");
    for (size_t i = 0; i < n_entities; i++) {
        AUTO(mem_freep) char *sql = mem_printf("delete from %s where id in (select id from Doomed where tbl = '%s')", entities[i].table,
                                               entities[i].table);
        (void)store_run(c->server->store, sql, "");
    }
}

static const char **files_of(struct command *cmd, struct call *c, size_t *n)
{
    size_t most = (size_t)store_long(c->server->store, 0, "select count(*) from Doomed where tbl = 'OriginalFile'", "");
    const char **paths = arena_alloc(cmd->mem, most, sizeof(*paths));
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        c->server->store, "select path, name from OriginalFile where repo = ? and id in " D(OriginalFile), "s", c->server->repo_uuid);

    for (*n = 0; *n < most && store_next(c->server->store, q); ++*n)
        paths[*n] = arena_printf(cmd->mem, "%s/%s%s", c->server->repository, (const char *)sqlite3_column_text(q, 0),
                                 (const char *)sqlite3_column_text(q, 1));
    return paths;
}

static int delete_all(struct command *cmd, struct call *c)
{
    const struct om_cmd_delete2 *r = ((struct job *)cmd->state)->request;
    const struct om_cmd_response *answer;
    size_t n;

    (void)store_run(c->server->store, "create temp table if not exists Doomed (tbl text, id integer, primary key (tbl, id))", "");
    (void)store_run(c->server->store, "delete from Doomed", "");
    if (doom_targets(cmd, c, r) < 0)
        return -1;
    doom_the_rest(c);
    if (check_all(cmd, c) < 0)
        return -1;
    answer = answer_of(cmd, c);
    if (!r->dry_run) {
        const char **files = files_of(cmd, c, &n);
        remove_rows(c);
        for (size_t i = 0; i < n; i++)
            (void)unlink(files[i]); /* one that was never written is not there */
    }
    cmd->response = answer;
    return 0;
}

static void run_delete(struct command *cmd, struct call *c)
{
    sqlite3_create_function(store_db(c->server->store), "spared", -1, SQLITE_UTF8, NULL, sql_spared, NULL, NULL);
    current = ((struct job *)cmd->state)->request;
    store_begin(c->server->store);
    store_end(c->server->store, delete_all(cmd, c) == 0);
    cmd->step = STEPS - 1;
}

static void end_delete(struct command *cmd)
{
    free(cmd->state);
}

int delete_submit(struct call *c, const struct om_cmd_delete2 *request, const struct ice_proxy **out)
{
    struct command *cmd = command_new(c, STEPS);
    struct job *job = mem_new(1, sizeof(*job));
    const struct ice_op *op = &om_cmd_session_submit_op;
    const struct om_cmd_session_submit_in asked = {.req = (const struct om_cmd_request *)request};
    struct om_cmd_session_submit_in copy = {0};

    copy_values(cmd->mem, op->in, op->n_in, &asked, &copy);
    job->request = (const struct om_cmd_delete2 *)copy.req;
    cmd->request = copy.req;
    cmd->run = run_delete;
    cmd->end = end_delete;
    cmd->state = job;
    *out = command_start(c, cmd);
    return 0;
}
