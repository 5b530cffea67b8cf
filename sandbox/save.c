#include "sandbox/save.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/ceilings.h"
#include "base/clock.h"

enum { BUCKETS = 1024, PAIR_ROW_MAX = 2704, VALUES_MAX = 32 };

struct seen {
    struct seen *next;
    const struct om_iobject *object;
};

struct saver {
    int64_t event;
    struct seen *bucket[BUCKETS]; /* objects that are, or are being, saved */
    unsigned depth;
};

static struct saver *saver_of(struct call *c, struct saver **saver)
{
    if (!*saver)
        *saver = arena_alloc(c->mem, 1, sizeof(**saver));
    return *saver;
}

int64_t save_event(struct call *c, struct saver **saver)
{
    struct saver *s = saver_of(c, saver);

    if (!s->event) {
        (void)store_run(c->server->store,
                        "insert into Event (time, type, experimenter, experimenterGroup, session) values (?, ?, ?, ?, ?)",
                        "isiii", clock_wall_ms(), c->session->event_type, c->session->user, c->group, c->session->id);
        s->event = store_last_id(c->server->store);
    }
    return s->event;
}

/* True the first time. */
static bool mark(struct call *c, struct saver *s, const struct om_iobject *o)
{
    struct seen **at = &s->bucket[((uintptr_t)o >> 4) % BUCKETS];

    for (const struct seen *x = *at; x; x = x->next)
        if (x->object == o)
            return false;

    struct seen *new = arena_alloc(c->mem, 1, sizeof(*new));

    *new = (struct seen){.next = *at, .object = o};
    *at = new;
    return true;
}

/* --- values as SQL takes them --- */

struct value {
    char name[40];
    char kind; /* i, d, s, n */
    int64_t i;
    double d;
    const char *s;
};

static const void *member(const struct om_iobject *o, const struct column *col)
{
    return *(const void *const *)(const void *)((const char *)o + col->field->offset);
}

static int64_t number_of(enum column_kind kind, const void *v)
{
    switch (kind) {
    case COL_LONG:
        return ((const struct om_rlong *)v)->val;
    case COL_INT:
        return ((const struct om_rint *)v)->val;
    case COL_BOOL:
        return ((const struct om_rbool *)v)->val;
    case COL_TIME:
        return ((const struct om_rtime *)v)->val;
    default:
        return ((const struct om_iobject *)v)->id->val;
    }
}

/* Enumerations are named by value; one that is there by id alone too. */
static const char *enum_text(const void *v)
{
    const struct {
        const struct ice_class *cls;
        const struct om_rlong *id;
        const struct om_details *details;
        bool loaded;
        const struct om_rstring *value;
    } *e = v;
    const char *const *values = enum_values(e->cls);

    if (e->value)
        return e->value->val;
    for (int64_t i = 1; e->id && values[i - 1]; i++)
        if (i == e->id->val)
            return values[i - 1];
    return NULL;
}

static struct value value_of(const struct om_iobject *o, const struct column *col)
{
    const void *v = member(o, col);
    struct value out = {.kind = 'n'};

    snprintf(out.name, sizeof(out.name), "%s", col->name);
    if (!v)
        return out;
    switch (col->kind) {
    case COL_TEXT:
        out.kind = 's';
        out.s = ((const struct om_rstring *)v)->val;
        break;
    case COL_ENUM:
        out.kind = 's';
        out.s = enum_text(v);
        break;
    case COL_DOUBLE:
        out.kind = 'd';
        out.d = ((const struct om_rdouble *)v)->val;
        break;
    case COL_LENGTH:
        out.kind = 'd';
        out.d = ((const struct om_length *)v)->value;
        break;
    default:
        out.kind = 'i';
        out.i = number_of(col->kind, v);
    }
    return out;
}

static size_t values_of(const struct entity *e, const struct om_iobject *o, struct value values[VALUES_MAX])
{
    struct column col;
    size_t n = 0;

    for (const char *at = e->columns; entity_column(e, &at, &col) && n < VALUES_MAX;)
        if (col.kind != COL_NONE && col.kind != COL_PAIRS)
            values[n++] = value_of(o, &col);
    return n;
}

static sqlite3_stmt *bound(struct call *c, const char *sql, const struct value *values, size_t n)
{
    sqlite3_stmt *q = store_query(c->server->store, sql, "");

    for (size_t i = 0; i < n; i++) {
        int at = (int)i + 1;
        if (values[i].kind == 'i')
            sqlite3_bind_int64(q, at, values[i].i);
        else if (values[i].kind == 'd')
            sqlite3_bind_double(q, at, values[i].d);
        else if (values[i].kind == 's')
            sqlite3_bind_text(q, at, values[i].s, -1, SQLITE_TRANSIENT);
    }
    return q;
}

