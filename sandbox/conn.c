#include "sandbox/conn.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/ceilings.h"
#include "base/clock.h"
#include "sandbox/fault.h"

enum { TICK_MS = 200, WRITE_S = 60, HANDSHAKE_S = 5, READ_BYTES = 256 * 1024, LARGE_BYTES = 64 * 1024, CATCH_UP_READS = 256 };

static void wait_fd(struct conn *c, short events)
{
    struct pollfd p = {.fd = link_fd(c->link), .events = events};

    (void)poll(&p, 1, TICK_MS);
}

/* --- writing --- */

static int write_some(struct conn *c, const uint8_t *at, size_t n, size_t *moved)
{
    struct err err;

    pthread_mutex_lock(&c->link_lock);
    int r = link_try_write(c->link, at, n, moved, &err);
    pthread_mutex_unlock(&c->link_lock);
    return r;
}

void conn_write(struct conn *c, const struct buf *message)
{
    int64_t deadline = clock_after_ns(WRITE_S * NS_PER_S);
    size_t done = 0;

    pthread_mutex_lock(&c->write_lock);
    while (done < message->len && clock_mono_ns() < deadline) {
        size_t moved = 0;
        if (write_some(c, message->data + done, message->len - done, &moved) < 0)
            break;
        done += moved;
        if (moved == 0)
            wait_fd(c, POLLOUT);
    }
    pthread_mutex_unlock(&c->write_lock);
}

/* --- receiving --- */

static struct servant *find_in(struct servant *list, const struct ice_identity *id)
{
    for (; list; list = list->next)
        if (strcmp(list->name, id->name) == 0 && strcmp(list->category, id->category) == 0)
            return list;
    return NULL;
}

static struct servant *find_servant(struct conn *c, const struct ice_identity *id)
{
    struct servant *v = find_in(c->server->common, id);

    return v || !c->session || c->session->closed ? v : find_in(c->session->servants, id);
}

static bool trade_bytes(struct conn *c, struct request *r)
{
    r->bytes = c->spare;
    c->spare = (struct buf){0};
    return ice_parser_trade(&c->parser, &r->bytes);
}

/* What reads the request later needs its bytes, and the parser does not keep them. */
static void keep_bytes(struct conn *c, struct request *r)
{
    size_t n = (size_t)(r->msg.encaps.end - r->msg.encaps.at);

    r->msg.encaps.lasting = true;
    if (n >= LARGE_BYTES && trade_bytes(c, r))
        return;

    uint8_t *copy = arena_alloc(r->mem, n, 1);

    if (n)
        memcpy(copy, r->msg.encaps.at, n);
    r->msg.encaps.at = copy;
    r->msg.encaps.end = copy + n;
}

/* What came before an answer went out is received before it too (conn_catch_up). */
static void mark_busy(struct conn *c, struct request *r)
{
    struct servant *v = r->servant;

    if (!v)
        return;
    v->refs++;
    if (!v->kind->stateful)
        return;
    if (v->busy++ > 0) {
        c->server->overlaps++;
        server_say("two calls at a time on one stateful servant: %s on %s %s", r->msg.operation, v->kind->name, v->name);
    }
}

static bool is_router(const struct ice_identity *id)
{
    return strcmp(id->name, "router") == 0 && strcmp(id->category, "OMERO.Glacier2") == 0;
}

static void request_free(struct conn *c, struct request *r)
{
    if (!c->spare.data) {
        c->spare = r->bytes;
        r->bytes = (struct buf){0};
    }
    buf_clear(&r->bytes);
    arena_free(r->mem);
}

/* -1: a request to something else than the router without a session: the router closes such a connection. */
static int receive(struct conn *c, const struct ice_msg *msg, struct arena *mem)
{
    struct request *r = arena_alloc(mem, 1, sizeof(*r));

    *r = (struct request){.mem = mem, .msg = *msg};
    keep_bytes(c, r);
    pthread_mutex_lock(&c->server->lock);
    bool refused = !c->session && !is_router(&msg->target);
    if (!refused) {
        r->servant = find_servant(c, &msg->target);
        mark_busy(c, r);
        *c->last = r;
        c->last = &r->next;
    }
    pthread_mutex_unlock(&c->server->lock);
    if (refused)
        request_free(c, r);
    return refused ? -1 : 0;
}

/* 1 the connection goes on, 0 it ends. */
static int take_messages(struct conn *c)
{
    struct err err = ERR_INIT;

    for (;;) {
        struct arena *mem = arena_new();
        struct ice_msg msg;
        int r = ice_parser_next(&c->parser, mem, &msg, &err);
        if (r == 1 && msg.type == ICE_REQUEST) {
            if (receive(c, &msg, mem) < 0)
                return 0;
            continue;
        }
        arena_free(mem);
        if (r < 0)
            server_say("%s: %s", link_peer(c->link), err.text);
        if (r < 0 || (r == 1 && msg.type == ICE_CLOSE))
            return 0;
        if (r == 0)
            return 1;
    }
}

/* What has come, without waiting.  1 something, 0 nothing, -1 the connection ends. */
static int receive_some(struct conn *c)
{
    struct err err = ERR_INIT;
    uint8_t *room = ice_parser_room(&c->parser, READ_BYTES, &err);
    size_t moved = 0;

    if (!room)
        return -1;
    pthread_mutex_lock(&c->link_lock);
    int r = link_try_read(c->link, room, READ_BYTES, &moved, &err);
    pthread_mutex_unlock(&c->link_lock);
    if (r != 0)
        return -1;
    if (moved == 0)
        return 0;
    return ice_parser_came(&c->parser, moved, &err) < 0 || !take_messages(c) ? -1 : 1;
}

