#include "sandbox/command.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "sandbox/conn.h"

void copy_values(struct arena *mem, const struct ice_field *fields, size_t n, const void *values, void *out)
{
    AUTO(buf_clear) struct buf wire = BUF_INIT(ICE_MESSAGE_MAX);
    struct err err = ERR_INIT;
    enum ice_encoding enc;

    if (ice_write_encaps(&wire, ICE_ENC_1_1, fields, n, true, values, &err) < 0)
        return;

    /* Strings of a copy live in its arena, and so does what the decoder leaves where it is. */
    uint8_t *bytes = arena_alloc(mem, wire.len, 1);

    memcpy(bytes, wire.data, wire.len);

    struct ice_in in = ICE_IN(bytes, wire.len);

    if (ice_read_encaps(&in, &om_registry, mem, fields, n, true, out, &enc, &err) < 0)
        server_say("a copy failed: %s", err.text);
}

/* --- life of a command --- */

static void command_unref(struct command *cmd)
{
    if (--cmd->refs > 0)
        return;
    if (cmd->end)
        cmd->end(cmd);
    arena_free(cmd->mem);
    free(cmd);
}

static void end_handle(struct server *s, struct servant *v)
{
    (void)s;
    command_unref(v->state);
}

struct command *command_new(struct call *c, int steps)
{
    struct command *cmd = mem_new(1, sizeof(*cmd));

    *cmd = (struct command){.refs = 1,
                            .mem = arena_new(),
                            .server = c->server,
                            .session = c->session,
                            .group = c->group,
                            .steps = steps,
                            .start_ms = clock_wall_ms()};
    return cmd;
}

struct call command_call(struct command *cmd)
{
    struct call c = {.server = cmd->server, .session = cmd->session, .mem = cmd->mem, .group = cmd->group};

    c.viewer = viewer_load(cmd->server->store, cmd->mem, cmd->session->user, cmd->group);
    return c;
}

static void wait_ms(int64_t ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};

    (void)nanosleep(&t, NULL);
}

void command_step(struct command *cmd)
{
    cmd->step++;
    pthread_mutex_unlock(&cmd->server->lock);
    wait_ms(cmd->server->pause_ms);
    pthread_mutex_lock(&cmd->server->lock);
}

void command_fail(struct command *cmd, const struct ice_class *cls, const char *category, const char *name, const char *message,
                  const char *stack)
{
    struct om_cmd_err *e = arena_alloc(cmd->mem, 1, cls->size);
    struct om_cmd_string_map_entry *parameters = arena_alloc(cmd->mem, 2, sizeof(*parameters));

    parameters[0] = (struct om_cmd_string_map_entry){.key = "message", .value = arena_str(cmd->mem, message)};
    parameters[1] = (struct om_cmd_string_map_entry){.key = "stacktrace", .value = arena_str(cmd->mem, stack)};
    e->cls = cls;
    e->category = category;
    e->name = name;
    e->parameters = (struct om_cmd_string_map){.n = 2, .at = parameters};
    cmd->response = (const struct om_cmd_response *)e;
    cmd->failed = true;
}

static const struct om_cmd_status *status_of(const struct command *cmd, struct arena *mem)
{
    static const int32_t failed[] = {OM_CMD_STATE_FAILURE, OM_CMD_STATE_CANCELLED};
    struct om_cmd_status *s = arena_alloc(mem, 1, sizeof(*s));

    *s = (struct om_cmd_status){.cls = &om_cmd_status_class,
                                .category = "",
                                .name = "",
                                .current_step = cmd->step,
                                .steps = cmd->steps,
                                .start_time = cmd->start_ms,
                                .stop_time = cmd->stop_ms};
    if (cmd->failed)
        s->flags = (struct om_cmd_state_list){.n = ARRAY_LEN(failed), .at = failed};
    return s;
}

/* Tell those who wait on their own connections: a request without a reply. */
static void call_back(struct command *cmd, const struct ice_proxy *to)
{
    const struct om_cmd_cmd_callback_finished_in in = {.rsp = cmd->response, .s = status_of(cmd, cmd->mem)};
    const struct ice_context no_context = {0};
    AUTO(buf_clear) struct buf message = BUF_INIT(ICE_MESSAGE_MAX);
    struct err err = ERR_INIT;

    if (ice_write_request(&message, 0, &to->id, &om_cmd_cmd_callback_finished_op, &no_context, ICE_ENC_1_1, &in, &err) < 0)
        return;
    for (struct conn *conn = cmd->server->conns; conn; conn = conn->next)
        if (!conn->over && strcmp(conn->category, to->id.category) == 0)
            conn_write(conn, &message);
}

