/* The import itself, as it goes on after verifyUpload. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "sandbox/images.h"
#include "sandbox/process.h"
#include "sandbox/save.h"

#define CATEGORY "::omero::grid::ImportRequest"
enum { STEPS = 5, NAME_MAX_CHARS = 255 };

struct job {
    struct import_process *process;
    struct om_grid_import_response *response;
};

static struct om_iobject *new_link(struct arena *mem, const struct ice_class *cls, const void *parent, const void *child)
{
    struct om_image_annotation_link *link = object_new(mem, cls); /* all links have its form */

    link->parent = parent;
    link->child = child;
    return (struct om_iobject *)link;
}

/* --- names --- */

static size_t characters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static const char *short_name(struct arena *mem, const char *name)
{
    size_t n = characters(name);

    if (n <= NAME_MAX_CHARS)
        return name;
    for (n -= NAME_MAX_CHARS - 1; n > 0; n--)
        do
            name++;
        while (((unsigned char)*name & 0xC0) == 0x80);
    return arena_printf(mem, "\xE2\x80\xA6%s", name);
}

static const char *image_name(struct call *c, const struct import_process *p, const struct images_facts *facts, size_t i)
{
    const char *slash = strrchr(p->files[0].client_path, '/');
    const char *base = p->settings->user_specified_name ? p->settings->user_specified_name->val
                                                        : slash ? slash + 1 : p->files[0].client_path;

    if (facts->n == 1)
        return short_name(c->mem, base);
    return short_name(c->mem, facts->at[i].name[0] ? arena_printf(c->mem, "%s [%s]", base, facts->at[i].name)
                                                   : arena_printf(c->mem, "%s [%zu]", base, i + 1));
}

/* --- objects --- */

static const struct om_length *length(struct arena *mem, double um)
{
    struct om_length *l = arena_alloc(mem, 1, sizeof(*l));

    *l = (struct om_length){.cls = &om_length_class, .value = um, .unit = OM_ENUMS_UNITS_LENGTH_MICROMETER};
    return um > 0 ? l : NULL;
}

static void add_channels(struct arena *mem, struct om_pixels *p, size_t n)
{
    const struct om_channel **list = arena_alloc(mem, n, sizeof(struct om_channel *));

    for (size_t i = 0; i < n; i++) {
        struct om_channel *channel = object_new(mem, &om_channel_class);
        channel->pixels = p;
        channel->logical_channel = object_new(mem, &om_logical_channel_class);
        list[i] = channel;
    }
    p->channels_seq = (struct om_pixels_channels_seq){.n = n, .at = list};
}

static void add_pixels(struct arena *mem, struct om_image *image, const struct image_facts *f)
{
    struct om_pixels *p = object_new(mem, &om_pixels_class);
    const struct om_pixels **list = arena_alloc(mem, 1, sizeof(struct om_pixels *));

    p->image = image;
    p->pixels_type = (const struct om_pixels_type *)enum_object(mem, &om_pixels_type_class, f->pixel_type);
    p->dimension_order = (const struct om_dimension_order *)enum_object(mem, &om_dimension_order_class, "XYZCT");
    p->size_x = r_int(mem, f->size_x);
    p->size_y = r_int(mem, f->size_y);
    p->size_z = r_int(mem, f->size_z);
    p->size_c = r_int(mem, f->size_c);
    p->size_t = r_int(mem, f->size_t);
    p->sha1 = r_string(mem, "Pending...");
    p->physical_size_x = length(mem, f->um_x);
    p->physical_size_y = length(mem, f->um_y);
    p->physical_size_z = length(mem, f->um_z);
    add_channels(mem, p, f->size_c < 64 ? (size_t)f->size_c : 64);
    list[0] = p;
    image->pixels_seq = (struct om_image_pixels_seq){.n = 1, .at = list};
}

static void add_notes(struct arena *mem, struct om_image *image, const struct om_api_annotation_list *notes)
{
    const struct om_image_annotation_link **list = arena_alloc(mem, notes->n, sizeof(struct om_image_annotation_link *));
    size_t n = 0;

    for (size_t i = 0; i < notes->n; i++)
        if (notes->at[i])
            list[n++] = (const struct om_image_annotation_link *)new_link(mem, &om_image_annotation_link_class, image, notes->at[i]);
    image->annotation_links_seq = (struct om_image_annotation_links_seq){.n = n, .at = list};
}

