#include "engine/own.h"

#include <string.h>

#include "base/log.h"
#include "engine/notes.h"
#include "engine/pairs.h"
#include "engine/target.h"

enum { TRIES = 5, PART_MAX = 500, PART_BYTES = 4 << 20 }; /* maps of one call, and the bytes of their rows */

struct ledger_image *own_parts(const struct om_import_result *r, bool plate, bool each, struct arena *a, size_t *n)
{
    struct ledger_image *parts = arena_alloc(a, r->n_images + r->n_plates, sizeof(*parts));

    for (size_t i = 0; i < r->n_images; i++)
        parts[i] = (struct ledger_image){.omero_id = r->images[i].id, .name = r->images[i].name, .series = r->images[i].series,
                                         .own = each && !plate};
    for (size_t i = 0; i < r->n_plates; i++)
        parts[r->n_images + i] = (struct ledger_image){.omero_id = r->plates[i].id, .name = r->plates[i].name, .plate = true,
                                                       .own = each && plate};
    *n = r->n_images + r->n_plates;
    return parts;
}

/* So many maps with these rows fit into one call. */
static size_t at_once(const struct pairs *p)
{
    size_t bytes = 1;

    for (size_t i = 0; i < p->n; i++)
        bytes += strlen(p->at[i].key) + strlen(p->at[i].value);
    return bytes > PART_BYTES ? 1 : PART_BYTES / bytes < PART_MAX ? PART_BYTES / bytes : PART_MAX;
}

/* One call's worth of parts. */
struct some {
    const struct own *o;
    struct arena *a;
    struct ledger_image *at;
    size_t n;
    struct pairs applied, wanted;
};

typedef int some_fn(struct some *s, struct err *err);

/* In pieces, each with an arena of its own. */
static int by_pieces(const struct own *o, const struct ledger_revision *applied, const struct ledger_revision *wanted,
                     struct ledger_image *parts, size_t n, some_fn *run, struct err *err)
{
    AUTO(arena_freep) struct arena *rows = arena_new();
    const struct pairs before = pairs_of(applied, rows), after = pairs_of(wanted, rows);
    size_t step = at_once(before.n > after.n ? &before : &after);

    for (size_t i = 0; i < n; i += step) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct some s = {.o = o, .a = a, .at = parts + i, .n = n - i < step ? n - i : step, .applied = before, .wanted = after};

        if (run(&s, err) < 0)
            return err_prefix(err, "key-value pairs of images: ");
    }
    return 0;
}

/* ---- finding and making ---- */

/* What hangs on the parts of a card without being a map of their own. */
static const struct ledger_note *shared(const struct own *o, int64_t id)
{
    for (size_t i = 0; i < o->n_notes; i++)
        if (o->notes[i].omero_id == id)
            return &o->notes[i];
    return NULL;
}

static bool is_taken(const struct some *s, int64_t map)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].map == map)
            return true;
    return false;
}

static bool lacks(const struct ledger_image *part)
{
    return part->own && part->map == 0;
}

/* The numbers of those that lack a map. */
static int64_t *lacking(const struct some *s, size_t *n)
{
    int64_t *ids = arena_alloc(s->a, s->n, sizeof(*ids));

    *n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (lacks(&s->at[i]))
            ids[(*n)++] = s->at[i].omero_id;
    return ids;
}

static struct ledger_image *lacking_of(struct some *s, int64_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].omero_id == id && lacks(&s->at[i]))
            return &s->at[i];
    return NULL;
}

