#include "engine/notes.h"

#include <string.h>

#include "base/log.h"
#include "engine/pairs.h"
#include "engine/target.h"

enum { TRIES = 5 };

/* A list of annotations on its way from one revision of the card to the next. */
struct draft {
    struct engine *e;
    struct om_client *c;
    const struct ledger_dataset *d;
    struct arena *a;
    const bool *alive;         /* of d->notes */
    struct ledger_note *notes; /* the new list */
    bool *on_images;           /* of the new list: is to be linked to the images too */
    bool *fresh;               /* of the new list: made or found just now */
    bool *certain;             /* of the new list: it is known whose the link to the dataset is */
    size_t n;
    bool touched;
    bool found;                /* one of the fresh ones was there before: it may have links already */
    bool emptied;              /* of what was rewritten last nothing is left */
};

const char *notes_namespace(const struct settings *s, const char *root_path)
{
    return settings_for(s, root_path)->annotations_namespace;
}

static enum om_note_kind kind_of(enum ledger_note_kind kind)
{
    return kind == LEDGER_NOTE_TAG ? OM_TAG : kind == LEDGER_NOTE_COMMENT ? OM_COMMENT : OM_MAP;
}

static struct om_note_ref ref_of(const struct ledger_note *n)
{
    return (struct om_note_ref){.kind = kind_of(n->kind), .id = n->omero_id};
}

static const char *namespace_of(const struct draft *w)
{
    return notes_namespace(w->e->job->settings, w->d->root_path);
}

/* The annotation of the list so far; d->n_notes when there is none. */
static size_t had(const struct draft *w, enum ledger_note_kind kind, const char *text)
{
    size_t i = 0;

    while (i < w->d->n_notes && (w->d->notes[i].kind != kind || strcmp(w->d->notes[i].text, text) != 0))
        i++;
    return i;
}

/* A run that was cut short had written down that it wants this one, which the card did not have before: it may be linked or
 * not. */
static bool is_intent(const struct draft *w, const struct ledger_note *n)
{
    const struct ledger_revision *r = w->d->applied, *wanted = w->d->wanted;
    size_t i = 0;

    if (!r)
        return true;
    if (n->kind == LEDGER_NOTE_MAP)
        return r->n_pairs == 0 && wanted->n_pairs > 0;
    if (n->kind == LEDGER_NOTE_COMMENT)
        return *r->comment == '\0' && *wanted->comment != '\0';
    while (i < r->n_tags && strcmp(r->tags[i], n->text) != 0)
        i++;
    return i == r->n_tags;
}

static void keep(struct draft *w, size_t i)
{
    bool intent = is_intent(w, &w->d->notes[i]);

    w->on_images[w->n] = w->fresh[w->n] = w->certain[w->n] = intent;
    w->touched |= intent;
    w->found |= intent;
    w->notes[w->n++] = w->d->notes[i];
}

/* `was` says that the card had it before: then it was deleted in OMERO, and images do not get it again. */
static void add(struct draft *w, enum ledger_note_kind kind, const char *text, int64_t id, bool made, bool was)
{
    w->on_images[w->n] = !was;
    w->fresh[w->n] = true;
    w->certain[w->n] = kind != LEDGER_NOTE_TAG; /* the others come with their link */
    w->notes[w->n++] = (struct ledger_note){.kind = kind, .text = text, .omero_id = id, .made = made, .linked = true};
    w->touched = true;
}

/* ---- what a run that was cut short had made, and had no time to write down ---- */

/* Is it what the card wants?  1, 0, -1. */
typedef int same_fn(struct draft *w, int64_t id, struct err *err);

static bool is_known(const struct draft *w, int64_t id)
{
    for (size_t i = 0; i < w->d->n_notes; i++)
        if (w->d->notes[i].omero_id == id)
            return true;
    return false;
}

static int find_orphan(struct draft *w, same_fn *same, int64_t *id, struct err *err)
{
    struct om_link_rows links;

    if (om_links_named(w->c, target_kind(w->d), &w->d->omero_id, 1, namespace_of(w), w->a, &links, err) < 0)
        return -1;
    for (size_t i = 0; i < links.n; i++) {
        *id = links.at[i].child;
        if (is_known(w, *id))
            continue;

        int r = same(w, *id, err);

        if (r != 0)
            return r < 0 ? -1 : 0;
    }
    return OM_ABSENT;
}

/* ---- map ---- */

