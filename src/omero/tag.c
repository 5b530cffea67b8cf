/* Tags: one of a text is used again where the user may link it. */
#include "omero/annotate.h"
#include "omero/object.h"
#include "omero/save.h"

#define TAG_SET_NS "openmicroscopy.org/omero/insight/tagset"

/* Own ones first, then by id. */
static size_t choose(const struct om_rows *rows, int64_t user)
{
    size_t best = rows->n;

    for (size_t i = 0; i < rows->n; i++) {
        bool own = om_long(rows, i, 1) == user, usable = own || om_cell(rows, i, 2)->may.annotate;
        if (usable && (best == rows->n || (own && om_long(rows, best, 1) != user)))
            best = i;
    }
    return best;
}

int om_tag_find(struct om_client *c, const char *text, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_string("v", text)};
    const struct om_query q = {.hql = "select new map(t.id as c0, t.details.owner.id as c1, t as c2_details_permissions) "
                                      "from TagAnnotation t where t.textValue = :v and "
                                      "(t.ns is null or t.ns <> '" TAG_SET_NS "') "
                                      "order by t.id",
                               .cols = "llp",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;

    if (om_query(c, &q, mem, &rows, err) < 0)
        return -1;

    size_t best = choose(&rows, c->who.user_id);

    if (best == rows.n)
        return OM_ABSENT;
    *out = om_long(&rows, best, 0);
    return 0;
}

static int tag_create(struct om_client *c, const char *text, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_tag_annotation *tag = om_object_new(mem, &om_tag_annotation_class);

    tag->text_value = om_rstring(mem, text);
    return om_save_one(c, (const struct om_iobject *)tag, out, err);
}

int om_tag_need(struct om_client *c, const char *text, int64_t *out, bool *made, struct err *err)
{
    int r = om_tag_find(c, text, out, err);

    if (r < 0 || (r == OM_ABSENT && tag_create(c, text, out, err) < 0))
        return err_prefix(err, "tag '%s': ", text);
    if (made)
        *made = r == OM_ABSENT;
    return 0;
}
