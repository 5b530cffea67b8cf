/* Tags: one of a text is used again where the user may link it. */
#include <string.h>

#include "omero/annotate.h"
#include "omero/object.h"
#include "omero/save.h"

#define TAG_SET_NS "openmicroscopy.org/omero/insight/tagset"

/* Own ones first, then by id. */
static size_t choose(const struct om_rows *rows, const char *text, int64_t user)
{
    size_t best = rows->n;

    for (size_t i = 0; i < rows->n; i++) {
        bool own = om_long(rows, i, 1) == user, usable = own || om_cell(rows, i, 3)->may.annotate;
        if (usable && strcmp(om_string(rows, i, 2), text) == 0 && (best == rows->n || (own && om_long(rows, best, 1) != user)))
            best = i;
    }
    return best;
}

int om_tags_find(struct om_client *c, const char *const *texts, size_t n, int64_t *ids, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_strings("v", texts, n)};
    const struct om_query q = {.hql = "select new map(t.id as c0, t.details.owner.id as c1, t.textValue as c2, "
                                      "t as c3_details_permissions) from TagAnnotation t where t.textValue in (:v) and "
                                      "(t.ns is null or t.ns <> '" TAG_SET_NS "') "
                                      "order by t.id",
                               .cols = "llsp",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;
    int absent = 0;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        size_t best = choose(&rows, texts[i], c->who.user_id);

        ids[i] = best < rows.n ? om_long(&rows, best, 0) : -1;
        absent += best == rows.n;
    }
    return absent;
}

/* Those without an id are made, in one transaction. */
static int make_absent(struct om_client *c, const char *const *texts, size_t n, int64_t *ids, size_t absent, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_iobject **tags = arena_alloc(mem, absent, sizeof(struct om_iobject *));
    int64_t *made = arena_alloc(mem, absent, sizeof(*made));
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0) {
            struct om_tag_annotation *tag = om_object_new(mem, &om_tag_annotation_class);

            tag->text_value = om_rstring(mem, texts[i]);
            tags[at++] = (const struct om_iobject *)tag;
        }
    if (om_save_all(c, tags, absent, made, err) < 0)
        return -1;
    for (size_t i = n; i > 0; i--)
        if (ids[i - 1] < 0)
            ids[i - 1] = made[--at];
    return 0;
}

int om_tags_need(struct om_client *c, const char *const *texts, size_t n, int64_t *ids, bool *made, struct err *err)
{
    int absent = n == 0 ? 0 : om_tags_find(c, texts, n, ids, err);

    for (size_t i = 0; i < n && absent >= 0; i++)
        made[i] = ids[i] < 0;
    if (absent < 0 || (absent > 0 && make_absent(c, texts, n, ids, (size_t)absent, err) < 0))
        return err_prefix(err, "tag '%s'%s: ", texts[0], n > 1 ? " and others" : "");
    return 0;
}

int om_tags_linked(struct om_client *c, enum om_parent kind, int64_t parent, struct arena *mem, struct om_tag_rows *out,
                   struct err *err)
{
    const struct om_arg args[] = {om_arg_long("d", parent), om_arg_long("o", c->who.user_id)};
    const struct om_query q = {.hql = arena_printf(mem, "select t.id, t.textValue from %sAnnotationLink l, TagAnnotation t where "
                                                        "l.child.id = t.id and l.parent.id = :d and l.details.owner.id = :o "
                                                        "order by t.id", om_parent_name(kind)),
                               .cols = "ls",
                               .n_args = 2,
                               .args = args};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;

    struct om_tag_row *at = arena_alloc(mem, rows.n, sizeof(*at));

    for (size_t i = 0; i < rows.n; i++)
        at[i] = (struct om_tag_row){om_long(&rows, i, 0), om_string(&rows, i, 1)};
    *out = (struct om_tag_rows){rows.n, at};
    return 0;
}
