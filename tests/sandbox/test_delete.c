/* Delete2.  Expected: what OMERO.server 5.6.17 did with the same objects. */
#include "inside.h"

#include <string.h>

#include "base/auto.h"

static struct servant *factory(struct inside *in, struct session *who)
{
    return servant_add(&in->server, who, &factory_kind, who->uuid, "session-test", NULL);
}

struct asked {
    const char *type;
    int64_t ids[4];
    size_t n;
    const char *keep; /* excludeType, or NULL */
    bool dry;
};

static const struct om_cmd_response *ask(struct inside *in, struct session *who, const struct asked *a)
{
    const struct om_api_string_long_list_map_entry target = {.key = a->type, .value = {.n = a->n, .at = a->ids}};
    const struct om_cmd_graphs_child_option option = {.cls = &om_cmd_graphs_child_option_class, .exclude_type = {.n = 1, .at = &a->keep}};
    const struct om_cmd_graphs_child_option *const options[] = {&option};
    const struct om_cmd_delete2 request = {.cls = &om_cmd_delete2_class,
                                           .target_objects = {.n = 1, .at = &target},
                                           .child_options = {.n = a->keep != NULL, .at = options},
                                           .dry_run = a->dry};
    const struct om_cmd_session_submit_in args = {.req = (const struct om_cmd_request *)&request};
    struct call c;

    assert_int_equal(inside_call(in, who, factory(in, who), &om_cmd_session_submit_op, &args, &c), 0);

    const struct ice_proxy *handle = ((const struct om_cmd_session_submit_out *)c.out)->ret;

    assert_null(inside_response(in, who, handle));
    inside_run_tasks(in);
    return inside_response(in, who, handle);
}

static const struct om_api_long_list *deleted(const struct om_cmd_response *r, const char *cls)
{
    static const struct om_api_long_list none;
    const struct om_cmd_delete2_response *d = (const void *)r;

    assert_ptr_equal(r->cls, &om_cmd_delete2_response_class);
    for (size_t i = 0; i < d->deleted_objects.n; i++)
        if (strcmp(d->deleted_objects.at[i].key, cls) == 0)
            return &d->deleted_objects.at[i].value;
    return &none;
}

static void assert_refused(const struct om_cmd_response *r, const char *words)
{
    const struct om_cmd_graph_exception *e = (const void *)r;

    assert_ptr_equal(r->cls, &om_cmd_graph_exception_class);
    assert_string_equal(e->name, "graph-fail");
    assert_non_null(strstr(e->message, words));
    assert_string_equal(e->parameters.at[0].key, "message");
    assert_string_equal(e->parameters.at[0].value, "");
    assert_non_null(strstr(e->parameters.at[1].value, words));
}

static void a_link_goes_and_its_ends_stay(void **state)
{
    struct inside *in = *state;
    int64_t dataset = inside_add(in, in->alice, "Dataset", "d"), tag = inside_add(in, in->alice, "TagAnnotation", "t");
    int64_t link = inside_link(in, in->alice, "DatasetAnnotationLink", dataset, tag);
    const struct asked a = {.type = "DatasetAnnotationLink", .ids = {link}, .n = 1};
    const struct om_api_long_list *ids = deleted(ask(in, in->alice, &a), "ome.model.annotations.DatasetAnnotationLink");

    assert_int_equal(ids->n, 1);
    assert_int_equal(ids->at[0], link);
    assert_int_equal(inside_count(in, "Dataset"), 1);
    assert_int_equal(inside_count(in, "Annotation"), 1);
    assert_refused(ask(in, in->alice, &a), "cannot read ome.model.annotations.DatasetAnnotationLink[");
}

static void one_missing_id_spoils_all(void **state)
{
    struct inside *in = *state;
    int64_t project = inside_add(in, in->alice, "Project", "p");
    const struct asked a = {.type = "Project", .ids = {project, project + 7}, .n = 2};

    assert_refused(ask(in, in->alice, &a), "cannot read ome.model.containers.Project[");
    assert_int_equal(inside_count(in, "Project"), 1);
}

