/* What happens after the verification: images are made of what was uploaded, step by step, while the client asks its handle. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "sandbox/command.h"
#include "sandbox/fault.h"
#include "sandbox/import.h"
#include "sandbox/objects.h"
#include "sandbox/picture.h"
#include "sandbox/rows.h"

#define CATEGORY "::omero::grid::ImportRequest"

enum { STEPS = 5 };

struct made {
    size_t n, n_plates;
    int64_t *images, *pixels, *plates;
};

/* Where it goes: at most one of the two. */
struct goal {
    int64_t dataset, screen; /* -1: none */
};

/* --- failures --- */

static struct import *import_of(const struct command *k)
{
    return k->state;
}

static int fail(struct command *k, const char *name, const char *text)
{
    AUTO(mem_freep) char *stack = mem_printf("%s\n\tat omero-sandbox\n", text);

    command_fail(k, &om_cmd_err_class, CATEGORY, name, text, stack);
    return -1;
}

/* A call that the server made of itself, and that failed: as a real one tells of it. */
static int fail_within(struct command *k, const char *exception, const char *text)
{
    static const char form[] = "omero.%s\n    serverStackTrace = \"ome.conditions.%s: %s\n    \tat omero-sandbox\n";
    AUTO(mem_freep) char *message = mem_printf(form, exception, exception, text);
    AUTO(mem_freep) char *stack = mem_printf("java.lang.RuntimeException: %s", message);

    command_fail(k, &om_cmd_err_class, CATEGORY, "import-request-failure", message, stack);
    return -1;
}

static const char *thrown(const struct call *c)
{
    return c->status == ICE_USER_EXCEPTION ? ((const struct om_server_error *)(const void *)c->exception)->message : c->text;
}

/* --- what the images are to be linked with --- */

static int check_target(struct command *k, struct call *c, struct goal *goal)
{
    const struct om_iobject *target = import_of(k)->settings->user_specified_target;
    int64_t owner, group;

    *goal = (struct goal){-1, -1};
    if (!target)
        return 0;
    if (target->cls != &om_dataset_class && target->cls != &om_screen_class)
        return fail(k, "import-request-failure", arena_printf(c->mem, "Unable to handle target: %s", target->cls->id));
    if (!target->id || object_check(c, entity_by_class(target->cls), target->id->val, &owner, &group) < 0)
        return fail_within(k, "ValidationException", target->id ? thrown(c) : "the target is not saved");
    if (!(viewer_may(c->viewer, group, owner) & MAY_LINK))
        return fail_within(k, "SecurityViolation", arena_printf(c->mem, "Group is %s. Cannot link to object: %s:Id_%lld",
                                                                viewer_group(c->viewer, group)->perms, target->cls->id,
                                                                (long long)target->id->val));
    *(target->cls == &om_dataset_class ? &goal->dataset : &goal->screen) = target->id->val;
    return 0;
}

static int find_notes(struct command *k, struct call *c, struct rows *m, int64_t *ids)
{
    const struct om_api_annotation_list *list = &import_of(k)->settings->user_specified_annotation_list;

    for (size_t i = 0; i < list->n; i++) {
        const struct om_annotation *a = list->at[i];
        if (!a)
            return fail(k, "error-on-init", "null is no annotation");
        ids[i] = row_note(m, a);
        if (ids[i] < 0 || object_check(c, entity_by_name("Annotation"), ids[i], NULL, NULL) < 0)
            return fail(k, "error-on-init", thrown(c));
    }
    return 0;
}

/* --- images --- */

static void add_channels(struct rows *m, int64_t pixels, const struct picture_image *p)
{
    for (uint32_t i = 0; i < p->c; i++) {
        int64_t logical = row_new(m, "LogicalChannel"), channel = row_new(m, "Channel");
        (void)store_run(m->c->server->store, "update LogicalChannel set name = ? where id = ?", "si",
                        p->channels ? p->channels[i] : NULL, logical);
        (void)store_run(m->c->server->store, "update Channel set pixels = ?, logicalChannel = ? where id = ?", "iii", pixels,
                        logical, channel);
    }
}