/* --- lists of pairs --- */

static const struct om_api_named_value_list *pairs_of(const struct om_iobject *o, const struct column *col)
{
    return (const void *)((const char *)o + col->field->offset);
}

static const struct om_named_value *pair_at(const struct om_api_named_value_list *list, size_t i)
{
    static const struct om_named_value empty = {.cls = &om_named_value_class, .name = "", .value = ""};

    return list->at[i] ? list->at[i] : &empty;
}

static int too_long(struct call *c, size_t n)
{
    return call_throw(
        c, &om_internal_exception_class,
        " Wrapped Exception: (org.springframework.dao.DataAccessResourceFailureException):\n index row size %zu exceeds btree "
        "version 4 maximum %d for index",
        n, PAIR_ROW_MAX);
}

static int save_pairs(struct call *c, const struct entity *e, const struct om_iobject *o, const struct column *col)
{
    const struct om_api_named_value_list *list = pairs_of(o, col);
    const char *holder = arena_printf(c->mem, "%s.%s", e->table, col->name);
    struct store *s = c->server->store;

    (void)store_run(s, "delete from Pair where holder = ? and object = ?", "si", holder, o->id->val);
    for (size_t i = 0; i < list->n; i++) {
        const struct om_named_value *p = pair_at(list, i);
        size_t longest = strlen(p->name) > strlen(p->value) ? strlen(p->name) : strlen(p->value);
        if (longest > PAIR_ROW_MAX)
            return too_long(c, longest);
        (void)store_run(s, "insert into Pair (holder, object, position, name, value) values (?, ?, ?, ?, ?)", "siiss", holder,
                        o->id->val, (int64_t)i, p->name, p->value);
    }
    return 0;
}

static bool pairs_differ(struct call *c, const struct entity *e, const struct om_iobject *o, const struct column *col)
{
    const struct om_api_named_value_list *list = pairs_of(o, col);
    const char *holder = arena_printf(c->mem, "%s.%s", e->table, col->name);
    AUTO(store_donep)
    sqlite3_stmt *q =
        store_query(c->server->store, "select name, value from Pair where holder = ? and object = ? order by position", "si",
                    holder, o->id->val);
    size_t i = 0;

    for (; store_next(c->server->store, q); i++) {
        const char *name = store_col_text(c->mem, q, 0), *value = store_col_text(c->mem, q, 1);
        if (i >= list->n || strcmp(pair_at(list, i)->name, name) != 0 || strcmp(pair_at(list, i)->value, value) != 0)
            return true;
    }
    return i != list->n;
}

/* --- what stands in the way --- */

static int check_needed(struct call *c, const struct entity *e, const struct om_iobject *o)
{
    struct column col;

    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.needed && col.kind != COL_NONE && !member(o, &col))
            return call_throw(
                c, &om_validation_exception_class,
                "not-null property references a null or transient value: %s.%s.%s; nested exception is "
                "org.hibernate.PropertyValueException: not-null property references a null or transient value: %s.%s.%s",
                e->package, e->name, col.name, e->package, e->name, col.name);
    return 0;
}

static int check_group(struct call *c)
{
    if (c->group != GROUP_ALL)
        return 0;
    return call_throw(
        c, &om_api_usage_exception_class,
        "No valid permissions available! DUMMY permissions are not intended for copying. Make sure that you have not passed "
        "omero.group=-1 for a save without context");
}

/* What a link asks of the object at its end. */
static int check_end(struct call *c, const struct om_iobject *end, unsigned needed)
{
    const struct entity *e = entity_by_class(end->cls);
    int64_t owner, group;

    if (!e)
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and keeps no %s", end->cls->id);
    if (!end->id)
        return call_throw(c, &om_validation_exception_class, "object references an unsaved transient instance: %s.%s", e->package,
                          e->name);
    if (object_check(c, e, end->id->val, &owner, &group) < 0)
        return -1;
    if (!(viewer_may(c->viewer, group, owner) & needed)) {
        const struct viewer_group *g = viewer_group(c->viewer, group);
        const struct entity *real = object_entity(c, e, end->id->val);
        return call_throw(c, &om_security_violation_class, "Group is %s. Cannot link to object: %s.%s:Id_%lld", g ? g->perms : "",
                          real->package, real->name, (long long)end->id->val);
    }
    return 0;
}

