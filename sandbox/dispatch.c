/* From a request to its reply: whom it is for, which operation, in whose name, and what a real server says when one of these is
 * wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/ceilings.h"
#include "base/clock.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"
#include "sandbox/fault.h"

/* --- the reply --- */

static void send_reply(struct conn *c, struct request *r, struct buf *reply)
{
    struct servant *v = r->servant;

    conn_catch_up(c);
    pthread_mutex_lock(&c->server->lock);
    if (v)
        v->busy -= v->kind->stateful;
    pthread_mutex_unlock(&c->server->lock);
    if (r->msg.id != 0 && reply->len > 0)
        conn_write(c, reply);
}

static void let_go(struct conn *c, struct request *r)
{
    pthread_mutex_lock(&c->server->lock);
    servant_unref(c->server, r->servant);
    pthread_mutex_unlock(&c->server->lock);
}

static void encode(struct call *k, struct request *r, int result, enum ice_encoding enc, struct buf *reply)
{
    struct err err = ERR_INIT;
    int done = 0;

    if (result == 0)
        done = ice_write_reply(reply, r->msg.id, k->handler->op, enc, k->out, &err);
    else if (k->status == ICE_USER_EXCEPTION)
        done = ice_write_reply_exception(reply, r->msg.id, enc, k->exception, &err);
    else
        ice_write_reply_text(reply, r->msg.id, k->status, k->text);
    if (done < 0) {
        server_say("reply to %s: %s", r->msg.operation, err.text);
        buf_reset(reply);
        ice_write_reply_text(reply, r->msg.id, ICE_UNKNOWN, err.text);
    }
}

/* --- what every object can --- */

static bool has_type(const struct kind *kind, const char *id)
{
    size_t n = strlen(id);

    for (const char *at = kind->types; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == n && strncmp(at, id, n) == 0)
            return true;
    return strcmp(id, "::Ice::Object") == 0;
}

static int answer_is_a(struct call *c)
{
    const struct om_ice_object_ice_is_a_in *in = c->in;

    ((struct om_ice_object_ice_is_a_out *)c->out)->ret = has_type(c->servant->kind, in->type_id);
    return 0;
}

static int answer_id(struct call *c)
{
    const char *types = c->servant->kind->types;

    ((struct om_ice_object_ice_id_out *)c->out)->ret = arena_strn(c->mem, types, strcspn(types, " "));
    return 0;
}

static int answer_ids(struct call *c)
{
    enum { MOST = 8 };
    const char **ids = arena_alloc(c->mem, MOST, sizeof(*ids));
    size_t n = 0;

    ids[n++] = "::Ice::Object";
    for (const char *at = c->servant->kind->types; *at && n < MOST; at += strcspn(at, " "), at += strspn(at, " "))
        ids[n++] = arena_strn(c->mem, at, strcspn(at, " "));
    ((struct om_ice_object_ice_ids_out *)c->out)->ret = (struct om_ice_string_seq){.n = n, .at = ids};
    return 0;
}

static int answer_nothing(struct call *c)
{
    (void)c;
    return 0;
}

static const struct handler of_every_object[] = {
    {&om_ice_object_ice_is_a_op, answer_is_a},
    {&om_ice_object_ice_id_op, answer_id},
    {&om_ice_object_ice_ids_op, answer_ids},
    {&om_ice_object_ice_ping_op, answer_nothing},
};

/* --- which operation --- */

static const struct handler *find_handler(const struct kind *kind, const char *operation)
{
    for (size_t i = 0; i < kind->n; i++)
        if (strcmp(kind->handlers[i].op->name, operation) == 0)
            return &kind->handlers[i];
    for (size_t i = 0; i < ARRAY_LEN(of_every_object); i++)
        if (strcmp(of_every_object[i].op->name, operation) == 0)
            return &of_every_object[i];
    return NULL;
}

static int answer_unsupported(struct call *c)
{
    return call_throw(c, &om_api_usage_exception_class, "omero-sandbox is not OMERO and does not do %s.%s",
                      c->servant->kind->name, c->handler->op->name);
}

