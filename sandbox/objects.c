#include "sandbox/objects.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

/* --- values --- */

#define R_VALUE(name, type, arg)                             \
    const struct om_##type *name(struct arena *mem, arg v)   \
    {                                                        \
        struct om_##type *r = arena_alloc(mem, 1, sizeof(*r)); \
        *r = (struct om_##type){.cls = &om_##type##_class, .val = v}; \
        return r;                                            \
    }
R_VALUE(r_long, rlong, int64_t)
R_VALUE(r_int, rint, int32_t)
R_VALUE(r_bool, rbool, bool)
R_VALUE(r_double, rdouble, double)
R_VALUE(r_time, rtime, int64_t)

const struct om_rstring *r_string(struct arena *mem, const char *v)
{
    if (!v)
        return NULL;

    struct om_rstring *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct om_rstring){.cls = &om_rstring_class, .val = v};
    return r;
}

struct om_iobject *object_ref(struct arena *mem, const struct ice_class *cls, int64_t id)
{
    struct om_iobject *o = arena_alloc(mem, 1, cls->size);

    o->cls = cls;
    o->id = r_long(mem, id);
    return o;
}

void *object_new(struct arena *mem, const struct ice_class *cls)
{
    struct om_iobject *o = arena_alloc(mem, 1, cls->size);

    o->cls = cls;
    for (; cls; cls = cls->base)
        for (size_t i = 0; i < cls->n_fields; i++)
            if (cls->fields[i].type->kind == ICE_BOOL && str_ends_nocase(cls->fields[i].name, "loaded"))
                *(bool *)((char *)o + cls->fields[i].offset) = true;
    return o;
}

/* Enumerations have the same form: details, id, value. */
struct enumeration {
    const struct ice_class *cls;
    const struct om_rlong *id;
    const struct om_details *details;
    bool loaded;
    const struct om_rstring *value;
};

const struct om_iobject *enum_object(struct arena *mem, const struct ice_class *cls, const char *value)
{
    const char *const *values = enum_values(cls);
    int64_t id = 1;

    if (!value)
        return NULL;
    for (; values && values[id - 1] && strcmp(values[id - 1], value) != 0; id++)
        ;

    struct enumeration *e = object_new(mem, cls);

    e->id = r_long(mem, id);
    e->value = r_string(mem, arena_str(mem, value));
    return (const struct om_iobject *)e;
}

/* --- what was loaded for this answer --- */

enum { BUCKETS = 512 };

struct instance {
    struct instance *next;
    const char *table;
    int64_t id;
    struct om_iobject *object;
};

struct instances {
    struct instance *bucket[BUCKETS];
};

static struct instance **bucket_of(struct call *c, int64_t id)
{
    if (!c->instances)
        c->instances = arena_alloc(c->mem, 1, sizeof(*c->instances));
    return &c->instances->bucket[(uint64_t)id % BUCKETS];
}

static struct om_iobject *known(struct call *c, const struct entity *e, int64_t id)
{
    for (struct instance *i = *bucket_of(c, id); i; i = i->next)
        if (i->id == id && strcmp(i->table, e->table) == 0)
            return i->object;
    return NULL;
}

static void remember(struct call *c, const struct entity *e, int64_t id, struct om_iobject *object)
{
    struct instance **at = bucket_of(c, id), *i = arena_alloc(c->mem, 1, sizeof(*i));

    *i = (struct instance){.next = *at, .table = e->table, .id = id, .object = object};
    *at = i;
}

/* --- details --- */

const struct om_permissions *permissions_object(struct call *c, int64_t group, int64_t owner)
{
    enum { N = 6 };
    const struct viewer_group *g = c->viewer ? viewer_group(c->viewer, group) : NULL;
    unsigned may = c->viewer ? viewer_may(c->viewer, group, owner) : MAY_SEE;
    struct om_permissions *p = arena_alloc(c->mem, 1, sizeof(*p));
    bool *forbidden = arena_alloc(c->mem, N, sizeof(*forbidden));

    for (unsigned i = 0; i < N; i++)
        forbidden[i] = !(may & (1u << i));
    *p = (struct om_permissions){
        .cls = &om_permissions_class, .restrictions = {.n = N, .at = forbidden}, .perm1 = perms_bits(g ? g->perms : "rw----")};
    return p;
}

static const struct entity *named(const char *name)
{
    return entity_by_name(name);
}

static const struct om_details *details_of(struct call *c, sqlite3_stmt *q, bool of_system)
{
    enum { OWNER = 2, GROUP = 3, MADE = 5, CHANGED = 6 };
    int64_t owner = sqlite3_column_int64(q, OWNER), group = sqlite3_column_int64(q, GROUP);
    struct om_details *d = arena_alloc(c->mem, 1, sizeof(*d));

    d->cls = &om_details_class;
    d->permissions = permissions_object(c, group, owner);
    if (of_system)
        return d;
    d->owner = (const struct om_experimenter *)object_load(c, named("Experimenter"), owner);
    d->group = (const struct om_experimenter_group *)object_load(c, named("ExperimenterGroup"), group);
    d->creation_event = (const struct om_event *)object_load(c, named("Event"), sqlite3_column_int64(q, MADE));
    d->update_event = (const struct om_event *)object_load(c, named("Event"), sqlite3_column_int64(q, CHANGED));
    return d;
}

