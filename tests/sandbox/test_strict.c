/* What a real server refuses, the sandbox refuses in the same way: connections, sessions, saving. */
#include "bench.h"

#include <string.h>
#include <unistd.h>

static int start(void **state)
{
    struct bench *b = mem_new(1, sizeof(*b));

    bench_start(b);
    *state = b;
    return 0;
}

static int stop(void **state)
{
    bench_stop(*state);
    mem_freep(state);
    return 0;
}

/* --- the router --- */

static void an_unregistered_proxy_is_no_object(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");

    struct om_api_service_factory_get_admin_service_out out = {0};

    client_must(&c, c.factory, &om_api_service_factory_get_admin_service_op, NULL, &out);
    c.forgetful = true;

    struct ice_reply r = client_call(&c, out.ret, &om_api_iadmin_get_event_context_op, NULL, NULL);

    assert_int_equal(r.status, ICE_NO_OBJECT);
    assert_string_equal(r.operation, "ice_add_proxy");
    c.forgetful = false;
    client_must(&c, out.ret, &om_api_iadmin_get_event_context_op, NULL, NULL);
    client_close(&c);
}

static void an_unknown_identity_is_no_object_by_its_own_operation(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");

    const struct ice_proxy *nothing = ice_proxy_make(c.mem, "nothing", c.session, NULL, 0);
    struct ice_reply r = client_call(&c, nothing, &om_api_iadmin_get_event_context_op, NULL, NULL);

    assert_int_equal(r.status, ICE_NO_OBJECT);
    assert_string_equal(r.operation, "getEventContext");
    client_close(&c);
}

static void another_mode_than_the_operations_is_a_marshal_exception(void **state)
{
    struct ice_op op = om_api_iquery_projection_op;
    const struct om_api_iquery_projection_in in = {.query = "select d.id from Dataset d where d.id=:id"};
    struct client c;

    client_login(*state, &c, "alice");
    op.mode = ICE_NORMAL;

    struct ice_reply r = client_call(&c, c.query, &op, &in, NULL);

    assert_int_equal(r.status, ICE_LOCAL_EXCEPTION);
    assert_non_null(strstr(r.text, "unexpected operation mode. expected = ::Ice::Idempotent received = ::Ice::Normal"));
    client_close(&c);
}

static void an_operation_that_nobody_knows_is_no_operation(void **state)
{
    struct ice_op op = om_api_iadmin_get_event_context_op;
    struct client c;

    client_login(*state, &c, "alice");
    op.name = "getNothing";
    assert_int_equal(client_call(&c, c.query, &op, NULL, NULL).status, ICE_NO_OPERATION);
    client_close(&c);
}

static void a_login_without_client_uuid_is_refused(void **state)
{
    const struct om_glacier2_router_create_session_in in = {.user_id = "alice", .password = "secret"};
    struct client c;

    client_connect(*state, &c);
    c.uuid[0] = '\0';

    struct ice_reply r = client_call(&c, c.router, &om_glacier2_router_create_session_op, &in, NULL);

    assert_int_equal(r.status, ICE_USER_EXCEPTION);
    assert_string_equal(r.exception->cls->id, om_wrapped_create_session_exception_class.id);

    const struct om_wrapped_create_session_exception *e = (const void *)r.exception;

    assert_string_equal(e->type, "omero.ApiUsageException");
    assert_int_equal(e->back_off, -1);
    assert_false(e->concurrency);
    client_close(&c);
}

static void a_wrong_password_and_an_unknown_user_are_denied(void **state)
{
    static const char *const users[] = {"alice", "nobody"};
    static const char *const said[] = {"Password check failed for 'alice': [id=2]", "Password check failed for 'nobody': []"};
    struct client c;

    client_connect(*state, &c);
    for (int i = 0; i < 2; i++) {
        const struct om_glacier2_router_create_session_in in = {.user_id = users[i], .password = "wrong"};
        struct ice_reply r = client_call(&c, c.router, &om_glacier2_router_create_session_op, &in, NULL);
        assert_int_equal(r.status, ICE_USER_EXCEPTION);
        assert_string_equal(r.exception->cls->id, om_glacier2_permission_denied_exception_class.id);
        assert_string_equal(((const struct om_glacier2_permission_denied_exception *)(const void *)r.exception)->reason, said[i]);
    }
    client_close(&c);
}

