/* ImportProcess: the files one by one, and the verification that begins the import. */
#include <string.h>

#include "sandbox/import.h"
#include "sandbox/objects.h"

static struct import *own(struct call *c)
{
    return c->servant->state;
}

static int check_index(struct call *c, int32_t i)
{
    size_t n = own(c)->n;

    if (i < 0 || (size_t)i >= n)
        return call_unknown(c, "java.lang.IndexOutOfBoundsException: Index: %d, Size: %zu", i, n);
    return 0;
}

/* All calls of an import are to be made in its group. */
static int check_group(struct call *c)
{
    if (c->group == own(c)->group)
        return 0;
    return call_throw(c, &om_security_violation_class, "Currently logged into group %lld. Cannot alter object in group %lld",
                      (long long)c->group, (long long)own(c)->group);
}

static int get_uploader(struct call *c)
{
    const struct om_grid_import_process_get_uploader_in *in = c->in;
    struct om_grid_import_process_get_uploader_out *out = c->out;
    const char *mode = call_context(c, "omero.fs.mode");

    if (check_index(c, in->i) < 0)
        return -1;
    out->ret = call_proxy(c, uploader_of(c, own(c), (size_t)in->i, mode && strcmp(mode, "r") == 0));
    return 0;
}

static int get_offset(struct call *c)
{
    const struct om_grid_import_process_get_upload_offset_in *in = c->in;

    if (check_index(c, in->i) < 0)
        return -1;
    ((struct om_grid_import_process_get_upload_offset_out *)c->out)->ret = own(c)->files[in->i].offset;
    return 0;
}

static int get_settings(struct call *c)
{
    ((struct om_grid_import_process_get_import_settings_out *)c->out)->ret = own(c)->settings;
    return 0;
}

/* --- verification --- */

static int check_uploaded(struct call *c, struct import *imp)
{
    for (size_t i = 0; i < imp->n; i++)
        if (store_long(c->server->store, 0, "select hash is null from OriginalFile where id = ?", "i", imp->files[i].file))
            return call_unknown(
                c, "java.lang.NullPointerException: Cannot invoke \"omero.RString.getValue()\" because the return value of "
                   "\"java.util.List.get(int)\" is null");
    return 0;
}

static int check_hashes(struct call *c, const struct import *imp, const struct om_api_string_set *hashes)
{
    struct om_api_int_string_map_entry *bad = arena_alloc(c->mem, imp->n, sizeof(*bad));
    size_t n = 0;

    for (size_t i = 0; i < imp->n; i++) {
        const char *real =
            store_text(c->server->store, c->mem, "select hash from OriginalFile where id = ?", "i", imp->files[i].file);
        if (!real || strcmp(real, hashes->at[i]) != 0)
            bad[n++] = (struct om_api_int_string_map_entry){.key = (int32_t)i, .value = real ? real : ""};
    }
    if (n == 0)
        return 0;
    call_throw(c, &om_checksum_validation_exception_class, "A checksum mismatch has occurred.");
    ((struct om_checksum_validation_exception *)(void *)(uintptr_t)c->exception)->failing_checksums =
        (struct om_api_int_string_map){.n = n, .at = bad};
    return -1;
}

static int verify(struct call *c)
{
    const struct om_grid_import_process_verify_upload_in *in = c->in;
    struct import *imp = own(c);

    if (in->hash.n != imp->n)
        return call_throw(c, &om_api_usage_exception_class, "hashes size should be %zu not %zu", imp->n, in->hash.n);
    if (check_uploaded(c, imp) < 0 || check_group(c) < 0 || check_hashes(c, imp, &in->hash) < 0)
        return -1;
    (void)store_run(c->server->store, "update Job set status = 'Finished' where id = ?", "i", imp->upload_job);
    ((struct om_grid_import_process_verify_upload_out *)c->out)->ret = import_start(c, imp, call_proxy(c, c->servant));
    return 0;
}

/* Does not disturb an import that runs. */
static int close_process(struct call *c)
{
    servant_drop(c->server, c->servant);
    return 0;
}

static void end_process(struct server *s, struct servant *v)
{
    (void)s;
    import_unref(v->state);
}

static const struct handler handlers[] = {
    {&om_grid_import_process_get_uploader_op, get_uploader},
    {&om_grid_import_process_get_upload_offset_op, get_offset},
    {&om_grid_import_process_get_import_settings_op, get_settings},
    {&om_grid_import_process_verify_upload_op, verify},
    {&om_api_stateful_service_interface_close_op, close_process},
};
const struct kind process_kind = {.name = "ManagedImportProcessI",
                                  .types = "::omero::grid::ImportProcess ::omero::api::StatefulServiceInterface",
                                  .stateful = true,
                                  .handlers = handlers,
                                  .n = ARRAY_LEN(handlers),
                                  .end = end_process};
