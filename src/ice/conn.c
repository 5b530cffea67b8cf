#include "ice/conn.h"

#include <stdlib.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/trap.h"
#include "ice/conn_inside.h"

#define FAREWELL_NS (250 * NS_PER_MS)

/* --- opening and closing --- */

static void free_conn(struct ice_conn *c)
{
    link_close(c->link);
    ice_parser_clear(&c->parser);
    buf_clear(&c->out);
    slots_clear(&c->slots);
    free(c);
}

static int await_greeting(struct ice_conn *c, int64_t deadline_ns, struct err *err)
{
    for (int late = 0; !c->greeted;) {
        if (late) {
            err_set(err, REASON_TIMEOUT, 0, "%s: no greeting of an Ice server came in time", link_peer(c->link));
            return err_hint(err, "check that it is the right port, and whether it wants TLS");
        }
        if ((late = conn_step(c, deadline_ns)) < 0 && !c->greeted) {
            *err = c->cause;
            return -1;
        }
    }
    return 0;
}

int ice_conn_open(struct ice_conn **out, struct link *link, const struct ice_registry *reg, int64_t deadline_ns,
                  struct err *err)
{
    struct ice_conn *c = mem_new(1, sizeof(*c));

    c->link = link;
    c->registry = reg;
    c->parser = (struct ice_parser)ICE_PARSER_INIT;
    c->out = (struct buf)BUF_INIT(ICE_MESSAGE_MAX + CONN_CHUNK);
    if (await_greeting(c, deadline_ns, err) < 0) {
        free_conn(c);
        return -1;
    }
    *out = c;
    return 0;
}

static void queue_bare(struct ice_conn *c, enum ice_msg_type type)
{
    size_t before = c->out.len;

    ice_write_bare(&c->out, type);
    conn_trace_sent(c, before, NULL);
}

/* What came in meanwhile is read first: closing with unread bytes would be a reset, which can overtake the farewell. */
void ice_conn_close(struct ice_conn *c)
{
    size_t moved;

    if (!c)
        return;
    if (!c->dead && conn_pull(c, &moved) == 0) {
        queue_bare(c, ICE_CLOSE);
        (void)conn_flush(c, clock_after_ns(FAREWELL_NS)); /* it is over either way */
    }
    free_conn(c);
}

void ice_conn_closep(struct ice_conn **c)
{
    ice_conn_close(*c);
}

bool ice_conn_is_dead(const struct ice_conn *c)
{
    return c->dead;
}

int64_t ice_conn_last_traffic_ns(const struct ice_conn *c)
{
    return c->last_traffic_ns;
}

void ice_conn_trace(struct ice_conn *c, ice_trace_fn *fn, void *arg)
{
    const struct ice_msg greeting = {.type = ICE_VALIDATE, .size = ICE_HEADER_BYTES, .target = {"", ""}, .facet = "",
                                     .operation = ""};

    c->trace = fn;
    c->trace_arg = arg;
    if (fn)
        fn(arg, false, &greeting, NULL);
}

/* --- errors --- */

static int dead_before(const struct ice_conn *c, const char *what, struct err *err)
{
    err_set(err, REASON_LOST, 0, "%s: the connection is over: %s", what, c->cause.text);
    err->cls = ERR_RETRY;
    return -1;
}

int ice_conn_heartbeat(struct ice_conn *c, int64_t deadline_ns, struct err *err)
{
    if (c->dead)
        return dead_before(c, "heartbeat", err);
    queue_bare(c, ICE_VALIDATE);
    if (conn_flush(c, deadline_ns) < 0)
        return dead_before(c, "heartbeat", err);
    return 0;
}

/* May a request that failed in this way be sent again at once?  See the head of conn.h. */
static void classify(const struct ice_conn *c, const struct slot *s, struct err *err)
{
    bool harmless = c->orderly || c->written <= s->start || s->op->mode != ICE_NORMAL;

    if (err->why == REASON_LOST || err->why == REASON_TIMEOUT)
        err->cls = harmless ? ERR_RETRY : ERR_WAIT;
    err_prefix(err, "%s %s: ", s->op->interface, s->op->name);
}

/* A request of a connection that died. */
static int request_lost(struct ice_conn *c, struct slot *s, struct err *err)
{
    *err = c->cause;
    classify(c, s, err);
    slots_remove(&c->slots, s);
    return -1;
}

/* --- requests --- */

static int encode(struct ice_conn *c, struct slot *s, const struct ice_identity *target, const struct ice_context *ctx,
                  enum ice_encoding enc, const void *in, struct err *err)
{
    size_t before = c->out.len;

