#include "engine/scan.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/memory.h"
#include "engine/record.h"
#include "tree/watch.h"

/* ---- which root ---- */

static int known_root(struct ledger *l, const char *dir, struct arena *a, struct engine_place *out, struct err *err)
{
    const struct ledger_root *roots;
    size_t n = 0;

    if (ledger_roots(l, a, &roots, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n && !out->path; i++)
        if (str_below(dir, roots[i].path)) {
            out->name = roots[i].name;
            out->path = roots[i].path;
        }
    return 0;
}

int engine_place(const struct settings *s, struct ledger *l, const char *dir, struct arena *a, struct engine_place *out,
                 struct err *err)
{
    const struct settings_root *configured = settings_root_of(s, dir);
    struct engine_place found = {.set = configured ? configured->set : s->defaults, .settings = s};

    if (configured && settings_need_policy(configured, err) < 0)
        return -1;
    if (configured) {
        found.name = arena_str(a, configured->name);
        found.path = arena_str(a, configured->path);
    } else if (known_root(l, dir, a, &found, err) < 0) {
        return -1;
    }
    if (!found.path)
        found.name = found.path = arena_str(a, dir);
    found.only = arena_str(a, str_below(dir, found.path));
    *out = found;
    return 0;
}

/* ---- taking it in ---- */

bool scan_trusts_times(int dirfd)
{
    return watch_is_local(dirfd);
}

/* An empty directory where files have been is a mount that is not there; one that is new is just empty. */
static int check_there(struct ledger *l, const struct engine_place *place, const struct look *look, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_filter any = {.path = place->path, .max = 1};
    const struct ledger_fileset *known;
    size_t n = 0;

    if (place->set.marker && !tree_find(look->tree, place->set.marker))
        return err_set(err, REASON_ROOT_AWAY, 0, "directory '%s': its marker '%s' is not there", place->path, place->set.marker);
    if (look->tree->n > 1)
        return 0;
    if (ledger_list(l, &any, a, &known, &n, err) < 0)
        return -1;
    return n == 0 ? 0 : err_set(err, REASON_ROOT_AWAY, 0, "directory '%s': it is empty", place->path);
}

/* Files that the ledger knows by their stamps stay closed. */
static int look_remembering(struct ledger *l, int64_t root, const char *path, struct look_rules *how, struct look **out,
                            struct err *err)
{
    struct engine_memory memory;

    engine_memory_open(l, root, &memory);
    how->memory = &memory.format;

    int done = look_at(path, how, out, err);

    engine_memory_close(&memory, done == 0 ? (*out)->tree : NULL);
    how->memory = NULL;
    return done;
}

static int take_in(struct ledger *l, const struct engine_place *place, int64_t root, struct ledger_synced *out, struct err *err)
{
    AUTO(look_freep) struct look *look = NULL;
    struct look_rules how;

    look_rules_of(&place->set, place->settings, &how);
    if (look_remembering(l, root, place->path, &how, &look, err) < 0 || check_there(l, place, look, err) < 0)
        return -1;

    const struct record_rules rules = {.root = root, .settle_ms = place->set.settle_s * 1000,
                                       .incomplete_ms = place->set.incomplete_s * 1000,
                                       .trust_times = scan_trusts_times(look->tree->fd), .ready = place->set.ready};

    return record_look(l, look, &rules, out, err);
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