/* With `any`: whatever they say. */
static int take(struct some *s, const struct om_link_row *links, const int64_t *maps, size_t n, bool any, struct err *err)
{
    struct om_note *now = arena_alloc(s->a, n, sizeof(*now));

    if (om_maps_load(s->o->c, maps, n, s->a, now, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct pairs rows = {.at = now[i].pairs, .n = now[i].n_pairs};
        struct ledger_image *part = lacking_of(s, links[i].parent);

        if (part && now[i].loaded && (any || pairs_equal(&rows, &s->wanted)) && !is_taken(s, maps[i]))
            part->map = maps[i];
    }
    return 0;
}

static int find(struct some *s, bool any, struct err *err)
{
    const struct own *o = s->o;
    size_t n, n_maps = 0;
    int64_t *ids = lacking(s, &n);
    struct om_link_rows links;

    if (om_links_named(o->c, notes_part(o->d), ids, n, notes_namespace(o->settings, o->d->root_path), s->a, &links, err) < 0)
        return -1;

    struct om_link_row *open = arena_alloc(s->a, links.n, sizeof(*open));
    int64_t *maps = arena_alloc(s->a, links.n, sizeof(*maps));

    for (size_t i = 0; i < links.n; i++) {
        const struct ledger_note *note = shared(o, links.at[i].child);
        struct ledger_image *part = lacking_of(s, links.at[i].parent);

        if (part && note && note->kind == LEDGER_NOTE_MAP)
            part->own = false;
        if (note)
            continue;
        open[n_maps] = links.at[i];
        maps[n_maps++] = links.at[i].child;
    }
    return take(s, open, maps, n_maps, any, err);
}

static int make(struct some *s, struct err *err)
{
    const struct own *o = s->o;
    size_t n, at = 0;
    int64_t *ids = lacking(s, &n), *maps = arena_alloc(s->a, n, sizeof(*maps));

    if (n > 0 && om_maps_create(o->c, notes_part(o->d), ids, n, notes_namespace(o->settings, o->d->root_path), s->wanted.at,
                                s->wanted.n, maps, err) < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (lacks(&s->at[i]))
            s->at[i].map = maps[at++];
    return 0;
}

static int need(struct some *s, struct err *err)
{
    return s->wanted.n == 0 ? 0 : find(s, false, err) < 0 ? -1 : make(s, err);
}

int own_need(const struct own *o, const struct ledger_revision *r, struct ledger_image *parts, size_t n, struct err *err)
{
    return by_pieces(o, NULL, r, parts, n, need, err);
}

static int look(struct some *s, struct err *err)
{
    return find(s, true, err) < 0 ? -1 : ledger_image_maps(s->o->ledger, s->at, s->n, err);
}

int own_look(const struct own *o, struct ledger_image *parts, size_t n, struct err *err)
{
    return by_pieces(o, NULL, o->d->wanted, parts, n, look, err);
}

/* ---- following ---- */

/* What becomes of maps as they are now. */
struct outcome {
    struct om_note *save;
    struct ledger_image **bare; /* parts whose map has to go, with the ends of its link */
    int64_t *parents, *maps;
    size_t n_save, n_bare, kept; /* kept: rows that people changed */
};

static void judge(const struct some *s, struct ledger_image *part, const struct om_note *map, struct outcome *out)
{
    const struct pairs now = {.at = map->pairs, .n = map->n_pairs};
    size_t kept;
    const struct pairs merged = pairs_merge(&s->applied, &now, &s->wanted, s->a, &kept);

    if (s->wanted.n == 0 && merged.n == 0) {
        out->bare[out->n_bare] = part;
        out->parents[out->n_bare] = part->omero_id;
        out->maps[out->n_bare++] = part->map;
    } else if (map->loaded) {
        out->kept += kept;
        if (pairs_equal(&now, &merged))
            return;
        out->save[out->n_save] = *map;
        out->save[out->n_save].pairs = merged.at;
        out->save[out->n_save++].n_pairs = merged.n;
    }
}

/* 0, OM_STALE, -1 */
static int carry_out(const struct own *o, const struct outcome *out, struct err *err)
{
    size_t gone;
    int r = om_maps_save(o->c, out->save, out->n_save, err);

    if (r != 0)
        return r;
    if (om_links_remove_own(o->c, notes_part(o->d), out->parents, out->maps, out->n_bare, &gone, err) < 0)
        return -1;
    for (size_t i = 0; i < out->n_bare; i++)
        out->bare[i]->map = 0;
    if (out->kept > 0)
        log_warn("card.kept", "rows that were changed in OMERO stay as they are", LOG_STR("dir", o->d->dir),
                 LOG_INT("rows", (int64_t)out->kept));
    return 0;
}

static int rewrite_once(struct some *s, struct err *err)
{
    int64_t *ids = arena_alloc(s->a, s->n, sizeof(*ids));
    struct om_note *now = arena_alloc(s->a, s->n, sizeof(*now));
    struct outcome out = {.save = arena_alloc(s->a, s->n, sizeof(*out.save)),
                          .bare = arena_alloc(s->a, s->n, sizeof(struct ledger_image *)),
                          .parents = arena_alloc(s->a, s->n, sizeof(*out.parents)),
                          .maps = arena_alloc(s->a, s->n, sizeof(*out.maps))};
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].map != 0)
            ids[n++] = s->at[i].map;
    if (om_maps_load(s->o->c, ids, n, s->a, now, err) < 0)
        return -1;
    for (size_t i = 0, at = 0; i < s->n; i++)
        if (s->at[i].map != 0)
            judge(s, &s->at[i], &now[at++], &out);
    return carry_out(s->o, &out, err);
}

static int follow(struct some *s, struct err *err)
{
    const struct ledger_dataset *d = s->o->d;
    bool changed = d->applied && d->applied->id != d->wanted->id;
    int r = changed ? OM_STALE : 0;

    for (int t = 0; t < TRIES && r == OM_STALE; t++)
        r = rewrite_once(s, err);
    if (r == OM_STALE)
        return err_set(err, REASON_SERVER_BUSY, 0, "they are being changed by somebody else");
    return r < 0 || need(s, err) < 0 ? -1 : ledger_image_maps(s->o->ledger, s->at, s->n, err);
}

int own_follow(const struct own *o, struct ledger_image *parts, size_t n, struct err *err)
{
    return by_pieces(o, o->d->applied, o->d->wanted, parts, n, follow, err);
}