    /* a trace reads the message back from the buffer */
    if (ice_write_request_around(&c->out, s->id, target, s->op, ctx, enc, in, c->trace ? NULL : &c->gap, err) < 0) {
        c->gap = (struct ice_gap){0};
        c->out.len = before;
        c->out.full = false;
        return -1;
    }
    s->start = c->written + before - c->out_used;
    s->end = s->start + c->out.len - before + c->gap.n;
    conn_trace_sent(c, before, s->op);
    return 0;
}

int ice_conn_send(struct ice_conn *c, const struct ice_identity *target, const struct ice_op *op,
                  const struct ice_context *ctx, enum ice_encoding enc, const void *in, int64_t deadline_ns, int32_t *id,
                  struct err *err)
{
    size_t moved;

    /* Looking before writing: a close that is there already makes the request surely not executed. */
    if (c->dead || conn_pull(c, &moved) < 0)
        return dead_before(c, op->name, err);
    if (c->slots.n >= ICE_IN_FLIGHT_MAX)
        return err_set(err, REASON_TOO_LARGE, 0, "%s: %u requests without a taken reply", op->name, ICE_IN_FLIGHT_MAX);

    trap_step("before", op->name);

    struct slot *s = slots_add(&c->slots, op);
    int32_t mine = s->id;
    if (encode(c, s, target, ctx, enc, in, err) < 0) {
        slots_remove(&c->slots, s);
        return -1;
    }
    if (conn_flush(c, deadline_ns) < 0) {
        s = slots_find(&c->slots, mine);
        if (s->end > c->written)
            return request_lost(c, s, err);
    }
    trap_sent(op->name);
    *id = mine;
    return 0;
}

/* --- replies --- */

/* The texts of a reply without values, in the caller's memory. */
static void copy_texts(const struct ice_msg *msg, struct arena *mem, struct ice_reply *out)
{
    *out = (struct ice_reply){.status = msg->status, .exception_id = "", .missing = {"", ""}, .operation = "", .text = ""};
    if (msg->status >= ICE_NO_OBJECT && msg->status <= ICE_NO_OPERATION) {
        out->missing.name = arena_str(mem, msg->target.name);
        out->missing.category = arena_str(mem, msg->target.category);
        out->operation = arena_str(mem, msg->operation);
    }
    if (msg->text)
        out->text = arena_str(mem, msg->text);
}

static int decode(const struct ice_conn *c, const struct slot *s, const struct ice_op *op, struct arena *mem, void *out,
                  struct ice_reply *reply, struct err *err)
{
    struct ice_in in = s->reply.encaps;
    struct ice_reply r;
    enum ice_encoding enc;
    int failed = 0;

    copy_texts(&s->reply, mem, &r);
    if (r.status == ICE_OK)
        failed = ice_read_encaps(&in, c->registry, mem, op->out, op->n_out, op->out_classes, out, &enc, err);
    else if (r.status == ICE_USER_EXCEPTION)
        failed = ice_read_exception(&in, c->registry, mem, &r.exception, &r.exception_id, &enc, err);
    if (failed < 0)
        return err_prefix(err, "reply to %s %s: ", op->interface, op->name);
    *reply = r;
    return 0;
}

static int reply_late(const struct ice_conn *c, const struct slot *s, struct err *err)
{
    err_set(err, REASON_TIMEOUT, 0, "%s did not answer in time", link_peer(c->link));
    classify(c, s, err);
    return -1;
}

int ice_conn_wait(struct ice_conn *c, int32_t id, const struct ice_op *op, int64_t deadline_ns, struct arena *mem, void *out,
                  struct ice_reply *reply, struct err *err)
{
    struct slot *s;

    for (int late = 0; (s = slots_find(&c->slots, id)) && s->state == SLOT_WAITS;) {
        if (c->dead)
            return request_lost(c, s, err);
        if (late)
            return reply_late(c, s, err);
        late = conn_step(c, deadline_ns);
    }
    if (!s || s->state == SLOT_FORGOTTEN)
        return err_set(err, REASON_BUG, 0, "%s: request %d is not waited for", op->name, id);

    trap_step("answered", op->name);

    int r = decode(c, s, op, mem, out, reply, err);
    slots_remove(&c->slots, s);
    return r;
}

void ice_conn_forget(struct ice_conn *c, int32_t id)
{
    struct slot *s = slots_find(&c->slots, id);

    if (s && (s->state == SLOT_ANSWERED || c->dead))
        slots_remove(&c->slots, s);
    else if (s)
        s->state = SLOT_FORGOTTEN;
}