static void what_only_the_dataset_held_goes_with_it(void **state)
{
    struct inside *in = *state;
    int64_t dataset = inside_add(in, in->alice, "Dataset", "d"), other = inside_add(in, in->alice, "Dataset", "o");
    int64_t alone = inside_add(in, in->alice, "CommentAnnotation", "alone"), shared = inside_add(in, in->alice, "CommentAnnotation", "shared");
    const struct asked a = {.type = "Dataset", .ids = {dataset}, .n = 1};

    inside_link(in, in->alice, "DatasetAnnotationLink", dataset, alone);
    inside_link(in, in->alice, "DatasetAnnotationLink", dataset, shared);
    inside_link(in, in->alice, "DatasetAnnotationLink", other, shared);

    const struct om_api_long_list *ids = deleted(ask(in, in->alice, &a), "ome.model.annotations.CommentAnnotation");

    assert_int_equal(ids->n, 1);
    assert_int_equal(ids->at[0], alone);
    assert_int_equal(inside_count(in, "DatasetAnnotationLink"), 1);
}

static void what_is_to_be_kept_is_kept(void **state)
{
    struct inside *in = *state;
    int64_t dataset = inside_add(in, in->alice, "Dataset", "d"), tag = inside_add(in, in->alice, "TagAnnotation", "t");
    const struct asked dry = {.type = "Dataset", .ids = {dataset}, .n = 1, .dry = true};
    const struct asked kept = {.type = "Dataset", .ids = {dataset}, .n = 1, .keep = "TagAnnotation"};

    inside_link(in, in->alice, "DatasetAnnotationLink", dataset, tag);
    assert_int_equal(deleted(ask(in, in->alice, &dry), "ome.model.annotations.TagAnnotation")->n, 1);
    assert_int_equal(inside_count(in, "Dataset"), 1);
    assert_int_equal(deleted(ask(in, in->alice, &kept), "ome.model.annotations.TagAnnotation")->n, 0);
    assert_int_equal(inside_count(in, "Dataset"), 0);
    assert_int_equal(inside_count(in, "Annotation"), 1);
}

static void images_of_a_fileset_go_together(void **state)
{
    struct inside *in = *state;
    int64_t one = inside_add(in, in->alice, "Image", "1"), two = inside_add(in, in->alice, "Image", "2");
    const struct asked first = {.type = "Image", .ids = {one}, .n = 1}, both = {.type = "Image", .ids = {one, two}, .n = 2};

    assert_int_equal(store_run(in->server.store, "insert into Fileset (id, _owner, _grp) values (154, ?, ?)", "ii", in->alice->user, in->lab), 0);
    assert_int_equal(store_run(in->server.store, "update Image set fileset = 154", ""), 0);
    assert_refused(ask(in, in->alice, &first), "within Fileset[154] may not delete Image[");
    assert_int_equal(deleted(ask(in, in->alice, &both), "ome.model.fs.Fileset")->n, 1);
    assert_int_equal(inside_count(in, "Image"), 0);
}

static void what_is_anothers_stays(void **state)
{
    struct inside *in = *state;
    int64_t project = inside_add(in, in->alice, "Project", "p");
    const struct asked a = {.type = "Project", .ids = {project}, .n = 1};

    assert_refused(ask(in, in->bob, &a), "not permitted to delete ome.model.containers.Project[");
}

static void a_tag_stays_while_anothers_link_holds_it(void **state)
{
    struct inside *in = *state;
    int64_t dataset = inside_add(in, in->bob, "Dataset", "d"), tag = inside_add(in, in->alice, "TagAnnotation", "t");
    const struct asked a = {.type = "TagAnnotation", .ids = {tag}, .n = 1};

    inside_link(in, in->bob, "DatasetAnnotationLink", dataset, tag);
    assert_refused(ask(in, in->alice, &a), "may not delete TagAnnotation[");
}

static void an_unknown_class_is_a_failure(void **state)
{
    struct inside *in = *state;
    const struct asked a = {.type = "Nothing", .ids = {1}, .n = 1};

    assert_refused(ask(in, in->alice, &a), "NullPointerException");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, inside_set_up, inside_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_link_goes_and_its_ends_stay),     TEST(one_missing_id_spoils_all),
        TEST(what_only_the_dataset_held_goes_with_it), TEST(what_is_to_be_kept_is_kept),
        TEST(images_of_a_fileset_go_together),   TEST(what_is_anothers_stays),
        TEST(a_tag_stays_while_anothers_link_holds_it), TEST(an_unknown_class_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
