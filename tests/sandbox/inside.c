#include "inside.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sandbox/people.h"
#include "sandbox/rows.h"

static struct session *log_in(struct inside *in, const char *name)
{
    int64_t user = people_add_user(in->server.store, name, name, name, "secret", NULL);

    people_add_member(in->server.store, in->lab, user);
    people_add_member(in->server.store, GROUP_USER, user);
    return session_make(&in->server, user, in->lab, -1, "test", NULL, "User", 0, 0);
}

int inside_set_up(void **state)
{
    struct inside *in = mem_new(1, sizeof(*in));
    char dir[] = "/tmp/sandbox-XXXXXX";
    struct err err = ERR_INIT;

    assert_non_null(mkdtemp(dir));
    in->dir = mem_str(dir);
    in->mem = arena_new();
    assert_ok(server_open(&in->server, dir, &err), &err);
    in->server.pause_ms = 0;
    people_begin(in->server.store);
    in->lab = people_add_group(in->server.store, "lab", "rwra--");
    in->alice = log_in(in, "alice");
    in->bob = log_in(in, "bob");
    *state = in;
    return 0;
}

int inside_tear_down(void **state)
{
    struct inside *in = *state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", in->dir);

    inside_run_tasks(in);
    server_close(&in->server);
    assert_int_equal(system(command), 0);
    arena_free(in->mem);
    free(in->dir);
    free(in);
    return 0;
}

static struct call call_of(struct inside *in, struct session *who)
{
    return (struct call){.server = &in->server,
                         .session = who,
                         .mem = in->mem,
                         .group = in->lab,
                         .viewer = viewer_load(in->server.store, in->mem, who->user, in->lab)};
}

int inside_call(struct inside *in, struct session *who, struct servant *v, const struct ice_op *op, const void *args, struct call *c)
{
    *c = call_of(in, who);
    c->servant = v;
    c->in = args;
    c->out = arena_alloc(in->mem, op->out_size ? op->out_size : 1, 1);
    for (size_t i = 0; i < v->kind->n; i++)
        if (v->kind->handlers[i].op == op)
            c->handler = &v->kind->handlers[i];
    assert_non_null(c->handler);
    store_view(in->server.store, c->viewer);
    store_begin(in->server.store);
    int r = c->handler->run(c);
    store_end(in->server.store, r == 0);
    store_view(in->server.store, NULL);
    return r;
}

struct servant *inside_servant(struct inside *in, struct session *who, const struct ice_proxy *p)
{
    (void)in;
    for (struct servant *v = who->servants; v; v = v->next)
        if (strcmp(v->name, p->id.name) == 0)
            return v;
    fail_msg("no servant %s", p->id.name);
    return NULL;
}

void inside_run_tasks(struct inside *in)
{
    for (struct task *t; (t = in->server.tasks);) {
        in->server.tasks = t->next;
        if (!in->server.tasks)
            in->server.last_task = &in->server.tasks;
        t->run(&in->server, t);
    }
}

int64_t inside_add(struct inside *in, struct session *who, const char *entity, const char *name)
{
    struct call c = call_of(in, who);
    struct rows rows = {.c = &c};
    int64_t id = row_new(&rows, entity);
    AUTO(mem_freep) char *sql = mem_printf("update %s set %s = ? where id = ?", entity_by_name(entity)->table,
                                           strcmp(entity_by_name(entity)->table, "Annotation") == 0 ? "textValue" : "name");

    assert_int_equal(store_run(in->server.store, sql, "si", name, id), 0);
    return id;
}

int64_t inside_link(struct inside *in, struct session *who, const char *entity, int64_t parent, int64_t child)
{
    struct call c = call_of(in, who);
    struct rows rows = {.c = &c};

    return row_link(&rows, entity, parent, child);
}

int64_t inside_count(struct inside *in, const char *table)
{
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from %s", table);

    return store_long(in->server.store, -1, sql, "");
}

const struct om_cmd_response *inside_response(struct inside *in, struct session *who, const struct ice_proxy *handle)
{
    struct call c;

    assert_int_equal(inside_call(in, who, inside_servant(in, who, handle), &om_cmd_handle_get_response_op, NULL, &c), 0);
    return ((const struct om_cmd_handle_get_response_out *)c.out)->ret;
}

const char *inside_thrown(const struct call *c)
{
    if (c->status == ICE_USER_EXCEPTION)
        return ((const struct om_server_error *)(const void *)c->exception)->message;
    return c->text ? c->text : "";
}
