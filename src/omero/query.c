#include "omero/query.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/ceilings.h"
#include "omero/object.h"

static const struct om_rtype *list_of(struct arena *mem, const struct om_arg *a)
{
    const struct om_rtype **items = arena_alloc(mem, a->n, sizeof(struct om_rtype *));
    struct om_rlist *list = arena_alloc(mem, 1, sizeof(*list));

    for (size_t i = 0; i < a->n; i++)
        items[i] = a->kind == OM_ARG_LONGS ? (const struct om_rtype *)om_rlong(mem, a->numbers[i])
                                           : (const struct om_rtype *)om_rstring(mem, a->strings[i]);
    *list = (struct om_rlist){.cls = &om_rlist_class, .val = {.n = a->n, .at = items}};
    return (const struct om_rtype *)list;
}

static const struct om_rtype *value_of(struct arena *mem, const struct om_arg *a)
{
    switch (a->kind) {
    case OM_ARG_LONG:
        return (const struct om_rtype *)om_rlong(mem, a->number);
    case OM_ARG_BOOL:
        return (const struct om_rtype *)om_rbool(mem, a->number != 0);
    case OM_ARG_STRING:
        return (const struct om_rtype *)om_rstring(mem, a->string);
    default:
        return list_of(mem, a);
    }
}

int om_query_parameters(const struct om_query *q, struct arena *mem, struct om_sys_parameters *out, struct err *err)
{
    struct om_sys_param_map_entry *entries = arena_alloc(mem, q->n_args, sizeof(*entries));

    for (size_t i = 0; i < q->n_args; i++) {
        const struct om_arg *a = &q->args[i];
        if ((a->kind == OM_ARG_LONGS || a->kind == OM_ARG_STRINGS) && a->n == 0)
            return err_set(err, REASON_BUG, 0, "a query with an empty list :%s", a->name);
        entries[i] = (struct om_sys_param_map_entry){.key = a->name, .value = value_of(mem, a)};
    }
    *out = (struct om_sys_parameters){.cls = &om_sys_parameters_class, .map = {.n = q->n_args, .at = entries}};
    if (q->limit > 0) {
        struct om_sys_filter *filter = arena_alloc(mem, 1, sizeof(*filter));
        *filter = (struct om_sys_filter){
            .cls = &om_sys_filter_class, .offset = om_rint(mem, q->offset), .limit = om_rint(mem, q->limit)};
        out->the_filter = filter;
    }
    return 0;
}

static const struct om_rtype *map_entry(const struct om_rmap *map, const char *key)
{
    for (size_t i = 0; i < map->val.n; i++)
        if (strcmp(map->val.at[i].key, key) == 0)
            return map->val.at[i].value;
    return NULL;
}

static bool flag(const struct om_rmap *map, const char *key)
{
    const struct om_rtype *v = map_entry(map, key);

    return v && ice_class_is_a(v->cls, &om_rbool_class) && ((const struct om_rbool *)v)->val;
}

static struct om_rights rights_of(const struct om_rmap *map)
{
    const struct om_rtype *perm = map_entry(map, "perm");

    return (struct om_rights){
        .perm = perm && ice_class_is_a(perm->cls, &om_rstring_class) ? ((const struct om_rstring *)perm)->val : "",
        .link = flag(map, "canLink"),
        .edit = flag(map, "canEdit"),
        .delete_ = flag(map, "canDelete"),
        .annotate = flag(map, "canAnnotate")};
}

/* The class of the value that a column letter means. */
static const struct ice_class *column_class(char letter)
{
    static const struct {
        char letter;
        const struct ice_class *cls;
    } columns[] = {{'l', &om_rlong_class},   {'i', &om_rint_class},  {'s', &om_rstring_class}, {'b', &om_rbool_class},
                   {'d', &om_rdouble_class}, {'t', &om_rtime_class}, {'p', &om_rmap_class}};

    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        if (columns[i].letter == letter)
            return columns[i].cls;
    return NULL;
}

static void fill_cell(char letter, const struct om_rtype *v, struct om_cell *cell)
{
    switch (letter) {
    case 'l':
        cell->n = ((const struct om_rlong *)v)->val;
        break;
    case 'i':
        cell->n = ((const struct om_rint *)v)->val;
        break;
    case 't':
        cell->n = ((const struct om_rtime *)v)->val;
        break;
    case 'b':
        cell->n = ((const struct om_rbool *)v)->val;
        break;
    case 'd':
        cell->d = ((const struct om_rdouble *)v)->val;
        break;
    case 's':
        cell->s = ((const struct om_rstring *)v)->val;
        break;
    default:
        cell->may = rights_of((const struct om_rmap *)v);
    }
}

