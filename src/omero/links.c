/* Links from objects to annotations, in batches. */
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "omero/annotate.h"
#include "omero/delete.h"
#include "omero/note.h"
#include "omero/object.h"
#include "omero/save.h"

static const struct {
    const char *type; /* of the link, as HQL and Delete2 name it */
    const struct ice_class *link, *parent;
} kinds[] = {
    [OM_PROJECT] = {"ProjectAnnotationLink", &om_project_annotation_link_class, &om_project_class},
    [OM_DATASET] = {"DatasetAnnotationLink", &om_dataset_annotation_link_class, &om_dataset_class},
    [OM_IMAGE] = {"ImageAnnotationLink", &om_image_annotation_link_class, &om_image_class},
    [OM_PLATE] = {"PlateAnnotationLink", &om_plate_annotation_link_class, &om_plate_class},
    [OM_SCREEN] = {"ScreenAnnotationLink", &om_screen_annotation_link_class, &om_screen_class},
};

static const struct ice_class *const notes[] = {
    [OM_TAG] = &om_tag_annotation_class,
    [OM_MAP] = &om_map_annotation_class,
    [OM_COMMENT] = &om_comment_annotation_class,
};

const struct om_annotation *om_note_object(struct arena *mem, const struct om_note_ref *note)
{
    return om_object_ref(mem, notes[note->kind], note->id);
}

/* All link classes have the same form: an id each of parent and child. */
struct any_link {
    const struct ice_class *cls;
    const struct om_rlong *id;
    const struct om_details *details;
    bool loaded;
    const struct om_rint *version;
    const struct om_iobject *parent;
    const struct om_annotation *child;
};
_Static_assert(sizeof(struct any_link) == sizeof(struct om_image_annotation_link), "the form of a link");
_Static_assert(offsetof(struct any_link, child) == offsetof(struct om_plate_annotation_link, child), "the form of a link");

const struct om_iobject *om_note_link(struct arena *mem, enum om_parent kind, const struct om_iobject *parent,
                                      const struct om_annotation *child)
{
    struct any_link *link = om_object_new(mem, kinds[kind].link);

    link->parent = parent;
    link->child = child;
    return (const struct om_iobject *)link;
}

static const struct om_iobject *new_link(struct arena *mem, enum om_parent kind, int64_t parent,
                                         const struct om_annotation *child)
{
    return om_note_link(mem, kind, om_object_ref(mem, kinds[kind].parent, parent), child);
}

/* The number of the annotation at the end of a link to this parent; -1 when it is none. */
static int64_t child_of(enum om_parent kind, const struct om_iobject *o, int64_t parent)
{
    const struct any_link *link = (const struct any_link *)(const void *)o;

    return o && ice_class_is_a(o->cls, kinds[kind].link) && om_object_id(link->parent) == parent
               ? om_object_id((const struct om_iobject *)link->child)
               : -1;
}

int om_notes_new(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n,
                 const struct om_annotation *const *annotations, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_iobject **links = arena_alloc(mem, n, sizeof(struct om_iobject *));
    struct om_api_iobject_list saved;
    const struct ice_proxy *update;

    for (size_t i = 0; i < n; i++)
        links[i] = new_link(mem, kind, parents[i], annotations[i]);
    if (om_client_service(c, OM_UPDATE, &update, err) < 0 ||
        om_api_iupdate_save_and_return_array(&c->caller, update, (struct om_api_iobject_list){.n = n, .at = links}, mem, &saved,
                                             err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        out[i] = i < saved.n ? child_of(kind, saved.at[i], parents[i]) : -1;
        if (out[i] < 0)
            return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say which annotation it saved");
    }
    return 0;
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* --- finding --- */

struct found {
    struct om_link_row *at;
    size_t n, cap;
};

static void found_clear(struct found *f)
{
    free(f->at);
}

/* The user's links from these parents to children of which `which` holds, with its argument. */
static int ask(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n, const char *which,
               const struct om_arg *arg, struct found *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_longs("p", parents, n), *arg, om_arg_long("o", c->who.user_id)};
    const struct om_query q = {
        .hql = arena_printf(mem,
                            "select l.id, l.parent.id, l.child.id, e.time from %s l join l.details.creationEvent e "
                            "where l.parent.id in (:p) and %s and l.details.owner.id = :o order by l.id",
                            kinds[kind].type, which),
        .cols = "lllt",
        .n_args = 3,
        .args = args};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.n; i++) {
        out->at = mem_grow(out->at, out->n, &out->cap, sizeof(*out->at));
        out->at[out->n++] = (struct om_link_row){.id = om_long(&rows, i, 0),
                                                 .parent = om_long(&rows, i, 1),
                                                 .child = om_long(&rows, i, 2),
                                                 .made_ms = om_long(&rows, i, 3)};
    }
    return 0;
}