static void add_target(struct arena *mem, struct om_image *image, const struct om_iobject *target)
{
    const struct om_dataset_image_link **list = arena_alloc(mem, 1, sizeof(struct om_dataset_image_link *));

    if (!target || target->cls != &om_dataset_class || !target->id)
        return;
    list[0] = (const struct om_dataset_image_link *)new_link(mem, &om_dataset_image_link_class,
                                                             object_ref(mem, &om_dataset_class, target->id->val), image);
    image->dataset_links_seq = (struct om_image_dataset_links_seq){.n = 1, .at = list};
}

static struct om_image *new_image(struct call *c, const struct import_process *p, const struct images_facts *facts, size_t i)
{
    struct om_image *image = object_new(c->mem, &om_image_class);
    const struct om_grid_import_settings *s = p->settings;

    image->name = r_string(c->mem, image_name(c, p, facts, i));
    image->description = s->user_specified_description;
    if (!facts->known)
        image->description = r_string(c->mem, "omero-sandbox cannot read this format: the pixels are made up");
    image->series = r_int(c->mem, (int32_t)i);
    image->acquisition_date = r_time(c->mem, clock_wall_ms());
    image->archived = image->partial = r_bool(c->mem, false);
    image->fileset = (const struct om_fileset *)object_ref(c->mem, &om_fileset_class, p->fileset);
    add_pixels(c->mem, image, &facts->at[i]);
    add_notes(c->mem, image, &s->user_specified_annotation_list);
    add_target(c->mem, image, s->user_specified_target);
    return image;
}

/* --- the answer --- */

static void keep_answer(struct command *cmd, struct call *c, struct om_image *const *images, size_t n)
{
    struct om_grid_import_response *r = arena_alloc(cmd->mem, 1, sizeof(*r));
    const struct om_pixels **pixels = arena_alloc(cmd->mem, n, sizeof(struct om_pixels *));
    const struct om_iobject **objects = arena_alloc(cmd->mem, n, sizeof(struct om_iobject *));

    for (size_t i = 0; i < n; i++) {
        objects[i] = object_load(c, entity_by_name("Image"), images[i]->id->val);
        pixels[i] = (const struct om_pixels *)object_load(c, entity_by_name("Pixels"), images[i]->pixels_seq.at[0]->id->val);
    }
    *r = (struct om_grid_import_response){
        .cls = &om_grid_import_response_class, .pixels = {.n = n, .at = pixels}, .objects = {.n = n, .at = objects}};
    ((struct job *)cmd->state)->response = r;
}

static int fail(struct command *cmd, const struct call *c, const char *name)
{
    const struct om_server_error *e = (const struct om_server_error *)c->exception;

    command_fail(cmd, &om_cmd_err_class, CATEGORY, name, e->message, e->server_stack_trace);
    return -1;
}

static int fail_text(struct command *cmd, const char *name, const char *text)
{
    command_fail(cmd, &om_cmd_err_class, CATEGORY, name, text, text);
    return -1;
}

/* --- the steps --- */

static int check_notes(struct command *cmd, struct call *c, const struct om_api_annotation_list *notes)
{
    for (size_t i = 0; i < notes->n; i++)
        if (notes->at[i] && notes->at[i]->id && object_check(c, entity_by_name("Annotation"), notes->at[i]->id->val, NULL, NULL) < 0)
            return fail(cmd, c, "error-on-init");
    return 0;
}

static int check_target(struct command *cmd, struct call *c, const struct om_iobject *target)
{
    bool container = target && (target->cls == &om_dataset_class || target->cls == &om_screen_class);

    if (!target)
        return 0;
    if (!container || !target->id)
        return fail_text(cmd, "import-request-failure", arena_printf(c->mem, "Unable to handle target: %s", target->cls->id));
    if (object_check(c, entity_by_class(target->cls), target->id->val, NULL, NULL) < 0)
        return fail(cmd, c, "import-request-failure");
    return 0;
}

static int save_images(struct command *cmd, struct call *c, const struct import_process *p, const struct images_facts *facts)
{
    struct om_image **images = arena_alloc(c->mem, facts->n, sizeof(struct om_image *));
    struct saver *saver = NULL;

    for (size_t i = 0; i < facts->n; i++) {
        images[i] = new_image(c, p, facts, i);
        if (save_graph(c, &saver, (const struct om_iobject *)images[i]) < 0)
            return fail(cmd, c, "import-request-failure");
    }
    (void)store_run(c->server->store, "update Job set status = 'Finished' where id = (select child from FilesetJobLink where id = ?)", "i",
                    p->upload_link);
    keep_answer(cmd, c, images, facts->n);
    return 0;
}