static int check_references(struct call *c, const struct entity *e, const struct om_iobject *o)
{
    bool annotates = entity_is_link(e) && class_field(e->cls, "_child")->type->cls == &om_annotation_class;
    struct column col;

    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.kind == COL_REF && member(o, &col) && check_end(c, member(o, &col), annotates ? MAY_ANNOTATE : MAY_LINK) < 0)
            return -1;
    return 0;
}

/* --- one row --- */

static void write_back(struct call *c, struct om_iobject *o, int64_t id, int version)
{
    struct om_details *d = arena_alloc(c->mem, 1, sizeof(*d));
    const struct ice_field *v = class_field(o->cls, "_version");

    d->cls = &om_details_class;
    d->owner = (const struct om_experimenter *)object_ref(c->mem, &om_experimenter_class, c->session->user);
    d->group = (const struct om_experimenter_group *)object_ref(c->mem, &om_experimenter_group_class, c->group);
    d->permissions = permissions_object(c, c->group, c->session->user);
    o->id = r_long(c->mem, id);
    o->details = d;
    if (v && version >= 0)
        *(const struct om_rint **)(void *)((char *)o + v->offset) = r_int(c->mem, version);
}

static int duplicate(struct call *c, const struct entity *e)
{
    char lower[64];
    size_t i = 0;

    for (; e->table[i] && i < sizeof(lower) - 1; i++)
        lower[i] = (char)(e->table[i] | 0x20);
    lower[i] = '\0';
    return call_throw(
        c, &om_validation_exception_class,
        "could not insert: [%s.%s]; SQL [insert into %s (...) values (...)]; constraint [%s_parent_child_owner_id_key]; "
        "nested exception is org.hibernate.exception.ConstraintViolationException: could not insert: [%s.%s]",
        e->package, e->name, lower, lower, e->package, e->name);
}

static int save_lists(struct call *c, const struct entity *e, const struct om_iobject *o)
{
    struct column col;

    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.kind == COL_PAIRS && save_pairs(c, e, o, &col) < 0)
            return -1;
    return 0;
}

static int insert(struct call *c, struct saver **saver, const struct entity *e, struct om_iobject *o)
{
    AUTO(buf_clear) struct buf sql = BUF_INIT(4096);
    struct value values[VALUES_MAX];
    size_t n = values_of(e, o, values);

    buf_printf(&sql, "insert into %s (_kind, _owner, _grp, _version, _made, _changed", e->table);
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, ", %s", values[i].name);
    buf_printf(&sql, ") values (%s%s%s, %lld, %lld, null, %lld, %lld", strcmp(e->table, e->name) == 0 ? "null" : "'",
               strcmp(e->table, e->name) == 0 ? "" : e->name, strcmp(e->table, e->name) == 0 ? "" : "'",
               (long long)c->session->user, (long long)c->group, (long long)save_event(c, saver),
               (long long)save_event(c, saver));
    for (size_t i = 0; i < n; i++)
        buf_add_str(&sql, ", ?");
    buf_add_byte(&sql, ')');

    AUTO(mem_freep) char *text = buf_take_str(&sql);
    AUTO(store_donep) sqlite3_stmt *q = bound(c, text, values, n);

    if (sqlite3_step(q) != SQLITE_DONE)
        return duplicate(c, e);
    write_back(c, o, store_last_id(c->server->store), -1);
    return save_lists(c, e, o);
}

static bool row_differs(struct call *c, const struct entity *e, const struct om_iobject *o, const struct value *values, size_t n)
{
    AUTO(buf_clear) struct buf sql = BUF_INIT(4096);
    struct column col;

    buf_printf(&sql, "select 1 from %s where id = %lld", e->table, (long long)o->id->val);
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, " and %s is ?", values[i].name);

    AUTO(mem_freep) char *text = buf_take_str(&sql);
    AUTO(store_donep) sqlite3_stmt *q = bound(c, text, values, n);

    if (!store_next(c->server->store, q))
        return true;
    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.kind == COL_PAIRS && pairs_differ(c, e, o, &col))
            return true;
    return false;
}

