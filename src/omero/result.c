/* The last steps: verify what was uploaded, wait for the import, say what came of it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "omero/error.h"
#include "omero/import_state.h"
#include "omero/object.h"

/* By the job's token.  The handle's request names it too, with every file of it: 1,522 bytes a file on OMERO.server 5.6.17. */
static int learn_fileset(struct om_import *imp, struct err *err)
{
    int64_t id;
    int r = om_import_find(imp->client, imp->token, &id, err);

    if (r == OM_ABSENT)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO does not say which fileset it imports");
    if (r == 0)
        imp->fileset = id;
    return r;
}

static int send_hashes(struct om_import *imp, struct arena *mem, struct err *err)
{
    const char **hashes = arena_alloc(mem, imp->n_files, sizeof(*hashes));
    const struct om_api_string_set set = {.n = imp->n_files, .at = hashes};
    const struct ice_proxy *handle;

    for (size_t i = 0; i < imp->n_files; i++) {
        if (!imp->hashes[i][0])
            return err_set(err, REASON_BUG, 0, "file %zu of the set was not uploaded", i + 1);
        hashes[i] = imp->hashes[i];
    }
    if (om_grid_import_process_verify_upload(&imp->client->caller, imp->process, set, mem, &handle, err) < 0)
        return -1;
    if (!handle)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO verified the upload without an answer");
    imp->wait.handle = ice_proxy_copy(imp->mem, handle);
    return 0;
}

int om_import_verify(struct om_import *imp, int64_t *fileset, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    if (!imp->process || imp->wait.handle)
        return err_set(err, REASON_BUG, 0, "an import is verified twice");
    if (send_hashes(imp, mem, err) < 0)
        return err_prefix(err, "verify the upload: ");
    if (learn_fileset(imp, err) < 0) {
        err->cls = ERR_WAIT; /* the import runs: it is to be found by its token, not to be started again */
        return err_prefix(err, "after the upload was verified: ");
    }
    *fileset = imp->fileset;
    return 0;
}

static int take_images(struct om_import *imp, struct arena *mem, struct om_import_result *out, struct err *err)
{
    imp->answered = true;
    if (om_fileset_look(imp->client, imp->fileset, mem, out, err) < 0)
        return -1;
    if (out->n_images == 0)
        return err_set(err, REASON_IMPORT_FAILED, 0, "OMERO says that it imported Fileset:%lld, and no image came of it",
                       (long long)imp->fileset);
    return 0;
}

/* Why it failed; or it has not failed after all. */
static int take_failure(struct om_import *imp, struct arena *mem, struct om_import_result *out, struct err *err)
{
    AUTO(arena_freep) struct arena *scratch = arena_new();
    const struct om_cmd_response *answer;
    int r = om_handle_ask(imp->client, &imp->wait, scratch, &answer, err);

    if (r != 0)
        return r == OM_HANDLE_BUSY ? OM_RUNNING : -1;
    if (!ice_class_is_a(answer->cls, &om_cmd_err_class))
        return take_images(imp, mem, out, err);
    imp->answered = imp->failed = true;
    return om_error_command("import", (const struct om_cmd_err *)answer, err);
}

/* The answer of an import that went well is not asked for: it has 9,000 bytes an image. */
int om_import_poll(struct om_import *imp, struct arena *mem, struct om_import_result *out, struct err *err)
{
    if (!imp->wait.handle || imp->fileset < 0)
        return err_set(err, REASON_BUG, 0, "an import is asked for its result before it was verified");

    int r = om_handle_look(imp->client, &imp->wait, err);

    if (r == OM_HANDLE_BUSY)
        return OM_RUNNING;
    if (r == OM_HANDLE_FAILED)
        return take_failure(imp, mem, out, err);
    return r < 0 ? -1 : take_images(imp, mem, out, err);
}

int om_import_wait(struct om_import *imp, int64_t deadline_ns, int (*keep_on)(void *arg, struct err *err), void *arg,
                   struct arena *mem, struct om_import_result *out, struct err *err)
{
    int64_t pause = 10 * NS_PER_MS; /* the first is a little longer: a small set of files is in within a moment */

    for (;;) {
        int r = om_import_poll(imp, mem, out, err);
        if (r != OM_RUNNING)
            return r;
        if (clock_mono_ns() >= deadline_ns)
            return err_set(err, REASON_TIMEOUT, 0, "the import of Fileset:%lld has not ended yet", (long long)imp->fileset);
        if (om_client_keep_alive(imp->client, err) < 0 || om_handle_pause(&pause, keep_on, arg, err) < 0)
            return -1;
    }
}

bool om_import_has_failed(const struct om_import *imp)
{
    return imp->failed;
}

void om_import_end(struct om_import *imp)
{
    if (!imp)
        return;

    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_client *c = imp->client;
    struct err ignored; /* both end with the session at the latest */

    if (imp->wait.handle && imp->answered && !c->dead)
        (void)om_cmd_handle_close(&c->caller, imp->wait.handle, mem, &ignored);
    if (imp->process && !c->dead)
        (void)om_api_stateful_service_interface_close(&c->caller, imp->process, mem, &ignored);
    arena_free(imp->mem);
    free(imp);
}

void om_import_endp(struct om_import **imp)
{
    om_import_end(*imp);
}