static void run_task(struct server *s, struct task *t)
{
    struct command *cmd = (struct command *)t; /* its first member */

    pthread_mutex_lock(&s->lock);

    struct call c = command_call(cmd);

    cmd->run(cmd, &c);
    cmd->stop_ms = clock_wall_ms();
    for (const struct callback *cb = cmd->callbacks; cb; cb = cb->next)
        call_back(cmd, cb->proxy);
    if (!cmd->session->closed)
        session_leave(s, cmd->session, false);
    session_release(s, cmd->session);
    command_unref(cmd);
    pthread_mutex_unlock(&s->lock);
}

const struct ice_proxy *command_start(struct call *c, struct command *cmd)
{
    char uuid[UUID_TEXT];

    uuid_new(uuid);

    AUTO(mem_freep) char *name = mem_printf("IHandle%s", uuid);
    struct servant *v = servant_add(c->server, c->session, &handle_kind, name, c->session->uuid, cmd);

    cmd->refs++;
    cmd->task.run = run_task;
    cmd->session->refs++;
    session_hold(cmd->session);
    server_add_task(c->server, &cmd->task);
    return call_proxy(c, v);
}

/* --- handles --- */

static int get_request(struct call *c)
{
    const struct command *cmd = c->servant->state;

    ((struct om_cmd_handle_get_request_out *)c->out)->ret = cmd->request;
    return 0;
}

static int get_response(struct call *c)
{
    const struct command *cmd = c->servant->state;

    ((struct om_cmd_handle_get_response_out *)c->out)->ret = cmd->stop_ms ? cmd->response : NULL;
    return 0;
}

static int get_status(struct call *c)
{
    ((struct om_cmd_handle_get_status_out *)c->out)->ret = status_of(c->servant->state, c->mem);
    return 0;
}

static int cancel(struct call *c)
{
    struct command *cmd = c->servant->state;

    ((struct om_cmd_handle_cancel_out *)c->out)->ret = !cmd->stop_ms;
    cmd->cancelled = true;
    return 0;
}

static int close_handle(struct call *c)
{
    struct command *cmd = c->servant->state;

    cmd->cancelled = true;
    servant_drop(c->server, c->servant);
    return 0;
}

static int add_callback(struct call *c)
{
    const struct om_cmd_handle_add_callback_in *in = c->in;
    struct command *cmd = c->servant->state;
    struct callback *cb;

    if (!in->cb)
        return 0;
    cb = arena_alloc(cmd->mem, 1, sizeof(*cb));
    *cb = (struct callback){.next = cmd->callbacks, .proxy = ice_proxy_copy(cmd->mem, in->cb)};
    cmd->callbacks = cb;
    return 0;
}

static int remove_callback(struct call *c)
{
    struct command *cmd = c->servant->state;
    const struct om_cmd_handle_remove_callback_in *in = c->in;

    for (struct callback **at = &cmd->callbacks; *at && in->cb;)
        if (ice_identity_equal(&(*at)->proxy->id, &in->cb->id))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    return 0;
}

static const struct handler handlers[] = {
    {&om_cmd_handle_get_request_op, get_request},
    {&om_cmd_handle_get_response_op, get_response},
    {&om_cmd_handle_get_status_op, get_status},
    {&om_cmd_handle_cancel_op, cancel},
    {&om_cmd_handle_close_op, close_handle},
    {&om_cmd_handle_add_callback_op, add_callback},
    {&om_cmd_handle_remove_callback_op, remove_callback},
};
const struct kind handle_kind = {.name = "IHandle",
                                 .types = "::omero::cmd::Handle",
                                 .stateful = true,
                                 .handlers = handlers,
                                 .n = ARRAY_LEN(handlers),
                                 .end = end_handle};

/* --- submitting --- */

int command_submit(struct call *c)
{
    const struct om_cmd_request *r = ((const struct om_cmd_session_submit_in *)c->in)->req;
    struct om_cmd_session_submit_out *out = c->out;

    if (r && r->cls == &om_cmd_delete2_class)
        return delete_submit(c, (const struct om_cmd_delete2 *)r, &out->ret);
    return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and does not do %s",
                      r ? r->cls->id : "nothing");
}
