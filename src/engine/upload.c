/* Steps of a fileset that is sent: files checked, target and annotations made, bytes uploaded, import waited for. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/str.h"
#include "engine/notes.h"
#include "engine/placing.h"
#include "engine/policy.h"
#include "engine/scan.h"
#include "engine/target.h"
#include "engine/work.h"
#include "tree/tree.h"

#define RESUME_LEAST (INT64_C(32) << 20) /* less is sent again as soon as the session is joined again */

/* ---- files ---- */

/* Numbers of inodes are only worth something where they stay. */
static bool is_swapped(const struct work *w, const struct stat *st, const struct ledger_member *m)
{
    return st->st_ino != m->stamp.ino && scan_trusts_times(w->root);
}

/* What is open must be what was looked at, whatever its name led to meanwhile. */
static int check_stamp(struct work *w, int fd, const struct ledger_member *m, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, REASON_UNREADABLE, errno, "file '%s'", m->path);
    if (is_swapped(w, &st, m))
        return err_set(err, REASON_CHANGED, 0, "file '%s': it is another file than was looked at", m->path);
    if (st.st_size != m->stamp.size || st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec != m->stamp.mtime_ns)
        return err_set(err, REASON_CHANGED, 0, "file '%s': it changed since it was looked at", m->path);
    return 0;
}

/* The policy again, by the file that is open: owners and links may have changed as well. */
static int check_policy(struct work *w, int fd, const struct root_settings *set, const struct ledger_member *m, struct err *err)
{
    AUTO(mem_freep) char *dir = mem_strn(m->path, strrchr(m->path, '/') ? (size_t)(strrchr(m->path, '/') - m->path) : 0);
    struct policy policy;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, REASON_UNREADABLE, errno, "file '%s'", m->path);

    const struct policy_owner owner = {st.st_uid, st.st_nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)st.st_nlink};

    if (policy_of(set, &policy, err) < 0 || policy_file(&policy, dir, w->f.user, &owner, err) < 0)
        return err_prefix(err, "file '%s': ", m->path);
    return 0;
}

int work_open(struct work *w, size_t i, struct err *err)
{
    const struct ledger_member *m = &w->f.members[i];
    const struct root_settings *set = settings_for(w->e->job->settings, w->f.root_path);
    AUTO(io_closep) int fd = tree_open_beneath(w->root, set->follow_into, m->path, err);

    if (fd < 0 || check_stamp(w, fd, m, err) < 0 || check_policy(w, fd, set, m, err) < 0)
        return -1;
    return io_steal(&fd);
}

int work_root(struct work *w, struct err *err)
{
    if (w->root < 0)
        w->root = io_open_dir(w->f.root_path, err);
    return w->root < 0 ? -1 : 0;
}

int work_check_files(struct work *w, struct err *err)
{
    if (work_root(w, err) < 0)
        return -1;
    for (size_t i = 0; i < w->f.n_members; i++) {
        AUTO(io_closep) int fd = work_open(w, i, err);

        if (fd < 0)
            return -1;
        if (w->f.state == LEDGER_READY && io_is_written(fd))
            return err_set(err, REASON_OPEN, 0, "file '%s'", w->f.members[i].path);
    }
    return 0;
}

/* ---- to SENT ---- */

/* Do the dataset and its images still have to get the card?  1, 0, -1.  Adopted images are there before it was ever applied. */
static int is_behind(const struct work *w, const struct ledger_dataset *d, struct err *err)
{
    const struct ledger_image *first;
    size_t n = 0;

    if (d->applied)
        return d->applied->id != d->wanted->id;
    return ledger_images(w->e->ledger, d->id, 0, 1, w->a, &first, &n, err) < 0 ? -1 : n > 0;
}

static int note_applied(struct work *w, bool touched, struct err *err)
{
    const struct ledger_dataset *d = w->dataset;

    if (!d->applied)
        return ledger_applied(w->e->ledger, d->id, d->wanted->id, 0, w->notes, w->n_notes, err);
    return touched ? ledger_dataset_notes(w->e->ledger, d->id, w->notes, w->n_notes, err) : 0;
}

