/* Is a fileset of the ledger one that OMERO has?  By paths and sizes, proved by checksums. */
#include "engine/adopt_inside.h"

#include <string.h>

#include "base/io.h"
#include "engine/notes.h"
#include "engine/own.h"
#include "engine/sums.h"
#include "omero/import.h"

static const struct om_entry *entry_of(const struct om_entries *all, int64_t fileset, const char *path)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].fileset == fileset && strcmp(all->at[i].client_path, path) == 0)
            return &all->at[i];
    return NULL;
}

static size_t entries_of(const struct om_entries *all, int64_t fileset)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->at[i].fileset == fileset;
    return n;
}

/* A set that is held against filesets of OMERO. */
struct match {
    struct adopt *w;
    const struct adopt_set *s;
    const struct om_entries *all; /* the files of these filesets */
    int root;                     /* directory */
    bool believe;                 /* sizes alone: the files are not read */
    int64_t any, good;            /* one that was looked at; the first that is the same */
    size_t n_good;
    const struct ledger_member *members; /* of that one */
    struct err why;               /* why the last one is not */
};

static int check_file(const struct match *c, size_t i, const struct om_entry *e, struct ledger_member *out, struct err *err)
{
    const struct sums_pause pause = {adopt_keep_on, c->w};
    const char *const *into = settings_for(c->w->job->settings, c->s->f->root_path)->follow_into;
    const struct ledger_member *m = &c->s->f->members[i];
    bool believe = c->believe;

    *out = *m;
    out->algorithm = e->algorithm;
    out->hash = e->hash;
    if (believe && e->size != m->stamp.size)
        out->stamp = (struct ledger_stamp){.size = e->size}; /* it is another one now: the next look says so */
    if (believe)
        return 0;
    if (e->size != m->stamp.size)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld: '%s' has %lld bytes there, and %lld here", (long long)e->fileset,
                       e->client_path, (long long)e->size, (long long)m->stamp.size);
    if (!hash_is_proof(e->algorithm))
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld: OMERO has no checksum of '%s' that proves it (%s)",
                       (long long)e->fileset, e->client_path, *e->algorithm ? e->algorithm : "none");
    if (sums_of_member(c->root, into, m->path, e->algorithm, &pause, c->w->a, out, err) < 0)
        return -1;
    if (strcmp(out->hash, e->hash) != 0)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld: '%s' has the %s %s there, and %s here", (long long)e->fileset,
                       e->client_path, e->algorithm, e->hash, out->hash);
    return 0;
}

/* By its path, or for a set that was moved by the end of it. */
typedef const struct om_entry *entry_fn(const struct match *c, int64_t fileset, size_t i);

static const struct om_entry *at_path(const struct match *c, int64_t fileset, size_t i)
{
    return entry_of(c->all, fileset, c->s->paths[i]);
}

static int check_candidate(const struct match *c, int64_t fileset, entry_fn *find, struct ledger_member *out, struct err *err)
{
    const struct adopt_set *s = c->s;

    if (entries_of(c->all, fileset) != s->f->n_members)
        return err_set(err, REASON_CHANGED, 0, "Fileset:%lld has %zu files, and here are %zu", (long long)fileset,
                       entries_of(c->all, fileset), s->f->n_members);
    for (size_t i = 0; i < s->f->n_members; i++) {
        const struct om_entry *e = find(c, fileset, i);

        if (!e)
            return err_set(err, REASON_CHANGED, 0, "Fileset:%lld does not have the file '%s'", (long long)fileset, s->paths[i]);
        if (e->group != c->w->s->client->who.group_id)
            return err_set(err, REASON_CONFLICT, 0, "Fileset:%lld is in another group than the card's", (long long)fileset);
        if (check_file(c, i, e, &out[i], err) < 0)
            return -1;
    }
    return 0;
}

/* ---- taking ---- */

static int take(struct adopt *w, struct adopt_set *s, int64_t fileset, const struct ledger_member *members, struct err *err)
{
    struct adopt_target *t = adopt_target_of(w, s->f->dataset);
    struct ledger_adopted found = {.server = w->s->server, .omero_id = fileset, .members = members, .carries = t->restored};
    struct om_import_result r = {0};

    enum om_import_way way;

    if (om_fileset_look(w->s->client, fileset, w->a, &r, err) < 0 || om_import_way(w->s->client, fileset, &way, err) < 0)
        return -1;
    if (r.n_images + r.n_plates == 0)
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld has no images", (long long)fileset);
    if (way != OM_IMPORT_WHOLE)
        return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "Fileset:%lld has images without pixels: its import %s",
                       (long long)fileset, way == OM_IMPORT_GHOSTS ? "has failed" : "may still be running");
    found.images = own_parts(&r, s->f->plate, notes_each(w->job->settings, s->f->root_path), w->a, &found.n_images);
    if (w->job->mode != ADOPT_DRY && ledger_adopt(w->job->ledger, s->f->id, &found, err) < 0)
        return -1;
    adopt_target_add(t, fileset);
    s->taken = true;
    w->counts->taken++;
    adopt_tell(w, &(struct adopt_finding){.what = ADOPT_TAKEN, .root = s->f->root_path, .path = s->f->path, .fileset = fileset});
    return 0;
}

static bool concerns_all(const struct err *err)
{
    return err->why == REASON_STOPPED || err->why == REASON_LEDGER || err->why == REASON_LOST || err->why == REASON_NO_SERVER ||
           err->why == REASON_SESSION || err->why == REASON_BUG || err->why == REASON_PROTOCOL;
}