/* 0, OM_STALE, OM_ABSENT, -1 */
static int rewrite_map(struct draft *w, int64_t id, struct err *err)
{
    struct om_note loaded;
    struct pairs applied = pairs_of(w->d->applied, w->a), wanted = pairs_of(w->d->wanted, w->a), now, merged;
    size_t kept = 0;
    int r = om_map_load(w->c, id, w->a, &loaded, err);

    if (r != 0)
        return r;
    now = (struct pairs){.at = loaded.pairs, .n = loaded.n_pairs};
    merged = pairs_merge(&applied, &now, &wanted, w->a, &kept);
    if (kept > 0)
        log_warn("card.kept", "rows that were changed in OMERO stay as they are", LOG_STR("dir", w->d->dir),
                 LOG_INT("annotation", id), LOG_INT("rows", (int64_t)kept));
    w->emptied = wanted.n == 0 && merged.n == 0;
    return w->emptied || pairs_equal(&now, &merged) ? 0 : om_map_save(w->c, &loaded, merged.at, merged.n, err);
}

static int same_map(struct draft *w, int64_t id, struct err *err)
{
    struct pairs wanted = pairs_of(w->d->wanted, w->a), now;
    struct om_note loaded;
    int r = om_map_load(w->c, id, w->a, &loaded, err);

    if (r != 0)
        return r == OM_ABSENT ? 0 : -1;
    now = (struct pairs){.at = loaded.pairs, .n = loaded.n_pairs};
    return pairs_equal(&now, &wanted);
}

static int make_map(struct draft *w, bool was, struct err *err)
{
    struct pairs wanted = pairs_of(w->d->wanted, w->a);
    int64_t id;
    int r = find_orphan(w, same_map, &id, err);

    if (r < 0 || (r == OM_ABSENT &&
                  om_maps_create(w->c, target_kind(w->d), &w->d->omero_id, 1, namespace_of(w),
                                wanted.at, wanted.n, &id, err) < 0))
        return -1;
    w->found |= r == 0;
    add(w, LEDGER_NOTE_MAP, "", id, true, was);
    return 0;
}

/* ---- comment ---- */

static int rewrite_comment(struct draft *w, int64_t id, struct err *err)
{
    struct om_note loaded;
    int r = om_comment_load(w->c, id, w->a, &loaded, err);

    w->emptied = r == 0 && strcmp(w->d->wanted->comment, "") == 0;
    if (r != 0 || strcmp(loaded.text, w->d->wanted->comment) == 0)
        return r;
    if (w->d->applied && strcmp(loaded.text, w->d->applied->comment) != 0) {
        log_warn("card.kept", "a comment that was changed in OMERO stays as it is", LOG_STR("dir", w->d->dir),
                 LOG_INT("annotation", id));
        w->emptied = false;
        return 0;
    }
    return w->emptied ? 0 : om_comment_save(w->c, &loaded, w->d->wanted->comment, err);
}

static int same_comment(struct draft *w, int64_t id, struct err *err)
{
    struct om_note loaded;
    int r = om_comment_load(w->c, id, w->a, &loaded, err);

    return r == OM_ABSENT ? 0 : r < 0 ? -1 : strcmp(loaded.text, w->d->wanted->comment) == 0;
}

static int make_comment(struct draft *w, bool was, struct err *err)
{
    int64_t id;
    int r = find_orphan(w, same_comment, &id, err);

    if (r < 0 || (r == OM_ABSENT &&
                  om_comment_create(w->c, target_kind(w->d), w->d->omero_id, namespace_of(w),
                                    w->d->wanted->comment, &id, err) < 0))
        return -1;
    w->found |= r == 0;
    add(w, LEDGER_NOTE_COMMENT, "", id, true, was);
    return 0;
}

/* ---- one of each, and tags ---- */

static const struct single {
    enum ledger_note_kind kind;
    int (*rewrite)(struct draft *w, int64_t id, struct err *err);
    int (*make)(struct draft *w, bool was, struct err *err);
} singles[] = {
    {LEDGER_NOTE_MAP, rewrite_map, make_map},
    {LEDGER_NOTE_COMMENT, rewrite_comment, make_comment},
};

static int rewrite(struct draft *w, const struct single *k, size_t i, struct err *err)
{
    int r = OM_STALE;

    w->emptied = false;
    if (w->d->applied && w->d->applied->id == w->d->wanted->id) {
        keep(w, i);
        return 0;
    }
    for (int t = 0; t < TRIES && r == OM_STALE; t++)
        r = k->rewrite(w, w->d->notes[i].omero_id, err);
    if (r == OM_STALE || r == OM_ABSENT)
        return err_set(err, REASON_SERVER_BUSY, 0, "Annotation:%lld is being changed by somebody else",
                       (long long)w->d->notes[i].omero_id);
    if (r < 0)
        return -1;
    keep(w, i);
    w->touched = true;
    return 0;
}

/* One that the card has no more goes, unless people wrote in it: then their part of it stays. */
static int single(struct draft *w, const struct single *k, bool wanted, struct err *err)
{
    size_t i = had(w, k->kind, ""), n = w->n;
    bool was = i < w->d->n_notes;

    if (!was || !w->alive[i])
        return wanted ? k->make(w, was, err) : 0;
    if (rewrite(w, k, i, err) < 0)
        return -1;
    if (!wanted && w->emptied)
        w->n = n;
    return 0;
}

