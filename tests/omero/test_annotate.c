#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "fake.h"
#include "omero/annotate.h"
#include "omero/object.h"

/* The server: which links it has (parent p has one to annotation 1 where p is below `linked`), what was saved and deleted. */
static int64_t linked;
static size_t n_saved, n_rows, biggest_save, n_deleted, n_asked;
static struct om_rtype_seq_seq rows;
static bool use_rows, stale, delete_fails;
static const char *spared;

static struct om_rtype_seq_seq link_rows(struct arena *mem, const struct om_rlist *parents)
{
    struct om_rtype_seq *out = arena_alloc(mem, parents->val.n, sizeof(*out));
    size_t n = 0;

    for (size_t i = 0; i < parents->val.n; i++) {
        int64_t p = ((const struct om_rlong *)parents->val.at[i])->val;
        if (p < linked)
            out[n++] = fake_rows(mem, "lllt", 1, (int)p + 1000, (int)p, 1, 5).at[0];
    }
    return (struct om_rtype_seq_seq){.n = n, .at = out};
}

static void project(const void *in, struct om_rtype_seq_seq *out, struct arena *mem)
{
    n_asked++;
    if (use_rows)
        *out = rows;
    else
        *out = link_rows(mem, (const struct om_rlist *)fake_arg(in, "p"));
}

static void save(const struct om_api_iobject_list *graph, struct om_sys_long_list *out, struct arena *mem)
{
    int64_t *ids = arena_alloc(mem, graph->n, sizeof(*ids));

    for (size_t i = 0; i < graph->n; i++)
        ids[i] = (int64_t)i + 50;
    n_saved += graph->n;
    biggest_save = graph->n > biggest_save ? graph->n : biggest_save;
    *out = (struct om_sys_long_list){.n = graph->n, .at = ids};
}

static void save_again(const struct om_api_iobject_list *graph)
{
    for (size_t i = 0; i < graph->n; i++) {
        const struct om_map_annotation *m = (const struct om_map_annotation *)(const void *)graph->at[i];

        assert_int_equal(m->version->val, 4);
        n_rows += m->map_value.n;
    }
    n_saved += graph->n;
}

static void see_delete(const struct om_cmd_delete2 *d)
{
    assert_ptr_equal(d->cls, &om_cmd_delete2_class);
    assert_int_equal(d->target_objects.n, 1);
    n_deleted += d->target_objects.at[0].value.n;
    spared = d->child_options.at[0]->exclude_type.at[0];
}

static const struct om_cmd_response *deletion(struct arena *mem)
{
    struct om_cmd_err *e = arena_alloc(mem, 1, sizeof(*e));
    struct om_cmd_delete2_response *ok = arena_alloc(mem, 1, sizeof(*ok));
    struct om_cmd_string_map_entry *entry = arena_alloc(mem, 1, sizeof(*entry));

    *entry = (struct om_cmd_string_map_entry){"stacktrace", "GraphException: not permitted to delete it"};
    *e = (struct om_cmd_err){.cls = &om_cmd_err_class, .category = "", .name = "graph-fail", .parameters = {.n = 1, .at = entry}};
    ok->cls = &om_cmd_delete2_response_class;
    return delete_fails ? (const struct om_cmd_response *)e : (const struct om_cmd_response *)ok;
}

static struct om_map_annotation on_server;
static size_t n_on_server;         /* it comes this often, with numbers that fall from its own */
static bool last_is_another;       /* of what comes back after a save with links: its parent */

static struct om_api_iobject_list maps_there(struct arena *mem)
{
    const struct om_iobject **list = arena_alloc(mem, n_on_server, sizeof(struct om_iobject *));

    for (size_t i = 0; i < n_on_server; i++) {
        struct om_map_annotation *m = arena_alloc(mem, 1, sizeof(*m));

        *m = on_server;
        m->id = om_rlong(mem, on_server.id->val - (int64_t)i);
        list[i] = (const struct om_iobject *)m;
    }
    return (struct om_api_iobject_list){.n = n_on_server, .at = list};
}

/* New annotations that are saved with their links to Dataset:8 and those after it; they come back with numbers. */
static struct om_api_iobject_list save_linked(const struct om_api_iobject_list *graph, struct arena *mem)
{
    const struct om_iobject **list = arena_alloc(mem, graph->n, sizeof(struct om_iobject *));

