/* A session over a real connection, with a router played by a thread that notes what it is asked. */
#include "../test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../ice/peer.h"
#include "ice/message.h"
#include "omero/client.h"
#include "omero/sudo.h"

#define SESSION_UUID "3f2c1a00-9d7b-4c11-8a5e-0123456789ab"

enum { N_NOTES = 64 };

struct note {
    char operation[48], target[96], context[512];
    int minor; /* of the encapsulation's encoding */
};

static struct router {
    struct note notes[N_NOTES];
    size_t n;
    bool mute;   /* it answers no question for services */
    int forgets; /* how many calls of getQueryService it answers as if it had forgotten the factory */
    const struct ice_object *login_exception, *query_exception;
} router;

static void note_down(const struct ice_msg *msg)
{
    struct note *n = &router.notes[router.n < N_NOTES - 1 ? router.n++ : router.n];
    size_t used = 0;

    snprintf(n->operation, sizeof(n->operation), "%s", msg->operation);
    snprintf(n->target, sizeof(n->target), "%s/%s", msg->target.category, msg->target.name);
    for (size_t i = 0; i < msg->context.n && used < sizeof(n->context); i++)
        used += (size_t)snprintf(n->context + used, sizeof(n->context) - used, "%s=%s;", msg->context.at[i].key,
                                 msg->context.at[i].value);
    n->minor = msg->encaps.end - msg->encaps.at >= 6 ? msg->encaps.at[5] : -1;
}

static const struct om_sys_event_context alice = {
    .cls = &om_sys_event_context_class,
    .session_uuid = "x",
    .user_id = 2,
    .user_name = "alice",
    .group_id = 3,
    .group_name = "lab",
    .event_type = "User",
};

/* The reply to one request, appended to `out`. */
static void reply_to(const struct ice_msg *msg, struct buf *out, struct arena *mem)
{
    enum ice_encoding enc = msg->encaps.at[5] ? ICE_ENC_1_1 : ICE_ENC_1_0;
    struct err err;

    if (strcmp(msg->operation, "createSession") == 0 && router.login_exception)
        ice_write_reply_exception(out, msg->id, enc, router.login_exception, &err);
    else if (strcmp(msg->operation, "createSession") == 0) {
        struct om_glacier2_router_create_session_out r = {ice_proxy_make(mem, SESSION_UUID, "session-c", "10.0.0.1", 1)};
        ice_write_reply(out, msg->id, &om_glacier2_router_create_session_op, enc, &r, &err);
    } else if (strcmp(msg->operation, "addProxies") == 0) {
        struct om_ice_router_add_proxies_out r = {0};
        ice_write_reply(out, msg->id, &om_ice_router_add_proxies_op, enc, &r, &err);
    } else if (router.mute && strcmp(msg->operation, "getQueryService") == 0)
        return;
    else if (strcmp(msg->operation, "getQueryService") == 0 && router.forgets-- > 0)
        ice_write_reply_missing(out, msg->id, ICE_NO_OBJECT, &msg->target, "ice_add_proxy");
    else if (strcmp(msg->operation, "getQueryService") == 0 && router.query_exception)
        ice_write_reply_exception(out, msg->id, enc, router.query_exception, &err);
    else if (strncmp(msg->operation, "get", 3) == 0 && strstr(msg->operation, "Service")) {
        struct om_api_service_factory_get_query_service_out r = {
            ice_proxy_make(mem, msg->operation, SESSION_UUID, "10.0.0.1", 1)};
        ice_write_reply(out, msg->id, &om_api_service_factory_get_query_service_op, enc, &r, &err);
    } else if (strcmp(msg->operation, "getEventContext") == 0) {
        struct om_api_iadmin_get_event_context_out r = {&alice};
        ice_write_reply(out, msg->id, &om_api_iadmin_get_event_context_op, enc, &r, &err);
    } else if (strcmp(msg->operation, "destroySession") == 0)
        ice_write_reply(out, msg->id, &om_glacier2_router_destroy_session_op, enc, NULL, &err);
    else
        ice_write_reply_missing(out, msg->id, ICE_NO_OBJECT, &msg->target, msg->operation);
}

static bool answer_all(struct ice_parser *parser, int fd)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(buf_clear) struct buf out = BUF_INIT(1 << 20);
    struct ice_msg msg;
    struct err err;

    while (ice_parser_next(parser, mem, &msg, &err) == 1)
        if (msg.type == ICE_REQUEST) {
            note_down(&msg);
            reply_to(&msg, &out, mem);
        }
    return peer_send(fd, out.data, out.len);
}

