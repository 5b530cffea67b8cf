/* Every file is opened once and shown to the drivers.
 *
 * Several threads do that side by side, each with a look and an arena of its own: opening and reading is mostly waiting, on a
 * network share nearly all of it.  What a file's verdict is depends on that file alone, so their order does not matter; but for
 * the ceiling on names of all files together, which nothing but malice meets. */
#include "format/ask.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"

/* Runs of files, not single ones: those of one set follow one another and share their lists of names. */
enum { LANES_MAX = 4, RUN = 64 };
enum { UNREAD = UINT32_MAX };

struct asking {
    struct format_scene *scene;
    uint32_t *todo; /* files to be opened; UNREAD in the place of one that could not be */
    size_t n;
    atomic_size_t next;
    atomic_size_t names_left;
};

struct lane {
    struct asking *asking;
    struct format_look look;
    struct format_verdicts verdicts;
    const struct format_names *last; /* list of names that was counted */
    pthread_t thread;
    bool runs;
};

/* Lists of names that nobody shares are counted against the ceiling. */
static void count_names(struct lane *lane, const struct format_file *file)
{
    const struct format_names *names = file->said->facts ? file->said->facts->names : NULL;

    if (!names || names == lane->last)
        return;
    lane->last = names;

    size_t left = atomic_load(&lane->asking->names_left);

    while (!atomic_compare_exchange_weak(&lane->asking->names_left, &left, left > names->n ? left - names->n : 0))
        ;
}

/* Later directories of a TIFF, whatever dialect it is of; LSM writes wrong lengths of strips into them. */
static void check_directories(const struct format_look *look, struct format_verdict *said)
{
    enum { LSM_INFO = 34412 };

    if (said->why != REASON_NONE || !look->is_tiff || !look->tiff.cut || tiff_has(&look->tiff, LSM_INFO))
        return;
    said->why = REASON_BROKEN_FILE;
    said->text = look->tiff.cut;
}

/* The first driver that wants an open file has it. */
static struct format_verdict ask_drivers(struct format_look *look, const struct format_driver **driver)
{
    struct format_verdict none = {.why = REASON_UNKNOWN_FORMAT, .unknown = true};

    for (size_t i = 0; format_drivers[i]; i++) {
        struct format_verdict said = {.why = REASON_NONE};

        if (format_drivers[i]->detect(look, &said)) {
            *driver = format_drivers[i];
            check_directories(look, &said);
            return said;
        }
        if (said.text)
            none = (struct format_verdict){.why = REASON_BROKEN_FILE, .text = said.text, .unknown = said.unknown};
    }
    *driver = NULL;
    return none;
}

/* An empty file is only worth a word when its name says that it ought to be an image. */
static void ask(struct lane *lane, struct format_file *file)
{
    struct format_verdict said = ask_drivers(&lane->look, &file->driver);

    if (lane->look.size == 0 && said.why != REASON_UNKNOWN_FORMAT) {
        file->driver = NULL;
        said = (struct format_verdict){.why = REASON_EMPTY, .unknown = said.unknown};
    }
    file->said = verdict_keep(&lane->verdicts, &said);
}

static int open_and_ask(struct lane *lane, struct format_file *file, struct err *err)
{
    struct format_look *look = &lane->look;
    AUTO(io_closep) int fd = tree_open_sized(lane->asking->scene->tree, file->entry, &look->size, err);

    if (fd < 0)
        return -1;
    look->entry = file->entry;
    look->fd = fd;
    look->names_left = atomic_load(&lane->asking->names_left);
    if (format_look_at(look, err) < 0)
        return -1;
    ask(lane, file);
    count_names(lane, file);
    return 0;
}

static void ask_one(struct lane *lane, uint32_t *which)
{
    struct format_file *file = &lane->asking->scene->files[*which];
    struct err err = ERR_INIT;

    if (open_and_ask(lane, file, &err) == 0)
        return;

    const struct format_verdict said = {.why = err.why, .text = arena_str(lane->look.arena, err.text)};

    file->said = verdict_keep(&lane->verdicts, &said);
    *which = UNREAD;
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct asking *a = lane->asking;

    for (size_t from; (from = atomic_fetch_add(&a->next, RUN)) < a->n;)
        for (size_t i = from; i < from + RUN && i < a->n; i++)
            ask_one(lane, &a->todo[i]);
    return NULL;
}

/* What needs no open file, and the others in `todo`. */
static void ask_memory(struct asking *a, struct recollection *known)
{
    for (size_t i = 0; i < a->scene->n_files; i++) {
        struct format_file *file = &a->scene->files[i];
        const char *name = file->entry->name;

        if (a->scene->official ? str_ends_nocase(name, ".filepart") : format_name_is_temporary(name))
            file_says(a->scene, file, (struct format_verdict){.why = REASON_TEMPORARY, .unknown = true});
        else if (!recollection_find(known, file))
            a->todo[a->n++] = (uint32_t)i;
    }
}

static void run_lanes(struct asking *a, struct lane *lanes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        lanes[i].asking = a;
        lanes[i].look.official = a->scene->official;
        lanes[i].look.arena = lanes[i].verdicts.arena = i == 0 ? a->scene->arena : arena_new();
    }
    for (size_t i = 1; i < n; i++)
        lanes[i].runs = pthread_create(&lanes[i].thread, NULL, lane_main, &lanes[i]) == 0;
    lane_main(&lanes[0]);
    for (size_t i = 1; i < n; i++) {
        if (lanes[i].runs)
            pthread_join(lanes[i].thread, NULL);
        arena_join(a->scene->arena, lanes[i].look.arena);
    }
}

void scene_ask(struct format_scene *scene, const struct format_memory *memory)
{
    AUTO(mem_freep) uint32_t *todo = mem_new(scene->n_files, sizeof(*todo));
    struct recollection *known = recollection_new(memory, scene->arena);
    struct asking a = {.scene = scene, .todo = todo, .names_left = NAMES_TREE_MAX + 4 * scene->n_files};

    ask_memory(&a, known);

    size_t n = a.n / RUN < LANES_MAX ? 1 + a.n / RUN : LANES_MAX;
    AUTO(mem_freep) struct lane *lanes = mem_new(n, sizeof(*lanes));

    run_lanes(&a, lanes, n);
    for (size_t i = 0; i < a.n; i++)
        if (todo[i] != UNREAD)
            recollection_keep(known, &scene->files[todo[i]]);
    recollection_free(known);
}