static int import_metadata(struct command *cmd, struct call *c)
{
    const struct import_process *p = ((struct job *)cmd->state)->process;
    const struct om_grid_import_settings *s = p->settings;
    struct images_facts facts = {0};
    struct err err = ERR_INIT;

    if (images_read(c->mem, p->files[0].path, &facts, &err) < 0)
        return fail_text(cmd, "error-on-init", err.text);
    if (check_notes(cmd, c, &s->user_specified_annotation_list) < 0 || check_target(cmd, c, s->user_specified_target) < 0)
        return -1;
    return save_images(cmd, c, p, &facts);
}

/* A log of a line, so that its size says that step 1 is done or the import has failed. */
static void write_log(struct call *c, const struct import_process *p, const char *line)
{
    AUTO(io_closep) int fd = open(p->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    AUTO(mem_freep) char *text = mem_printf("omero-sandbox: fileset %lld: %s\n", (long long)p->fileset, line);

    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        server_say("%s cannot be written", p->log_path);
    (void)store_run(c->server->store, "update OriginalFile set size = ? where id = ?", "ii", (int64_t)strlen(text), p->log_file);
}

static int in_transaction(struct command *cmd, struct call *c)
{
    store_view(c->server->store, c->viewer);
    store_begin(c->server->store);

    int r = import_metadata(cmd, c);

    store_end(c->server->store, r == 0);
    store_view(c->server->store, NULL);
    write_log(c, ((struct job *)cmd->state)->process, r == 0 ? "imported" : "failed");
    return r;
}

static void run_import(struct command *cmd, struct call *c)
{
    command_step(cmd);
    cmd->step--;
    if (cmd->cancelled) {
        fail_text(cmd, "not-ready", "cancelled");
        return;
    }
    if (in_transaction(cmd, c) < 0)
        return;
    while (cmd->step < STEPS - 1)
        command_step(cmd);
    cmd->response = (const struct om_cmd_response *)((struct job *)cmd->state)->response;
}

static void end_import(struct command *cmd)
{
    struct job *job = cmd->state;

    import_unref(job->process);
    free(job);
}

/* --- starting --- */

static const struct om_grid_import_request *request_of(struct command *cmd, const struct import_process *p)
{
    struct om_grid_import_request *r = arena_alloc(cmd->mem, 1, sizeof(*r));
    struct om_grid_import_location *location = arena_alloc(cmd->mem, 1, sizeof(*location));
    struct om_fileset_job_link *activity =
        (struct om_fileset_job_link *)object_ref(cmd->mem, &om_fileset_job_link_class, p->upload_link);
    const char **used = arena_alloc(cmd->mem, p->n, sizeof(*used));

    for (size_t i = 0; i < p->n; i++)
        used[i] = arena_str(cmd->mem, p->files[i].path + strlen(p->server->repository) + 1);
    *location = (struct om_grid_import_location){.cls = &om_grid_import_location_class,
                                                 .shared_path = arena_str(cmd->mem, p->prefix),
                                                 .used_files = {.n = p->n, .at = used}};
    activity->loaded = true;
    activity->parent = (const struct om_fileset *)object_ref(cmd->mem, &om_fileset_class, p->fileset);
    *r = (struct om_grid_import_request){
        .cls = &om_grid_import_request_class,
        .client_uuid = "",
        .repo_uuid = p->server->repo_uuid,
        .activity = activity,
        .location = location,
        .log_file = (const struct om_original_file *)object_ref(cmd->mem, &om_original_file_class, p->log_file)};
    return r;
}

/* A second import of one process saves new annotations anew, so each has settings of its own. */
static void own_settings(struct command *cmd, struct import_process *p)
{
    const struct ice_op *op = &om_grid_import_process_get_import_settings_op;
    const struct om_grid_import_process_get_import_settings_out from = {.ret = p->settings};
    struct om_grid_import_process_get_import_settings_out to = {0};

    copy_values(p->mem, op->out, op->n_out, &from, &to);
    p->settings = to.ret;
    (void)cmd;
}

const struct ice_proxy *import_start(struct call *c, struct import_process *p)
{
    struct command *cmd = command_new(c, STEPS);
    struct job *job = mem_new(1, sizeof(*job));

    own_settings(cmd, p);
    job->process = p;
    p->refs++;
    cmd->run = run_import;
    cmd->end = end_import;
    cmd->state = job;
    cmd->request = (const struct om_cmd_request *)request_of(cmd, p);
    return command_start(c, cmd);
}