static void play_router(struct peer *p, int fd)
{
    AUTO(ice_parser_clear) struct ice_parser parser = ICE_PARSER_INIT;
    AUTO(buf_clear) struct buf hello = BUF_INIT(64);
    uint8_t bytes[4096];
    struct err err;
    ssize_t n;

    ice_write_bare(&hello, ICE_VALIDATE);
    p->ok = peer_send(fd, hello.data, hello.len);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        p->ok = p->ok && ice_parser_feed(&parser, bytes, (size_t)n, &err) == 0 && answer_all(&parser, fd);
}

static struct peer peer;
static struct om_server server;

static int setup(void **state)
{
    (void)state;
    memset(&router, 0, sizeof(router));
    memset(&peer, 0, sizeof(peer));
    peer_start(&peer, play_router, NULL);
    server = (struct om_server){.host = "127.0.0.1", .port = peer.port, .plain = true};
    return 0;
}

static int login(struct om_client **c, struct err *err)
{
    return om_client_login(c, &server, "alice", "very-secret", "lab", err);
}

static const struct note *noted(const char *operation, size_t nth)
{
    for (size_t i = 0; i < router.n; i++)
        if (strcmp(router.notes[i].operation, operation) == 0 && nth-- == 0)
            return &router.notes[i];
    fail_msg("the router was not asked for %s", operation);
    return NULL;
}

static size_t count(const char *operation)
{
    size_t n = 0;

    for (size_t i = 0; i < router.n; i++)
        n += strcmp(router.notes[i].operation, operation) == 0;
    return n;
}

static void a_login_says_who_calls_and_learns_who_it_is(void **state)
{
    (void)state;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    assert_string_equal(c->uuid, SESSION_UUID);
    assert_string_equal(c->who.user_name, "alice");
    assert_int_equal(c->who.group_id, 3);
    om_client_close(c);
    peer_stop(&peer);
    assert_true(peer.ok);

    const struct note *n = noted("createSession", 0);

    assert_string_equal(n->target, "OMERO.Glacier2/router");
    assert_non_null(strstr(n->context, "omero.client.uuid="));
    assert_non_null(strstr(n->context, "omero.agent=impomero/"));
    assert_non_null(strstr(n->context, "omero.group=lab;"));
    assert_int_equal(n->minor, 1);
    assert_int_equal(count("destroySession"), 1);
}

static void every_proxy_is_registered_once_before_its_first_use(void **state)
{
    (void)state;
    const struct ice_proxy *query;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    assert_ok(om_client_service(c, OM_QUERY, &query, &err), &err);
    assert_ok(om_client_service(c, OM_QUERY, &query, &err), &err);
    assert_ok(om_client_service(c, OM_UPDATE, &query, &err), &err);
    om_client_close(c);
    peer_stop(&peer);
    assert_string_equal(router.notes[1].operation, "addProxies");
    assert_string_equal(router.notes[2].operation, "getAdminService");
    assert_string_equal(router.notes[3].operation, "addProxies");
    assert_string_equal(router.notes[4].operation, "getEventContext");
    assert_int_equal(count("addProxies"), 2);
    assert_int_equal(count("getQueryService"), 1);
}

static void every_call_carries_session_client_and_group(void **state)
{
    (void)state;
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    om_client_group(c, OM_GROUP_ALL);
    assert_ok(om_client_service(c, OM_QUERY, &service, &err), &err);
    om_client_close(c);
    peer_stop(&peer);
    assert_non_null(strstr(noted("getEventContext", 0)->context, "omero.session.uuid=" SESSION_UUID ";"));
    assert_non_null(strstr(noted("getEventContext", 0)->context, "omero.client.uuid="));
    assert_null(strstr(noted("getEventContext", 0)->context, "omero.group"));
    assert_non_null(strstr(noted("getQueryService", 0)->context, "omero.group=-1;"));
}

static void replies_with_classes_are_asked_for_in_1_0(void **state)
{
    (void)state;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    om_client_close(c);
    peer_stop(&peer);
    assert_int_equal(noted("getEventContext", 0)->minor, 0);
    assert_int_equal(noted("getAdminService", 0)->minor, 1);
}