/* What the client loaded must still be what is there. */
static int check_fresh(struct call *c, const struct entity *e, const struct om_iobject *o)
{
    const struct om_event *had = o->details ? o->details->update_event : NULL;
    AUTO(mem_freep) char *sql = mem_printf("select _changed from %s where id = ?", e->table);
    int64_t now = store_long(c->server->store, 0, sql, "i", o->id->val);

    if (!had || !had->id || had->id->val == now)
        return 0;
    return call_throw(c, &om_optimistic_lock_exception_class,
                      "You are not authorized to change the update event for %s.%s:Id_%lld from ome.model.meta.Event:Id_%lld to "
                      "ome.model.meta.Event:Id_%lld",
                      e->package, e->name, (long long)o->id->val, (long long)now, (long long)had->id->val);
}

static int update(struct call *c, struct saver **saver, const struct entity *e, struct om_iobject *o)
{
    AUTO(buf_clear) struct buf sql = BUF_INIT(4096);
    struct value values[VALUES_MAX];
    size_t n = values_of(e, o, values);
    int64_t owner, group;

    if (object_check(c, e, o->id->val, &owner, &group) < 0)
        return -1;
    if (!row_differs(c, e, o, values, n))
        return 0;
    if (!(viewer_may(c->viewer, group, owner) & MAY_EDIT))
        return call_throw(c, &om_security_violation_class, "Updating %s.%s:Id_%lld not allowed.", e->package, e->name,
                          (long long)o->id->val);
    if (check_fresh(c, e, o) < 0)
        return -1;
    buf_printf(&sql, "update %s set _version = coalesce(_version, 0) + 1, _changed = %lld", e->table,
               (long long)save_event(c, saver));
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, ", %s = ?", values[i].name);
    buf_printf(&sql, " where id = %lld", (long long)o->id->val);

    AUTO(mem_freep) char *text = buf_take_str(&sql);
    AUTO(store_donep) sqlite3_stmt *q = bound(c, text, values, n);

    if (sqlite3_step(q) != SQLITE_DONE)
        return duplicate(c, e);
    return save_lists(c, e, o);
}

/* --- the graph --- */

static int save(struct call *c, struct saver **saver, const struct om_iobject *o);

static int save_references(struct call *c, struct saver **saver, const struct entity *e, const struct om_iobject *o)
{
    struct column col;

    for (const char *at = e->columns; entity_column(e, &at, &col);)
        if (col.kind == COL_REF && member(o, &col) && save(c, saver, member(o, &col)) < 0)
            return -1;
    return 0;
}

static int save_collections(struct call *c, struct saver **saver, const struct om_iobject *o)
{
    for (const struct ice_class *cls = o->cls; cls; cls = cls->base)
        for (size_t i = 0; i < cls->n_fields; i++) {
            const struct ice_field *f = &cls->fields[i];
            if (f->type->kind != ICE_SEQUENCE || !f->type->item->cls || !ice_class_is_a(f->type->item->cls, &om_iobject_class))
                continue;
            const struct {
                size_t n;
                const struct om_iobject *const *at;
            } *seq = (const void *)((const char *)o + f->offset);
            for (size_t k = 0; k < seq->n; k++)
                if (seq->at[k] && save(c, saver, seq->at[k]) < 0)
                    return -1;
        }
    return 0;
}

static int save_row(struct call *c, struct saver **saver, const struct entity *e, const struct om_iobject *o)
{
    struct om_iobject *own = (struct om_iobject *)o; /* decoded for this call: what is saved is told in place */

    if (check_needed(c, e, o) < 0 || save_references(c, saver, e, o) < 0)
        return -1;
    if (o->id)
        return update(c, saver, e, own);
    return check_references(c, e, o) < 0 ? -1 : insert(c, saver, e, own);
}

static int save(struct call *c, struct saver **saver, const struct om_iobject *o)
{
    const struct entity *e = entity_by_class(o->cls);
    struct saver *s = saver_of(c, saver);
    int r;

    if (!o->loaded && o->id)
        return 0;
    if (!mark(c, s, o))
        return 0;
    if (!e || entity_is_abstract(e))
        return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and keeps no %s", o->cls->id);
    if (++s->depth > ICE_DEPTH_MAX)
        return call_throw(c, &om_api_usage_exception_class, "Objects within objects, more than %u deep", ICE_DEPTH_MAX);
    r = save_row(c, saver, e, o) < 0 ? -1 : save_collections(c, saver, o);
    s->depth--;
    return r;
}

int save_graph(struct call *c, struct saver **saver, const struct om_iobject *o)
{
    if (!o)
        return call_throw(c, &om_api_usage_exception_class, "Nothing to save");
    return check_group(c) < 0 ? -1 : save(c, saver, o);
}