    for (size_t i = 0; i < graph->n; i++) {
        struct om_dataset_annotation_link *link = om_object_new(mem, &om_dataset_annotation_link_class);

        assert_ptr_equal(graph->at[i]->cls, &om_dataset_annotation_link_class);

        const struct om_dataset_annotation_link *asked = (const struct om_dataset_annotation_link *)(const void *)graph->at[i];

        assert_int_equal(om_object_id((const struct om_iobject *)asked->parent), 8 + (int64_t)i);
        assert_int_equal(om_object_id((const struct om_iobject *)asked->child), -1);
        link->parent = om_object_ref(mem, &om_dataset_class, 8 + (int64_t)i + (last_is_another && i + 1 == graph->n));
        link->child = om_object_ref(mem, asked->child->cls, 77 + (int64_t)i);
        list[i] = (const struct om_iobject *)link;
    }
    return (struct om_api_iobject_list){.n = graph->n, .at = list};
}

static int answer(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err)
{
    (void)to;
    if (op == &om_api_iquery_projection_op)
        project(in, &((struct om_api_iquery_projection_out *)out)->ret, mem);
    else if (op == &om_api_iupdate_save_and_return_ids_op)
        save(&((const struct om_api_iupdate_save_and_return_ids_in *)in)->graph,
             &((struct om_api_iupdate_save_and_return_ids_out *)out)->ret, mem);
    else if (op == &om_api_iupdate_save_array_op) {
        if (stale)
            return fake_throw(f, &om_optimistic_lock_exception_class, REASON_SERVER_BUSY, "stale", err);
        save_again(&((const struct om_api_iupdate_save_array_in *)in)->graph);
    } else if (op == &om_api_iupdate_save_and_return_array_op)
        ((struct om_api_iupdate_save_and_return_array_out *)out)->ret =
            save_linked(&((const struct om_api_iupdate_save_and_return_array_in *)in)->graph, mem);
    else if (op == &om_cmd_session_submit_op) {
        see_delete((const struct om_cmd_delete2 *)((const struct om_cmd_session_submit_in *)in)->req);
        ((struct om_cmd_session_submit_out *)out)->ret = ice_proxy_make(mem, "handle", "", NULL, 0);
    } else if (op == &om_cmd_handle_get_response_op)
        ((struct om_cmd_handle_get_response_out *)out)->ret = deletion(mem);
    else if (op == &om_api_iquery_find_all_by_query_op)
        ((struct om_api_iquery_find_all_by_query_out *)out)->ret = maps_there(mem);
    else
        assert_ptr_equal(op, &om_cmd_handle_close_op);
    return 0;
}

static struct fake f;
static struct arena *mem;

