#include "engine/placing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "omero/inplace.h"

struct trial {
    int64_t root;
    int64_t tried_ns;
    struct err why; /* REASON_NONE: it works */
};

static const int64_t failed_for_ns = 30 * NS_PER_S;

static bool is_link(enum om_transfer how)
{
    return how == OM_LN_S || how == OM_LN;
}

int placing_check(const struct root_settings *set, const char *root_path, struct err *err)
{
    if (!is_link(om_transfer_named(set->transfer)) || set->trusted)
        return 0;
    err_set(err, REASON_CONFIG, 0, "transfer = \"%s\" in '%s', which is not trusted: what is linked stays in its users' hands",
            set->transfer, root_path);
    return err_hint(err, "say trusted = true for this root (--trusted for a directory given by hand), or import by upload or cp");
}

static const char *host_path(const struct work *w, size_t i)
{
    return arena_printf(w->a, "%s/%s", strcmp(w->f.root_path, "/") == 0 ? "" : w->f.root_path, w->f.members[i].path);
}

static int place_of(struct work *w, size_t i, int fd, struct om_paths *paths, struct om_place *out, struct err *err)
{
    if (om_paths_parse(w->e->job->settings->in_place_paths, w->a, paths, err) < 0)
        return -1;
    *out = (struct om_place){.how = w->transfer, .paths = paths, .path = host_path(w, i), .fd = fd};
    return 0;
}

/* --- the trial --- */

void trials_clear(struct trials *t)
{
    free(t->at);
    *t = (struct trials){0};
}

void placing_renew(struct engine *e)
{
    keylock_take(&e->makers, "trial");
    trials_clear(&e->trials);
    keylock_give(&e->makers, "trial");
}

/* NULL: not tried, or so long ago that it is to be tried again. */
static const struct trial *tried(const struct trials *t, int64_t root)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i].root == root)
            return t->at[i].why.why == REASON_NONE || clock_mono_ns() - t->at[i].tried_ns < failed_for_ns ? &t->at[i] : NULL;
    return NULL;
}

static void note(struct trials *t, int64_t root, const struct err *why)
{
    size_t i = 0;

    while (i < t->n && t->at[i].root != root)
        i++;
    if (i == t->n)
        t->at = mem_grow(t->at, t->n++, &t->cap, sizeof(*t->at));
    t->at[i] = (struct trial){.root = root, .tried_ns = clock_mono_ns(), .why = *why};
}

static int try_anew(struct work *w, struct err *err)
{
    AUTO(io_closep) int fd = work_open(w, 0, err);
    struct om_paths paths;
    struct om_place place;

    if (fd < 0 || place_of(w, 0, fd, &paths, &place, err) < 0)
        return -1;
    return om_place_try(w->s->client, &place, err);
}

/* Only what the trial found out is kept: a lost connection says nothing about the root. */
static int try_once(struct work *w, struct err *err)
{
    const struct trial *before = tried(&w->e->trials, w->f.root);
    struct err none = ERR_INIT;

    if (before) {
        *err = before->why;
        return err->why == REASON_NONE ? 0 : -1;
    }

    int r = try_anew(w, err);

    if (r == 0 || err->why == REASON_IN_PLACE)
        note(&w->e->trials, w->f.root, r == 0 ? &none : err);
    if (r == 0)
        log_info("root.in-place", "the server sees what is placed", LOG_STR("path", w->f.root_path),
                 LOG_STR("transfer", om_transfers[w->transfer]));
    return r;
}

int placing_try(struct work *w, struct err *err)
{
    w->transfer = om_transfer_named(settings_for(w->e->job->settings, w->f.root_path)->transfer);
    if (w->transfer == OM_UPLOAD)
        return 0;
    keylock_take(&w->e->makers, "trial");
    int r = try_once(w, err);
    keylock_give(&w->e->makers, "trial");
    return r;
}

int placing_put(struct work *w, size_t i, int fd, const struct om_source *source, struct err *err)
{
    struct om_paths paths;
    struct om_place place;

    if (place_of(w, i, fd, &paths, &place, err) < 0)
        return -1;
    return om_import_place(w->import, i, &place, source, err);
}