static int64_t add_pixels(struct rows *m, int64_t image, const struct picture_image *p)
{
    int64_t id = row_new(m, "Pixels");

    (void)store_run(
        m->c->server->store,
        "update Pixels set image = ?, pixelsType = ?, dimensionOrder = 'XYZCT', sizeX = ?, sizeY = ?, sizeZ = ?, sizeC = ?, "
        "sizeT = ?, sha1 = 'Pending...' where id = ?",
        "isiiiiii", image, p->type, (int64_t)p->x, (int64_t)p->y, (int64_t)p->z, (int64_t)p->c, (int64_t)p->t, id);
    add_channels(m, id, p);
    return id;
}

static int64_t add_image(struct rows *m, const struct import *imp, const char *name, int32_t series)
{
    const struct om_rstring *description = imp->settings->user_specified_description;
    int64_t id = row_new(m, "Image");

    (void)store_run(m->c->server->store,
                    "update Image set name = ?, description = ?, series = ?, archived = 0, partial = 0, fileset = ? where id = ?",
                    "ssiii", name, description ? description->val : NULL, (int64_t)series, imp->fileset, id);
    return id;
}

static void make_images(struct command *k, struct call *c, struct rows *m, const struct picture *p, int64_t dataset,
                        const int64_t *notes, struct made *made)
{
    const struct om_grid_import_settings *s = import_of(k)->settings;
    const char *wanted = s->user_specified_name ? s->user_specified_name->val : NULL;

    made->images = arena_alloc(c->mem, p->n_images, sizeof(*made->images));
    made->pixels = arena_alloc(c->mem, p->n_images, sizeof(*made->pixels));
    for (size_t i = 0; i < p->n_images; i++) {
        int64_t image = add_image(m, import_of(k), picture_name(p, i, wanted, c->mem), (int32_t)i);
        made->images[i] = image;
        made->pixels[i] = add_pixels(m, image, &p->images[i]);
        if (dataset >= 0)
            (void)row_link(m, "DatasetImageLink", dataset, image);
        for (size_t j = 0; j < s->user_specified_annotation_list.n; j++)
            (void)row_link(m, "ImageAnnotationLink", image, notes[j]); /* one that was given twice is linked once */
    }
    made->n = p->n_images;
}

static void add_well(struct rows *m, int64_t plate, const struct picture_well *w, const int64_t *images)
{
    struct store *store = m->c->server->store;
    int64_t well = row_new(m, "Well");

    (void)store_run(store, "update Well set plate = ?, row = ?, \"column\" = ? where id = ?", "iiii", plate, (int64_t)w->row,
                    (int64_t)w->column, well);
    for (size_t i = 0; i < w->n_fields; i++) {
        int64_t sample = row_new(m, "WellSample");
        (void)store_run(store, "update WellSample set well = ?, image = ? where id = ?", "iii", well, images[w->fields[i]],
                        sample);
    }
}

/* A plate goes into a screen; with a dataset for a target it lies nowhere, and its images in the dataset. */
static void make_plates(struct command *k, struct call *c, struct rows *m, const struct picture *p, int64_t screen,
                        struct made *made)
{
    const struct om_grid_import_settings *s = import_of(k)->settings;
    const char *wanted = s->user_specified_name ? s->user_specified_name->val : NULL;

    made->plates = arena_alloc(c->mem, p->n_plates, sizeof(*made->plates));
    made->n_plates = p->n_plates;
    for (size_t i = 0; i < p->n_plates; i++) {
        const struct picture_plate *plate = &p->plates[i];
        int64_t id = row_new(m, "Plate");

        made->plates[i] = id;
        (void)store_run(c->server->store, "update Plate set name = ?, rows = ?, columns = ? where id = ?", "siii",
                        picture_plate_name(p, i, wanted), (int64_t)plate->rows, (int64_t)plate->columns, id);
        if (screen >= 0)
            (void)row_link(m, "ScreenPlateLink", screen, id);
        for (size_t w = 0; w < plate->n_wells; w++)
            add_well(m, id, &plate->wells[w], made->images);
    }
}