/* The tags that the card has and the list so far has not, or that were deleted in OMERO. */
static int need_tags(struct draft *w, const bool *kept, int64_t *ids, bool *made, struct err *err)
{
    const struct ledger_revision *r = w->d->wanted;
    const char **texts = arena_alloc(w->a, r->n_tags, sizeof(*texts));
    size_t n = 0;

    for (size_t i = 0; i < r->n_tags; i++)
        if (!kept[i])
            texts[n++] = r->tags[i];
    return om_tags_need(w->c, texts, n, ids, made, err);
}

static int write_tags(struct draft *w, struct err *err)
{
    const struct ledger_revision *r = w->d->wanted;
    size_t *before = arena_alloc(w->a, r->n_tags, sizeof(*before)), n = 0;
    bool *kept = arena_alloc(w->a, r->n_tags, sizeof(*kept)), *made = arena_alloc(w->a, r->n_tags, sizeof(*made));
    int64_t *ids = arena_alloc(w->a, r->n_tags, sizeof(*ids));

    for (size_t i = 0; i < r->n_tags; i++) {
        before[i] = had(w, LEDGER_NOTE_TAG, r->tags[i]);
        kept[i] = before[i] < w->d->n_notes && w->alive[before[i]];
    }
    if (need_tags(w, kept, ids, made, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n_tags; i++)
        if (kept[i]) {
            keep(w, before[i]);
        } else {
            w->found |= !made[n];
            add(w, LEDGER_NOTE_TAG, r->tags[i], ids[n], made[n], before[i] < w->d->n_notes);
            n++;
        }
    return 0;
}

static int write_all(struct draft *w, struct err *err)
{
    const struct ledger_revision *r = w->d->wanted;

    if (single(w, &singles[0], r->n_pairs > 0, err) < 0 || single(w, &singles[1], *r->comment != '\0', err) < 0)
        return -1;
    return write_tags(w, err);
}

/* ---- links ---- */

enum om_parent notes_part(const struct ledger_dataset *d)
{
    return d->kind == LEDGER_KIND_SCREEN ? OM_PLATE : OM_IMAGE;
}

/* A link to the dataset that was there already is not ours; before the card was first applied nobody else had time to make
 * one. */
static int mark_linked(struct draft *w, const struct om_note_ref *refs, size_t n, struct err *err)
{
    struct om_link_rows rows;

    if (!w->d->applied)
        return 0;
    if (om_links_find(w->c, target_kind(w->d), &w->d->omero_id, 1, refs, n, w->a, &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; w->fresh[i] && !w->certain[i] && j < rows.n; j++)
            if (rows.at[j].child == w->notes[i].omero_id)
                w->notes[i].linked = false;
    return 0;
}

static bool is_kept(const struct draft *w, const struct ledger_note *old)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->notes[i].omero_id == old->omero_id)
            return true;
    return false;
}

/* Before links are made for a changed card it is written down which, and which of them are ours; what is to lose its links
 * stays in the list until it has. */
static int write_intent(struct draft *w, struct err *err)
{
    struct ledger_note *both = arena_alloc(w->a, w->n + w->d->n_notes, sizeof(*both));
    size_t n = w->n;

    if (!w->d->applied)
        return 0;
    memcpy(both, w->notes, w->n * sizeof(*both));
    for (size_t i = 0; i < w->d->n_notes; i++)
        if (!is_kept(w, &w->d->notes[i]))
            both[n++] = w->d->notes[i];
    return ledger_dataset_notes(w->e->ledger, w->d->id, both, n, err);
}

/* A map comes first in the list. */
static int link_wide(struct draft *w, const struct notes_images *images, const struct om_note_ref *refs, size_t n,
                     struct err *err)
{
    size_t sharing = images->n_sharing, map = n > 0 && refs[0].kind == OM_MAP, made;
    int (*link)(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                const struct om_note_ref *children, size_t n_children, size_t *n_made, struct err *e) =
        w->found ? om_links_add : om_links_add_first;

    if (n == 0 || images->n == 0)
        return 0;
    if (link(w->c, notes_part(w->d), images->ids, sharing, refs, n, &made, err) < 0)
        return -1;
    return link(w->c, notes_part(w->d), images->ids + sharing, images->n - sharing, refs + map, n - map, &made, err);
}