/* --- members --- */

static struct om_api_named_value_list load_pairs(struct call *c, const struct entity *e, const char *column, int64_t id)
{
    const char *holder = arena_printf(c->mem, "%s.%s", e->table, column);
    size_t n =
        (size_t)store_long(c->server->store, 0, "select count(*) from Pair where holder = ? and object = ?", "si", holder, id);
    const struct om_named_value **list = arena_alloc(c->mem, n, sizeof(struct om_named_value *));
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        c->server->store, "select name, value from Pair where holder = ? and object = ? order by position", "si", holder, id);

    for (size_t i = 0; i < n && store_next(c->server->store, q); i++) {
        struct om_named_value *v = arena_alloc(c->mem, 1, sizeof(*v));
        *v = (struct om_named_value){
            .cls = &om_named_value_class, .name = store_col_text(c->mem, q, 0), .value = store_col_text(c->mem, q, 1)};
        list[i] = v;
    }
    return (struct om_api_named_value_list){.n = n, .at = list};
}

static const void *load_length(struct arena *mem, double micrometres)
{
    struct om_length *l = arena_alloc(mem, 1, sizeof(*l));

    *l = (struct om_length){
        .cls = &om_length_class, .value = micrometres, .unit = OM_ENUMS_UNITS_LENGTH_MICROMETER};
    return l;
}

static const void *load_ref(struct call *c, const struct ice_class *cls, int64_t id)
{
    const struct entity *e = entity_by_class(cls);

    if (e && entity_is_abstract(e))
        e = object_entity(c, e, id);
    return e ? object_ref(c->mem, e->cls, id) : NULL;
}

static const void *load_value(struct call *c, const struct column *col, sqlite3_stmt *q, int at)
{
    struct arena *mem = c->mem;

    switch (col->kind) {
    case COL_TEXT:
        return r_string(mem, store_col_text(mem, q, at));
    case COL_LONG:
        return r_long(mem, sqlite3_column_int64(q, at));
    case COL_INT:
        return r_int(mem, sqlite3_column_int(q, at));
    case COL_BOOL:
        return r_bool(mem, sqlite3_column_int(q, at) != 0);
    case COL_DOUBLE:
        return r_double(mem, sqlite3_column_double(q, at));
    case COL_TIME:
        return r_time(mem, sqlite3_column_int64(q, at));
    case COL_ENUM:
        return enum_object(mem, col->field->type->cls, store_col_text(mem, q, at));
    case COL_REF:
        return load_ref(c, col->field->type->cls, sqlite3_column_int64(q, at));
    case COL_LENGTH:
        return load_length(mem, sqlite3_column_double(q, at));
    default:
        return NULL;
    }
}

static void load_members(struct call *c, const struct entity *e, sqlite3_stmt *q, struct om_iobject *o)
{
    enum { FIRST = 7 };
    struct column col;
    int index = FIRST;

    for (const char *at = e->columns; entity_column(e, &at, &col);) {
        if (col.kind == COL_NONE)
            continue;
        void *member = (char *)o + col.field->offset;
        if (col.kind == COL_PAIRS)
            *(struct om_api_named_value_list *)member = load_pairs(c, e, col.name, o->id->val);
        else if (sqlite3_column_type(q, index++) != SQLITE_NULL)
            *(const void **)member = load_value(c, &col, q, index - 1);
    }
}

static const char *select_text(struct call *c, const struct entity *e)
{
    AUTO(buf_clear) struct buf sql = BUF_INIT(4096);
    struct column col;

    buf_add_str(&sql, "select id, _kind, _owner, _grp, _version, _made, _changed");
    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.kind != COL_NONE && col.kind != COL_PAIRS)
            buf_printf(&sql, ", %s", col.name);
    buf_printf(&sql, " from %s where id = ?", e->table);
    return arena_strn(c->mem, (const char *)sql.data, sql.len);
}

const struct entity *object_entity(struct call *c, const struct entity *e, int64_t id)
{
    AUTO(mem_freep) char *sql = mem_printf("select coalesce(_kind, '') from %s where id = ?", e->table);
    const char *kind = store_text(c->server->store, c->mem, sql, "i", id);

    if (!kind)
        return NULL;
    return kind[0] ? entity_by_name(kind) : e;
}

static bool is_system(const struct entity *e)
{
    return strcmp(e->package, "ome.model.meta") == 0;
}

