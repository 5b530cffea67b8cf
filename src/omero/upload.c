/* The bytes of a set's files: several at once, one call outstanding on each; while a block is on its way and being stored, the
 * next one is read and hashed, of the same file or of another.  A connection that is lost is joined again where the session
 * allows it, and what was not answered is sent once more. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/io.h"
#include "omero/import_state.h"
#include "omero/lane.h"

enum { MANY_LANES = 4, PIECE_BYTES = 256 * 1024 };

/* Where a server is so far away, the first block has OM_BLOCK_BYTES at once. */
static const int64_t far_ns = 5 * NS_PER_MS;

/* ---- one file ---- */

static void lane_reset(struct lane *l)
{
    if (l->open && l->set->close)
        l->set->close(l->set->arg, l->index);
    hash_free(l->hash);
    arena_free(l->mem);
    l->hash = NULL;
    l->mem = NULL;
    l->store = NULL;
    l->open = false;
    l->stage = LANE_FREE;
}

/* Of a small file, or of the end of a large one, no more than there is, and a byte that tells the end. */
static size_t block_bytes(const struct lane *l)
{
    int64_t left = l->source.size < 0 ? INT64_MAX : l->source.size < l->sent ? 0 : l->source.size - l->sent;

    return left < (int64_t)l->pace->block ? (size_t)left + 1 : l->pace->block;
}

/* A whole block, unless the source ends before.  By pieces, which are hashed while the processor has them at hand. */
static int read_block(struct lane *l, struct err *err)
{
    struct lane_block *b = &l->blocks[l->turn];
    size_t want = block_bytes(l), got = 0;

    if (b->cap < want) {
        free(b->at);
        b->at = mem_new(1, want);
        b->cap = want;
    }
    while (got < want) {
        size_t piece = want - got < PIECE_BYTES ? want - got : PIECE_BYTES;
        ssize_t r = l->source.read(l->source.arg, b->at + got, piece, err);
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        hash_add(l->hash, b->at + got, (size_t)r);
        got += (size_t)r;
    }
    b->n = got;
    l->ended = got < want;
    l->ready = true;
    return 0;
}

static int progress(struct lane *l, struct err *err)
{
    return l->source.progress ? l->source.progress(l->source.progress_arg, l->answered, err) : 0;
}

static void grow_blocks(struct lane_pace *p, double bytes)
{
    enum { STEP = 64 * 1024 }; /* so that servers write whole pages */

    if (bytes > (double)p->most)
        bytes = (double)p->most;
    if (bytes > (double)p->block)
        p->block = (size_t)bytes / STEP * STEP;
}

/* Grow the blocks while the way there and back is a large part of a write: to what would take LANE_TRIPS of it if a write's time
 * were all for its bytes.  It is not, so that the answer is never too large, and right after two or three blocks. */
static void note_write(struct lane *l)
{
    int64_t took = clock_mono_ns() - l->asked_ns, aim = LANE_TRIPS * l->pace->trip_ns;

    if ((size_t)l->write.length >= OM_BLOCK_LEAST && took < aim)
        grow_blocks(l->pace, (double)l->write.length * (double)aim / (double)(took > 0 ? took : 1));
}

static int take_write(struct lane *l, struct err *err)
{
    if (lane_wait(l, NULL, err) < 0)
        return -1;
    note_write(l);
    l->answered = l->sent;
    return progress(l, err) < 0 || om_client_keep_alive(l->client, err) < 0 ? -1 : 0;
}

static int send_write(struct lane *l, struct err *err)
{
    const struct lane_block *b = &l->blocks[l->turn];

    l->write = (struct om_api_raw_file_store_write_in){.buf = {.n = b->n, .at = b->at}, .position = l->sent,
                                                       .length = (int32_t)b->n};
    l->sent += (int64_t)b->n;
    l->turn ^= l->pace->ahead;
    return lane_ask(l, &om_api_raw_file_store_write_op, &l->write, err);
}

/* An empty file too needs one write: it makes the file. */
static int write_on(struct lane *l, struct err *err)
{
    bool first = l->sent == 0 && !l->asked;

    if (l->pace->ahead && !l->ready && read_block(l, err) < 0)
        return -1;
    if ((l->asked && take_write(l, err) < 0) || (!l->ready && read_block(l, err) < 0))
        return -1;
    l->ready = false;
    if (l->ended)
        l->stage = LANE_SAVE;
    return l->blocks[l->turn].n > 0 || first ? send_write(l, err) : 0;
}

static int ask_save(struct lane *l, struct err *err)
{
    if (l->asked && take_write(l, err) < 0)
        return -1;
    if (l->source.size >= 0 && l->source.size != l->sent)
        return err_set(err, REASON_CHANGED, 0, "the file had %lld bytes and now has %lld", (long long)l->source.size,
                       (long long)l->sent);
    l->stage = LANE_CLOSE;
    return lane_ask(l, &om_api_raw_file_store_save_op, NULL, err);
}

