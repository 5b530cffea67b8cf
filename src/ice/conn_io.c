/* The bytes of a connection: what comes is parsed and sorted, what is queued is written. */
#include "base/clock.h"
#include "base/trap.h"
#include "ice/conn_inside.h"

enum { KEEP_BYTES = 8 << 20 }; /* of an empty queue: an upload sends blocks of up to 5 MB */

int conn_die(struct ice_conn *c, const struct err *cause)
{
    if (!c->dead) {
        c->dead = true;
        c->cause = *cause;
        link_close(STEAL(c->link));
    }
    return -1;
}

static int violation(struct ice_conn *c, const char *what, int32_t id)
{
    struct err err = ERR_INIT;

    err_set(&err, REASON_PROTOCOL, 0, "%s sends %s (request %d)", link_peer(c->link), what, id);
    return conn_die(c, &err);
}

/* --- what comes --- */

static void trace_received(struct ice_conn *c, const struct ice_msg *msg)
{
    const struct slot *s = msg->type == ICE_REPLY ? slots_find(&c->slots, msg->id) : NULL;

    if (c->trace)
        c->trace(c->trace_arg, false, msg, s ? s->op : NULL);
}

static int take_greeting(struct ice_conn *c, const struct ice_msg *msg)
{
    struct err err = ERR_INIT;

    if (msg->type == ICE_VALIDATE) {
        c->greeted = true;
        return 0;
    }
    err_set(&err, REASON_NOT_OMERO, 0, "%s does not begin with the greeting of an Ice server", link_peer(c->link));
    return conn_die(c, &err);
}

/* Nothing is served here: who asks two-way is told so. */
static int take_request(struct ice_conn *c, const struct ice_msg *msg)
{
    size_t before = c->out.len;

    if (msg->id == 0)
        return 0;
    ice_write_reply_missing(&c->out, msg->id, ICE_NO_OBJECT, &msg->target, msg->operation);
    if (c->out.full)
        return violation(c, "more requests than it takes answers", msg->id);
    conn_trace_sent(c, before, NULL);
    return 0;
}

/* The reply is kept with its request; `*mem`, in which its texts are, goes along. */
static int take_reply(struct ice_conn *c, const struct ice_msg *msg, struct arena **mem)
{
    struct slot *s = slots_find(&c->slots, msg->id);

    if (!s || s->state == SLOT_ANSWERED)
        return violation(c, "a reply to what was not asked", msg->id);
    if (s->end > c->written)
        return violation(c, "a reply before the request was written", msg->id);
    if (s->state == SLOT_FORGOTTEN) {
        trap_step("answered", s->op->name);
        slots_remove(&c->slots, s);
        return 0;
    }
    s->state = SLOT_ANSWERED;
    s->reply = *msg;
    if (msg->encaps.at) {
        size_t n = (size_t)(msg->encaps.end - msg->encaps.at);
        s->reply.encaps.at = (const uint8_t *)arena_strn(*mem, (const char *)msg->encaps.at, n);
        s->reply.encaps.end = s->reply.encaps.at + n;
    }
    s->mem = STEAL(*mem);
    return 0;
}

static int take_close(struct ice_conn *c)
{
    struct err err = ERR_INIT;

    c->orderly = true;
    err_set(&err, REASON_LOST, 0, "%s closed the connection", link_peer(c->link));
    return conn_die(c, &err);
}

static int take(struct ice_conn *c, const struct ice_msg *msg, struct arena **mem)
{
    trace_received(c, msg);
    if (msg->type == ICE_CLOSE)
        return take_close(c);
    if (!c->greeted)
        return take_greeting(c, msg);
    if (msg->type == ICE_REQUEST)
        return take_request(c, msg);
    return msg->type == ICE_REPLY ? take_reply(c, msg, mem) : 0;
}

static int take_all(struct ice_conn *c)
{
    for (;;) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        struct err err = ERR_INIT;
        struct ice_msg msg;
        int r = ice_parser_next(&c->parser, mem, &msg, &err);

        if (r == 0)
            return 0;
        if (r < 0) {
            err_prefix(&err, "%s: ", link_peer(c->link));
            return conn_die(c, &err);
        }
        if (take(c, &msg, &mem) < 0)
            return -1;
    }
}