static void a_second_login_on_a_connection_is_refused(void **state)
{
    const struct om_glacier2_router_create_session_in in = {.user_id = "alice", .password = "secret"};
    struct client c;

    client_login(*state, &c, "alice");

    struct ice_reply r = client_call(&c, c.router, &om_glacier2_router_create_session_op, &in, NULL);

    assert_string_equal(r.exception->cls->id, om_glacier2_cannot_create_session_exception_class.id);
    client_close(&c);
}

static void without_a_session_the_connection_is_closed(void **state)
{
    const struct ice_context none = {0};
    struct err err = ERR_INIT;
    struct ice_reply reply;
    struct client c;
    int32_t id;

    client_connect(*state, &c);

    const struct ice_proxy *p = ice_proxy_make(c.mem, "a", "b", NULL, 0);

    assert_ok(ice_conn_send(c.conn, &p->id, &om_ice_object_ice_ping_op, &none, ICE_ENC_1_1, NULL, INT64_MAX, &id, &err), &err);
    assert_int_equal(ice_conn_wait(c.conn, id, &om_ice_object_ice_ping_op, INT64_MAX, c.mem, NULL, &reply, &err), -1);
    assert_true(ice_conn_is_dead(c.conn));
    client_close(&c);
}

static struct ice_reply join(struct bench *b, struct client *c, const char *uuid)
{
    const struct om_glacier2_router_create_session_in in = {.user_id = uuid, .password = uuid};

    client_connect(b, c);
    return client_call(c, c->router, &om_glacier2_router_create_session_op, &in, NULL);
}

/* The server notices a lost connection in a moment. */
static void wait_for_end(struct bench *b, int64_t open)
{
    for (int i = 0; i < 300 && count(b, "select count(*) from Session where closed is null") > open; i++)
        usleep(10000);
}

static void a_session_ends_with_its_connection_unless_detached(void **state)
{
    struct bench *b = *state;
    struct client first, second, third, fourth;
    int64_t before = count(b, "select count(*) from Session where closed is null");

    client_login(b, &first, "alice");

    AUTO(mem_freep) char *lost = mem_str(first.session);

    client_close(&first);
    wait_for_end(b, before);
    assert_int_equal(join(b, &second, lost).status, ICE_USER_EXCEPTION);
    client_close(&second);

    client_login(b, &third, "alice");
    client_must(&third, third.factory, &om_api_service_factory_detach_on_destroy_op, NULL, NULL);

    AUTO(mem_freep) char *kept = mem_str(third.session);

    client_close(&third);
    assert_int_equal(join(b, &fourth, kept).status, ICE_OK);
    client_close(&fourth);
}

/* --- asking --- */

static void an_unknown_query_is_named(void **state)
{
    const struct om_api_iquery_projection_in in = {.query = "select x from Nothing x"};
    struct client c;

    client_login(*state, &c, "alice");
    client_throws(&c, c.query, &om_api_iquery_projection_op, &in, &om_api_usage_exception_class, "select x from Nothing x");
    client_close(&c);
}

static void a_parameter_that_is_missing_is_named(void **state)
{
    const struct om_api_iquery_projection_in in = {.query = "select e.id, e.omeName from Experimenter e where e.omeName = :n"};
    struct client c;

    client_login(*state, &c, "alice");
    client_throws(&c, c.query, &om_api_iquery_projection_op, &in, &om_api_usage_exception_class,
                  "Null parameters not allowed: n");
    client_close(&c);
}

