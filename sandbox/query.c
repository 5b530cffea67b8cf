/* IQuery and IContainer: asking. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "sandbox/objects.h"
#include "sandbox/texts.h"

/* --- parameters --- */

static const struct om_rtype *parameter(const struct om_sys_parameters *params, const char *name)
{
    for (size_t i = 0; params && i < params->map.n; i++)
        if (strcmp(params->map.at[i].key, name) == 0)
            return params->map.at[i].value;
    return NULL;
}

static json_t *json_of(const struct om_rtype *v)
{
    if (v && v->cls == &om_rlong_class)
        return json_integer(((const struct om_rlong *)v)->val);
    if (v && v->cls == &om_rint_class)
        return json_integer(((const struct om_rint *)v)->val);
    return v && v->cls == &om_rstring_class ? json_string(((const struct om_rstring *)v)->val) : json_null();
}

/* Lists of all kinds have one form; SQL reads them as JSON. */
static bool is_list(const struct om_rtype *v)
{
    return ice_class_is_a(v->cls, &om_rcollection_class);
}

static void bind_list(sqlite3_stmt *q, int at, const struct om_rlist *list)
{
    AUTO(js_freep) json_t *array = json_array();

    for (size_t i = 0; i < list->val.n; i++)
        json_array_append_new(array, json_of(list->val.at[i]));

    AUTO(mem_freep) char *text = json_dumps(array, JSON_COMPACT);

    sqlite3_bind_text(q, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_value(sqlite3_stmt *q, int at, const struct om_rtype *v)
{
    if (is_list(v))
        bind_list(q, at, (const struct om_rlist *)v);
    else if (v->cls == &om_rlong_class)
        sqlite3_bind_int64(q, at, ((const struct om_rlong *)v)->val);
    else if (v->cls == &om_rint_class)
        sqlite3_bind_int(q, at, ((const struct om_rint *)v)->val);
    else if (v->cls == &om_rbool_class)
        sqlite3_bind_int(q, at, ((const struct om_rbool *)v)->val);
    else if (v->cls == &om_rtime_class)
        sqlite3_bind_int64(q, at, ((const struct om_rtime *)v)->val);
    else if (v->cls == &om_rstring_class)
        sqlite3_bind_text(q, at, ((const struct om_rstring *)v)->val, -1, SQLITE_TRANSIENT);
}

static int bind_all(struct call *c, sqlite3_stmt *q, const struct text_match *m, const struct om_sys_parameters *params)
{
    for (int i = 1; i <= sqlite3_bind_parameter_count(q); i++) {
        const char *name = sqlite3_bind_parameter_name(q, i) + 1;
        const struct om_rtype *v = parameter(params, name);
        if (name[0] == 'n' && name[1] >= '1' && name[1] <= '0' + TEXT_NUMBERS && name[2] == '\0')
            sqlite3_bind_int64(q, i, m->numbers[name[1] - '1']);
        else if (!v)
            return call_throw(c, &om_api_usage_exception_class, "Null parameters not allowed: %s", name);
        else if (is_list(v) && ((const struct om_rlist *)v)->val.n == 0)
            return call_throw(c, &om_query_exception_class, "Illegal query: unexpected end of subtree: in ()");
        else
            bind_value(q, i, v);
    }
    return 0;
}

/* --- running --- */

static int prepare(struct call *c, const char *hql, const struct om_sys_parameters *params, struct text_match *m,
                   sqlite3_stmt **out)
{
    if (!text_find(hql, m))
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and does not know this query: %s", hql);

    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, m->sql, "");

    if (bind_all(c, q, m, params) < 0)
        return -1;
    *out = STEAL(q);
    return 0;
}

struct page {
    int64_t offset, limit;
};

static struct page page_of(const struct om_sys_parameters *params)
{
    const struct om_sys_filter *f = params ? params->the_filter : NULL;

    return (struct page){.offset = f && f->offset ? f->offset->val : 0, .limit = f && f->limit ? f->limit->val : INT64_MAX};
}

static const struct om_rtype *map_of(struct call *c, size_t n, const struct om_rtype_dict_entry *entries)
{
    struct om_rmap *map = arena_alloc(c->mem, 1, sizeof(*map));

    *map = (struct om_rmap){.cls = &om_rmap_class, .val = {.n = n, .at = entries}};
    return (const struct om_rtype *)map;
}

/* What the asker may do with an object of that group and owner. */
static const struct om_rtype *rights_map(struct call *c, int64_t group, int64_t owner)
{
    static const struct {
        const char *name;
        unsigned bit;
    } rights[] = {{"canAnnotate", MAY_ANNOTATE}, {"canChgrp", MAY_CHGRP}, {"canChown", MAY_CHOWN},
                  {"canDelete", MAY_DELETE},     {"canEdit", MAY_EDIT},   {"canLink", MAY_LINK}};
    enum { N = ARRAY_LEN(rights) };
    const struct viewer_group *g = viewer_group(c->viewer, group);
    unsigned may = viewer_may(c->viewer, group, owner);
    struct om_rtype_dict_entry *entries = arena_alloc(c->mem, N + 1, sizeof(*entries));

    for (size_t i = 0; i < N; i++)
        entries[i] = (struct om_rtype_dict_entry){.key = rights[i].name,
                                                  .value = (const struct om_rtype *)r_bool(c->mem, may & rights[i].bit)};
    entries[N] = (struct om_rtype_dict_entry){.key = "perm",
                                              .value = (const struct om_rtype *)r_string(c->mem, g ? g->perms : "rw----")};
    return map_of(c, N + 1, entries);
}

static const struct om_rtype *object_value(struct call *c, const struct om_iobject *o)
{
    struct om_robject *r = arena_alloc(c->mem, 1, sizeof(*r));

    *r = (struct om_robject){.cls = &om_robject_class, .val = o};
    return (const struct om_rtype *)r;
}

static const struct om_rtype *cell(struct call *c, const struct text_match *m, char letter, sqlite3_stmt *q, int at)
{
    if (sqlite3_column_type(q, at) == SQLITE_NULL)
        return NULL;
    switch (letter) {
    case 'l':
        return (const struct om_rtype *)r_long(c->mem, sqlite3_column_int64(q, at));
    case 'i':
        return (const struct om_rtype *)r_int(c->mem, sqlite3_column_int(q, at));
    case 't':
        return (const struct om_rtype *)r_time(c->mem, sqlite3_column_int64(q, at));
    case 's':
        return (const struct om_rtype *)r_string(c->mem, store_col_text(c->mem, q, at));
    case 'r':
        return rights_map(c, sqlite3_column_int64(q, at), sqlite3_column_int64(q, at + 1));
    default:
        return object_value(c, object_load(c, m->entity, sqlite3_column_int64(q, at)));
    }
}

/* The word after the next `as` of a `select new map(x as KEY, ...)`. */
static const char *next_key(struct call *c, const char **at)
{
    const char *key = strstr(*at, " as ") + strlen(" as ");
    size_t n = strcspn(key, ",) ");

    *at = key + n;
    return arena_strn(c->mem, key, n);
}

static const struct om_rtype *keyed(struct call *c, const struct text_match *m, size_t n, const struct om_rtype *const *cells)
{
    struct om_rtype_dict_entry *entries = arena_alloc(c->mem, n, sizeof(*entries));
    const char *at = m->text->hql;

    for (size_t i = 0; i < n; i++)
        entries[i] = (struct om_rtype_dict_entry){.key = next_key(c, &at), .value = cells[i]};
    return map_of(c, n, entries);
}

/* A row of one column that is null comes as a row without columns. */
static struct om_rtype_seq read_row(struct call *c, const struct text_match *m, sqlite3_stmt *q)
{
    bool map = m->text->cols[0] == '{';
    const char *cols = m->text->cols + map;
    size_t n = strlen(cols);
    const struct om_rtype **cells = arena_alloc(c->mem, n, sizeof(struct om_rtype *));

    for (size_t i = 0; i < n; i++)
        cells[i] = cell(c, m, cols[i], q, (int)i);
    if (map)
        cells[0] = keyed(c, m, n, cells);
    return (struct om_rtype_seq){.n = map ? 1 : n == 1 && !cells[0] ? 0 : n, .at = cells};
}

static int projection(struct call *c)
{
    const struct om_api_iquery_projection_in *in = c->in;
    struct om_api_iquery_projection_out *out = c->out;
    struct page page = page_of(in->params);
    AUTO(mem_freep) struct om_rtype_seq *rows = NULL;
    AUTO(store_donep) sqlite3_stmt *q = NULL;
    struct text_match m;
    size_t n = 0, cap = 0;

    if (prepare(c, in->query, in->params, &m, &q) < 0)
        return -1;
    for (int64_t i = 0; store_next(c->server->store, q) && (int64_t)n < page.limit; i++) {
        if (i < page.offset)
            continue;
        rows = mem_grow(rows, n, &cap, sizeof(*rows));
        rows[n++] = read_row(c, &m, q);
    }

    struct om_rtype_seq *kept = arena_alloc(c->mem, n, sizeof(*kept));

    if (n)
        memcpy(kept, rows, n * sizeof(*kept));
    out->ret = (struct om_rtype_seq_seq){.n = n, .at = kept};
    return 0;
}

static void fetch_all(struct call *c, struct om_iobject *o, const char *paths)
{
    for (const char *at = paths ? paths : ""; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        object_fetch(c, o, arena_strn(c->mem, at, n));
        at += n;
    }
}

static int find_all(struct call *c, const char *hql, const struct om_sys_parameters *params, struct om_api_iobject_list *out)
{
    struct page page = page_of(params);
    AUTO(mem_freep) int64_t *ids = NULL;
    AUTO(store_donep) sqlite3_stmt *q = NULL;
    struct text_match m;
    size_t n = 0, cap = 0;

    if (prepare(c, hql, params, &m, &q) < 0)
        return -1;
    if (m.text->cols[0] != 'o')
        return call_throw(c, &om_validation_exception_class, "Query does not return objects: %s", hql);
    for (int64_t i = 0; store_next(c->server->store, q) && (int64_t)n < page.limit; i++) {
        if (i < page.offset)
            continue;
        ids = mem_grow(ids, n, &cap, sizeof(*ids));
        ids[n++] = sqlite3_column_int64(q, 0);
    }

    const struct om_iobject **list = arena_alloc(c->mem, n, sizeof(struct om_iobject *));

    for (size_t i = 0; i < n; i++) {
        struct om_iobject *o = object_load(c, m.entity, ids[i]);
        fetch_all(c, o, m.text->fetch);
        list[i] = o;
    }
    *out = (struct om_api_iobject_list){.n = n, .at = list};
    return 0;
}

static int find_all_by_query(struct call *c)
{
    const struct om_api_iquery_find_all_by_query_in *in = c->in;

    return find_all(c, in->query, in->params, &((struct om_api_iquery_find_all_by_query_out *)c->out)->ret);
}

static int find_by_query(struct call *c)
{
    const struct om_api_iquery_find_by_query_in *in = c->in;
    struct om_api_iobject_list found;

    if (find_all(c, in->query, in->params, &found) < 0)
        return -1;
    if (found.n > 1)
        return call_throw(c, &om_api_usage_exception_class, "Query returned %zu results, not one: %s", found.n, in->query);
    ((struct om_api_iquery_find_by_query_out *)c->out)->ret = found.n ? found.at[0] : NULL;
    return 0;
}

/* --- by id --- */

static int get(struct call *c)
{
    const struct om_api_iquery_get_in *in = c->in;
    const struct entity *e = entity_by_name(in->klass);
    struct om_iobject *o;

    if (!e)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and keeps no %s", in->klass);
    if (object_get(c, e, in->id, &o) < 0)
        return -1;
    ((struct om_api_iquery_get_out *)c->out)->ret = o;
    return 0;
}

static int find(struct call *c)
{
    const struct om_api_iquery_find_in *in = c->in;
    const struct entity *e = entity_by_name(in->klass);
    struct om_iobject *o = NULL;

    if (!e)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and keeps no %s", in->klass);
    if (object_entity(c, e, in->id) && object_get(c, e, in->id, &o) < 0)
        return -1;
    ((struct om_api_iquery_find_out *)c->out)->ret = o;
    return 0;
}

static const struct handler query_handlers[] = {
    {&om_api_iquery_projection_op, projection},       {&om_api_iquery_find_all_by_query_op, find_all_by_query},
    {&om_api_iquery_find_by_query_op, find_by_query}, {&om_api_iquery_get_op, get},
    {&om_api_iquery_find_op, find},
};
const struct kind query_kind = {.name = "omero.api.IQuery",
                                .types = "::omero::api::IQuery ::omero::api::ServiceInterface",
                                .handlers = query_handlers,
                                .n = ARRAY_LEN(query_handlers)};

/* --- images with their pixels --- */

static int get_images(struct call *c)
{
    const struct om_api_icontainer_get_images_in *in = c->in;
    struct om_api_icontainer_get_images_out *out = c->out;
    const struct om_image **list = arena_alloc(c->mem, in->root_ids.n, sizeof(struct om_image *));

    if (strcmp(in->root_type, "Image") != 0 && strcmp(in->root_type, "ome.model.core.Image") != 0)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and gets no images of %s", in->root_type);
    for (size_t i = 0; i < in->root_ids.n; i++) {
        struct om_iobject *o = NULL;
        if (object_get(c, entity_by_name("Image"), in->root_ids.at[i], &o) < 0)
            return -1;
        object_fetch(c, o, "pixels.channels.logicalChannel");
        object_fetch(c, o, "datasetLinks");
        list[i] = (const struct om_image *)o;
    }
    out->ret = (struct om_api_image_list){.n = in->root_ids.n, .at = list};
    return 0;
}

static int count_collection(struct call *c)
{
    const struct om_api_icontainer_get_collection_count_in *in = c->in;
    struct om_api_icontainer_get_collection_count_out *out = c->out;
    const struct entity *e = entity_by_name(in->type);
    struct om_sys_count_map_entry *counts = arena_alloc(c->mem, in->ids.n, sizeof(*counts));
    struct collection items;

    if (!e || !entity_collection(e, in->property, &items))
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and counts no %s of %s", in->property,
                          in->type);

    AUTO(mem_freep) char *sql =
        mem_printf("select count(*) from %s where %s = ? and see(_grp, _owner)", items.items->table, items.back);

    for (size_t i = 0; i < in->ids.n; i++)
        counts[i] = (struct om_sys_count_map_entry){
            .key = in->ids.at[i], .value = store_long(c->server->store, 0, sql, "i", in->ids.at[i])};
    out->ret = (struct om_sys_count_map){.n = in->ids.n, .at = counts};
    return 0;
}

static const struct handler container_handlers[] = {{&om_api_icontainer_get_images_op, get_images},
                                                    {&om_api_icontainer_get_collection_count_op, count_collection}};
const struct kind container_kind = {.name = "omero.api.IContainer",
                                    .types = "::omero::api::IContainer ::omero::api::ServiceInterface",
                                    .handlers = container_handlers,
                                    .n = ARRAY_LEN(container_handlers)};
