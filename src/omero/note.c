/* Annotations by themselves: made, loaded, rewritten, asked for. */
#include "omero/annotate.h"

#include <string.h>

#include "base/ceilings.h"
#include "omero/note.h"
#include "omero/object.h"
#include "omero/save.h"

int om_map_create(struct om_client *c, enum om_parent kind, int64_t parent, const char *ns, const struct om_pair *pairs, size_t n,
                  int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    if (om_pairs_check(pairs, n, err) < 0)
        return -1;
    return om_note_new(c, kind, parent, (const struct om_annotation *)om_map_object(mem, ns, pairs, n), out, err);
}

int om_comment_create(struct om_client *c, enum om_parent kind, int64_t parent, const char *ns, const char *text, int64_t *out,
                      struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_comment_annotation *comment = om_object_new(mem, &om_comment_annotation_class);

    comment->ns = om_rstring(mem, ns);
    comment->text_value = om_rstring(mem, text);
    return om_note_new(c, kind, parent, (const struct om_annotation *)comment, out, err);
}

/* --- loading --- */

static const char *text_of(const struct om_rstring *s)
{
    return s ? s->val : "";
}

/* Permissions restrictions: link, edit, delete, annotate in this order; true = forbidden; a short list forbids nothing. */
static bool may_edit(const struct om_details *d)
{
    enum { EDIT = 1 };
    const struct om_permissions *p = d ? d->permissions : NULL;

    return !p || p->restrictions.n <= EDIT || !p->restrictions.at[EDIT];
}

static void fill_note(const struct om_annotation *a, struct om_note *out)
{
    const struct om_details *d = a->details;

    *out = (struct om_note){
        .id = om_object_id((const struct om_iobject *)a),
        .owner = d ? om_object_id((const struct om_iobject *)d->owner) : -1,
        .group = d ? om_object_id((const struct om_iobject *)d->group) : -1,
        .ns = text_of(a->ns),
        .text = "",
        .can_edit = may_edit(d),
        .loaded = a,
    };
}

static int load(struct om_client *c, const struct ice_class *cls, const char *hql, int64_t id, struct arena *mem,
                struct om_note *out, struct err *err)
{
    const struct om_sys_param_map_entry entry = {.key = "id", .value = (const struct om_rtype *)om_rlong(mem, id)};
    const struct om_sys_parameters params = {.cls = &om_sys_parameters_class, .map = {.n = 1, .at = &entry}};
    const struct ice_proxy *query;
    const struct om_iobject *found;

    if (om_client_service(c, OM_QUERY, &query, err) < 0 ||
        om_api_iquery_find_by_query(&c->caller, query, hql, &params, mem, &found, err) < 0)
        return -1;
    if (!found)
        return OM_ABSENT;
    if (!ice_class_is_a(found->cls, cls) || !found->loaded)
        return err_set(err, REASON_PROTOCOL, 0, "Annotation:%lld came as %s", (long long)id, found->cls->id);
    fill_note((const struct om_annotation *)found, out);
    return 0;
}

static void fill_pairs(const struct om_api_named_value_list *list, struct arena *mem, struct om_note *out)
{
    struct om_pair *pairs = arena_alloc(mem, list->n, sizeof(*pairs));

    for (size_t i = 0; i < list->n; i++)
        if (list->at[i])
            pairs[out->n_pairs++] = (struct om_pair){.key = list->at[i]->name, .value = list->at[i]->value};
    out->pairs = pairs;
}

int om_map_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err)
{
    int r = load(c, &om_map_annotation_class, "select a from MapAnnotation a where a.id = :id", id, mem, out, err);

    if (r == 0)
        fill_pairs(&((const struct om_map_annotation *)out->loaded)->map_value, mem, out);
    return r;
}

int om_comment_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err)
{
    int r = load(c, &om_comment_annotation_class, "select a from CommentAnnotation a where a.id = :id", id, mem, out, err);

    if (r == 0)
        out->text = text_of(((const struct om_comment_annotation *)out->loaded)->text_value);
    return r;
}