static int find_block(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents, const int64_t *children,
                      size_t n_children, struct found *out, struct err *err)
{
    const struct om_arg arg = om_arg_longs("a", children, n_children);

    return ask(c, kind, parents, n_parents, "l.child.id in (:a)", &arg, out, err);
}

static struct om_link_rows found_keep(const struct found *f, struct arena *mem)
{
    struct om_link_row *rows = arena_alloc(mem, f->n, sizeof(*rows));

    if (f->n)
        memcpy(rows, f->at, f->n * sizeof(*rows));
    return (struct om_link_rows){.n = f->n, .at = rows};
}

static int64_t *ids_of(struct arena *mem, const struct om_note_ref *refs, size_t n)
{
    int64_t *ids = arena_alloc(mem, n, sizeof(*ids));

    for (size_t i = 0; i < n; i++)
        ids[i] = refs[i].id;
    return ids;
}

int om_links_find(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                  const struct om_note_ref *children, size_t n_children, struct arena *mem, struct om_link_rows *out,
                  struct err *err)
{
    AUTO(found_clear) struct found all = {0};
    const int64_t *ids = ids_of(mem, children, n_children);

    for (size_t p = 0; p < n_parents; p += OM_BATCH)
        for (size_t a = 0; a < n_children; a += OM_BATCH)
            if (find_block(c, kind, parents + p, at_most(n_parents - p, OM_BATCH), ids + a, at_most(n_children - a, OM_BATCH),
                           &all, err) < 0)
                return -1;
    *out = found_keep(&all, mem);
    return 0;
}

int om_links_named(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n, const char *ns, struct arena *mem,
                   struct om_link_rows *out, struct err *err)
{
    AUTO(found_clear) struct found all = {0};
    const struct om_arg arg = om_arg_string("ns", ns);

    for (size_t p = 0; p < n; p += OM_BATCH)
        if (ask(c, kind, parents + p, at_most(n - p, OM_BATCH), "l.child.ns = :ns", &arg, &all, err) < 0)
            return -1;
    *out = found_keep(&all, mem);
    return 0;
}

/* --- adding --- */

static int by_ends(const void *a, const void *b)
{
    const struct om_link_row *x = a, *y = b;
    int parents = (x->parent > y->parent) - (x->parent < y->parent);

    return parents ? parents : (x->child > y->child) - (x->child < y->child);
}

/* The links of a block that are not there, at most as many as parents times children. */
static size_t missing(struct arena *mem, enum om_parent kind, const int64_t *parents, size_t n_parents,
                      const struct om_note_ref *children, size_t n_children, struct found *there, const struct om_iobject **out)
{
    size_t n = 0;

    if (there->n)
        qsort(there->at, there->n, sizeof(*there->at), by_ends);
    for (size_t p = 0; p < n_parents; p++)
        for (size_t a = 0; a < n_children; a++) {
            const struct om_link_row key = {.parent = parents[p], .child = children[a].id};
            if (!there->n || !bsearch(&key, there->at, there->n, sizeof(key), by_ends))
                out[n++] = new_link(mem, kind, parents[p], om_note_object(mem, &children[a]));
        }
    return n;
}

