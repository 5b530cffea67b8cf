#include "../test.h"

#include <string.h>

#include "base/clock.h"
#include "fake.h"
#include "omero/object.h"
#include "omero/sudo.h"

static struct om_rtype_seq_seq user_rows, group_rows;
static const struct ice_class *create_throws;
static size_t n_kept;

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)to;
    if (op == &om_api_iquery_projection_op)
        ((struct om_api_iquery_projection_out *)out)->ret = strstr(fake_hql(in), "groupExperimenterMap") ? group_rows : user_rows;
    else if (op == &om_api_iadmin_get_security_roles_op) {
        struct om_sys_roles *r = om_object_new(mem, &om_sys_roles_class);
        *r = (struct om_sys_roles){
            .cls = &om_sys_roles_class, .root_id = 0, .user_group_id = 1, .guest_id = 1, .guest_group_id = 2};
        *(const struct om_sys_roles **)out = r;
    } else if (op == &om_api_isession_create_session_with_timeouts_op) {
        const struct om_api_isession_create_session_with_timeouts_in *i = in;
        assert_string_equal(i->principal->name, "alice");
        assert_string_equal(i->principal->event_type, "User");
        assert_int_equal(i->time_to_idle_milliseconds, 600000);
        assert_int_equal(i->time_to_live_milliseconds, 86400000);
        if (create_throws)
            return fake_throw(f, create_throws, REASON_LOGIN, "Error creating session.", err);
    } else {
        assert_ptr_equal(op, &om_api_service_factory_keep_alive_op);
        n_kept++;
    }
    return 0;
}

static struct fake f;
static struct arena *mem;

static int setup(void **state)
{
    (void)state;
    create_throws = NULL;
    n_kept = 0;
    mem = arena_new();
    fake_init(&f, answer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_clear(&f);
    arena_free(mem);
    clock_inject(NULL);
    return 0;
}

static struct om_user find(const char *name)
{
    struct om_user user = {0};
    struct err err;

    user_rows = fake_rows(f.mem, "ls", 1, 5, name);
    assert_ok(om_user_find(f.client, name, mem, &user, &err), &err);
    return user;
}

static void an_ordinary_user_has_a_main_group(void **state)
{
    (void)state;
    group_rows = fake_rows(f.mem, "lsi", 3, 1, "user", 0, 7, "lab", 1, 8, "other", 2);

    struct om_user user = find("alice");

    assert_true(user.active);
    assert_false(user.admin || user.root || user.guest);
    assert_int_equal(user.main.id, 7);
    assert_string_equal(user.main.name, "lab");
    assert_int_equal(om_user_group(&user, "other")->id, 8);
    assert_null(om_user_group(&user, "Other"));
}

static void a_switched_off_account_is_not_active(void **state)
{
    (void)state;
    group_rows = fake_rows(f.mem, "lsi", 1, 7, "lab", 0);
    assert_false(find("dave").active);
}

static void administrators_are_told(void **state)
{
    (void)state;
    group_rows = fake_rows(f.mem, "lsi", 2, 0, "system", 0, 1, "user", 1);

    struct om_user user = find("importer");

    assert_true(user.admin);
    assert_int_equal(user.main.id, -1);
}

static void a_user_that_is_not_there_is_absent(void **state)
{
    (void)state;
    struct om_user user;
    struct om_group group;
    struct err err;

    user_rows = fake_rows(f.mem, "ls", 0);
    assert_int_equal(om_user_find(f.client, "x", mem, &user, &err), OM_ABSENT);
    assert_int_equal(om_group_find(f.client, "x", mem, &group, &err), OM_ABSENT);
}

static void an_unknown_group_or_user_is_named(void **state)
{
    (void)state;
    struct om_client *c;
    struct err err;

    create_throws = &om_authentication_exception_class;
    assert_fails(om_sudo_open(f.client, "alice", "nogroup", &c, &err), &err, REASON_NO_GROUP);
    assert_non_null(strstr(err.text, "nogroup"));
    assert_fails(om_sudo_open(f.client, "alice", NULL, &c, &err), &err, REASON_NO_USER);
}

static void a_session_without_a_name_is_no_session(void **state)
{
    (void)state;
    struct om_client *c;
    struct err err;

    assert_fails(om_sudo_open(f.client, "alice", "lab", &c, &err), &err, REASON_PROTOCOL);
}

static int64_t fake_now;

static int64_t now_ns(void)
{
    return fake_now;
}

static void a_session_is_kept_alive_once_a_minute(void **state)
{
    (void)state;
    const struct clock_source source = {.mono_ns = now_ns};
    struct err err;

    fake_now = f.client->kept_ns;
    clock_inject(&source);
    assert_ok(om_client_keep_alive(f.client, &err), &err);
    fake_now += 59 * NS_PER_S;
    assert_ok(om_client_keep_alive(f.client, &err), &err);
    assert_int_equal(n_kept, 0);
    fake_now += 2 * NS_PER_S;
    assert_ok(om_client_keep_alive(f.client, &err), &err);
    assert_ok(om_client_keep_alive(f.client, &err), &err);
    assert_int_equal(n_kept, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_ordinary_user_has_a_main_group),
        T(a_switched_off_account_is_not_active),
        T(administrators_are_told),
        T(a_user_that_is_not_there_is_absent),
        T(an_unknown_group_or_user_is_named),
        T(a_session_without_a_name_is_no_session),
        T(a_session_is_kept_alive_once_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