static int link_fresh(struct draft *w, const struct notes_images *images, struct err *err)
{
    struct om_note_ref *all = arena_alloc(w->a, w->n, sizeof(*all)), *wide = arena_alloc(w->a, w->n, sizeof(*wide));
    size_t n_all = 0, n_wide = 0, made;

    for (size_t i = 0; i < w->n; i++) {
        if (w->fresh[i])
            all[n_all++] = ref_of(&w->notes[i]);
        if (w->fresh[i] && w->on_images[i])
            wide[n_wide++] = ref_of(&w->notes[i]);
    }
    if (n_all > 0 && (mark_linked(w, all, n_all, err) < 0 || write_intent(w, err) < 0 ||
                      om_links_add(w->c, target_kind(w->d), &w->d->omero_id, 1, all, n_all, &made, err) < 0))
        return -1;
    return link_wide(w, images, wide, n_wide, err);
}

static int unlink_from(struct draft *w, enum om_parent kind, const int64_t *parents, size_t n_parents,
                       const struct om_note_ref *refs, size_t n, struct err *err)
{
    size_t gone;

    return n == 0 || n_parents == 0 ? 0 : om_links_remove(w->c, kind, parents, n_parents, refs, n, &gone, err);
}

static int unlink_old(struct draft *w, const struct notes_images *images, struct err *err)
{
    struct om_note_ref *all = arena_alloc(w->a, w->d->n_notes, sizeof(*all));
    struct om_note_ref *ours = arena_alloc(w->a, w->d->n_notes, sizeof(*ours));
    size_t n_all = 0, n_ours = 0;

    for (size_t i = 0; i < w->d->n_notes; i++) {
        const struct ledger_note *old = &w->d->notes[i];

        if (is_kept(w, old))
            continue;
        w->touched = true;
        if (!w->alive[i])
            continue;
        all[n_all++] = ref_of(old);
        if (old->linked)
            ours[n_ours++] = ref_of(old);
    }
    if (unlink_from(w, notes_part(w->d), images->ids, images->n, all, n_all, err) < 0)
        return -1;
    return unlink_from(w, target_kind(w->d), &w->d->omero_id, 1, ours, n_ours, err);
}

/* ---- all of it ---- */

static int ask_alive(struct om_client *c, const struct ledger_dataset *d, struct arena *a, bool *alive, struct err *err)
{
    struct om_note_ref *refs = arena_alloc(a, d->n_notes, sizeof(*refs));

    for (size_t i = 0; i < d->n_notes; i++)
        refs[i] = ref_of(&d->notes[i]);
    return d->n_notes == 0 ? 0 : om_annotations_alive(c, refs, d->n_notes, -1, d->group_id, alive, err);
}

int notes_apply(struct engine *e, struct session *s, const struct ledger_dataset *d, const struct notes_images *images,
                struct arena *a, const struct ledger_note **notes, size_t *n, bool *touched, struct err *err)
{
    bool *alive = arena_alloc(a, d->n_notes, sizeof(*alive));
    size_t most = 2 + d->wanted->n_tags;
    struct draft w = {.e = e, .c = s->client, .d = d, .a = a, .alive = alive,
                      .notes = arena_alloc(a, most, sizeof(struct ledger_note)), .on_images = arena_alloc(a, most, sizeof(bool)),
                      .fresh = arena_alloc(a, most, sizeof(bool)), .certain = arena_alloc(a, most, sizeof(bool))};

    if (ask_alive(s->client, d, a, alive, err) < 0 || write_all(&w, err) < 0 || link_fresh(&w, images, err) < 0 ||
        unlink_old(&w, images, err) < 0)
        return err_prefix(err, "annotations of '%s': ", *d->dir ? d->dir : ".");
    *notes = w.notes;
    *n = w.n;
    *touched = w.touched;
    return 0;
}

bool notes_each(const struct settings *s, const char *root_path)
{
    return settings_for(s, root_path)->annotations_each;
}

int notes_link_plates(struct engine *e, struct session *s, const struct ledger_dataset *d, const int64_t *plates, size_t n,
                      struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    bool *alive = arena_alloc(a, d->n_notes, sizeof(*alive));
    struct ledger_note *there = arena_alloc(a, d->n_notes, sizeof(*there));
    size_t n_there = 0, n_refs, made;

    if (ask_alive(s->client, d, a, alive, err) < 0)
        return -1;
    for (size_t i = 0; i < d->n_notes; i++)
        if (alive[i])
            there[n_there++] = d->notes[i];

    const struct om_note_ref *refs = notes_refs(there, n_there, !notes_each(e->job->settings, d->root_path), a, &n_refs);

    return om_links_add(s->client, OM_PLATE, plates, n, refs, n_refs, &made, err);
}

const struct om_note_ref *notes_refs(const struct ledger_note *notes, size_t n, bool map, struct arena *a, size_t *n_refs)
{
    struct om_note_ref *refs = arena_alloc(a, n, sizeof(*refs));
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        if (notes[i].kind != LEDGER_NOTE_SOURCE && (map || notes[i].kind != LEDGER_NOTE_MAP))
            refs[used++] = ref_of(&notes[i]);
    *n_refs = used;
    return refs;
}
