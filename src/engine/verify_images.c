/* Images, plates and annotations, against what OMERO has. */
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "engine/notes.h"
#include "engine/target.h"
#include "engine/verify_inside.h"
#include "omero/annotate.h"

struct image {
    const struct ledger_fileset *set;
    int64_t id;
    int64_t revision;
    bool own;        /* has a map of its own, */
    int64_t map;     /* this one; 0: none */
    size_t n_links;
    bool gone; /* from OMERO */
};

static int by_id(const void *x, const void *y)
{
    const struct image *a = x, *b = y;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* The images or the plates of all sets, sorted; those that are known to be deleted are left out. */
static int list_parts(struct verify *v, const struct ledger_fileset *sets, size_t n, enum om_parent kind, struct arena *a,
                      struct image **out, size_t *n_out, struct err *err)
{
    struct image *all = NULL;
    size_t count = 0, cap = 0;

    for (size_t i = 0; i < n; i++) {
        const struct ledger_image *images;
        size_t m = 0;

        if (ledger_fileset_images(v->job->ledger, sets[i].id, 0, a, &images, &m, err) < 0) {
            free(all);
            return -1;
        }
        for (size_t k = 0; k < m; k++) {
            if (images[k].deleted_ms || images[k].plate != (kind == OM_PLATE))
                continue;
            all = mem_grow(all, count, &cap, sizeof(*all));
            all[count++] = (struct image){.set = &sets[i], .id = images[k].omero_id, .revision = images[k].revision,
                                          .own = images[k].own, .map = images[k].map};
        }
    }
    *out = arena_alloc(a, count, sizeof(**out));
    if (count > 0)
        memcpy(*out, all, count * sizeof(**out));
    free(all);
    qsort(*out, count, sizeof(**out), by_id);
    *n_out = count;
    return 0;
}

static struct image *find(struct image *all, size_t n, int64_t id)
{
    const struct image key = {.id = id};

    return n == 0 ? NULL : bsearch(&key, all, n, sizeof(*all), by_id);
}

/* ---- are they there? ---- */

static int look_for(struct verify *v, struct om_client *c, enum om_parent kind, struct image *images, size_t n, struct arena *a,
                    struct err *err)
{
    int64_t *ids = arena_alloc(a, n, sizeof(*ids));
    bool *alive = arena_alloc(a, n, sizeof(*alive));

    for (size_t i = 0; i < n; i++)
        ids[i] = images[i].id;
    if (om_alive(c, kind, ids, n, alive, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        images[i].gone = !alive[i];
        if (images[i].gone)
            verify_say(v, images[i].set->root_path, images[i].set->path, REASON_IMAGE_GONE, "%s:%lld was deleted in OMERO",
                       om_parent_name(kind), (long long)images[i].id);
    }
    return 0;
}

/* ---- do the annotations hang there? ---- */

static int count_links(struct om_client *c, enum om_parent kind, struct image *images, size_t n, const struct om_note_ref *notes,
                       size_t n_notes, struct arena *a, struct err *err)
{
    int64_t *ids = arena_alloc(a, n, sizeof(*ids));
    struct om_link_rows links;

    for (size_t i = 0; i < n; i++)
        ids[i] = images[i].id;
    if (om_links_find(c, kind, ids, n, notes, n_notes, a, &links, err) < 0)
        return -1;
    for (size_t i = 0; i < links.n; i++) {
        struct image *found = find(images, n, links.at[i].parent);

        if (found)
            found->n_links++;
    }
    return 0;
}

/* Each to its own map. */
static int count_own(struct om_client *c, enum om_parent kind, struct image *images, size_t n, struct arena *a, struct err *err)
{
    for (size_t from = 0, count; from < n; from += count) {
        struct om_note_ref *maps;
        struct om_link_rows links;
        int64_t *ids;
        size_t n_own = 0;

        count = n - from < OM_BATCH ? n - from : OM_BATCH;
        maps = arena_alloc(a, count, sizeof(*maps));
        ids = arena_alloc(a, count, sizeof(*ids));
        for (size_t i = from; i < from + count; i++)
            if (images[i].map != 0) {
                maps[n_own] = (struct om_note_ref){.kind = OM_MAP, .id = images[i].map};
                ids[n_own++] = images[i].id;
            }
        if (om_links_find(c, kind, ids, n_own, maps, n_own, a, &links, err) < 0)
            return -1;
        for (size_t i = 0; i < links.n; i++) {
            struct image *found = find(images, n, links.at[i].parent);

            if (found && found->map == links.at[i].child)
                found->n_links++;
        }
    }
    return 0;
}

/* So many annotations are to hang on it. */
static size_t due(const struct image *i, size_t n_notes, bool has_map)
{
    return i->own ? n_notes - has_map + (i->map != 0) : n_notes;
}

static int look_at_dataset(struct verify *v, struct om_client *c, const struct ledger_dataset *d, const struct om_note_ref *notes,
                           size_t n, struct arena *a, struct err *err)
{
    struct om_link_rows links;
    struct om_target_facts facts;
    const char *kind = om_parent_name(target_kind(d));
    int r = om_target_look(c, target_kind(d), d->omero_id, a, &facts, err);

    if (r < 0)
        return -1;
    if (r == OM_ABSENT) {
        verify_say(v, d->root_path, d->dir, REASON_TARGET_GONE, "%s:%lld was deleted in OMERO", kind, (long long)d->omero_id);
        return 0;
    }
    if (n == 0)
        return 0;
    if (om_links_find(c, target_kind(d), &d->omero_id, 1, notes, n, a, &links, err) < 0)
        return -1;
    if (links.n < n)
        verify_say(v, d->root_path, d->dir, REASON_UNLINKED, "%zu of the card's %zu annotations hang on %s:%lld", links.n, n,
                   kind, (long long)d->omero_id);
    return 0;
}

static int look_at_notes(struct verify *v, struct om_client *c, const struct ledger_dataset *d, struct image *images, size_t n,
                         struct arena *a, struct err *err)
{
    size_t n_notes;
    const struct om_note_ref *notes = notes_refs(d->notes, d->n_notes, true, a, &n_notes);
    bool has_map = n_notes > 0 && notes[0].kind == OM_MAP;

    if (look_at_dataset(v, c, d, notes, n_notes, a, err) < 0)
        return -1;
    if (n == 0 || n_notes == 0)
        return 0;
    if (count_links(c, notes_part(d), images, n, notes, n_notes, a, err) < 0 ||
        count_own(c, notes_part(d), images, n, a, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        size_t want = due(&images[i], n_notes, has_map);

        if (!images[i].gone && images[i].n_links < want && d->applied && images[i].revision == d->applied->id)
            verify_say(v, images[i].set->root_path, images[i].set->path, REASON_UNLINKED,
                       "%zu of the card's %zu annotations hang on %s:%lld", images[i].n_links, want,
                       om_parent_name(notes_part(d)), (long long)images[i].id);
    }
    return 0;
}

int verify_images(struct verify *v, struct om_client *c, const struct ledger_dataset *d, const struct ledger_fileset *sets,
                  size_t n, struct err *err)
{
    static const enum om_parent kinds[] = {OM_IMAGE, OM_PLATE};
    AUTO(arena_freep) struct arena *a = arena_new();
    struct image *images[2] = {0};
    size_t count[2] = {0}, carry = notes_part(d) == OM_PLATE;

    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        if (list_parts(v, sets, n, kinds[k], a, &images[k], &count[k], err) < 0 ||
            look_for(v, c, kinds[k], images[k], count[k], a, err) < 0)
            return -1;
        v->counts->images += count[k];
    }
    return look_at_notes(v, c, d, images[carry], count[carry], a, err);
}