static void a_group_of_others_is_closed(void **state)
{
    const struct om_api_iquery_get_in in = {.klass = "Dataset", .id = 1};
    struct client c;

    client_login(*state, &c, "bob");
    c.group = "4";
    client_throws(&c, c.query, &om_api_iquery_get_op, &in, &om_security_violation_class,
                  "User 3 is not a member of group 4 and cannot login");
    client_close(&c);
}

/* --- saving --- */

static const struct om_dataset *dataset(struct client *c, const char *name)
{
    struct om_dataset *d = make(c, &om_dataset_class);

    d->name = name ? text(c, name) : NULL;
    return d;
}

static int64_t tag(struct client *c)
{
    struct om_tag_annotation *t = make(c, &om_tag_annotation_class);

    t->text_value = text(c, "tag");
    return save(c, t);
}

static const struct om_iobject *tag_link(struct client *c, int64_t parent, int64_t child)
{
    struct om_dataset_annotation_link *l = make(c, &om_dataset_annotation_link_class);

    l->parent = refer(c, &om_dataset_class, parent);
    l->child = refer(c, &om_tag_annotation_class, child);
    return (const struct om_iobject *)l;
}

static void refuse_save(struct client *c, const void *object, const struct ice_class *cls, const char *words)
{
    const struct om_api_iupdate_save_and_return_object_in in = {.obj = object};

    client_throws(c, c->update, &om_api_iupdate_save_and_return_object_op, &in, cls, words);
}

static void a_name_must_not_be_null(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");
    refuse_save(&c, dataset(&c, NULL), &om_validation_exception_class, "ome.model.containers.Dataset.name");
    client_close(&c);
}

static void saving_in_all_groups_is_refused(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");
    c.group = "-1";
    refuse_save(&c, dataset(&c, "d"), &om_api_usage_exception_class, "No valid permissions available! DUMMY permissions");
    client_close(&c);
}

static void a_dead_id_is_named(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");

    int64_t d = save(&c, dataset(&c, "d"));

    refuse_save(&c, tag_link(&c, d, 999999), &om_validation_exception_class,
                "No row with the given identifier exists: [ome.model.annotations.TagAnnotation#999999]");
    client_close(&c);
}

static void a_link_across_groups_is_refused(void **state)
{
    struct client c;

    client_login(*state, &c, "alice");

    int64_t here = save(&c, dataset(&c, "d"));

    c.group = "4";

    int64_t there = tag(&c);

    refuse_save(&c, tag_link(&c, here, there), &om_security_violation_class, "Cannot read ome.model.containers.Dataset:Id_");
    client_close(&c);
}

static void a_second_link_spoils_its_whole_batch(void **state)
{
    struct bench *b = *state;
    struct client c;

    client_login(b, &c, "alice");

    int64_t d = save(&c, dataset(&c, "d")), first = tag(&c), second = tag(&c);

    save(&c, tag_link(&c, d, first));

    const struct om_iobject *both[] = {tag_link(&c, d, second), tag_link(&c, d, first)};
    const struct om_api_iupdate_save_and_return_ids_in in = {.graph = {.n = 2, .at = both}};
    int64_t before = count(b, "select count(*) from DatasetAnnotationLink");

    client_throws(&c, c.update, &om_api_iupdate_save_and_return_ids_op, &in, &om_validation_exception_class,
                  "constraint [datasetannotationlink_parent_child_owner_id_key]");
    assert_int_equal(count(b, "select count(*) from DatasetAnnotationLink"), before);
    client_close(&c);
}

static void anothers_object_is_annotated_but_not_linked(void **state)
{
    struct bench *b = *state;
    struct client alice, bob;

    client_login(b, &alice, "alice");
    client_login(b, &bob, "bob");

    int64_t d = save(&alice, dataset(&alice, "d"));
    struct om_project *p = make(&bob, &om_project_class);
    struct om_project_dataset_link *l = make(&bob, &om_project_dataset_link_class);

    save(&bob, tag_link(&bob, d, tag(&bob)));
    p->name = text(&bob, "p");
    l->parent = refer(&bob, &om_project_class, save(&bob, p));
    l->child = refer(&bob, &om_dataset_class, d);
    refuse_save(&bob, l, &om_security_violation_class,
                "Group is rwra--. Cannot link to object: ome.model.containers.Dataset:Id_");
    client_close(&alice);
    client_close(&bob);
}