static int compare_saved(const struct lane *l, const struct om_original_file *saved, const char *hex, struct err *err)
{
    if (!saved || !saved->size || !saved->hash)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO saved a file without its size and checksum");
    if (saved->size->val != l->sent)
        return err_set(err, REASON_CHECKSUM, 0, "%lld bytes were sent and %lld arrived", (long long)l->sent,
                       (long long)saved->size->val);
    if (strcmp(saved->hash->val, hex) != 0)
        return err_set(err, REASON_CHECKSUM, 0, "the checksum here is %s and in OMERO %.41s", hex, saved->hash->val);
    return 0;
}

static int ask_close(struct lane *l, struct err *err)
{
    struct om_api_raw_file_store_save_out saved = {0};

    if (lane_wait(l, &saved, err) < 0)
        return -1;
    hash_hex(l->hash, l->hex);
    if (compare_saved(l, saved.ret, l->hex, err) < 0)
        return -1;
    l->stage = LANE_DONE;
    return lane_ask(l, &om_api_stateful_service_interface_close_op, NULL, err);
}

static int finish(struct lane *l, struct err *err)
{
    if (lane_wait(l, NULL, err) < 0)
        return -1;
    l->store = NULL;
    memcpy(l->imp->hashes[l->index], l->hex, sizeof(l->hex));
    if (l->set->done && l->set->done(l->set->arg, l->index, err) < 0)
        return -1;
    lane_reset(l);
    return 0;
}

/* ---- opening one ---- */

/* What a file holds that was uploaded before goes first: a longer one would keep its end. */
static int empty_store(struct lane *l, struct err *err)
{
    bool done;

    return l->imp->touched[l->index]
               ? om_api_raw_file_store_truncate(&l->client->caller, l->store, 0, l->mem, &done, err)
               : 0;
}

/* How long a question takes that moves nothing: the way there and back. */
static void note_trip(struct lane *l)
{
    int64_t took = clock_mono_ns() - l->asked_ns;

    if (l->pace->trip_ns == 0 || took < l->pace->trip_ns)
        l->pace->trip_ns = took;
    if (l->pace->trip_ns >= far_ns)
        grow_blocks(l->pace, OM_BLOCK_BYTES);
}

static int take_store(struct lane *l, struct err *err)
{
    struct om_grid_import_process_get_uploader_out out = {0};

    if (lane_wait(l, &out, err) < 0)
        return -1;
    if (!out.ret)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO gives nothing to write the file to");
    note_trip(l);
    l->store = out.ret;
    return l->client->way->introduce ? l->client->way->introduce(l->client, l->store, err) : 0;
}

/* The first block is read while the answer is on its way, but for the first file of all, whose answer tells how large. */
static int begin(struct lane *l, struct err *err)
{
    if (l->pace->trip_ns && !l->ready && read_block(l, err) < 0)
        return -1;
    if ((!l->store && take_store(l, err) < 0) || empty_store(l, err) < 0)
        return -1;
    l->imp->touched[l->index] = true;
    l->stage = LANE_WRITE;
    return 0;
}

static int lane_open(struct lane *l, size_t index, struct err *err)
{
    l->index = index;
    l->sent = l->answered = 0;
    l->turn = 0;
    l->asked = l->ended = l->ready = false;
    l->hash = hash_new(l->imp->algorithm);
    l->mem = arena_new();
    if (l->set->open(l->set->arg, index, &l->source, err) < 0)
        return -1;
    l->open = true;
    l->stage = LANE_OPEN;
    l->uploader.i = (int32_t)index;
    return lane_ask(l, &om_grid_import_process_get_uploader_op, &l->uploader, err);
}

static int (*const turns[])(struct lane *l, struct err *err) = {
    [LANE_OPEN] = begin, [LANE_WRITE] = write_on, [LANE_SAVE] = ask_save, [LANE_CLOSE] = ask_close, [LANE_DONE] = finish};

/* ---- all of them ---- */

static int blame(const struct lane *l, struct err *err)
{
    err_prefix(err, "upload: ");
    if (l->set->blame)
        l->set->blame(l->set->arg, l->index, err);
    return -1;
}

static bool is_opening(const struct lanes *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].stage == LANE_OPEN)
            return true;
    return false;
}

static struct lane *free_lane(struct lanes *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].stage == LANE_FREE)
            return &all->at[i];
    return NULL;
}

static int open_another(struct lanes *all, struct err *err)
{
    struct lane *l = all->next == all->end || is_opening(all) ? NULL : free_lane(all);

    return l && lane_open(l, all->next++, err) < 0 && lanes_resume(all, err) < 0 ? blame(l, err) : 0;
}

static int step(struct lanes *all, struct lane *l, struct err *err)
{
    while (turns[l->stage](l, err) < 0)
        if (lanes_resume(all, err) < 0)
            return blame(l, err);
    return 0;
}