/* An operation of OMERO's that the sandbox has no hand for; NULL when OMERO too knows none. */
static const struct handler *find_unsupported(const struct kind *kind, const char *operation, struct arena *mem)
{
    for (size_t i = 0; i < om_n_ops; i++)
        if (strcmp(om_ops[i]->name, operation) == 0 && has_type(kind, om_ops[i]->interface)) {
            struct handler *h = arena_alloc(mem, 1, sizeof(*h));
            *h = (struct handler){.op = om_ops[i], .run = answer_unsupported};
            return h;
        }
    return NULL;
}

/* Ice takes an idempotent operation for a nonmutating one, and nothing else for another. */
static bool mode_fits(enum ice_mode expected, enum ice_mode received)
{
    return expected == received || (expected == ICE_IDEMPOTENT && received == ICE_NONMUTATING);
}

static const char *wrong_mode(struct arena *mem, enum ice_mode expected, enum ice_mode received)
{
    static const char *const names[] = {"::Ice::Normal", "::Ice::Nonmutating", "::Ice::Idempotent"};

    return arena_printf(mem, "Ice::MarshalException\n    reason = \"unexpected operation mode. expected = %s received = %s\"",
                        names[expected], received <= ICE_IDEMPOTENT ? names[received] : "?");
}

/* --- in whose name --- */

static bool is_member(const struct viewer *v, int64_t group)
{
    const struct viewer_group *g = viewer_group(v, group);

    return g && (g->member || v->admin);
}

/* A session that a group's owner has made for a member. */
static bool is_group_sudo(const struct call *c)
{
    return c->session->sudoer >= 0 && !viewer_load(c->server->store, c->mem, c->session->sudoer, GROUP_ALL)->admin;
}

static int login(struct call *c)
{
    const char *wanted = call_context(c, "omero.group");
    char *end = NULL;
    long long number = wanted ? strtoll(wanted, &end, 10) : 0;

    c->group = c->session->group;
    if (wanted && wanted[0] && end && *end == '\0')
        c->group = number;
    if (c->group != c->session->group && is_group_sudo(c))
        return call_throw(c, &om_security_violation_class, "Group-sudo session cannot change context!");
    c->viewer = viewer_load(c->server->store, c->mem, c->session->user, c->group);
    if (c->group != GROUP_ALL && !is_member(c->viewer, c->group))
        return call_throw(c, &om_security_violation_class, "User %lld is not a member of group %lld and cannot login",
                          (long long)c->session->user, (long long)c->group);
    return 0;
}

/* An account that is not in group `user` may find out who it is, and nothing else. */
static int check_active(struct call *c)
{
    const struct viewer_group *g = viewer_group(c->viewer, c->group);
    const struct kind *kind = c->servant->kind;
    bool harmless = kind == &router_kind || kind == &factory_kind || c->handler->op == &om_api_iadmin_get_event_context_op ||
                    strncmp(c->handler->op->name, "ice_", 4) == 0;

    if (c->viewer->active || harmless)
        return 0;
    return call_throw(c, &om_security_violation_class, "No matching roles found in [%s] for session %s (allowed: [user])",
                      g ? g->name : "", c->session->uuid);
}

/* Servants that all sessions share find theirs by the context. */
static int check_uuid(struct call *c)
{
    const struct kind *kind = c->servant->kind;

    if ((kind != &repository_kind && kind != &process_kind) || strncmp(c->handler->op->name, "ice_", 4) == 0 ||
        call_context(c, "omero.session.uuid"))
        return 0;
    return call_unknown(c, "java.lang.IllegalArgumentException: Uuid cannot be null.");
}

/* --- carrying out --- */

static int run(struct call *c, struct ice_in *encaps, enum ice_encoding *enc)
{
    const struct ice_op *op = c->handler->op;
    void *in = arena_alloc(c->mem, op->in_size ? op->in_size : 1, 1);
    struct err err = ERR_INIT;

    c->out = arena_alloc(c->mem, op->out_size ? op->out_size : 1, 1);
    c->in = in;
    if (ice_read_encaps(encaps, &om_registry, c->mem, op->in, op->n_in, op->in_classes, in, enc, &err) < 0) {
        c->status = ICE_LOCAL_EXCEPTION;
        c->text = arena_printf(c->mem, "Ice::UnmarshalOutOfBoundsException: %s", err.text);
        return -1;
    }
    if (c->session && c->servant->kind != &router_kind && (login(c) < 0 || check_active(c) < 0 || check_uuid(c) < 0))
        return -1;
    store_view(c->server->store, c->viewer);
    store_begin(c->server->store);

    int r = c->handler->run(c);

    store_end(c->server->store, r == 0);
    store_view(c->server->store, NULL);
    return r;
}