void conn_catch_up(struct conn *c)
{
    int r = 1;

    for (int i = 0; i < CATCH_UP_READS && r > 0; i++)
        r = receive_some(c);
    c->ended |= r < 0;
}

/* --- answering --- */

static struct request *next_request(struct conn *c)
{
    struct request *r = c->queue;

    if (r) {
        c->queue = r->next;
        if (!c->queue)
            c->last = &c->queue;
    }
    return r;
}

/* Never waits for a handler of another connection. */
static bool is_over(struct conn *c)
{
    if (pthread_mutex_trylock(&c->server->lock) != 0)
        return false;
    bool yes = c->server->stopping || c->over;
    pthread_mutex_unlock(&c->server->lock);
    return yes;
}

/* 1 more to come, 0 nothing now, -1 it ends: what came before its end is carried out still. */
static int work_once(struct conn *c)
{
    struct request *r = next_request(c);

    if (!r)
        return c->ended || is_over(c) ? -1 : receive_some(c);
    dispatch(c, r);
    request_free(c, r);
    return 1;
}

static void work(struct conn *c)
{
    for (int r; (r = work_once(c)) >= 0;)
        if (r == 0)
            wait_fd(c, POLLIN);
    while (c->queue)
        (void)work_once(c);
}

/* --- from beginning to end --- */

static void logout(struct conn *c)
{
    struct server *s = c->server;
    struct session *session = c->session;

    if (!session)
        return;
    c->session = NULL;
    if (!session->closed)
        session_leave(s, session, false);
    session_release(s, session);
}

static bool outlast(struct conn *c, enum fault_act act)
{
    pthread_mutex_lock(&c->server->lock);
    bool goes_on = fault_outlast(c->server, act);
    pthread_mutex_unlock(&c->server->lock);
    return goes_on;
}

/* Speak as something else than this server, when a fault wants that.  A real one of those speaks after what the client says. */
static bool speak_as_other(struct conn *c, enum fault_act act)
{
    AUTO(buf_clear) struct buf words = BUF_INIT(1024);

    pthread_mutex_lock(&c->server->lock);
    const struct fault *f = fault_find(c->server, act);
    pthread_mutex_unlock(&c->server->lock);
    if (!f)
        return false;
    if (act == FAULT_PLAIN)
        wait_fd(c, POLLIN);
    buf_add(&words, f->text, strlen(f->text));
    conn_write(c, &words);
    return true;
}

static bool shake_hands(struct conn *c)
{
    struct link *plain = c->link;
    struct err err = ERR_INIT;

    if (!c->secure)
        return true;
    c->link = NULL;
    return link_tls_accept(&c->link, plain, c->server->certificate, c->server->key, clock_after_ns(HANDSHAKE_S * NS_PER_S),
                           &err) == 0;
}

static bool begin(struct conn *c)
{
    if (!outlast(c, FAULT_MUTE) || speak_as_other(c, FAULT_PLAIN) || !shake_hands(c) || !outlast(c, FAULT_NO_GREETING))
        return false;
    return !speak_as_other(c, FAULT_OTHER);
}

static void *serve(void *conn)
{
    struct conn *c = conn;
    AUTO(buf_clear) struct buf hello = BUF_INIT(64);

    if (begin(c)) {
        ice_write_bare(&hello, ICE_VALIDATE);
        conn_write(c, &hello);
        work(c);
    }
    pthread_mutex_lock(&c->server->lock);
    c->over = true;
    logout(c);
    c->finished = true;
    link_close(c->link);
    c->link = NULL;
    pthread_mutex_unlock(&c->server->lock);
    return NULL;
}

void conn_start(struct server *s, struct link *link, bool secure)
{
    struct conn *c = mem_new(1, sizeof(*c));

    c->server = s;
    c->link = link;
    c->secure = secure;
    c->last = &c->queue;
    c->parser = (struct ice_parser)ICE_PARSER_INIT;
    pthread_mutex_init(&c->link_lock, NULL);
    pthread_mutex_init(&c->write_lock, NULL);
    uuid_new(c->category);
    pthread_mutex_lock(&s->lock);
    c->next = s->conns;
    s->conns = c;
    pthread_create(&c->thread, NULL, serve, c);
    pthread_mutex_unlock(&s->lock);
}

static void conn_free(struct conn *c)
{
    pthread_join(c->thread, NULL);
    while (c->registered) {
        struct registered *r = c->registered;
        c->registered = r->next;
        free(r->key);
        free(r);
    }
    ice_parser_clear(&c->parser);
    pthread_mutex_destroy(&c->link_lock);
    pthread_mutex_destroy(&c->write_lock);
    buf_clear(&c->spare);
    free(c);
}

static struct conn *take_one(struct server *s, bool any)
{
    pthread_mutex_lock(&s->lock);

    struct conn **at = &s->conns;

    while (*at && !any && !(*at)->finished)
        at = &(*at)->next;

    struct conn *c = *at;

    if (c)
        *at = c->next;
    pthread_mutex_unlock(&s->lock);
    return c;
}

void conn_reap(struct server *s, bool all)
{
    for (struct conn *c; (c = take_one(s, all));)
        conn_free(c);
}