/* Is the row one map?  A server that is asked for a `details.permissions` by itself says yes to everything; it looks at the
 * rights only of an object below a key of that name in a map (QueryImpl.projection). */
static bool in_map(const struct om_query *q)
{
    return strchr(q->cols, 'p') != NULL;
}

static const struct om_rtype *map_value(const struct om_rtype *map, char letter, size_t col)
{
    char key[48];

    if (!map || !ice_class_is_a(map->cls, &om_rmap_class))
        return NULL;
    (void)snprintf(key, sizeof(key), "c%zu%s", col, letter == 'p' ? "_details_permissions" : "");
    return map_entry((const struct om_rmap *)map, key);
}

static int read_row(const struct om_query *q, const struct om_rtype_seq *row, struct om_cell *cells, struct err *err)
{
    size_t n_cols = strlen(q->cols), n_sent = in_map(q) ? 1 : n_cols;

    /* A row of one column that is null comes as a row without columns. */
    if (row->n == 0 && n_cols == 1 && isupper((unsigned char)q->cols[0])) {
        cells[0] = (struct om_cell){.null = true, .s = "", .may = {.perm = ""}};
        return 0;
    }
    if (row->n != n_sent)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO answered %zu columns for %zu: %s", row->n, n_sent, q->hql);
    for (size_t i = 0; i < n_cols; i++) {
        char letter = (char)tolower((unsigned char)q->cols[i]);
        const struct om_rtype *v = in_map(q) ? map_value(row->at[0], letter, i) : row->at[i];
        cells[i] = (struct om_cell){.null = !v, .s = "", .may = {.perm = ""}};
        if (!v && letter != q->cols[i])
            continue;
        if (!v || !ice_class_is_a(v->cls, column_class(letter)))
            return err_set(err, REASON_PROTOCOL, 0, "OMERO answered %s in column %zu of: %s", v ? v->cls->id : "nothing", i + 1,
                           q->hql);
        fill_cell(letter, v, &cells[i]);
    }
    return 0;
}

static int read_rows(const struct om_query *q, const struct om_rtype_seq_seq *answer, struct arena *mem, struct om_rows *out,
                     struct err *err)
{
    size_t n_cols = strlen(q->cols);

    if (answer->n > OM_ROWS_MAX / n_cols)
        return err_set(err, REASON_TOO_LARGE, 0, "OMERO answered %zu rows: %s", answer->n, q->hql);

    struct om_cell *cells = arena_alloc(mem, answer->n * n_cols, sizeof(*cells));

    for (size_t i = 0; i < answer->n; i++)
        if (read_row(q, &answer->at[i], cells + i * n_cols, err) < 0)
            return -1;
    *out = (struct om_rows){.n = answer->n, .n_cols = n_cols, .cells = cells};
    return 0;
}

int om_query(struct om_client *c, const struct om_query *q, struct arena *mem, struct om_rows *out, struct err *err)
{
    struct om_sys_parameters params;
    struct om_rtype_seq_seq answer;
    const struct ice_proxy *query;

    if (om_query_parameters(q, mem, &params, err) < 0 || om_client_service(c, OM_QUERY, &query, err) < 0 ||
        om_api_iquery_projection(&c->caller, query, q->hql, &params, mem, &answer, err) < 0)
        return -1;
    return read_rows(q, &answer, mem, out, err);
}

const struct om_cell *om_cell(const struct om_rows *rows, size_t row, size_t col)
{
    assert(row < rows->n && col < rows->n_cols);
    return &rows->cells[row * rows->n_cols + col];
}

int om_query_long(struct om_client *c, const struct om_query *q, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_rows rows;

    if (om_query(c, q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_NO_ROW;
    *out = om_long(&rows, 0, 0);
    return 0;
}

int om_query_everywhere(struct om_client *c, const struct om_query *q, struct arena *mem, struct om_rows *out, struct err *err)
{
    int64_t before = om_client_group(c, OM_GROUP_ALL);
    int r = om_query(c, q, mem, out, err);

    om_client_group(c, before);
    return r;
}

int om_query_list(struct om_client *c, const struct om_query *q, struct arena *mem, size_t size, om_fill_fn *fill, void **out,
                  size_t *n, struct err *err)
{
    struct om_rows rows;

    if (om_query_everywhere(c, q, mem, &rows, err) < 0)
        return -1;

    char *list = arena_alloc(mem, rows.n, size);

    for (size_t i = 0; i < rows.n; i++)
        fill(&rows, i, list + i * size);
    *out = list;
    *n = rows.n;
    return 0;
}