static bool is_registered(const struct conn *c, const struct ice_identity *id)
{
    AUTO(mem_freep) char *key = mem_printf("%s/%s", id->category, id->name);

    for (const struct registered *r = c->registered; r; r = r->next)
        if (strcmp(r->key, key) == 0)
            return true;
    return false;
}

/* Everything before the operation itself.  False when the reply is there already. */
static bool prepare(struct conn *c, struct request *r, const struct fault *fault, struct call *k, struct buf *reply)
{
    const struct ice_msg *m = &r->msg;
    const struct servant *v = r->servant;

    if (fault && fault->act == FAULT_STRANGER) {
        ice_write_reply_missing(reply, m->id, ICE_NO_OBJECT, &m->target, m->operation);
        return false;
    }
    if ((!v || v->kind != &router_kind) && !is_registered(c, &m->target)) {
        ice_write_reply_missing(reply, m->id, ICE_NO_OBJECT, &m->target, "ice_add_proxy");
        return false;
    }
    if (!v || v->gone || (v->session && v->session->closed)) {
        ice_write_reply_missing(reply, m->id, ICE_NO_OBJECT, &m->target, m->operation);
        return false;
    }
    if (m->facet[0]) {
        ice_write_reply_missing(reply, m->id, ICE_NO_FACET, &m->target, m->operation);
        return false;
    }
    k->handler = find_handler(v->kind, m->operation);
    if (!k->handler)
        k->handler = find_unsupported(v->kind, m->operation, r->mem);
    if (!k->handler) {
        ice_write_reply_missing(reply, m->id, ICE_NO_OPERATION, &m->target, m->operation);
        return false;
    }
    if (!mode_fits(k->handler->op->mode, m->mode)) {
        ice_write_reply_text(reply, m->id, ICE_LOCAL_EXCEPTION, wrong_mode(r->mem, k->handler->op->mode, m->mode));
        return false;
    }
    return true;
}

/* Carry out, or fail as the fault says. */
static int run_or_fail(struct call *k, struct request *r, const struct fault *f, enum ice_encoding *enc)
{
    return f && f->act == FAULT_REFUSE ? fault_throw(f, k) : run(k, &r->msg.encaps, enc);
}

/* Nobody hears what came of it.  A stateful servant stays busy: a second call on it would hang a real server. */
static void leave_unanswered(struct conn *c, struct request *r, const struct fault *f)
{
    c->over |= f->act == FAULT_CUT || f->act == FAULT_LOSE;
    if (r->servant)
        servant_unref(c->server, r->servant);
}

static bool is_before(const struct fault *f)
{
    return f && (f->act == FAULT_FREEZE || f->act == FAULT_HANG || f->act == FAULT_CUT);
}

void dispatch(struct conn *c, struct request *r)
{
    AUTO(buf_clear) struct buf reply = BUF_INIT(ICE_MESSAGE_MAX);
    struct call k = {.server = c->server, .conn = c, .servant = r->servant, .context = r->msg.context, .mem = r->mem};
    enum ice_encoding enc = ICE_ENC_1_1;
    int result = 0;

    pthread_mutex_lock(&c->server->lock);
    const struct fault *fault = fault_meets(c->server, r->msg.operation);
    if (fault && fault->act == FAULT_PAUSE) {
        (void)fault_outlast(c->server, FAULT_PAUSE); /* a server that stops answers what it has in hand */
        fault = NULL;
    }
    k.session = c->session && !c->session->closed ? c->session : NULL;
    bool ready = !is_before(fault) && prepare(c, r, fault, &k, &reply);
    if (ready) {
        if (k.session)
            k.session->used_ns = clock_mono_ns();
        result = run_or_fail(&k, r, fault, &enc);
    }
    bool unanswered = is_before(fault) || (fault && fault->act == FAULT_LOSE);
    if (unanswered)
        leave_unanswered(c, r, fault);
    pthread_mutex_unlock(&c->server->lock);
    if (unanswered)
        return;
    if (ready)
        encode(&k, r, result, enc, &reply);
    send_reply(c, r, &reply);
    if (k.later)
        k.later(&k);
    let_go(c, r);
}