static void a_router_that_forgot_is_told_again_once(void **state)
{
    (void)state;
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    router.forgets = 1;
    assert_ok(om_client_service(c, OM_QUERY, &service, &err), &err);
    om_client_close(c);
    peer_stop(&peer);
    assert_int_equal(count("getQueryService"), 2);
    assert_int_equal(count("addProxies"), 3);
}

/* What is asked of a proxy that was introduced follows at once, and a router that has not heard of it yet is told again. */
static void an_introduced_proxy_is_registered_once_and_told_again_where_that_came_too_late(void **state)
{
    (void)state;
    static const int late[] = {0, 1};
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(late); i++) {
        if (i > 0)
            setup(state);
        assert_ok(login(&c, &err), &err);

        const struct ice_proxy *other = ice_proxy_make(c->mem, "store", SESSION_UUID, "10.0.0.1", 1);
        AUTO(arena_freep) struct arena *mem = arena_new();

        router.n = 0;
        router.forgets = late[i];
        assert_ok(c->way->introduce(c, other, &err), &err);
        assert_ok(c->way->introduce(c, other, &err), &err);
        assert_ok(om_api_service_factory_get_query_service(&c->caller, other, mem, &service, &err), &err);
        om_client_close(c);
        peer_stop(&peer);
        assert_int_equal(count("addProxies"), 1 + late[i]);
        assert_int_equal(count("getQueryService"), 1 + late[i]);
    }
}

static void a_router_that_forgets_again_has_lost_the_session(void **state)
{
    (void)state;
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    assert_ok(login(&c, &err), &err);
    router.forgets = 2;
    assert_fails(om_client_service(c, OM_QUERY, &service, &err), &err, REASON_SESSION);
    assert_true(c->dead);
    assert_fails(om_client_service(c, OM_UPDATE, &service, &err), &err, REASON_SESSION);
    om_client_close(c);
    peer_stop(&peer);
    assert_int_equal(count("getUpdateService"), 0);
}

static void a_refused_login_tells_no_password(void **state)
{
    (void)state;
    const struct om_glacier2_permission_denied_exception e = {.cls = &om_glacier2_permission_denied_exception_class,
                                                              .reason = "no: very-secret is wrong"};
    struct om_client *c;
    struct err err;

    router.login_exception = (const struct ice_object *)&e;
    assert_fails(login(&c, &err), &err, REASON_LOGIN);
    assert_null(strstr(err.text, "very-secret"));
    assert_non_null(strstr(err.text, "127.0.0.1"));
    peer_stop(&peer);
}

static void a_join_that_is_refused_means_that_the_session_is_over(void **state)
{
    (void)state;
    const struct om_glacier2_permission_denied_exception e = {.cls = &om_glacier2_permission_denied_exception_class,
                                                              .reason = "Password check failed for 'the-uuid-of-it': []"};
    struct om_client *c;
    struct err err;

    router.login_exception = (const struct ice_object *)&e;
    assert_int_equal(om_client_join(&c, &server, "the-uuid-of-it", &err), -1);
    assert_int_equal(err.why, REASON_SESSION);
    assert_null(strstr(err.text, "the-uuid-of-it"));
    peer_stop(&peer);
}

static void refusals_tell_no_session_uuid_and_name_their_class(void **state)
{
    (void)state;
    const struct om_security_violation e = {.cls = &om_security_violation_class,
                                            .server_stack_trace = "",
                                            .server_exception_class = "",
                                            .message = "not for session " SESSION_UUID};
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    router.query_exception = (const struct ice_object *)&e;
    assert_ok(login(&c, &err), &err);
    assert_fails(om_client_service(c, OM_QUERY, &service, &err), &err, REASON_NO_RIGHT);
    assert_null(strstr(err.text, SESSION_UUID));
    assert_ptr_equal(c->fault, &om_security_violation_class);
    assert_false(c->dead);
    om_client_close(c);
    peer_stop(&peer);
}

/* --- the trace --- */

/* What was written to a file, in the arena. */
static const char *written(FILE *f, struct arena *mem)
{
    char *text = arena_alloc(mem, 1 << 16, 1);

    rewind(f);
    text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
    return text;
}