static int import_images(struct command *k, struct call *c, struct made *made)
{
    struct import *imp = import_of(k);
    struct rows m = {.c = c};
    int64_t *notes = arena_alloc(c->mem, imp->settings->user_specified_annotation_list.n, sizeof(*notes));
    struct goal goal;
    struct picture picture;
    struct err err = ERR_INIT;

    if (k->cancelled)
        return fail(k, "not-ready", "cancelled");
    if (store_long(c->server->store, 0, "select count(*) from Fileset where id = ?", "i", imp->fileset) == 0)
        return fail(k, "import-request-failure", "the fileset is not there any more");
    if (picture_read(imp->files[0].path, c->mem, &picture, &err) < 0)
        return fail(k, "error-on-init", err.text);
    if (check_target(k, c, &goal) < 0 || find_notes(k, c, &m, notes) < 0)
        return -1;
    make_images(k, c, &m, &picture, goal.dataset, notes, made);
    make_plates(k, c, &m, &picture, goal.screen, made);
    return 0;
}

/* --- the steps --- */

/* Of a plate the answer names the plate alone, and the pixels of all of its images. */
static struct om_api_iobject_list plates_of(struct call *c, const struct made *made)
{
    const struct om_iobject **plates = arena_alloc(c->mem, made->n_plates, sizeof(struct om_iobject *));
    size_t n = 0;

    for (size_t i = 0; i < made->n_plates; i++) {
        plates[n] = object_load(c, entity_by_name("Plate"), made->plates[i]);
        n += plates[n] != NULL;
    }
    return (struct om_api_iobject_list){.n = n, .at = plates};
}

static const void *response_of(struct call *c, const struct made *made)
{
    struct om_grid_import_response *response = arena_alloc(c->mem, 1, sizeof(*response));
    const struct om_pixels **pixels = arena_alloc(c->mem, made->n, sizeof(struct om_pixels *));
    const struct om_iobject **images = arena_alloc(c->mem, made->n, sizeof(struct om_iobject *));
    size_t n = 0;

    for (size_t i = 0; i < made->n; i++) {
        struct om_iobject *p = object_load(c, entity_by_name("Pixels"), made->pixels[i]);
        if (!p)
            continue; /* deleted in between */
        object_fetch(c, p, "image");
        pixels[n] = (const struct om_pixels *)(void *)p;
        images[n++] = object_load(c, entity_by_name("Image"), made->images[i]);
    }
    *response = (struct om_grid_import_response){
        .cls = &om_grid_import_response_class, .pixels = {.n = n, .at = pixels}, .objects = {.n = n, .at = images}};
    if (made->n_plates > 0)
        response->objects = plates_of(c, made);
    return response;
}