/* The call that opens the next file goes out before the first block of this one. */
static int turn(struct lanes *all, struct lane *l, struct err *err)
{
    if (l->stage == LANE_OPEN && (step(all, l, err) < 0 || open_another(all, err) < 0))
        return -1;
    return step(all, l, err);
}

static bool is_busy(const struct lanes *all)
{
    bool busy = all->next < all->end;

    for (size_t i = 0; i < all->n; i++)
        busy |= all->at[i].stage != LANE_FREE;
    return busy;
}

static int64_t due(const struct lane *l)
{
    return l->asked ? l->asked_ns : 0;
}

/* The one whose answer comes first, as far as a server answers in the order in which it is asked.  NULL: none is at work. */
static struct lane *next_turn(struct lanes *all)
{
    struct lane *first = NULL;

    for (size_t i = 0; i < all->n; i++) {
        struct lane *l = &all->at[i];
        if (l->stage != LANE_FREE && (!first || due(l) < due(first)))
            first = l;
    }
    return first;
}

static int run(struct lanes *all, struct err *err)
{
    while (is_busy(all)) {
        struct lane *l = NULL;
        if (open_another(all, err) < 0 || ((l = next_turn(all)) && turn(all, l, err) < 0))
            return -1;
    }
    return 0;
}

/* After a failure: one call at a time, so a close comes after the answer to what is out.  What went wrong before is
 * what matters. */
static void lane_give_up(struct lane *l)
{
    struct om_api_raw_file_store_save_out unread; /* of what a store answers, only this has something in it */
    struct err ignored;

    if (l->client->dead)
        return;
    if (l->asked && l->stage == LANE_OPEN)
        (void)take_store(l, &ignored);
    else if (l->asked)
        (void)lane_wait(l, &unread, &ignored);
    if (l->store && !l->client->dead)
        (void)om_api_stateful_service_interface_close(&l->client->caller, l->store, l->mem, &ignored);
}

static void give_up(struct lanes *all)
{
    for (size_t i = 0; i < all->n; i++)
        lane_give_up(&all->at[i]);
}

static void lanes_clear(struct lanes *all)
{
    for (size_t i = 0; i < all->n; i++) {
        lane_reset(&all->at[i]);
        free(all->at[i].blocks[0].at);
        free(all->at[i].blocks[1].at);
    }
    free(all->at);
}

static int upload(struct om_import *imp, const struct om_upload *set, size_t first, size_t end, struct err *err)
{
    struct om_client *c = imp->client;
    size_t n = set->at_once > 1 ? set->at_once : 1;

    if (end > imp->n_files || !imp->process || imp->wait.handle || imp->placed)
        return err_set(err, REASON_BUG, 0, "an upload out of order");
    if (n > end - first)
        n = end - first;

    AUTO(lanes_clear) struct lanes all = {.imp = imp, .n = n, .next = first, .end = end, .resumes = set->resumes};

    all.at = mem_new(n, sizeof(*all.at));
    all.pace = (struct lane_pace){.block = OM_BLOCK_LEAST, .ahead = n < MANY_LANES};
    all.pace.most = OM_UPLOAD_BYTES / n / (all.pace.ahead ? 2 : 1);
    if (all.pace.most > OM_BLOCK_MOST)
        all.pace.most = OM_BLOCK_MOST;
    for (size_t i = 0; i < n; i++)
        all.at[i] = (struct lane){.imp = imp, .client = c, .set = set, .pace = &all.pace};
    if (lanes_hold(&all, err) < 0 || run(&all, err) < 0) {
        give_up(&all);
        lanes_let_go(&all);
        return -1;
    }
    lanes_let_go(&all);
    return 0;
}

int om_import_upload_all(struct om_import *imp, const struct om_upload *set, struct err *err)
{
    return upload(imp, set, 0, imp->n_files, err);
}

/* ---- one file that is open already ---- */

static int give_source(void *arg, size_t i, struct om_source *out, struct err *err)
{
    (void)i, (void)err;
    *out = *(const struct om_source *)arg;
    return 0;
}

int om_import_upload(struct om_import *imp, size_t i, const struct om_source *source, struct err *err)
{
    struct om_source copy = *source;
    const struct om_upload set = {.open = give_source, .arg = &copy};

    return upload(imp, &set, i, i + 1, err);
}

static ssize_t read_fd(void *arg, void *at, size_t n, struct err *err)
{
    off_t place = lseek(*(int *)arg, 0, SEEK_CUR);
    ssize_t got = io_pread(*(int *)arg, at, n, place, err);

    if (got > 0)
        (void)lseek(*(int *)arg, got, SEEK_CUR); /* a regular file: it cannot fail where reading did not */
    return got;
}

struct om_source om_source_fd(int *fd)
{
    return (struct om_source){.read = read_fd, .arg = fd, .size = -1};
}