static int setup(void **state)
{
    (void)state;
    linked = 0;
    n_saved = n_rows = n_on_server = biggest_save = n_deleted = n_asked = 0;
    use_rows = stale = delete_fails = last_is_another = false;
    spared = NULL;
    on_server = (struct om_map_annotation){0};
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

static int64_t *numbers(size_t n, int64_t first)
{
    int64_t *p = arena_alloc(mem, n, sizeof(*p));

    for (size_t i = 0; i < n; i++)
        p[i] = first + (int64_t)i;
    return p;
}

static void only_links_that_are_missing_are_saved_in_batches(void **state)
{
    (void)state;
    const struct om_note_ref note = {OM_TAG, 1};
    size_t made = 0;
    struct err err;

    linked = 100;
    assert_ok(om_links_add(f.client, OM_IMAGE, numbers(12001, 0), 12001, &note, 1, &made, &err), &err);
    assert_int_equal(made, 11901);
    assert_int_equal(n_saved, 11901);
    assert_true(biggest_save <= OM_BATCH);
    assert_int_equal(n_asked, 3);
}

static void new_annotations_are_linked_without_asking(void **state)
{
    (void)state;
    const struct om_note_ref note = {OM_TAG, 9};
    size_t made = 0;
    struct err err;

    assert_ok(om_links_add_first(f.client, OM_IMAGE, numbers(12001, 0), 12001, &note, 1, &made, &err), &err);
    assert_int_equal(made, 12001);
    assert_int_equal(n_asked, 0);
    assert_true(biggest_save <= OM_BATCH);
}

static void several_annotations_share_a_batch(void **state)
{
    (void)state;
    const struct om_note_ref notes[] = {{OM_TAG, 1}, {OM_MAP, 2}, {OM_COMMENT, 3}};
    size_t made = 0;
    struct err err;

    linked = 10;
    assert_ok(om_links_add(f.client, OM_DATASET, numbers(4000, 0), 4000, notes, 3, &made, &err), &err);
    assert_int_equal(made, 12000 - 10);
    assert_true(biggest_save <= OM_BATCH);
}

static void nothing_to_link_asks_nothing(void **state)
{
    (void)state;
    const struct om_note_ref note = {OM_TAG, 1};
    size_t made = 9;
    struct err err;

    assert_ok(om_links_add(f.client, OM_IMAGE, NULL, 0, &note, 1, &made, &err), &err);
    assert_int_equal(made, 0);
    assert_ok(om_links_add(f.client, OM_IMAGE, numbers(1, 0), 1, NULL, 0, &made, &err), &err);
    assert_int_equal(f.n_log, 0);
}

static void links_are_found_with_their_times(void **state)
{
    (void)state;
    const struct om_note_ref note = {OM_TAG, 1};
    struct om_link_rows links;
    struct err err;

    linked = 2;
    assert_ok(om_links_find(f.client, OM_IMAGE, numbers(5, 0), 5, &note, 1, mem, &links, &err), &err);
    assert_int_equal(links.n, 2);
    assert_int_equal(links.at[1].id, 1001);
    assert_int_equal(links.at[1].parent, 1);
    assert_int_equal(links.at[1].made_ms, 5);
}

static const struct om_note_ref one = {OM_TAG, 9};

static void links_that_are_gone_are_not_deleted_again(void **state)
{
    (void)state;
    size_t gone = 0;
    struct err err;

    linked = 7;
    assert_ok(om_links_remove(f.client, OM_IMAGE, numbers(10, 0), 10, &one, 1, &gone, &err), &err);
    assert_int_equal(gone, 7);
    assert_int_equal(n_deleted, 7);
    assert_string_equal(spared, "TagAnnotation");
    assert_int_equal(fake_count(&f, "close"), 1);
}

static void no_link_left_means_no_delete(void **state)
{
    (void)state;
    size_t gone = 9;
    struct err err;

    assert_ok(om_links_remove(f.client, OM_IMAGE, numbers(10, 0), 10, &one, 1, &gone, &err), &err);
    assert_int_equal(gone, 0);
    assert_int_equal(fake_count(&f, "submit"), 0);
}

static void a_refused_delete_is_an_error(void **state)
{
    (void)state;
    size_t gone = 0;
    struct err err;

    linked = 1;
    delete_fails = true;
    assert_fails(om_links_remove(f.client, OM_IMAGE, numbers(1, 0), 1, &one, 1, &gone, &err), &err, REASON_NO_RIGHT);
    assert_int_equal(gone, 0);
}

static void an_own_tag_comes_first_then_one_that_may_be_linked(void **state)
{
    (void)state;
    const char *const text = "t";
    int64_t id = 0;
    bool made = true;
    struct err err;

    use_rows = true;
    rows = fake_rows(f.mem, "llsp", 3, 4, 9, "t", "A", 5, 9, "t", "A", 6, 2, "t", "");
    assert_ok(om_tags_need(f.client, &text, 1, &id, &made, &err), &err);
    assert_int_equal(id, 6);
    rows = fake_rows(f.mem, "llsp", 3, 4, 9, "t", "LED", 5, 9, "t", "A", 6, 8, "t", "A");
    assert_ok(om_tags_need(f.client, &text, 1, &id, &made, &err), &err);
    assert_int_equal(id, 5);
    assert_false(made);
    assert_int_equal(n_saved, 0);
    rows = fake_rows(f.mem, "llsp", 1, 4, 9, "t", "LED");
    assert_ok(om_tags_need(f.client, &text, 1, &id, &made, &err), &err);
    assert_true(made);
    assert_int_equal(id, 50);
}

static void many_tags_are_one_question_and_one_save(void **state)
{
    (void)state;
    const char *const texts[] = {"a", "b", "c", "d"};
    int64_t ids[4];
    bool made[4];
    struct err err;

    use_rows = true;
    rows = fake_rows(f.mem, "llsp", 3, 4, 2, "d", "A", 5, 9, "b", "A", 6, 2, "b", "A");
    assert_ok(om_tags_need(f.client, texts, 4, ids, made, &err), &err);
    assert_memory_equal(ids, ((const int64_t[]){50, 6, 51, 4}), sizeof(ids));
    assert_memory_equal(made, ((const bool[]){true, false, true, false}), sizeof(made));
    assert_int_equal(n_asked, 1);
    assert_int_equal(n_saved, 2);
    assert_int_equal(fake_count(&f, "saveAndReturnIds"), 1);
}

static void no_tag_costs_no_call(void **state)
{
    (void)state;
    struct err err;

    assert_ok(om_tags_need(f.client, NULL, 0, NULL, NULL, &err), &err);
    assert_int_equal(f.n_log, 0);
}

static void pairs_that_the_server_cannot_index_are_refused(void **state)
{
    (void)state;
    char *value = arena_alloc(mem, OM_PAIR_MAX + 2, 1);
    const struct om_pair pair = {"k", value};
    int64_t id = 0, dataset = 8;
    struct err err;

    memset(value, 'x', OM_PAIR_MAX);
    assert_ok(om_maps_create(f.client, OM_DATASET, &dataset, 1, "ns", &pair, 1, &id, &err), &err);
    assert_int_equal(id, 77);
    value[OM_PAIR_MAX] = 'x';
    assert_fails(om_maps_create(f.client, OM_DATASET, &dataset, 1, "ns", &pair, 1, &id, &err), &err, REASON_TOO_LONG);
}

static void put_map_on_server(void)
{
    const struct om_pair pairs[] = {{"a", "1"}, {"b", "2"}};
    const struct om_named_value **list = arena_alloc(mem, 3, sizeof(struct om_named_value *));
    struct om_named_value *values = arena_alloc(mem, 2, sizeof(*values));
    static const bool no_edit[] = {false, true};
    struct om_permissions *p = arena_alloc(mem, 1, sizeof(*p));
    struct om_details *d = arena_alloc(mem, 1, sizeof(*d));

    for (size_t i = 0; i < 2; i++) {
        values[i] = (struct om_named_value){.cls = &om_named_value_class, .name = pairs[i].key, .value = pairs[i].value};
        list[2 * i] = &values[i]; /* a null between them: a server may send one */
    }
    *p = (struct om_permissions){.cls = &om_permissions_class, .restrictions = {.n = 2, .at = no_edit}};
    *d = (struct om_details){.cls = &om_details_class, .owner = om_object_ref(mem, &om_experimenter_class, 2), .permissions = p};
    on_server = (struct om_map_annotation){.cls = &om_map_annotation_class,
                                           .loaded = true,
                                           .id = om_rlong(mem, 31),
                                           .version = om_rint(mem, 4),
                                           .details = d,
                                           .ns = om_rstring(mem, "impomero/card"),
                                           .map_value = {.n = 3, .at = list}};
    n_on_server = 1;
}

static void a_map_is_read_and_rewritten(void **state)
{
    (void)state;
    const struct om_pair now = {"c", "3"};
    struct om_note note;
    struct err err;

    put_map_on_server();
    assert_int_equal(om_map_load(f.client, 31, mem, &note, &err), 0);
    assert_int_equal(note.id, 31);
    assert_int_equal(note.owner, 2);
    assert_int_equal(note.n_pairs, 2);
    assert_string_equal(note.pairs[1].value, "2");
    assert_false(note.can_edit);
    assert_ok(om_map_save(f.client, &note, &now, 1, &err), &err);
    assert_int_equal(n_saved, 1);
    assert_int_equal(n_rows, 1);
    stale = true;
    assert_int_equal(om_map_save(f.client, &note, &now, 1, &err), OM_STALE);
}

static void many_maps_are_read_in_the_order_asked_for(void **state)
{
    (void)state;
    const int64_t ids[] = {30, 99, 31, 30};
    struct om_note notes[4];
    struct err err;

    put_map_on_server();
    n_on_server = 2;
    assert_ok(om_maps_load(f.client, ids, 4, mem, notes, &err), &err);
    assert_int_equal(fake_count(&f, "findAllByQuery"), 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(notes[i].id, ids[i]);
        assert_int_equal(notes[i].loaded != NULL, i != 1);
        assert_int_equal(notes[i].n_pairs, i == 1 ? 0 : 2);
    }
    notes[1] = notes[2];
    notes[1].n_pairs = 1;
    assert_ok(om_maps_save(f.client, notes, 2, &err), &err);
    assert_int_equal(fake_count(&f, "saveArray"), 1);
    assert_int_equal(n_rows, 3);
    assert_ok(om_maps_load(f.client, NULL, 0, mem, notes, &err), &err);
    assert_ok(om_maps_save(f.client, notes, 0, &err), &err);
    assert_int_equal(fake_count(&f, "findAllByQuery"), 1);
    assert_int_equal(fake_count(&f, "saveArray"), 1);
}

static void a_map_for_each_parent_is_made_with_its_link(void **state)
{
    (void)state;
    const struct om_pair pair = {"k", "v"};
    int64_t made[3] = {0};
    struct err err;

    assert_ok(om_maps_create(f.client, OM_DATASET, numbers(3, 8), 3, "ns", &pair, 1, made, &err), &err);
    assert_memory_equal(made, ((const int64_t[]){77, 78, 79}), sizeof(made));
    assert_int_equal(fake_count(&f, "saveAndReturnArray"), 1);
    last_is_another = true;
    assert_fails(om_maps_create(f.client, OM_DATASET, numbers(3, 8), 3, "ns", &pair, 1, made, &err), &err, REASON_PROTOCOL);
}

/* The server has links of the first seven to annotation 1. */
static void only_the_link_to_ones_own_is_removed(void **state)
{
    (void)state;
    const int64_t parents[] = {3, 2, 9, 5}, children[] = {1, 4, 1, 1};
    size_t gone = 0;
    struct err err;

    linked = 7;
    assert_ok(om_links_remove_own(f.client, OM_IMAGE, parents, children, 4, &gone, &err), &err);
    assert_int_equal(gone, 2);
    assert_int_equal(n_deleted, 2);
    assert_ok(om_links_remove_own(f.client, OM_IMAGE, parents, children, 0, &gone, &err), &err);
    assert_int_equal(gone, 0);
}

static void a_note_that_is_gone_or_another_is_told(void **state)
{
    (void)state;
    struct om_note note;
    struct err err;

    assert_int_equal(om_map_load(f.client, 31, mem, &note, &err), OM_ABSENT);
    put_map_on_server();
    assert_fails(om_comment_load(f.client, 31, mem, &note, &err), &err, REASON_PROTOCOL);
    on_server.loaded = false;
    assert_fails(om_map_load(f.client, 31, mem, &note, &err), &err, REASON_PROTOCOL);
}

static void living_annotations_are_told_from_dead_ones(void **state)
{
    (void)state;
    const struct om_note_ref notes[] = {{OM_TAG, 1}, {OM_MAP, 2}, {OM_TAG, 1}};
    bool alive[3];
    struct err err;

    use_rows = true;
    rows = fake_rows(f.mem, "l", 1, 1);
    assert_ok(om_annotations_alive(f.client, notes, 3, -1, 3, alive, &err), &err);
    assert_true(alive[0]);
    assert_false(alive[1]);
    assert_true(alive[2]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(only_links_that_are_missing_are_saved_in_batches),
        T(new_annotations_are_linked_without_asking),
        T(several_annotations_share_a_batch),
        T(nothing_to_link_asks_nothing),
        T(links_are_found_with_their_times),
        T(links_that_are_gone_are_not_deleted_again),
        T(no_link_left_means_no_delete),
        T(a_refused_delete_is_an_error),
        T(an_own_tag_comes_first_then_one_that_may_be_linked),
        T(many_tags_are_one_question_and_one_save),
        T(no_tag_costs_no_call),
        T(pairs_that_the_server_cannot_index_are_refused),
        T(a_map_is_read_and_rewritten),
        T(a_note_that_is_gone_or_another_is_told),
        T(many_maps_are_read_in_the_order_asked_for),
        T(a_map_for_each_parent_is_made_with_its_link),
        T(only_the_link_to_ones_own_is_removed),
        T(living_annotations_are_told_from_dead_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
