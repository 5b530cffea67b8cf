#include "engine/identity.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/sums.h"
#include "tree/tree.h"

static const struct root_settings *rules(const struct work *w)
{
    return settings_for(w->e->job->settings, w->f.root_path);
}

static int read_member(struct work *w, const char *path, const char *algorithm, struct ledger_member *out, struct err *err)
{
    const struct sums_pause pause = {engine_keep_on, w->e};

    return sums_of_member(w->root, rules(w)->follow_into, path, algorithm, &pause, w->a, out, err);
}

/* ---- moved, copied ---- */

/* The sums of a fileset's files; those that are known of an earlier try are not read again. */
static const char *const *sums_of(struct work *w, const char *algorithm, struct err *err)
{
    const char **sums = arena_alloc(w->a, w->f.n_members, sizeof(*sums));

    for (size_t i = 0; i < w->f.n_members; i++) {
        const struct ledger_member *m = &w->f.members[i];
        struct ledger_member now;

        if (m->hash && strcmp(m->algorithm, algorithm) == 0) {
            sums[i] = m->hash;
            continue;
        }
        if (read_member(w, m->path, algorithm, &now, err) < 0)
            return NULL;
        if (!sums_same_stamp(&now.stamp, &m->stamp)) {
            err_set(err, REASON_CHANGED, 0, "file '%s': it changed since it was looked at", m->path);
            return NULL;
        }
        if (ledger_hash(w->e->ledger, w->f.id, i, algorithm, now.hash, err) < 0)
            return NULL;
        sums[i] = now.hash;
    }
    return sums;
}

/* Is the file where it was?  One that was only touched is; what cannot be told counts as that. */
static bool is_there(struct work *w, int root, const char *const *into, const struct ledger_member *m)
{
    const struct sums_pause pause = {engine_keep_on, w->e};
    struct err err = ERR_INIT;
    AUTO(io_closep) int fd = tree_open_beneath(root, into, m->path, &err);
    struct ledger_stamp stamp;
    struct ledger_member now;

    if (fd < 0)
        return err.why != REASON_GONE;
    if (sums_stamp(fd, "", &stamp, &err) < 0 || sums_same_stamp(&stamp, &m->stamp))
        return true;
    if (stamp.size != m->stamp.size || !m->hash)
        return false;
    return sums_of_member(root, into, m->path, m->algorithm, &pause, w->a, &now, &err) < 0 || strcmp(now.hash, m->hash) == 0;
}

/* Is none of its files where it was?  Only a root that is there can tell. */
static bool has_left(struct work *w, const struct ledger_twin *t)
{
    const char *const *into = settings_for(w->e->job->settings, t->root_path)->follow_into;
    struct err err = ERR_INIT;
    AUTO(io_closep) int root = io_open_dir(t->root_path, &err);

    for (size_t i = 0; root >= 0 && i < t->n_members; i++)
        if (is_there(w, root, into, &t->members[i]))
            return false;
    return root >= 0;
}

static bool is_empty(int dir)
{
    DIR *d = fdopendir(dup(dir));
    const struct dirent *e;
    bool empty = true;

    while (d && empty && (e = readdir(d)))
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d)
        closedir(d);
    return empty;
}

