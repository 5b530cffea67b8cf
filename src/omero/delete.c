#include "omero/delete.h"

#include "base/ceilings.h"
#include "base/clock.h"
#include "omero/error.h"
#include "omero/handle.h"

enum { DELETE_S = 1800 }; /* 20,000 links take 9 s; a fileset of many large files longer */

static int wait_for(struct om_client *c, const struct ice_proxy *handle, struct err *err)
{
    struct om_wait w = {.handle = handle};
    int64_t deadline = clock_after_ns(DELETE_S * NS_PER_S), pause = 0;

    while (clock_mono_ns() < deadline) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct om_cmd_response *answer;
        int r = om_handle_ask(c, &w, mem, &answer, err);

        if (r < 0)
            return -1;
        if (r == 0 && ice_class_is_a(answer->cls, &om_cmd_err_class))
            return om_error_command("OMERO, asked to delete", (const struct om_cmd_err *)answer, err);
        if (r == 0)
            return 0;
        if (om_client_keep_alive(c, err) < 0 || om_handle_pause(&pause, NULL, NULL, err) < 0)
            return -1;
    }
    return err_set(err, REASON_TIMEOUT, 0, "a delete did not end within %d s", DELETE_S);
}

static int delete_batch(struct om_client *c, const char *type, const int64_t *ids, size_t n, struct err *err)
{
    static const char *const spared[] = {"TagAnnotation", "FileAnnotation"};
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_api_string_long_list_map_entry targets[] = {{.key = type, .value = {.n = n, .at = ids}}};
    const struct om_cmd_graphs_child_option option = {.cls = &om_cmd_graphs_child_option_class,
                                                      .exclude_type = {.n = ARRAY_LEN(spared), .at = spared}};
    const struct om_cmd_graphs_child_option *const options[] = {&option};
    const struct om_cmd_delete2 command = {
        .cls = &om_cmd_delete2_class, .target_objects = {.n = 1, .at = targets}, .child_options = {.n = 1, .at = options}};
    const struct ice_proxy *handle;

    if (om_cmd_session_submit(&c->caller, c->factory, (const struct om_cmd_request *)&command, mem, &handle, err) < 0)
        return -1;

    int r = wait_for(c, handle, err);
    struct err ignored;

    if (r == 0)
        (void)om_cmd_handle_close(&c->caller, handle, mem, &ignored); /* it ends with the session at the latest */
    return r;
}

/* Asked all the same, OMERO.server 5.6.17 gives the command up without a word. */
static int may_delete(const struct om_client *c, struct err *err)
{
    if (!c->bound)
        return 0;
    return err_set(err, REASON_NO_RIGHT, 0,
                   "OMERO deletes nothing in a session that a group's owner has opened: let an administrator with Sudo log in");
}

int om_delete(struct om_client *c, const char *type, const int64_t *ids, size_t n, struct err *err)
{
    if (may_delete(c, err) < 0)
        return err_prefix(err, "delete %s: ", type);
    for (size_t i = 0; i < n; i += OM_BATCH)
        if (delete_batch(c, type, ids + i, n - i < OM_BATCH ? n - i : OM_BATCH, err) < 0)
            return err_prefix(err, "delete %s: ", type);
    return 0;
}