static void write_log(struct command *k, const char *words, int step)
{
    AUTO(io_closep) int fd = open(import_of(k)->log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    char now[25];

    if (fd < 0)
        return;
    clock_text(clock_wall_ms(), now);
    dprintf(fd, "%.10s %.8s,%.3s ", now, now + 11, now + 20);
    if (step < 0)
        dprintf(fd, "INFO  [    o.s.blitz.repo.ManagedImportRequestI] (omero-sandbox) %s\n", words);
    else
        dprintf(fd, "DEBUG [    o.s.blitz.repo.ManagedImportRequestI] (omero-sandbox) %s %d\n", words, step);
}

/* A log with a size tells a client that images were made, or that the import has failed. */
static void save_log(struct command *k)
{
    (void)file_save(k->server->store, import_of(k)->log, import_of(k)->log_path);
}

static int first_step(struct command *k, struct call *c, struct made *made)
{
    struct store *store = c->server->store;

    write_log(k, "Step", 0);
    store_view(store, c->viewer);
    store_begin(store);
    int result = import_images(k, c, made);
    store_end(store, result == 0);
    store_view(store, NULL);
    save_log(k);
    return result;
}

/* A checksum of pixels that were read; the sandbox reads none and takes what is at hand. */
static void sum_pixels(struct command *k, const struct made *made)
{
    AUTO(hash_freep) struct hash *h = hash_new("SHA1-160");
    char hex[HASH_HEX_MAX];
    const struct om_rbool *no_stats = import_of(k)->settings->no_stats_info;

    if (no_stats && no_stats->val)
        return; /* a real server leaves them pending then */
    hash_add(h, import_of(k)->prefix, strlen(import_of(k)->prefix));
    hash_hex(h, hex);
    for (size_t i = 0; i < made->n; i++)
        (void)store_run(k->server->store, "update Pixels set sha1 = ? where id = ?", "si", hex, made->pixels[i]);
}

/* When this fails the images stay, as a real server leaves them. */
static int read_pixels(struct command *k, const struct made *made)
{
    const char *name;
    struct err err = ERR_INIT;

    command_step(k);
    write_log(k, "Step", k->step);
    if (k->cancelled)
        return 0;
    if (picture_pixels(import_of(k)->files[0].path, &name, &err) < 0)
        return fail(k, name, err.text);
    sum_pixels(k, made);
    return 0;
}

static void run_steps(struct command *k, struct call *c)
{
    struct made made = {0};

    if (first_step(k, c, &made) < 0 || read_pixels(k, &made) < 0)
        return;
    while (k->step < k->steps - 1) {
        command_step(k);
        write_log(k, "Step", k->step);
    }
    if (k->cancelled)
        fail(k, "not-ready", "cancelled");
    else
        k->response = response_of(c, &made);
}

static void run_import(struct command *k, struct call *c)
{
    if (!fault_outlast(k->server, FAULT_QUEUE) || k->session->closed)
        return; /* a real server says nothing of it, in the log neither */
    run_steps(k, c);
    write_log(k, "Cleaning up import.", -1);
    save_log(k);
}

static void end_import(struct command *k)
{
    import_unref(import_of(k));
}

/* --- the beginning --- */

static const struct om_grid_import_location *location_of(struct arena *mem, const struct import *imp)
{
    struct om_grid_import_location *l = arena_alloc(mem, 1, sizeof(*l));
    const char **files = arena_alloc(mem, imp->n, sizeof(*files));

    for (size_t i = 0; i < imp->n; i++)
        files[i] = arena_printf(mem, "%s%s", imp->prefix, imp->names[i]);
    *l = (struct om_grid_import_location){.cls = &om_grid_import_location_class,
                                          .shared_path = arena_str(mem, imp->prefix),
                                          .omitted_levels = imp->omitted,
                                          .used_files = {.n = imp->n, .at = files}};
    return l;
}

static const void *request_of(struct call *c, struct arena *mem, const struct import *imp, const struct ice_proxy *process)
{
    struct om_grid_import_request *request = arena_alloc(mem, 1, sizeof(*request));
    struct om_fileset_job_link *activity = object_new(mem, &om_fileset_job_link_class);

    activity->id = r_long(mem, imp->job_link);
    activity->parent = (const void *)object_ref(mem, &om_fileset_class, imp->fileset);
    activity->child = (const void *)object_ref(mem, &om_upload_job_class, imp->upload_job);
    *request = (struct om_grid_import_request){.cls = &om_grid_import_request_class,
                                               .client_uuid = "",
                                               .repo_uuid = c->server->repo_uuid,
                                               .process = ice_proxy_copy(mem, process),
                                               .activity = activity,
                                               .location = location_of(mem, imp),
                                               .log_file = (const void *)object_ref(mem, &om_original_file_class, imp->log)};
    return request;
}

const struct ice_proxy *import_start(struct call *c, struct import *imp, const struct ice_proxy *process)
{
    struct command *k = command_new(c, STEPS);

    k->group = imp->group;
    k->run = run_import;
    k->end = end_import;
    k->state = import_ref(imp);
    k->request = request_of(c, k->mem, imp, process);
    return command_start(c, k);
}
