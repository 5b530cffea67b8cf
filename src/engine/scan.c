#include "engine/scan.h"

#include <string.h>
#include <sys/vfs.h>

#include "base/mem.h"

/* ---- which root ---- */

/* The part of `path` below `root`, or NULL when it does not lie there. */
static const char *below(const char *path, const char *root)
{
    size_t n = strlen(root);

    if (strcmp(root, "/") == 0)
        return path + 1;
    if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return path + n + (path[n] == '/');
}

static int known_root(struct ledger *l, const char *dir, struct arena *a, struct engine_place *out, struct err *err)
{
    const struct ledger_root *roots;
    size_t n = 0;

    if (ledger_roots(l, a, &roots, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n && !out->path; i++)
        if (below(dir, roots[i].path)) {
            out->name = roots[i].name;
            out->path = roots[i].path;
        }
    return 0;
}

int engine_place(const struct settings *s, struct ledger *l, const char *dir, struct arena *a, struct engine_place *out,
                 struct err *err)
{
    const struct settings_root *configured = settings_root_of(s, dir);
    struct engine_place found = {.set = configured ? configured->set : s->defaults};

    if (configured) {
        found.name = arena_str(a, configured->name);
        found.path = arena_str(a, configured->path);
    } else if (known_root(l, dir, a, &found, err) < 0) {
        return -1;
    }
    if (!found.path)
        found.name = found.path = arena_str(a, dir);
    found.only = arena_str(a, below(dir, found.path));
    *out = found;
    return 0;
}

/* ---- filling in ---- */

static const struct ledger_revision *revision_of(const struct card *c, struct arena *a)
{
    struct ledger_revision *r = arena_alloc(a, 1, sizeof(*r));
    struct ledger_pair *pairs = arena_alloc(a, c->n_pairs, sizeof(*pairs));

    for (size_t i = 0; i < c->n_pairs; i++)
        pairs[i] = (struct ledger_pair){.key = c->pairs[i].key, .value = c->pairs[i].value};
    *r = (struct ledger_revision){.sha256 = c->sha256, .project = c->project, .user = c->user, .group = c->group,
                                  .title = c->title, .comment = c->comment, .tags = c->tags, .n_tags = c->n_tags,
                                  .pairs = pairs, .n_pairs = c->n_pairs};
    return r;
}

static void fill_cards(const struct cards *cards, struct arena *a, struct ledger_scan *out)
{
    struct ledger_card *rows = arena_alloc(a, cards->n, sizeof(*rows));

    for (size_t i = 0; i < cards->n; i++) {
        const struct found_card *c = &cards->at[i];

        rows[i] = (struct ledger_card){.path = c->entry->path, .why = c->why, .line = c->line, .text = c->text ? c->text : "",
                                       .revision = c->card ? revision_of(c->card, a) : NULL};
    }
    out->cards = rows;
    out->n_cards = cards->n;
}

static void fill_targets(const struct plan *p, struct arena *a, struct ledger_scan *out)
{
    struct ledger_target *rows = arena_alloc(a, p->n_targets, sizeof(*rows));

    for (size_t i = 0; i < p->n_targets; i++) {
        const struct plan_target *t = &p->targets[i];

        rows[i] = (struct ledger_target){.dir = t->dir, .kind = t->screen ? LEDGER_SCREEN : LEDGER_DATASET, .name = t->name,
                                         .revision = revision_of(t->card->card, a)};
    }
    out->targets = rows;
    out->n_targets = p->n_targets;
}

static const struct ledger_member *members_of(const struct format_group *g, struct arena *a)
{
    struct ledger_member *rows = arena_alloc(a, g->n_members, sizeof(*rows));

    for (size_t i = 0; i < g->n_members; i++) {
        const struct tree_stamp *s = &g->members[i]->stamp;

        rows[i] = (struct ledger_member){.path = g->members[i]->path,
                                         .stamp = {.size = s->size, .mtime_ns = s->mtime_ns, .ctime_ns = s->ctime_ns,
                                                   .ino = s->ino}};
    }
    return rows;
}

static void fill_plans(const struct plan *p, struct arena *a, struct ledger_scan *out)
{
    struct ledger_plan *rows = arena_alloc(a, p->n_filesets, sizeof(*rows));

    for (size_t i = 0; i < p->n_filesets; i++) {
        const struct plan_fileset *f = &p->filesets[i];

        rows[i] = (struct ledger_plan){.path = f->path, .target = f->target, .name = f->name ? f->name : "",
                                       .format = f->group->format, .reader = f->group->reader, .plate = f->group->plate,
                                       .why = f->why, .text = f->text, .members = members_of(f->group, a),
                                       .n_members = f->group->n_members};
        if (f->why == REASON_NONE && f->group->plate) {
            rows[i].why = REASON_DEFERRED;
            rows[i].text = "a plate: this version imports no plates";
        }
    }
    out->plans = rows;
    out->n_plans = p->n_filesets;
}

void scan_fill(const struct look *l, struct arena *a, struct ledger_scan *out)
{
    fill_cards(&l->cards, a, out);
    fill_targets(&l->plan, a, out);
    fill_plans(&l->plan, a, out);
}

/* ---- taking it in ---- */

/* File systems of this machine's own disks and memory (linux/magic.h); a file server's clock may differ from ours. */
bool scan_trusts_times(int dirfd)
{
    static const unsigned long local[] = {0xEF53 /* ext */, 0x58465342 /* xfs */, 0x9123683E /* btrfs */, 0x01021994 /* tmpfs */,
                                          0x794C7630 /* overlay */, 0x2FC12FC1 /* zfs */, 0xF2F52010 /* f2fs */};
    struct statfs fs;

    if (fstatfs(dirfd, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (((unsigned long)fs.f_type & 0xFFFFFFFFul) == local[i])
            return true;
    return false;
}

/* An empty directory where files have been is a mount that is not there; one that is new is just empty. */
static int check_there(struct ledger *l, const struct engine_place *place, const struct look *look, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_filter any = {.path = place->path, .max = 1};
    const struct ledger_fileset *known;
    size_t n = 0;

    if (look->tree->n > 1)
        return 0;
    if (ledger_list(l, &any, a, &known, &n, err) < 0)
        return -1;
    return n == 0 ? 0 : err_set(err, REASON_ROOT_AWAY, 0, "directory '%s': it is empty", place->path);
}

static int take_in(struct ledger *l, const struct engine_place *place, int64_t root, struct ledger_synced *out, struct err *err)
{
    AUTO(look_freep) struct look *look = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();

    if (look_at(place->path, &look, err) < 0 || check_there(l, place, look, err) < 0)
        return -1;

    struct ledger_scan scan = {.root = root, .settle_ms = place->set.settle_s * 1000,
                               .trust_times = scan_trusts_times(look->tree->fd)};

    scan_fill(look, a, &scan);
    return ledger_sync(l, &scan, out, err);
}

int scan_place(struct ledger *l, const struct engine_place *place, int64_t *root, struct ledger_synced *out, struct err *err)
{
    struct err ignored = ERR_INIT;

    if (ledger_root(l, place->name, place->path, root, err) < 0)
        return -1;
    if (take_in(l, place, *root, out, err) == 0)
        return 0;
    if (err->why == REASON_ROOT_AWAY || err->why == REASON_UNREADABLE)
        (void)ledger_root_away(l, *root, err->text, &ignored); /* for `status`; the first error is the one to show */
    return -1;
}
