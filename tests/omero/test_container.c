#include "../test.h"

#include <string.h>

#include "fake.h"
#include "omero/container.h"
#include "omero/object.h"

static struct om_rtype_seq_seq rows; /* the answer to each projection */
static struct om_dataset saved;      /* what the last save was given, as far as it was a dataset */
static int64_t saved_project, map_pairs;
static char project_name[64];

static void see_dataset(const struct om_dataset *d)
{
    saved = *d;
    assert_true(d->loaded);
    assert_null(d->id);
    if (d->project_links_seq.n)
        saved_project = om_object_id((const struct om_iobject *)d->project_links_seq.at[0]->parent);
    if (d->annotation_links_seq.n) {
        const struct om_dataset_annotation_link *link = d->annotation_links_seq.at[0];
        const struct om_map_annotation *map = (const struct om_map_annotation *)link->child;
        assert_ptr_equal(link->parent, d);
        assert_ptr_equal(map->cls, &om_map_annotation_class);
        assert_string_equal(map->ns->val, "impomero/source");
        map_pairs = (int64_t)map->map_value.n;
    }
}

static void see_screen(const struct om_screen *s)
{
    const struct om_screen_annotation_link *link;

    assert_int_equal(s->annotation_links_seq.n, 1);
    link = s->annotation_links_seq.at[0];
    assert_ptr_equal(link->parent, s);
    assert_string_equal(((const struct om_map_annotation *)link->child)->ns->val, "impomero/source");
    assert_string_equal(s->name->val, "p / n");
    map_pairs = (int64_t)((const struct om_map_annotation *)link->child)->map_value.n;
}

/* A dataset that is there, as it is described; NULL: there is none. */
static const char *description;
static bool changed_meanwhile;
static char saved_again[64];

static void fill_dataset(struct om_api_iobject_list *out, struct arena *mem)
{
    struct om_dataset *d = om_object_new(mem, &om_dataset_class);
    const struct om_iobject **list = arena_alloc(mem, 1, sizeof(struct om_iobject *));

    d->id = om_rlong(mem, 9);
    d->name = om_rstring(mem, "n");
    d->description = om_rstring(mem, description);
    list[0] = (const struct om_iobject *)d;
    *out = (struct om_api_iobject_list){.n = description ? 1 : 0, .at = list};
}

static int see_saved_again(struct fake *of, const struct om_api_iobject_list *graph, struct err *err)
{
    if (changed_meanwhile)
        return fake_throw(of, &om_optimistic_lock_exception_class, REASON_SERVER_ERROR, "changed", err);
    const struct om_dataset *d = (const struct om_dataset *)graph->at[0];

    assert_int_equal(graph->n, 1);
    assert_int_equal(d->id->val, 9);
    assert_string_equal(d->name->val, "n");
    strncpy(saved_again, d->description->val, sizeof(saved_again) - 1);
    return 0;
}

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)f, (void)to, (void)err;
    if (op == &om_api_iquery_projection_op) {
        ((struct om_api_iquery_projection_out *)out)->ret = rows;
        return 0;
    }
    if (op == &om_api_iquery_find_all_by_query_op) {
        assert_string_equal(fake_hql(in), "select a from Dataset a where a.id in (:ids)");
        fill_dataset(&((struct om_api_iquery_find_all_by_query_out *)out)->ret, mem);
        return 0;
    }
    if (op == &om_api_iupdate_save_array_op)
        return see_saved_again(f, &((const struct om_api_iupdate_save_array_in *)in)->graph, err);

    assert_ptr_equal(op, &om_api_iupdate_save_and_return_ids_op);
    const struct om_api_iobject_list *graph = &((const struct om_api_iupdate_save_and_return_ids_in *)in)->graph;
    int64_t *id = arena_alloc(mem, 1, sizeof(*id));

    assert_int_equal(graph->n, 1);
    if (graph->at[0]->cls == &om_dataset_class)
        see_dataset((const struct om_dataset *)graph->at[0]);
    else if (graph->at[0]->cls == &om_screen_class)
        see_screen((const struct om_screen *)graph->at[0]);
    else
        strncpy(project_name, ((const struct om_project *)graph->at[0])->name->val, sizeof(project_name) - 1);
    *id = 77;
    ((struct om_api_iupdate_save_and_return_ids_out *)out)->ret = (struct om_sys_long_list){.n = 1, .at = id};
    return 0;
}

static struct fake f;

