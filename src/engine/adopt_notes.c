/* The annotations of restored datasets.  Nobody knows any more what of them came from the card last, so the card as it is now is
 * taken as what was applied: what OMERO has beside it is of people, and what OMERO lacks was removed by people.  Both stay. */
#include "engine/adopt_inside.h"

#include <string.h>

#include "engine/notes.h"
#include "engine/own.h"
#include "engine/target.h"
#include "omero/annotate.h"

struct finds {
    struct ledger_note *at;
    size_t n;
};

static void found(struct finds *f, enum ledger_note_kind kind, const char *text, int64_t id, bool linked)
{
    f->at[f->n++] = (struct ledger_note){.kind = kind, .text = text, .omero_id = id, .made = kind != LEDGER_NOTE_TAG,
                                         .linked = linked};
}

static bool has(const struct finds *f, enum ledger_note_kind kind)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->at[i].kind == kind)
            return true;
    return false;
}

/* The first map and the first comment in the card's namespace. */
static int find_singles(struct adopt *w, const struct ledger_dataset *d, struct finds *out, struct err *err)
{
    const char *ns = notes_namespace(w->job->settings, d->root_path);
    struct om_link_rows links;

    if (om_links_named(w->s->client, target_kind(d), &d->omero_id, 1, ns, w->a, &links, err) < 0)
        return -1;
    for (size_t i = 0; i < links.n; i++) {
        int64_t id = links.at[i].child;
        struct om_note note;
        enum ledger_note_kind kind = LEDGER_NOTE_MAP;
        int r = om_map_load(w->s->client, id, w->a, &note, err);

        if (r == OM_ABSENT) {
            kind = LEDGER_NOTE_COMMENT;
            r = om_comment_load(w->s->client, id, w->a, &note, err);
        }
        if (r < 0)
            return -1;
        if (r == 0 && !has(out, kind))
            found(out, kind, "", id, true);
    }
    return 0;
}

static const struct om_tag_row *linked_tag(const struct om_tag_rows *rows, const char *text)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->at[i].text, text) == 0)
            return &rows->at[i];
    return NULL;
}

/* Those that are linked, and those that are there but were unlinked: images may have them still. */
static int find_tags(struct adopt *w, const struct ledger_dataset *d, struct finds *out, struct err *err)
{
    const struct ledger_revision *r = d->wanted;
    int64_t *ids = arena_alloc(w->a, r->n_tags, sizeof(*ids));
    struct om_tag_rows rows;

    if (r->n_tags == 0)
        return 0;
    if (om_tags_linked(w->s->client, target_kind(d), d->omero_id, w->a, &rows, err) < 0 ||
        om_tags_find(w->s->client, r->tags, r->n_tags, ids, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n_tags; i++) {
        const struct om_tag_row *linked = linked_tag(&rows, r->tags[i]);

        if (linked || ids[i] >= 0)
            found(out, LEDGER_NOTE_TAG, r->tags[i], linked ? linked->id : ids[i], linked != NULL);
    }
    return 0;
}

static bool has_linked(const struct finds *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->at[i].linked)
            return true;
    return false;
}

/* And the maps of images that have their own. */
static int find_own(struct adopt *w, const struct ledger_dataset *d, const struct finds *f, struct err *err)
{
    const struct own own = {.settings = w->job->settings, .ledger = w->job->ledger, .c = w->s->client, .d = d, .notes = f->at,
                            .n_notes = f->n};
    const struct ledger_image *all;
    struct ledger_image *parts;
    size_t n_all = 0, n = 0;

    if (ledger_images(w->job->ledger, d->id, 0, 0, w->a, &all, &n_all, err) < 0)
        return -1;
    parts = arena_alloc(w->a, n_all, sizeof(*parts));
    for (size_t i = 0; i < n_all; i++)
        if (all[i].own && all[i].deleted_ms == 0)
            parts[n++] = all[i];
    return own_look(&own, parts, n, err);
}

int adopt_notes(struct adopt *w, int64_t row, struct err *err)
{
    const struct ledger_dataset *d;
    struct finds f = {0};
    int r = ledger_dataset(w->job->ledger, row, w->a, &d, err);

    if (r != 0)
        return r < 0 ? -1 : 0;
    f.at = arena_alloc(w->a, d->wanted->n_tags + 2, sizeof(*f.at));
    if (find_singles(w, d, &f, err) < 0 || find_tags(w, d, &f, err) < 0)
        return -1;
    if (!has_linked(&f)) /* the ledger was lost before the card was first applied */
        return 0;
    if (find_own(w, d, &f, err) < 0)
        return -1;
    return ledger_applied(w->job->ledger, row, d->wanted->id, INT64_MAX, f.at, f.n, err);
}
