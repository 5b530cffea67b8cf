#include "../test.h"

#include <string.h>

#include "fake.h"
#include "omero/object.h"
#include "omero/query.h"

static struct om_rtype_seq_seq canned;
static const void *seen; /* valid during the call only: looked at by `check` */
static void (*check)(const void *in);

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)f, (void)mem, (void)err;
    assert_string_equal(to->id.name, "getQueryService");
    assert_ptr_equal(op, &om_api_iquery_projection_op);
    seen = in;
    if (check)
        check(in);
    ((struct om_api_iquery_projection_out *)out)->ret = canned;
    return 0;
}

static struct fake f;
static struct arena *mem;

static int setup(void **state)
{
    (void)state;
    check = NULL;
    mem = arena_new();
    fake_init(&f, answer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_clear(&f);
    arena_free(mem);
    return 0;
}

static int ask(const char *cols, struct om_rows *rows, struct err *err)
{
    const struct om_query q = {.hql = "select x", .cols = cols};

    return om_query(f.client, &q, mem, rows, err);
}

static void cells_have_their_values(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;

    canned = fake_rows(mem, "lsibtp", 2, 7, "name", 3, 1, 1000, "LA", 8, "", -3, 0, 2000, "");
    assert_ok(ask("lsibtp", &rows, &err), &err);
    assert_int_equal(rows.n, 2);
    assert_int_equal(om_long(&rows, 0, 0), 7);
    assert_string_equal(om_string(&rows, 0, 1), "name");
    assert_int_equal(om_long(&rows, 1, 2), -3);
    assert_int_equal(om_long(&rows, 0, 3), 1);
    assert_int_equal(om_long(&rows, 1, 4), 2000);
    assert_true(om_cell(&rows, 0, 5)->may.link);
    assert_true(om_cell(&rows, 0, 5)->may.annotate);
    assert_false(om_cell(&rows, 0, 5)->may.edit);
    assert_string_equal(om_cell(&rows, 0, 5)->may.perm, "rwra--");
    assert_false(om_cell(&rows, 1, 5)->may.link);
}

static void no_rows_are_no_error(void **state)
{
    (void)state;
    struct om_rows rows;
    int64_t n = 5;
    struct err err;
    const struct om_query q = {.hql = "select x", .cols = "l"};

    canned = fake_rows(mem, "l", 0);
    assert_ok(ask("l", &rows, &err), &err);
    assert_int_equal(rows.n, 0);
    assert_int_equal(om_query_long(f.client, &q, &n, &err), OM_NO_ROW);
    assert_int_equal(n, 5);
}

static void nulls_are_allowed_where_they_are_declared(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;

    canned = fake_rows(mem, "l0", 1, 7);
    assert_ok(ask("lS", &rows, &err), &err);
    assert_true(om_cell(&rows, 0, 1)->null);
    assert_string_equal(om_string(&rows, 0, 1), "");
    assert_fails(ask("ls", &rows, &err), &err, REASON_PROTOCOL);
}

/* Seen on a real server: a null that is alone in its row leaves the row empty. */
static void a_null_alone_may_come_as_an_empty_row(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;

    canned = fake_rows(mem, "", 1);
    assert_ok(ask("L", &rows, &err), &err);
    assert_int_equal(rows.n, 1);
    assert_true(om_cell(&rows, 0, 0)->null);
    assert_fails(ask("l", &rows, &err), &err, REASON_PROTOCOL);
    assert_fails(ask("LL", &rows, &err), &err, REASON_PROTOCOL);
}

static void answers_of_another_shape_are_refused(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;

    canned = fake_rows(mem, "ls", 1, 7, "x");
    assert_fails(ask("l", &rows, &err), &err, REASON_PROTOCOL);
    assert_fails(ask("lsl", &rows, &err), &err, REASON_PROTOCOL);
    assert_fails(ask("sl", &rows, &err), &err, REASON_PROTOCOL);
    assert_fails(ask("lp", &rows, &err), &err, REASON_PROTOCOL);
}

/* "Yes" to everything is what a server says to `details.permissions` alone: it must not be taken for an answer. */
static void rights_come_in_a_map_or_not_at_all(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;
    const struct om_rtype *row, *rights;
    struct om_rtype_seq plain = {.n = 2};

    canned = fake_rows(mem, "lp", 1, 7, "LEDA");
    row = canned.at[0].at[0];
    rights = ((const struct om_rmap *)row)->val.at[0].value;
    plain.at = (const struct om_rtype *const[]){(const struct om_rtype *)om_rlong(mem, 7), rights};
    canned.at = &plain;
    assert_fails(ask("lp", &rows, &err), &err, REASON_PROTOCOL);
    plain = (struct om_rtype_seq){.n = 1, .at = (const struct om_rtype *const[]){rights}};
    assert_fails(ask("lp", &rows, &err), &err, REASON_PROTOCOL);
    plain.at = (const struct om_rtype *const[]){NULL};
    assert_fails(ask("lp", &rows, &err), &err, REASON_PROTOCOL);
}

static void more_cells_than_the_ceiling_are_refused(void **state)
{
    (void)state;
    struct om_rows rows;
    struct err err;

    canned = (struct om_rtype_seq_seq){.n = (4u << 20) + 1, .at = NULL};
    assert_fails(ask("l", &rows, &err), &err, REASON_TOO_LARGE);
}

static void see_arguments(const void *in)
{
    const struct om_rlist *list = (const struct om_rlist *)fake_arg(in, "ids");

    assert_string_equal(fake_hql(in), "select y");
    assert_int_equal(((const struct om_rlong *)fake_arg(in, "a"))->val, 42);
    assert_string_equal(((const struct om_rstring *)fake_arg(in, "b"))->val, "text");
    assert_true(((const struct om_rbool *)fake_arg(in, "c"))->val);
    assert_int_equal(list->val.n, 2);
    assert_int_equal(((const struct om_rlong *)list->val.at[1])->val, 6);
    assert_string_equal(((const struct om_rstring *)((const struct om_rlist *)fake_arg(in, "names"))->val.at[0])->val, "n");

    const struct om_sys_filter *filter = ((const struct om_api_iquery_projection_in *)in)->params->the_filter;

    assert_int_equal(filter->limit->val, 10);
    assert_int_equal(filter->offset->val, 20);
}

static void arguments_and_pages_are_sent(void **state)
{
    (void)state;
    const int64_t ids[] = {5, 6};
    const char *const names[] = {"n"};
    const struct om_arg args[] = {om_arg_long("a", 42), om_arg_string("b", "text"), om_arg_bool("c", true),
                                  om_arg_longs("ids", ids, 2), om_arg_strings("names", names, 1)};
    const struct om_query q = {.hql = "select y", .cols = "l", .n_args = 5, .args = args, .offset = 20, .limit = 10};
    struct om_rows rows;
    struct err err;

    check = see_arguments;
    canned = fake_rows(mem, "l", 0);
    assert_ok(om_query(f.client, &q, mem, &rows, &err), &err);
    assert_non_null(seen);
}

static void an_empty_list_never_reaches_the_server(void **state)
{
    (void)state;
    const struct om_arg args[] = {om_arg_longs("ids", NULL, 0)};
    const struct om_query q = {.hql = "select y", .cols = "l", .n_args = 1, .args = args};
    struct om_rows rows;
    struct err err;

    assert_fails(om_query(f.client, &q, mem, &rows, &err), &err, REASON_BUG);
    assert_int_equal(f.n_log, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(cells_have_their_values),
        T(no_rows_are_no_error),
        T(nulls_are_allowed_where_they_are_declared),
        T(a_null_alone_may_come_as_an_empty_row),
        T(answers_of_another_shape_are_refused),
        T(rights_come_in_a_map_or_not_at_all),
        T(more_cells_than_the_ceiling_are_refused),
        T(arguments_and_pages_are_sent),
        T(an_empty_list_never_reaches_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