/* -1 only for what concerns all. */
static int try_one(struct match *c, int64_t fileset, entry_fn *find, struct err *err)
{
    struct ledger_member *members = arena_alloc(c->w->a, c->s->f->n_members, sizeof(*members));
    struct err no = ERR_INIT;

    c->any = fileset;
    if (check_candidate(c, fileset, find, members, &no) == 0) {
        if (c->n_good++ == 0) {
            c->good = fileset;
            c->members = members;
        }
        return 0;
    }
    *(concerns_all(&no) ? err : &c->why) = no;
    return concerns_all(&no) ? -1 : 0;
}

static int conclude(struct match *c, struct adopt_set *s, struct err *err)
{
    if (c->n_good > 1)
        err_set(&c->why, REASON_DUPLICATE, 0, "%zu filesets in OMERO have the same files, Fileset:%lld among them", c->n_good,
                (long long)c->good);
    if (c->n_good == 1 && take(c->w, s, c->good, c->members, &c->why) == 0)
        return 0;
    if (concerns_all(&c->why)) {
        *err = c->why;
        return -1;
    }
    adopt_unclear(c->w, s->f, c->good ? c->good : c->any, &c->why);
    return 0;
}

/* The candidates are those that have the first file at its place. */
int adopt_judge(const struct adopt_chunk *c, struct adopt_set *s, struct err *err)
{
    AUTO(io_closep) int root = io_open_dir(s->f->root_path, err);
    struct match m = {.w = c->w, .s = s, .all = &c->all, .root = root, .believe = c->w->job->mode == ADOPT_REBUILD};

    if (root < 0)
        return -1;
    for (size_t i = 0; i < c->found.n; i++) {
        const struct om_entry *e = &c->found.at[i];

        if (strcmp(e->client_path, s->paths[0]) == 0 && e->fileset != m.any && try_one(&m, e->fileset, at_path, err) < 0)
            return -1;
    }
    if (m.any == 0)
        return 0;
    c->w->counts->there++;
    return conclude(&m, s, err);
}

/* ---- what was moved since ---- */

/* Below the directory of the set's first file, else the name alone. */
static const char *tail_of(const struct adopt_set *s, size_t i)
{
    const char *slash = strrchr(s->paths[0], '/');
    size_t n = slash ? (size_t)(slash - s->paths[0]) + 1 : 0;
    const char *name = strrchr(s->paths[i], '/');

    if (strncmp(s->paths[i], s->paths[0], n) == 0)
        return s->paths[i] + n;
    return name ? name + 1 : s->paths[i];
}

static bool ends_so(const char *path, const char *tail)
{
    size_t n = strlen(path), k = strlen(tail);

    return n >= k && strcmp(path + n - k, tail) == 0 && (n == k || path[n - k - 1] == '/');
}

static bool is_like(const struct match *c, const struct om_entry *e, size_t i)
{
    return e->size == c->s->f->members[i].stamp.size && ends_so(e->client_path, tail_of(c->s, i));
}

static const struct om_entry *of_tail(const struct match *c, int64_t fileset, size_t i)
{
    for (size_t k = 0; k < c->all->n; k++)
        if (c->all->at[k].fileset == fileset && is_like(c, &c->all->at[k], i))
            return &c->all->at[k];
    return NULL;
}

static int is_known(struct adopt *w, int64_t fileset, bool *out, struct err *err)
{
    const struct ledger_filter f = {.omero_fileset = fileset, .max = 1};
    const struct ledger_fileset *list;
    size_t n = 0;

    if (ledger_list(w->job->ledger, &f, w->a, &list, &n, err) < 0)
        return -1;
    *out = n > 0;
    return 0;
}

/* Once for each dataset. */
static int ask_dataset(struct adopt *w, struct adopt_target *t, struct err *err)
{
    const struct ledger_dataset *d;
    const int64_t *ids;
    size_t n = 0;
    int r = t->asked ? LEDGER_NOTHING : ledger_dataset(w->job->ledger, t->row, w->a, &d, err);

    if (r != 0)
        return r < 0 ? -1 : 0;
    t->asked = true;
    if (d->kind != LEDGER_KIND_DATASET)
        return 0;
    if (om_dataset_filesets(w->s->client, d->omero_id, w->a, &ids, &n, err) < 0)
        return -1;
    return adopt_ask_entries(w, ids, n, &t->there, err);
}

/* Only what has the same names and sizes is read, and only the same bytes are the same. */
int adopt_moved(struct adopt *w, struct adopt_set *s, struct err *err)
{
    AUTO(io_closep) int root = io_open_dir(s->f->root_path, err);
    struct adopt_target *t = adopt_target_of(w, s->f->dataset);
    struct match m = {.w = w, .s = s, .root = root};
    int64_t last = 0;

    if (root < 0 || ask_dataset(w, t, err) < 0)
        return -1;
    m.all = &t->there;
    for (size_t i = 0; s->paths && i < t->there.n; i++) {
        const struct om_entry *e = &t->there.at[i];
        bool known = false;

        if (e->fileset == last || !is_like(&m, e, 0))
            continue;
        last = e->fileset;
        if (is_known(w, e->fileset, &known, err) < 0 || (!known && try_one(&m, e->fileset, of_tail, err) < 0))
            return -1;
    }
    return m.n_good > 0 ? conclude(&m, s, err) : 0;
}