/* --- saving again --- */

static int save_again(struct om_client *c, const struct om_iobject *o, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct ice_proxy *update;

    if (om_client_service(c, OM_UPDATE, &update, err) < 0)
        return -1;
    if (om_api_iupdate_save_object(&c->caller, update, o, mem, err) == 0)
        return 0;
    return c->fault && ice_class_is_a(c->fault, &om_optimistic_lock_exception_class) ? OM_STALE : -1;
}

int om_map_save(struct om_client *c, const struct om_note *note, const struct om_pair *pairs, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_map_annotation copy = *(const struct om_map_annotation *)note->loaded;

    if (om_pairs_check(pairs, n, err) < 0)
        return -1;
    copy.cls = &om_map_annotation_class;
    copy.map_value = om_named_values(mem, pairs, n);
    return save_again(c, (const struct om_iobject *)&copy, err);
}

int om_comment_save(struct om_client *c, const struct om_note *note, const char *text, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_comment_annotation copy = *(const struct om_comment_annotation *)note->loaded;

    copy.cls = &om_comment_annotation_class;
    copy.text_value = om_rstring(mem, text);
    return save_again(c, (const struct om_iobject *)&copy, err);
}

/* --- which are there? --- */

static void mark_alive(const struct om_rows *rows, const struct om_note_ref *notes, size_t n, bool *alive)
{
    for (size_t row = 0; row < rows->n; row++)
        for (size_t i = 0; i < n; i++)
            alive[i] |= notes[i].id == om_long(rows, row, 0);
}

static int ask_alive(struct om_client *c, const struct om_note_ref *notes, size_t n, int64_t owner, int64_t group, bool *alive,
                     struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    int64_t *ids = arena_alloc(mem, n, sizeof(*ids));
    const struct om_arg args[] = {om_arg_longs("ids", ids, n), om_arg_long("g", group), om_arg_long("o", owner)};
    const struct om_query q = {.hql = owner < 0
                                          ? "select a.id from Annotation a where a.id in (:ids) and a.details.group.id = :g"
                                          : "select a.id from Annotation a where a.id in (:ids) and a.details.group.id = :g "
                                            "and a.details.owner.id = :o",
                               .cols = "l",
                               .n_args = owner < 0 ? 2 : 3,
                               .args = args};
    struct om_rows rows;

    for (size_t i = 0; i < n; i++)
        ids[i] = notes[i].id;
    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;
    mark_alive(&rows, notes, n, alive);
    return 0;
}

int om_annotations_alive(struct om_client *c, const struct om_note_ref *notes, size_t n, int64_t owner, int64_t group,
                         bool *alive, struct err *err)
{
    enum { BLOCK = 1000 };

    memset(alive, 0, n * sizeof(*alive));
    for (size_t i = 0; i < n; i += BLOCK)
        if (ask_alive(c, notes + i, n - i < BLOCK ? n - i : BLOCK, owner, group, alive + i, err) < 0)
            return -1;
    return 0;
}

int om_notes_linked(struct om_client *c, enum om_parent kind, int64_t parent, const char *ns, struct arena *mem,
                    const int64_t **out, size_t *n, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", parent), om_arg_long("o", c->who.user_id), om_arg_string("ns", ns)};
    const struct om_query q = {.hql = arena_printf(mem, "select a.id from %sAnnotationLink l join l.child a "
                                                        "where l.parent.id = :d and l.details.owner.id = :o and a.ns = :ns "
                                                        "order by a.id", om_parent_name(kind)),
                               .cols = "l",
                               .n_args = 3,
                               .args = args};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;

    int64_t *ids = arena_alloc(mem, rows.n, sizeof(*ids));

    for (size_t i = 0; i < rows.n; i++)
        ids[i] = om_long(&rows, i, 0);
    *out = ids;
    *n = rows.n;
    return 0;
}