struct om_iobject *object_load(struct call *c, const struct entity *e, int64_t id)
{
    struct om_iobject *o = known(c, e, id);
    const struct entity *real = o ? NULL : object_entity(c, e, id);

    if (o || !real)
        return o;

    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, select_text(c, real), "i", id);

    if (!store_next(c->server->store, q))
        return NULL;
    o = object_ref(c->mem, real->cls, id);
    o->loaded = true;
    remember(c, real, id, o);
    o->details = details_of(c, q, is_system(real));
    load_members(c, real, q, o);

    const struct ice_field *version = class_field(real->cls, "_version");

    if (version && sqlite3_column_type(q, 4) != SQLITE_NULL)
        *(const struct om_rint **)(void *)((char *)o + version->offset) = r_int(c->mem, sqlite3_column_int(q, 4));
    return o;
}

/* --- what hangs on it --- */

static void fetch_items(struct call *c, struct om_iobject *o, const struct collection *col)
{
    struct any_seq {
        size_t n;
        const struct om_iobject *const *at;
    } *seq = (void *)((char *)o + class_field(o->cls, col->field)->offset);
    bool *loaded = (bool *)((char *)o + class_field(o->cls, col->loaded)->offset);

    if (*loaded)
        return;

    AUTO(mem_freep)
    char *where = mem_printf("from %s where %s = ? and (_owner is null or see(_grp, _owner))", col->items->table, col->back);
    AUTO(mem_freep) char *count = mem_printf("select count(*) %s", where);
    AUTO(mem_freep) char *list = mem_printf("select id %s order by id", where);
    size_t n = (size_t)store_long(c->server->store, 0, count, "i", o->id->val);
    const struct om_iobject **items = arena_alloc(c->mem, n, sizeof(struct om_iobject *));
    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, list, "i", o->id->val);

    for (size_t i = 0; i < n && store_next(c->server->store, q); i++)
        items[i] = object_load(c, col->items, sqlite3_column_int64(q, 0));
    seq->n = n;
    seq->at = items;
    *loaded = true;
}

static void fetch_rest(struct call *c, const struct om_iobject *o, const char *path)
{
    const char *dot = strchr(path, '.');

    if (o && dot)
        object_fetch(c, (struct om_iobject *)o, dot + 1);
}

static void fetch_ref(struct call *c, struct om_iobject *o, const char *name, const char *path)
{
    char member[80];

    snprintf(member, sizeof(member), "_%s", name);

    const struct ice_field *f = class_field(o->cls, member);

    if (!f || f->type->kind != ICE_CLASS)
        return;

    const struct om_iobject **at = (void *)((char *)o + f->offset);

    if (*at && !(*at)->loaded && entity_by_class((*at)->cls))
        *at = object_load(c, entity_by_class((*at)->cls), (*at)->id->val);
    fetch_rest(c, *at, path);
}

void object_fetch(struct call *c, struct om_iobject *o, const char *path)
{
    const struct entity *e = entity_by_class(o->cls);
    AUTO(mem_freep) char *name = mem_strn(path, strcspn(path, "."));
    struct collection col;

    if (!e || !entity_collection(e, name, &col)) {
        fetch_ref(c, o, name, path);
        return;
    }
    fetch_items(c, o, &col);

    const struct {
        size_t n;
        const struct om_iobject *const *at;
    } *seq = (const void *)((const char *)o + class_field(o->cls, col.field)->offset);

    for (size_t i = 0; i < seq->n; i++)
        fetch_rest(c, seq->at[i], path);
}

/* --- for the caller's eyes --- */

int object_check(struct call *c, const struct entity *e, int64_t id, int64_t *owner, int64_t *group)
{
    AUTO(mem_freep) char *sql = mem_printf("select _owner, _grp from %s where id = ?", e->table);
    AUTO(store_donep) sqlite3_stmt *q = store_query(c->server->store, sql, "i", id);

    if (!store_next(c->server->store, q))
        return call_throw(c, &om_validation_exception_class,
                          "No row with the given identifier exists: [%s.%s#%lld]; nested exception is "
                          "org.hibernate.ObjectNotFoundException: No row with the given identifier exists: [%s.%s#%lld]",
                          e->package, e->name, (long long)id, e->package, e->name, (long long)id);

    int64_t o = sqlite3_column_int64(q, 0), g = sqlite3_column_int64(q, 1);

    if (!is_system(e) && !viewer_sees(c->viewer, g, o)) {
        const struct entity *real = object_entity(c, e, id);
        return call_throw(c, &om_security_violation_class, "Cannot read %s.%s:Id_%lld", real->package, real->name, (long long)id);
    }
    if (owner)
        *owner = o;
    if (group)
        *group = g;
    return 0;
}

int object_get(struct call *c, const struct entity *e, int64_t id, struct om_iobject **out)
{
    if (object_check(c, e, id, NULL, NULL) < 0)
        return -1;
    *out = object_load(c, e, id);
    return 0;
}
