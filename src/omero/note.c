/* Annotations by themselves: made, loaded, rewritten, asked for. */
#include "omero/annotate.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "omero/note.h"
#include "omero/object.h"
#include "omero/save.h"

int om_maps_create(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n, const char *ns,
                   const struct om_pair *pairs, size_t n_pairs, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_annotation **maps = arena_alloc(mem, n, sizeof(struct om_annotation *));

    if (om_pairs_check(pairs, n_pairs, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        maps[i] = (const struct om_annotation *)om_map_object(mem, ns, pairs, n_pairs);
    return om_notes_new(c, kind, parents, n, maps, out, err);
}

int om_comment_create(struct om_client *c, enum om_parent kind, int64_t parent, const char *ns, const char *text, int64_t *out,
                      struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_comment_annotation *comment = om_object_new(mem, &om_comment_annotation_class);

    comment->ns = om_rstring(mem, ns);
    comment->text_value = om_rstring(mem, text);
    const struct om_annotation *note = (const struct om_annotation *)comment;

    return om_notes_new(c, kind, &parent, 1, &note, out, err);
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

static void fill_pairs(const struct om_api_named_value_list *list, struct arena *mem, struct om_note *out)
{
    struct om_pair *pairs = arena_alloc(mem, list->n, sizeof(*pairs));

    for (size_t i = 0; i < list->n; i++)
        if (list->at[i])
            pairs[out->n_pairs++] = (struct om_pair){.key = list->at[i]->name, .value = list->at[i]->value};
    out->pairs = pairs;
}

static int fill(const struct om_iobject *o, const struct ice_class *cls, struct arena *mem, struct om_note *out, struct err *err)
{
    if (!o || !ice_class_is_a(o->cls, cls) || !o->loaded)
        return err_set(err, REASON_PROTOCOL, 0, "an annotation came as %s", o ? o->cls->id : "nothing");
    fill_note((const struct om_annotation *)o, out);
    if (cls == &om_map_annotation_class)
        fill_pairs(&((const struct om_map_annotation *)out->loaded)->map_value, mem, out);
    else
        out->text = text_of(((const struct om_comment_annotation *)out->loaded)->text_value);
    return 0;
}

static int by_id(const void *x, const void *y)
{
    int64_t a = ((const struct om_note *)x)->id, b = ((const struct om_note *)y)->id;

    return (a > b) - (a < b);
}

/* Answers come in any order. */
static int load(struct om_client *c, const struct ice_class *cls, const char *hql, const int64_t *ids, size_t n,
                struct arena *mem, struct om_note *out, struct err *err)
{
    struct om_api_iobject_list found = {0};

    if (n > 0 && om_load_all(c, hql, ids, n, mem, &found, err) < 0)
        return -1;

    struct om_note *notes = arena_alloc(mem, found.n, sizeof(*notes));

    for (size_t i = 0; i < found.n; i++)
        if (fill(found.at[i], cls, mem, &notes[i], err) < 0)
            return -1;
    if (found.n > 0)
        qsort(notes, found.n, sizeof(*notes), by_id);
    for (size_t i = 0; i < n; i++) {
        const struct om_note key = {.id = ids[i]};
        const struct om_note *note = found.n > 0 ? bsearch(&key, notes, found.n, sizeof(key), by_id) : NULL;

        out[i] = note ? *note : (struct om_note){.id = ids[i]};
    }
    return 0;
}

int om_maps_load(struct om_client *c, const int64_t *ids, size_t n, struct arena *mem, struct om_note *out, struct err *err)
{
    return load(c, &om_map_annotation_class, "select a from MapAnnotation a where a.id in (:ids)", ids, n, mem, out, err);
}

int om_map_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err)
{
    return om_maps_load(c, &id, 1, mem, out, err) < 0 ? -1 : out->loaded ? 0 : OM_ABSENT;
}

int om_comment_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err)
{
    static const char hql[] = "select a from CommentAnnotation a where a.id in (:ids)";
    int r = load(c, &om_comment_annotation_class, hql, &id, 1, mem, out, err);

    return r < 0 ? -1 : out->loaded ? 0 : OM_ABSENT;
}

/* --- saving again --- */

int om_maps_save(struct om_client *c, const struct om_note *notes, size_t n, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_iobject **objects = arena_alloc(mem, n, sizeof(struct om_iobject *));

    for (size_t i = 0; i < n; i++) {
        struct om_map_annotation *copy = arena_alloc(mem, 1, sizeof(*copy));

        if (om_pairs_check(notes[i].pairs, notes[i].n_pairs, err) < 0)
            return -1;
        *copy = *(const struct om_map_annotation *)notes[i].loaded;
        copy->cls = &om_map_annotation_class;
        copy->map_value = om_named_values(mem, notes[i].pairs, notes[i].n_pairs);
        objects[i] = (const struct om_iobject *)copy;
    }
    return n == 0 ? 0 : om_save_again(c, objects, n, err);
}

int om_map_save(struct om_client *c, const struct om_note *note, const struct om_pair *pairs, size_t n, struct err *err)
{
    struct om_note with = *note;

    with.pairs = pairs;
    with.n_pairs = n;
    return om_maps_save(c, &with, 1, err);
}

int om_comment_save(struct om_client *c, const struct om_note *note, const char *text, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_comment_annotation copy = *(const struct om_comment_annotation *)note->loaded;

    copy.cls = &om_comment_annotation_class;
    copy.text_value = om_rstring(mem, text);

    const struct om_iobject *o = (const struct om_iobject *)&copy;

    return om_save_again(c, &o, 1, err);
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