/* A mount that is not there looks empty. */
static bool root_is_there(const struct ledger_twin *t)
{
    struct err err = ERR_INIT;
    AUTO(io_closep) int root = -1;

    root = io_open_dir(t->root_path, &err);
    return root >= 0 && !is_empty(root);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Of those that left their places, the one that kept its name, or the first. */
static const struct ledger_twin *moved_one(struct work *w, const struct ledger_twin *twins, size_t n)
{
    const struct ledger_twin *found = NULL;

    for (size_t i = 0; i < n; i++) {
        bool named = strcmp(base_name(twins[i].path), base_name(w->f.path)) == 0;

        if (twins[i].done && (!found || named) && root_is_there(&twins[i]) && has_left(w, &twins[i])) {
            found = &twins[i];
            if (named)
                return found;
        }
    }
    return found;
}

/* The directory of its dataset is not there, while its root is. */
static bool dir_is_gone(struct work *w, int64_t fileset)
{
    const struct ledger_fileset *f;
    const struct ledger_dataset *d;
    struct err err = ERR_INIT;
    struct stat st;

    if (ledger_fileset(w->e->ledger, fileset, w->a, &f, &err) != 0 || f->dataset == 0 ||
        ledger_dataset(w->e->ledger, f->dataset, w->a, &d, &err) != 0 || !*d->dir)
        return false;
    return stat(arena_printf(w->a, "%s/%s", d->root_path, d->dir), &st) < 0 && errno == ENOENT;
}

static int take_move(struct work *w, const struct ledger_twin *from, struct err *err)
{
    if (ledger_moved(w->e->ledger, from->id, w->f.id, dir_is_gone(w, from->id), err) < 0)
        return -1;
    log_info("fileset.moved", "it stays in its dataset", LOG_STR("path", w->f.path), LOG_STR("from", from->path));
    engine_look_again(w->e); /* what may lie at its old place by now is known to nobody */
    return IDENTITY_KNOWN;
}

/* Other people's images are none of this user's: only the same user's count. */
static int judge_copy(struct work *w, const struct ledger_twin *twins, size_t n, struct err *err)
{
    bool skip = strcmp(rules(w)->duplicates, "skip") == 0;
    const struct ledger_dataset *d = NULL;

    if (ledger_dataset(w->e->ledger, w->f.dataset, w->a, &d, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        AUTO(mem_freep) char *shown = NULL;

        if (strcmp(twins[i].user, w->f.user) != 0 || !twins[i].done ||
            (d && d->group_id && twins[i].group_id && d->group_id != twins[i].group_id))
            continue;
        shown = str_show(twins[i].path);
        err_set(err, skip ? REASON_COPY : REASON_DUPLICATE, 0, "its bytes are those of '%s', which was imported", shown);
        return skip ? -1 : err_hint(err, "remove one of the two, or say duplicates = \"import\" for this directory tree");
    }
    return 0;
}

static int look_at_sums(struct work *w, const char *algorithm, bool copies, struct err *err)
{
    const char *const *sums = sums_of(w, algorithm, err);
    const struct ledger_twin *twins, *from;
    size_t n = 0;

    if (!sums || ledger_twins(w->e->ledger, w->f.id, algorithm, sums, w->a, &twins, &n, err) < 0)
        return -1;
    from = moved_one(w, twins, n);
    if (from)
        return take_move(w, from, err);
    return copies ? judge_copy(w, twins, n, err) : 0;
}

static int look_new(struct work *w, struct err *err)
{
    const char *const *algorithms;
    bool waits = false, copies = strcmp(rules(w)->duplicates, "import") != 0;
    int r = 0;

    if (ledger_twin_sums(w->e->ledger, w->f.id, !copies, w->a, &algorithms, &waits, err) < 0)
        return -1;
    if (waits)
        return err_set(err, REASON_UNDER_WAY, 0, "files like these were being imported, and are gone from their place");
    if (*algorithms && work_root(w, err) < 0)
        return -1;
    for (; r == 0 && *algorithms; algorithms++)
        r = hash_is_proof(*algorithms) ? look_at_sums(w, *algorithms, copies, err) : 0;
    return r;
}

/* ---- changed ---- */

static int look_changed(struct work *w, struct err *err)
{
    struct ledger_member *now = arena_alloc(w->a, w->f.n_members, sizeof(*now));
    bool same = false;

    if (work_root(w, err) < 0)
        return -1;
    for (size_t i = 0; i < w->f.n_members; i++) {
        const struct ledger_member *m = &w->f.members[i];

        if (read_member(w, m->path, m->algorithm ? m->algorithm : hash_algorithms[0], &now[i], err) < 0)
            return -1;
        if (!hash_is_proof(now[i].algorithm))
            now[i].hash = NULL;
    }
    if (ledger_compared(w->e->ledger, w->f.id, now, &same, err) < 0)
        return -1;
    log_event(same ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "fileset.compared", same ? "only touched" : "its content changed",
              LOG_FIELDS(LOG_STR("path", w->f.path)));
    return IDENTITY_KNOWN;
}

int identity_look(struct work *w, struct err *err)
{
    if (w->f.state == LEDGER_DONE)
        return look_changed(w, err);
    return w->f.call == LEDGER_CALL_NONE && w->f.gone_ms == 0 ? look_new(w, err) : 0;
}