static void a_value_that_no_index_takes_is_an_internal_exception(void **state)
{
    struct om_named_value pair = {.cls = &om_named_value_class, .name = "k"};
    const struct om_named_value *const pairs[] = {&pair};
    struct om_map_annotation *m;
    struct client c;

    client_login(*state, &c, "alice");

    char *value = arena_alloc(c.mem, 2801, 1);

    memset(value, 'x', 2800);
    pair.value = value;
    m = make(&c, &om_map_annotation_class);
    m->map_value = (struct om_api_named_value_list){.n = 1, .at = pairs};
    refuse_save(&c, m, &om_internal_exception_class, "index row size");
    client_close(&c);
}

static void a_stale_object_is_not_saved(void **state)
{
    struct om_api_iquery_get_out first = {0}, second = {0};
    struct client c;

    client_login(*state, &c, "alice");

    const struct om_api_iquery_get_in in = {.klass = "Dataset", .id = save(&c, dataset(&c, "d"))};

    client_must(&c, c.query, &om_api_iquery_get_op, &in, &first);
    client_must(&c, c.query, &om_api_iquery_get_op, &in, &second);
    ((struct om_dataset *)(uintptr_t)first.ret)->name = text(&c, "first");
    ((struct om_dataset *)(uintptr_t)second.ret)->name = text(&c, "second");
    save(&c, first.ret);
    refuse_save(&c, second.ret, &om_optimistic_lock_exception_class, "You are not authorized to change the update event");
    client_close(&c);
}

/* As OMERO.server 5.6.17 says it. */
static void save_and_return_ids_takes_new_objects_only(void **state)
{
    struct om_api_iquery_get_out got = {0};
    struct client c;

    client_login(*state, &c, "alice");

    const struct om_api_iquery_get_in ask = {.klass = "Dataset", .id = save(&c, dataset(&c, "d"))};

    client_must(&c, c.query, &om_api_iquery_get_op, &ask, &got);

    const struct om_api_iupdate_save_and_return_ids_in in = {.graph = {.n = 1, .at = &got.ret}};

    client_throws(&c, c.update, &om_api_iupdate_save_and_return_ids_op, &in, &om_api_usage_exception_class, "INSERTs only!");
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unregistered_proxy_is_no_object),
        cmocka_unit_test(an_unknown_identity_is_no_object_by_its_own_operation),
        cmocka_unit_test(another_mode_than_the_operations_is_a_marshal_exception),
        cmocka_unit_test(an_operation_that_nobody_knows_is_no_operation),
        cmocka_unit_test(a_login_without_client_uuid_is_refused),
        cmocka_unit_test(a_wrong_password_and_an_unknown_user_are_denied),
        cmocka_unit_test(a_second_login_on_a_connection_is_refused),
        cmocka_unit_test(without_a_session_the_connection_is_closed),
        cmocka_unit_test(a_session_ends_with_its_connection_unless_detached),
        cmocka_unit_test(an_unknown_query_is_named),
        cmocka_unit_test(a_parameter_that_is_missing_is_named),
        cmocka_unit_test(a_group_of_others_is_closed),
        cmocka_unit_test(a_name_must_not_be_null),
        cmocka_unit_test(saving_in_all_groups_is_refused),
        cmocka_unit_test(a_dead_id_is_named),
        cmocka_unit_test(a_link_across_groups_is_refused),
        cmocka_unit_test(a_second_link_spoils_its_whole_batch),
        cmocka_unit_test(save_and_return_ids_takes_new_objects_only),
        cmocka_unit_test(anothers_object_is_annotated_but_not_linked),
        cmocka_unit_test(a_value_that_no_index_takes_is_an_internal_exception),
        cmocka_unit_test(a_stale_object_is_not_saved),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