int conn_pull(struct ice_conn *c, size_t *moved)
{
    struct err err = ERR_INIT;
    int r = link_try_read(c->link, c->chunk, sizeof(c->chunk), moved, &err);

    if (r == LINK_END)
        err_set(&err, REASON_LOST, 0, "%s cut the connection", link_peer(c->link));
    if (r != 0)
        return conn_die(c, &err);
    if (*moved == 0)
        return 0;
    c->last_traffic_ns = clock_mono_ns();
    if (ice_parser_feed(&c->parser, c->chunk, *moved, &err) < 0) {
        err_prefix(&err, "%s: ", link_peer(c->link));
        return conn_die(c, &err);
    }
    return take_all(c);
}

/* --- what goes --- */

/* The peer may have said that it closes before it did, and then nothing was executed: that is worth reading. */
static int die_after_last_words(struct ice_conn *c, const struct err *why)
{
    size_t moved = 1;

    while (!c->dead && moved)
        (void)conn_pull(c, &moved); /* whatever kills it first is the cause */
    return conn_die(c, why);
}

/* What is to be written next, up to where the gap begins or ends. */
static size_t next_bytes(const struct ice_conn *c, const uint8_t **at)
{
    const struct ice_gap *g = &c->gap;
    size_t before = g->n ? g->at : c->out.len;

    if (c->out_used < before) {
        *at = c->out.data + c->out_used;
        return before - c->out_used;
    }
    if (c->out_used < g->at + g->n) {
        *at = g->bytes + (c->out_used - g->at);
        return g->at + g->n - c->out_used;
    }
    *at = c->out.data + (c->out_used - g->n);
    return c->out.len + g->n - c->out_used;
}

static int push(struct ice_conn *c, size_t *moved)
{
    struct err err = ERR_INIT;
    const uint8_t *at;

    *moved = 0;
    if (c->out.len == 0)
        return 0;

    size_t n = next_bytes(c, &at);

    if (link_try_write(c->link, at, n, moved, &err) < 0)
        return die_after_last_words(c, &err);
    if (*moved == 0)
        return 0;
    c->last_traffic_ns = clock_mono_ns();
    c->written += *moved;
    c->out_used += *moved;
    if (c->out_used == c->out.len + c->gap.n) {
        buf_reset(&c->out);
        c->gap = (struct ice_gap){0};
        c->out_used = 0;
        if (c->out.cap > KEEP_BYTES)
            buf_clear(&c->out);
    }
    return 0;
}

static int wait_until(struct ice_conn *c, int what, int64_t deadline_ns)
{
    struct err err = ERR_INIT;
    int r = link_wait(c->link, what, deadline_ns, &err);

    return r < 0 ? conn_die(c, &err) : r;
}

int conn_flush(struct ice_conn *c, int64_t deadline_ns)
{
    for (int late = 0;;) {
        struct err err = ERR_INIT;
        size_t out, in;
        if (push(c, &out) < 0)
            return -1;
        if (c->out.len == 0)
            return 0;
        if (late) {
            err_set(&err, REASON_TIMEOUT, 0, "%s does not take what is written", link_peer(c->link));
            return conn_die(c, &err);
        }
        if (conn_pull(c, &in) < 0)
            return -1;
        late = out || in ? clock_mono_ns() >= deadline_ns : wait_until(c, LINK_READ | LINK_WRITE, deadline_ns);
        if (late < 0)
            return -1;
    }
}

int conn_step(struct ice_conn *c, int64_t deadline_ns)
{
    size_t out, in;

    if (push(c, &out) < 0 || conn_pull(c, &in) < 0)
        return -1;
    if (out || in)
        return clock_mono_ns() >= deadline_ns ? LINK_LATE : 0;
    return wait_until(c, c->out.len ? LINK_READ | LINK_WRITE : LINK_READ, deadline_ns);
}

/* What is sent is shown as it will arrive: read from the bytes themselves. */
void conn_trace_sent(struct ice_conn *c, size_t at, const struct ice_op *op)
{
    AUTO(arena_freep) struct arena *mem = NULL;
    AUTO(ice_parser_clear) struct ice_parser parser = ICE_PARSER_INIT;
    struct err ignored = ERR_INIT; /* what cannot be read is not written either */
    struct ice_msg msg;

    if (!c->trace)
        return;
    mem = arena_new();
    if (ice_parser_feed(&parser, c->out.data + at, c->out.len - at, &ignored) == 0 &&
        ice_parser_next(&parser, mem, &msg, &ignored) == 1)
        c->trace(c->trace_arg, true, &msg, op);
}