/* As long as a renamed directory may be behind it, no new dataset is made.  The row may have got another dataset meanwhile. */
static int check_dataset(struct work *w, struct err *err)
{
    const struct ledger_fileset *f;
    const struct ledger_dataset *d;
    bool may = false;

    if (ledger_fileset(w->e->ledger, w->f.id, w->a, &f, err) != 0 || ledger_dataset(w->e->ledger, f->dataset, w->a, &d, err) != 0)
        return err->why != REASON_NONE ? -1 : err_set(err, REASON_BUG, 0, "the ledger has no fileset %lld", (long long)w->f.id);
    w->f.dataset = f->dataset;
    if (d->omero_id)
        return 0;
    if (ledger_may_follow(w->e->ledger, f->dataset, f->id, &may, err) < 0)
        return -1;
    return may ? err_set(err, REASON_SETTLING, 0, "its directory may have been renamed: that is found out first") : 0;
}

static int make_target(struct work *w, struct err *err)
{
    const struct notes_images none = {0};
    bool touched = false;
    int behind;

    if (check_dataset(w, err) < 0 || target_need(w->e, w->s, w->f.dataset, w->a, &w->dataset, err) < 0 ||
        (behind = is_behind(w, w->dataset, err)) < 0)
        return -1;
    if (behind)
        return err_set(err, REASON_SETTLING, 0, "the card changed: the images that are there follow it first");
    if (notes_apply(w->e, w->s, w->dataset, &none, w->a, &w->notes, &w->n_notes, &touched, err) < 0)
        return -1;
    return note_applied(w, touched, err);
}

/* Made one after the other for each user and group. */
static int need_target(struct work *w, struct err *err)
{
    AUTO(mem_freep) char *maker = engine_maker(w->s);

    keylock_take(&w->e->makers, maker);
    int r = make_target(w, err);
    keylock_give(&w->e->makers, maker);
    return r;
}

static const char *path_hash(struct work *w)
{
    AUTO(hash_freep) struct hash *h = hash_new("SHA1-160");
    char *hex = arena_alloc(w->a, HASH_HEX_MAX, 1);

    hash_add(h, w->f.root_path, strlen(w->f.root_path));
    hash_add(h, "/", 1);
    hash_add(h, w->f.path, strlen(w->f.path));
    hash_hex(h, hex);
    return hex;
}

static const struct om_import_file *client_files(struct work *w)
{
    struct om_import_file *files = arena_alloc(w->a, w->f.n_members, sizeof(*files));
    const char *root = strcmp(w->f.root_path, "/") == 0 ? "" : w->f.root_path;

    for (size_t i = 0; i < w->f.n_members; i++)
        files[i].client_path = arena_printf(w->a, "%s/%s", root, w->f.members[i].path);
    return files;
}

/* What the root's settings say of checksums and of what is left out. */
static int choose(const struct work *w, struct om_import_plan *plan, struct err *err)
{
    const struct root_settings *set = settings_for(w->e->job->settings, w->f.root_path);
    struct om_skip skip;

    if (om_skip_parse(set->skip, &skip, err) < 0)
        return -1;
    plan->algorithm = skip.checksum ? "File-Size-64" : strcmp(set->checksum, "server") == 0 ? NULL : set->checksum;
    plan->no_minmax = skip.minmax;
    plan->no_thumbnails = skip.thumbnails;
    return 0;
}

static int start(struct work *w, struct err *err)
{
    struct ledger_journal j = {.call = LEDGER_CALL_IMPORT, .server = w->s->server, .session_id = w->s->client->who.session_id,
                               .revision = w->dataset->wanted->id};
    struct om_import_plan plan = {.n_files = w->f.n_members, .files = client_files(w), .name = w->f.name, .reader = w->f.reader,
                                  .path_hash = path_hash(w), .transfer = w->transfer};

    /* What rides along is linked to images: the thousands of a plate do without, and the plate gets it when it is there. */
    if (w->f.plate) {
        plan.screen = w->dataset->omero_id;
    } else {
        bool each = notes_each(w->e->job->settings, w->f.root_path);

        plan.dataset = w->dataset->omero_id;
        plan.annotations = notes_refs(w->notes, w->n_notes, !each, w->a, &plan.n_annotations);
    }
    if (choose(w, &plan, err) < 0 || work_journal(w, &j, err) < 0)
        return -1;
    plan.token = w->f.job;
    return om_import_start(w->s->client, &plan, &w->import, err);
}

int work_send(struct work *w, struct err *err)
{
    struct ledger_journal answered = {.call = LEDGER_CALL_UPLOAD};

    if (work_check_files(w, err) < 0 || placing_try(w, err) < 0 || need_target(w, err) < 0 || engine_keep_on(w->e, err) < 0 ||
        start(w, err) < 0)
        return -1;
    return work_journal(w, &answered, err);
}