static int setup(void **state)
{
    (void)state;
    saved = (struct om_dataset){0};
    saved_project = map_pairs = -1;
    fake_init(&f, answer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_clear(&f);
    return 0;
}

static void a_project_that_is_there_is_used(void **state)
{
    (void)state;
    int64_t id = 0;
    bool made = true;
    struct err err;

    rows = fake_rows(f.mem, "lp", 2, 5, "L", 9, "L");
    assert_ok(om_project_need(f.client, "p", &id, &made, &err), &err);
    assert_int_equal(id, 5);
    assert_false(made);
    assert_int_equal(fake_count(&f, "saveAndReturnIds"), 0);
}

static void a_project_that_is_not_there_is_made(void **state)
{
    (void)state;
    int64_t id = 0;
    bool made = false;
    struct err err;

    rows = fake_rows(f.mem, "lp", 0);
    assert_int_equal(om_project_find(f.client, "p", &id, &err), OM_ABSENT);
    assert_ok(om_project_need(f.client, "my project", &id, &made, &err), &err);
    assert_int_equal(id, 77);
    assert_true(made);
    assert_string_equal(project_name, "my project");
}

static void a_project_that_may_not_be_linked_to_is_said_to_be_so(void **state)
{
    (void)state;
    int64_t id = 0;
    struct err err;

    rows = fake_rows(f.mem, "lp", 1, 5, "EDA");
    assert_fails(om_project_need(f.client, "p", &id, NULL, &err), &err, REASON_NO_RIGHT);
    assert_non_null(strstr(err.text, "Project:5"));
}

static void a_dataset_its_project_and_its_map_are_one_save(void **state)
{
    (void)state;
    const struct om_pair pairs[] = {{"uuid", "u"}, {"path", "a/b"}};
    const struct om_target_new d = {
        .project = 5, .name = "n", .description = "d", .ns = "impomero/source", .n_pairs = 2, .pairs = pairs};
    int64_t id = 0;
    struct err err;

    assert_ok(om_target_create(f.client, OM_DATASET, &d, &id, &err), &err);
    assert_int_equal(id, 77);
    assert_int_equal(saved_project, 5);
    assert_int_equal(map_pairs, 2);
    assert_int_equal(fake_count(&f, "saveAndReturnIds"), 1);
}

static void a_screen_has_its_map_and_no_project(void **state)
{
    (void)state;
    const struct om_pair pairs[] = {{"uuid", "u"}, {"path", "a/b"}};
    const struct om_target_new s = {.name = "p / n", .ns = "impomero/source", .n_pairs = 2, .pairs = pairs};
    int64_t id = 0;
    struct err err;

    assert_ok(om_target_create(f.client, OM_SCREEN, &s, &id, &err), &err);
    assert_int_equal(id, 77);
    assert_int_equal(map_pairs, 2);
    assert_int_equal(fake_count(&f, "saveAndReturnIds"), 1);
}

static void a_dataset_may_be_alone(void **state)
{
    (void)state;
    const struct om_target_new d = {.name = "n"};
    int64_t id = 0;
    struct err err;

    assert_ok(om_target_create(f.client, OM_DATASET, &d, &id, &err), &err);
    assert_int_equal(saved.project_links_seq.n, 0);
    assert_int_equal(saved.annotation_links_seq.n, 0);
    assert_true(saved.annotation_links_loaded);
    assert_null(saved.description);
}

static void looking_is_in_all_groups_and_leaves_the_group_as_it_was(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_target_facts facts;
    struct err err;

    om_client_group(f.client, 3);
    rows = fake_rows(f.mem, "llsp", 1, 2, 3, "name", "LA");
    assert_int_equal(om_target_look(f.client, OM_DATASET, 9, mem, &facts, &err), 0);
    assert_int_equal(f.groups[0], OM_GROUP_ALL);
    assert_int_equal(om_client_group(f.client, 3), 3);
    assert_true(facts.can_link);
    assert_string_equal(facts.name, "name");
}

static void a_dataset_is_held_against_what_it_was(void **state)
{
    (void)state;
    struct err err;

    rows = fake_rows(f.mem, "llsp", 1, 2, 3, "name", "LA");
    assert_ok(om_target_check(f.client, OM_DATASET, 9, 2, 3, &err), &err);
    assert_fails(om_target_check(f.client, OM_DATASET, 9, 2, 4, &err), &err, REASON_TARGET_GONE);
    assert_fails(om_target_check(f.client, OM_DATASET, 9, 1, 3, &err), &err, REASON_TARGET_GONE);
    rows = fake_rows(f.mem, "llsp", 1, 2, 3, "name", "A");
    assert_fails(om_target_check(f.client, OM_DATASET, 9, 2, 3, &err), &err, REASON_NO_RIGHT);
    rows = fake_rows(f.mem, "llsp", 0);
    assert_fails(om_target_check(f.client, OM_DATASET, 9, 2, 3, &err), &err, REASON_TARGET_GONE);
}

static void a_link_to_the_project_is_told(void **state)
{
    (void)state;
    int64_t link = 0;
    struct err err;

    rows = fake_rows(f.mem, "l", 1, 4);
    assert_ok(om_project_link(f.client, 9, 5, &link, &err), &err);
    assert_int_equal(link, 4);
    rows = fake_rows(f.mem, "l", 0);
    assert_int_equal(om_project_link(f.client, 9, 5, &link, &err), OM_ABSENT);
}

static int describe(const char *there, struct err *err)
{
    description = there;
    return om_target_describe(f.client, OM_DATASET, 9, "old", "new", err);
}

static void a_description_of_ours_is_replaced_and_peoples_own_stays(void **state)
{
    (void)state;
    struct err err;

    assert_ok(describe("old", &err), &err);
    assert_string_equal(saved_again, "new");
    assert_ok(describe("new", &err), &err);
    assert_int_equal(describe("by hand", &err), OM_STALE);
    assert_int_equal(describe("", &err), OM_STALE);
    assert_int_equal(describe(NULL, &err), OM_STALE);
    assert_int_equal(fake_count(&f, "saveArray"), 1);
    changed_meanwhile = true;
    assert_fails(describe("old", &err), &err, REASON_SERVER_BUSY);
    changed_meanwhile = false;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_project_that_is_there_is_used),
        T(a_project_that_is_not_there_is_made),
        T(a_project_that_may_not_be_linked_to_is_said_to_be_so),
        T(a_dataset_its_project_and_its_map_are_one_save),
        T(a_screen_has_its_map_and_no_project),
        T(a_dataset_may_be_alone),
        T(looking_is_in_all_groups_and_leaves_the_group_as_it_was),
        T(a_dataset_is_held_against_what_it_was),
        T(a_link_to_the_project_is_told),
        T(a_description_of_ours_is_replaced_and_peoples_own_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