static void the_trace_has_a_line_for_each_message_and_no_secret(void **state)
{
    (void)state;
    const struct om_security_violation e = {.cls = &om_security_violation_class, .server_stack_trace = "",
                                            .server_exception_class = "", .message = "not for session " SESSION_UUID};
    AUTO(arena_freep) struct arena *mem = arena_new();
    FILE *f = tmpfile();
    const struct ice_proxy *service;
    struct om_client *c;
    struct err err;

    server.trace = om_trace_new(fileno(f));
    assert_ok(login(&c, &err), &err);
    router.query_exception = (const struct ice_object *)&e;
    assert_fails(om_client_service(c, OM_QUERY, &service, &err), &err, REASON_NO_RIGHT);
    om_client_close(c);
    peer_stop(&peer);
    om_trace_free(server.trace);

    const char *text = written(f, mem);
    static const char *const lines[] = {
        "trace: 1 < validate\n",
        "\ntrace: 1 > 1 Router.createSession userId=\"alice\" password=\"***\" "
        "to=<router OMERO.Glacier2> [omero.client.uuid={1} ",
        "\ntrace: 1 < 1 Router.createSession ok ret=<{2} session-c>\n",
        "\ntrace: 1 > 2 Router.addProxies proxies=[<{2} session-c>] to=<router OMERO.Glacier2> "
        "[omero.client.uuid={1} omero.session.uuid={2}]\n",
        " userId=2 userName=\"alice\" groupId=3 groupName=\"lab\" ",
        " throws SecurityViolation{serverStackTrace=\"\" serverExceptionClass=\"\" message=\"not for session {2}\"}\n",
        "\ntrace: 1 > close\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("the trace has no %s\n%s", lines[i], text);
    assert_null(strstr(text, "very-secret"));
    assert_null(strstr(text, SESSION_UUID));
    fclose(f);
}

static void the_trace_hides_a_password_that_is_repeated(void **state)
{
    (void)state;
    const struct om_glacier2_permission_denied_exception e = {.cls = &om_glacier2_permission_denied_exception_class,
                                                              .reason = "no: very-secret is wrong"};
    AUTO(arena_freep) struct arena *mem = arena_new();
    FILE *f = tmpfile();
    struct om_client *c;
    struct err err;

    server.trace = om_trace_new(fileno(f));
    router.login_exception = (const struct ice_object *)&e;
    assert_fails(login(&c, &err), &err, REASON_LOGIN);
    peer_stop(&peer);
    om_trace_free(server.trace);
    assert_non_null(strstr(written(f, mem), "throws PermissionDeniedException(\"no: *** is wrong\")\n"));
    assert_null(strstr(written(f, mem), "very-secret"));
    fclose(f);
}

static void a_plain_connection_goes_no_further_than_this_machine(void **state)
{
    (void)state;
    const struct om_server far = {.host = "192.0.2.1", .port = 4063, .plain = true};
    struct om_client *c;
    struct err err;

    assert_int_equal(om_client_login(&c, &far, "u", "p", NULL, &err), -1);
    assert_int_equal(err.why, REASON_CONFIG);
}

/* getQueryService may take ten minutes by itself. */
static void a_stop_ends_the_waiting_for_an_answer(void **state)
{
    (void)state;
    static atomic_bool stop;
    const struct ice_proxy *query;
    struct om_client *c;
    struct err err;

    router.mute = true;
    server.stop = &stop;
    assert_ok(om_client_login(&c, &server, "alice", "secret", NULL, &err), &err);
    atomic_store(&stop, true);
    assert_fails(om_client_service(c, OM_QUERY, &query, &err), &err, REASON_TIMEOUT);
    assert_true(c->dead);
    om_client_close(c);
    peer_stop(&peer);
    server.stop = NULL;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(a_login_says_who_calls_and_learns_who_it_is),
        T(every_proxy_is_registered_once_before_its_first_use),
        T(every_call_carries_session_client_and_group),
        T(replies_with_classes_are_asked_for_in_1_0),
        T(a_router_that_forgot_is_told_again_once),
        T(an_introduced_proxy_is_registered_once_and_told_again_where_that_came_too_late),
        T(a_router_that_forgets_again_has_lost_the_session),
        T(a_refused_login_tells_no_password),
        T(a_join_that_is_refused_means_that_the_session_is_over),
        T(refusals_tell_no_session_uuid_and_name_their_class),
        T(the_trace_has_a_line_for_each_message_and_no_secret),
        T(the_trace_hides_a_password_that_is_repeated),
        T(a_stop_ends_the_waiting_for_an_answer),
        cmocka_unit_test(a_plain_connection_goes_no_further_than_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