/* ---- to STARTED ---- */

/* What of a file is on its way. */
struct flow {
    struct work *w;
    int fd;
    int64_t told;
};

static int progress(void *arg, int64_t bytes, struct err *err)
{
    struct flow *flow = arg;

    engine_tell(flow->w->e, &(struct engine_event){.what = ENGINE_BYTES, .fileset = &flow->w->f, .bytes = bytes - flow->told});
    flow->told = bytes;
    return engine_keep_on(flow->w->e, err);
}

static int open_member(void *flows, size_t i, struct om_source *out, struct err *err)
{
    struct flow *flow = (struct flow *)flows + i;
    const struct ledger_member *m = &flow->w->f.members[i];

    flow->fd = work_open(flow->w, i, err);
    flow->told = 0;
    if (flow->fd < 0)
        return -1;
    *out = om_source_fd(&flow->fd);
    out->size = m->stamp.size;
    out->progress = progress;
    out->progress_arg = flow;
    return 0;
}

static int member_is_there(void *flows, size_t i, struct err *err)
{
    struct flow *flow = (struct flow *)flows + i;
    struct work *w = flow->w;

    if (check_stamp(w, flow->fd, &w->f.members[i], err) < 0)
        return -1;
    return ledger_hash(w->e->ledger, w->f.id, i, om_import_algorithm(w->import), om_import_hash(w->import, i), err);
}

static void close_member(void *flows, size_t i)
{
    io_closep(&((struct flow *)flows + i)->fd);
}

static void blame_member(void *flows, size_t i, struct err *err)
{
    const struct flow *flow = (const struct flow *)flows + i;

    err_prefix(err, "file '%s': ", flow->w->f.members[i].path);
}

static int go_on(void *flows, struct err *err)
{
    return engine_keep_on(((const struct flow *)flows)->w->e, err);
}

static int send_all(struct work *w, struct flow *flows, struct err *err)
{
    const struct om_upload set = {.open = open_member, .done = member_is_there, .close = close_member, .blame = blame_member,
                                  .keep_on = go_on, .arg = flows, .at_once = (size_t)w->e->job->settings->uploads,
                                  .resumes = w->f.bytes >= RESUME_LEAST};

    return om_import_upload_all(w->import, &set, err);
}

static int place_one(struct work *w, struct flow *flows, size_t i, struct err *err)
{
    struct om_source source;

    if (open_member(flows, i, &source, err) < 0)
        return -1;

    int r = placing_put(w, i, flows[i].fd, &source, err) < 0 ? -1 : member_is_there(flows, i, err);

    close_member(flows, i);
    return r;
}

static int place_all(struct work *w, struct flow *flows, struct err *err)
{
    for (size_t i = 0; i < w->f.n_members; i++)
        if (place_one(w, flows, i, err) < 0) {
            blame_member(flows, i, err);
            return -1;
        }
    return 0;
}

static int get_there(struct work *w, struct err *err)
{
    struct flow *flows = arena_alloc(w->a, w->f.n_members, sizeof(*flows));

    for (size_t i = 0; i < w->f.n_members; i++)
        flows[i] = (struct flow){.w = w, .fd = -1};
    return w->transfer == OM_UPLOAD ? send_all(w, flows, err) : place_all(w, flows, err);
}

int work_upload(struct work *w, struct err *err)
{
    struct ledger_journal verify = {.call = LEDGER_CALL_VERIFY}, running = {.call = LEDGER_CALL_RUNNING};

    if (get_there(w, err) < 0 || work_check_files(w, err) < 0 || work_journal(w, &verify, err) < 0 ||
        om_import_verify(w->import, &running.omero_id, err) < 0)
        return -1;
    engine_tell(w->e, &(struct engine_event){.what = ENGINE_RUNNING, .fileset = &w->f});
    return work_journal(w, &running, err);
}

/* ---- to DONE ---- */

int work_wait(struct work *w, struct err *err)
{
    struct om_import_result result = {0};
    int64_t deadline = clock_after_ns(w->e->job->settings->import_deadline_s * NS_PER_S);

    if (om_import_wait(w->import, deadline, engine_keep_on, w->e, w->a, &result, err) < 0)
        return -1;
    return work_done(w, &result, err);
}