static int add_block(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                     const struct om_note_ref *children, size_t n_children, bool ask, size_t *made, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(found_clear) struct found there = {0};
    const struct om_iobject **links = arena_alloc(mem, n_parents * n_children, sizeof(struct om_iobject *));

    if (ask && find_block(c, kind, parents, n_parents, ids_of(mem, children, n_children), n_children, &there, err) < 0)
        return -1;

    size_t n = missing(mem, kind, parents, n_parents, children, n_children, &there, links);

    if (n > 0 && om_save_all(c, links, n, NULL, err) < 0)
        return -1;
    *made += n;
    return 0;
}

static int add(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
               const struct om_note_ref *children, size_t n_children, bool ask, size_t *made, struct err *err)
{
    size_t per_block = at_most(n_children, OM_BATCH), n_made = 0;

    for (size_t a = 0; a < n_children; a += per_block) {
        size_t n_a = at_most(n_children - a, per_block), step = OM_BATCH / n_a;
        for (size_t p = 0; p < n_parents; p += step)
            if (add_block(c, kind, parents + p, at_most(n_parents - p, step), children + a, n_a, ask, &n_made, err) < 0)
                return err_prefix(err, "link annotations: ");
    }
    *made = n_made;
    return 0;
}

int om_links_add(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                 const struct om_note_ref *children, size_t n_children, size_t *made, struct err *err)
{
    return add(c, kind, parents, n_parents, children, n_children, true, made, err);
}

int om_links_add_first(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                       const struct om_note_ref *children, size_t n_children, size_t *made, struct err *err)
{
    return add(c, kind, parents, n_parents, children, n_children, false, made, err);
}

/* --- removing --- */

static bool is_own(const struct om_link_row *link, const struct om_link_row *pairs, size_t n)
{
    return !pairs || bsearch(link, pairs, n, sizeof(*pairs), by_ends);
}

/* What is found is deleted at once: a link that somebody takes away in between fails the whole delete.  With `own`, sorted: only
 * those between these ends. */
static int remove_block(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                        const int64_t *children, size_t n_children, const struct om_link_row *own, size_t *gone, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(found_clear) struct found found = {0};
    size_t n = 0;

    if (find_block(c, kind, parents, n_parents, children, n_children, &found, err) < 0)
        return -1;

    int64_t *ids = arena_alloc(mem, found.n, sizeof(*ids));

    for (size_t i = 0; i < found.n; i++)
        if (is_own(&found.at[i], own, n_parents))
            ids[n++] = found.at[i].id;
    if (om_delete(c, kinds[kind].type, ids, n, err) < 0)
        return -1;
    *gone += n;
    return 0;
}

int om_links_remove(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                    const struct om_note_ref *children, size_t n_children, size_t *gone, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const int64_t *ids = ids_of(mem, children, n_children);
    size_t n_gone = 0, wide = at_most(n_children, OM_BATCH), high = wide ? OM_BATCH / wide : 1;

    for (size_t p = 0; p < n_parents; p += high)
        for (size_t a = 0; a < n_children; a += wide)
            if (remove_block(c, kind, parents + p, at_most(n_parents - p, high), ids + a, at_most(n_children - a, wide), NULL,
                             &n_gone, err) < 0)
                return err_prefix(err, "remove links: ");
    *gone = n_gone;
    return 0;
}

int om_links_remove_own(struct om_client *c, enum om_parent kind, const int64_t *parents, const int64_t *children, size_t n,
                        size_t *gone, struct err *err)
{
    AUTO(mem_freep) struct om_link_row *own = mem_new(at_most(n, OM_BATCH), sizeof(*own));

    *gone = 0;
    for (size_t from = 0, count; from < n; from += count) {
        count = at_most(n - from, OM_BATCH);
        for (size_t i = 0; i < count; i++)
            own[i] = (struct om_link_row){.parent = parents[from + i], .child = children[from + i]};
        qsort(own, count, sizeof(*own), by_ends);
        if (remove_block(c, kind, parents + from, count, children + from, count, own, gone, err) < 0)
            return err_prefix(err, "remove links: ");
    }
    return 0;
}
