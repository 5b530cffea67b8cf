/* Class graphs and exceptions in both encodings: bytes as the Ice manual's "Data Encoding for Classes" and "for Exceptions" give
 * them. */
#include "../test.h"

#include <string.h>

#include "base/ceilings.h"
#include "shapes.h"

#define OBJECT "00 '::Ice::Object' {00}"
#define SEEN_OBJECT(n) "01 0" #n " {00}"

struct graph {
    enum ice_encoding enc;
    const char *bytes;
};

static const struct t_node *read_node(const struct graph *g, struct arena *mem)
{
    const struct t_node *node = NULL;
    struct err err = ERR_INIT;

    if (t_read(g->enc, g->bytes, &t_node, mem, &node, &err) < 0)
        fail_msg("%s: %s", g->bytes, err.text);
    return node;
}

static void assert_node(const struct t_node *node, int32_t id, const char *name)
{
    assert_non_null(node);
    assert_ptr_equal(node->cls, &t_node_class);
    assert_int_equal(node->id, id);
    assert_string_equal(node->name, name);
}

static void null_references_are_null(void **state)
{
    static const struct graph cases[] = {{ICE_ENC_1_0, "#0 00"}, {ICE_ENC_1_1, "00"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        assert_null(read_node(&cases[i], mem));
    }
}

/* Two nodes, 7 'seven' -> 8 'eight' -> nothing, in every form that an encoder may choose. */
static const struct graph chains[] = {
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::Node' {'seven' #-2} 00 '::T::Base' {#7} " OBJECT
                  "01 #2 01 01 {'eight' #0} 01 02 {#8} " SEEN_OBJECT(3) "00"},
    /* one batch, the second instance first */
    {ICE_ENC_1_0, "#-1 02 #2 00 '::T::Node' {'eight' #0} 00 '::T::Base' {#8} " OBJECT
                  "#1 01 01 {'seven' #-2} 01 02 {#7} " SEEN_OBJECT(3) "00"},
    {ICE_ENC_1_1, "01 01 '::T::Node' 'seven' 01 02 01 'eight' 00 20 #8 20 #7"},
    /* sliced: the reference is row 1 of the slice's indirection table */
    {ICE_ENC_1_1, "01 19 '::T::Node' {'seven' 01} 01 01 12 01 {'eight' 00} 31 '::T::Base' {#8} 32 02 {#7}"},
    /* unknown most derived classes */
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::New' {01 02 03} 00 '::T::Node' {'seven' #-2} 00 '::T::Base' {#7} " OBJECT
                  "01 #2 01 01 {} 01 02 {'eight' #0} 01 03 {#8} " SEEN_OBJECT(4) "00"},
    {ICE_ENC_1_1, "01 11 '::T::New' {01 02} 19 '::T::Node' {'seven' 01} 01 01 12 01 {} 12 02 {'eight' 00} 31 '::T::Base' {#8} "
                  "32 03 {#7}"},
    /* an unknown slice with an instance in its own indirection table takes a number; the reference is to instance 4 */
    {ICE_ENC_1_1, "01 19 '::T::New' {01} 01 01 31 '::T::Other' {#5} 19 '::T::Node' {'seven' 01} 01 01 12 03 {'eight' 00} "
                  "31 '::T::Base' {#8} 32 04 {#7}"},
    /* members added behind the known ones, a reference to another row of the table among them */
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::Node' {'seven' #-2 #99} 00 '::T::Base' {#7 'new'} " OBJECT
                  "01 #2 01 01 {'eight' #0 #99} 01 02 {#8 'new'} " SEEN_OBJECT(3) "00"},
    {ICE_ENC_1_1, "01 19 '::T::Node' {'seven' 01 02} 02 01 12 01 {'eight' 00 99} 31 '::T::Base' {#8} "
                  "01 31 '::T::Other' {#5} 32 02 {#7 'new'}"},
    /* a class inserted between the known ones */
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::Node' {'seven' #-2} 00 '::T::New' {99} 00 '::T::Base' {#7} " OBJECT
                  "01 #2 01 01 {'eight' #0} 01 03 {#8} " SEEN_OBJECT(4) "00"},
    /* optional members of every format at the end of a compact slice */
    {ICE_ENC_1_1, "01 05 '::T::Node' 'seven' 01 06 01 'eight' 00 ff 20 #8 "
                  "08 aa 09 aa bb 0a #1 0b #1 #2 0c 05 0d 'xy' 0e #2 aa bb f4 21 03 0f 00 ff 20 #7"},
};

static void a_chain_is_read_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_node *node = read_node(&chains[i], mem);

        assert_node(node, 7, "seven");
        assert_node(node->next, 8, "eight");
        assert_null(node->next->next);
    }
}

/* An unknown class whose instance refers, from its own table, to the instance that is just being read. */
static void a_cycle_through_an_unknown_slice_is_closed(void **state)
{
    static const struct graph g = {
        ICE_ENC_1_1, "01 19 '::T::New' {01} 01 01 19 '::T::Node' {'inner' 01} 01 02 31 '::T::Base' {#2} "
                     "19 '::T::Node' {'outer' 01} 01 03 32 03 {#1}"};
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_node *outer = read_node(&g, mem);

    (void)state;
    assert_node(outer, 1, "outer");
    assert_node(outer->next, 2, "inner");
    assert_ptr_equal(outer->next->next, outer);
}

static const struct graph selves[] = {
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::Node' {'self' #-1} 00 '::T::Base' {#1} " OBJECT "00"},
    {ICE_ENC_1_1, "01 01 '::T::Node' 'self' 02 20 #1"},
    {ICE_ENC_1_1, "01 19 '::T::Node' {'self' 01} 01 02 31 '::T::Base' {#1}"},
};

static void an_instance_may_refer_to_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(selves); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_node *node = read_node(&selves[i], mem);

        assert_node(node, 1, "self");
        assert_ptr_equal(node->next, node);
    }
}

/* A sequence: a node, null, the same node again. */
static const struct graph families[] = {
    {ICE_ENC_1_0, "#-1 01 #1 00 '::T::Parent' {03 #-2 #0 #-2} " OBJECT
                  "01 #2 00 '::T::Node' {'kid' #0} 00 '::T::Base' {#2} 01 02 {00} 00"},
    {ICE_ENC_1_1, "01 21 '::T::Parent' 03 01 01 '::T::Node' 'kid' 00 20 #2 00 03"},
    {ICE_ENC_1_1, "01 39 '::T::Parent' {03 01 00 01} 01 01 11 '::T::Node' {'kid' 00} 31 '::T::Base' {#2}"},
};

static void aliases_and_null_elements_stay_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_parent *parent = NULL;
        struct err err = ERR_INIT;

        assert_ok(t_read(families[i].enc, families[i].bytes, &t_parent, mem, &parent, &err), &err);
        assert_int_equal(parent->kids.n, 3);
        assert_node(parent->kids.at[0], 2, "kid");
        assert_null(parent->kids.at[1]);
        assert_ptr_equal(parent->kids.at[2], parent->kids.at[0]);
    }
}

/* Of a class that is unknown altogether, an untyped reference sees an ::Ice::Object, which can be written again. */
static void an_unknown_class_is_an_object_to_who_takes_any(void **state)
{
    static const struct graph cases[] = {
        {ICE_ENC_1_0, "#-1 01 #1 00 '::T::New' {01 02} " OBJECT "00"}, {ICE_ENC_1_1, "01 31 '::T::New' {01 02}"},
    };
    static const struct graph written[] = {
        {ICE_ENC_1_0, "#-1 01 #1 " OBJECT "00"}, {ICE_ENC_1_1, "01 21 '::Ice::Object'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        AUTO(buf_clear) struct buf mine = BUF_INIT(1 << 16), expected = BUF_INIT(1 << 16);
        const struct ice_object *object = NULL;
        struct err err = ERR_INIT;

        assert_ok(t_read(cases[i].enc, cases[i].bytes, &ice_type_object, mem, &object, &err), &err);
        assert_string_equal(object->cls->id, "::Ice::Object");
        assert_ok(t_write(&mine, written[i].enc, &ice_type_object, &object, &err), &err);
        t_encaps(&expected, written[i].enc, written[i].bytes);
        assert_int_equal(mine.len, expected.len);
        assert_memory_equal(mine.data, expected.data, mine.len);
    }
}

static void wrong_graphs_are_refused(void **state)
{
    static const struct { enum ice_encoding enc; const char *why, *bytes; } cases[] = {
        {ICE_ENC_1_0, "no negative number", "#1 00"},
        {ICE_ENC_1_0, "no negative number", "#-2147483648 00"},
        {ICE_ENC_1_0, "not there", "#-1 00"},
        {ICE_ENC_1_0, "not there", "#-2 01 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "end within", "#0"},
        {ICE_ENC_1_0, "another class", "#-1 01 #1 00 '::T::Other' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "another class", "#-1 01 #1 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "another class", "#-1 01 #1 00 '::T::New' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "another class", "#-1 01 #1 00 '::T::Node' {'n' #-2} 00 '::T::Base' {#1} " OBJECT
                                       "01 #2 00 '::T::Other' {#1} 01 03 {00} 00"},
        {ICE_ENC_1_0, "base class is missing", "#-1 01 #1 00 '::T::Node' {'n' #0} " OBJECT "00"},
        {ICE_ENC_1_0, "same number", "#-1 02 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT
                                     "#1 01 01 {'n' #0} 01 02 {#1} 01 03 {00} 00"},
        {ICE_ENC_1_0, "not positive", "#-1 01 #0 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "not positive", "#-1 01 #-5 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "too high", "#-1 01 #1000000 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "more class instances", "#-1 01 #2147483647 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "type id number", "#-1 01 #1 01 01 {'n' #0} " OBJECT "00"},
        {ICE_ENC_1_0, "size of a slice", "#-1 01 #1 00 '::T::Node' #3 " OBJECT "00"},
        {ICE_ENC_1_0, "size of a slice", "#-1 01 #1 00 '::T::Node' #-9 " OBJECT "00"},
        {ICE_ENC_1_0, "size of a slice", "#-1 01 #1 00 '::T::Node' #999 " OBJECT "00"},
        {ICE_ENC_1_0, "end within", "#-1 01 #1 00 '::T::Node' {'n'} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_0, "larger than", "#-1 ff #2147483647 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_1, "not there", "02"},
        {ICE_ENC_1_1, "not there", "01 01 '::T::Node' 'n' 03 20 #1"},
        {ICE_ENC_1_1, "negative", "ff #-1"},
        {ICE_ENC_1_1, "another class", "01 21 '::T::Other' #1"},
        {ICE_ENC_1_1, "another class", "01 21 '::T::Base' #1"},
        {ICE_ENC_1_1, "another class", "01 31 '::T::New' {#1}"},
        {ICE_ENC_1_1, "::T::New", "01 01 '::T::New' #1 20 #1"},
        {ICE_ENC_1_1, "unknown class", "01 20 #1"},
        {ICE_ENC_1_1, "unknown class", "01 03 05 #1 20 #1"},
        {ICE_ENC_1_1, "unknown class", "01 01 '::T::Node' 'n' 00 00 #1 20 #1"},
        {ICE_ENC_1_1, "base class is missing", "01 21 '::T::Node' 'n' 00"},
        {ICE_ENC_1_1, "type id number", "01 02 01 'n' 00 20 #1"},
        {ICE_ENC_1_1, "size of a slice", "01 11 '::T::Node' #3 'n' 00 20 #1"},
        {ICE_ENC_1_1, "size of a slice", "01 11 '::T::Node' #300 'n' 00 20 #1"},
        {ICE_ENC_1_1, "end within", "01 11 '::T::Node' {'n'} 20 #1"},
        {ICE_ENC_1_1, "table is empty", "01 19 '::T::Node' {'n' 01} 00 31 '::T::Base' {#1}"},
        {ICE_ENC_1_1, "does not have", "01 19 '::T::Node' {'n' 02} 01 02 31 '::T::Base' {#1}"},
        {ICE_ENC_1_1, "not there", "01 19 '::T::Node' {'n' 01} 01 00 31 '::T::Base' {#1}"},
        {ICE_ENC_1_1, "not there", "01 19 '::T::Node' {'n' 01} 01 03 31 '::T::Base' {#1}"},
        {ICE_ENC_1_1, "larger than", "01 19 '::T::Node' {'n' 01} ff #2147483647 02"},
        {ICE_ENC_1_1, "another class", "01 19 '::T::Node' {'n' 01} 01 01 31 '::T::Other' {#5} 31 '::T::Base' {#1}"},
        {ICE_ENC_1_1, "end within", "01 05 '::T::Node' 'n' 00 0e #-1 ff 20 #1"},
        {ICE_ENC_1_1, "end within", "01 05 '::T::Node' 'n' 00 08"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct t_node *node = NULL;
        struct err err = ERR_INIT;

        if (t_read(cases[i].enc, cases[i].bytes, &t_node, mem, &node, &err) == 0)
            fail_msg("%s: was taken", cases[i].bytes);
        assert_string_equal(reason_row(err.why)->name, "protocol");
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: refused by other words: %s", cases[i].bytes, err.text);
        assert_null(node);
    }
}

static void an_error_says_class_and_member(void **state)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct t_node *node = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(t_read(ICE_ENC_1_1, "01 01 '::T::Node' 02 c3 28 00 20 #1", &t_node, mem, &node, &err), -1);
    assert_non_null(strstr(err.text, "::T::Node"));
    assert_non_null(strstr(err.text, "name"));
}

static void assert_written(enum ice_encoding enc, const struct ice_type *t, const void *object, const char *bytes)
{
    AUTO(buf_clear) struct buf mine = BUF_INIT(1 << 16), expected = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;

    assert_ok(t_write(&mine, enc, t, &object, &err), &err);
    t_encaps(&expected, enc, bytes);
    assert_int_equal(mine.len, expected.len);
    assert_memory_equal(mine.data, expected.data, mine.len);
}

/* The first form of each table above is the one that an encoder writes. */
static void graphs_are_written_in_member_order(void **state)
{
    const struct t_node eight = {&t_node_class, 8, "eight", NULL}, seven = {&t_node_class, 7, "seven", &eight};
    struct t_node self = {&t_node_class, 1, "self", &self};
    const struct t_node kid = {&t_node_class, 2, "kid", NULL};
    const struct t_node *const kids[] = {&kid, NULL, &kid};
    const struct t_parent parent = {&t_parent_class, {3, kids}};

    (void)state;
    assert_written(ICE_ENC_1_0, &t_node, &seven, chains[0].bytes);
    assert_written(ICE_ENC_1_1, &t_node, &seven, "01 01 '::T::Node' 'seven' 01 02 01 'eight' 00 20 #8 20 #7");
    assert_written(ICE_ENC_1_0, &t_node, &self, selves[0].bytes);
    assert_written(ICE_ENC_1_1, &t_node, &self, selves[1].bytes);
    assert_written(ICE_ENC_1_0, &t_parent, &parent, families[0].bytes);
    assert_written(ICE_ENC_1_1, &t_parent, &parent, families[1].bytes);
    assert_written(ICE_ENC_1_0, &t_node, NULL, "#0 00");
    assert_written(ICE_ENC_1_1, &t_node, NULL, "00");
}

static void an_instance_of_a_wrong_class_is_not_written(void **state)
{
    const struct t_other other = {&t_other_class, 1};
    const struct t_node classless = {0};
    const void *wrong[] = {&other, &classless};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
        struct err err = ERR_INIT;

        assert_fails(t_write(&b, ICE_ENC_1_0, &t_node, &wrong[i], &err), &err, REASON_BUG);
        assert_fails(t_write(&b, ICE_ENC_1_1, &t_node, &wrong[i], &err), &err, REASON_BUG);
        assert_int_equal(b.len, 0);
    }
}

static int read_exception(enum ice_encoding enc, const char *bytes, struct arena *mem, const struct ice_object **out,
                          const char **id, struct err *err)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(1 << 16);
    enum ice_encoding found;

    t_encaps(&b, enc, bytes);
    struct ice_in in = ICE_IN(b.data, b.len);
    int rc = ice_read_exception(&in, &t_registry, mem, out, id, &found, err);
    if (rc == 0) {
        assert_int_equal(found, enc);
        assert_ptr_equal(in.at, in.end);
    }
    return rc;
}

/* reason 'why', cause = a node */
static const struct graph worse[] = {
    {ICE_ENC_1_0, "01 '::T::Worse' {#-1} '::T::Error' {'why'} 01 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
    {ICE_ENC_1_1, "00 '::T::Worse' 01 01 '::T::Node' 'n' 00 20 #1 20 '::T::Error' 'why'"},
    {ICE_ENC_1_1, "18 '::T::Worse' {01} 01 01 11 '::T::Node' {'n' 00} 31 '::T::Base' {#1} 30 '::T::Error' {'why'}"},
    {ICE_ENC_1_0, "01 '::T::New' {99} '::T::Worse' {#-1 98} '::T::Error' {'why'} "
                  "01 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
    {ICE_ENC_1_1, "10 '::T::New' {99} 18 '::T::Worse' {01 98} 01 01 11 '::T::Node' {'n' 00} 31 '::T::Base' {#1} "
                  "30 '::T::Error' {'why'}"},
};

static void exceptions_are_read_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(worse); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct ice_object *exc = NULL;
        const char *id = NULL;
        struct err err = ERR_INIT;

        assert_ok(read_exception(worse[i].enc, worse[i].bytes, mem, &exc, &id, &err), &err);
        assert_ptr_equal(exc->cls, &t_worse_class);
        const struct t_worse *w = (const struct t_worse *)exc;
        assert_string_equal(w->reason, "why");
        assert_node(w->cause, 1, "n");
        assert_string_equal(id, i < 3 ? "::T::Worse" : "::T::New");
    }
}

static void an_unknown_exception_has_only_its_id(void **state)
{
    static const struct graph cases[] = {
        {ICE_ENC_1_0, "00 '::T::New' {99}"}, {ICE_ENC_1_0, "00 '::T::New' {99} '::T::Newer' {98}"},
        {ICE_ENC_1_0, "01 '::T::New' {#-1} 01 #1 00 '::T::Node' {'n' #0} 00 '::T::Base' {#1} " OBJECT "00"},
        {ICE_ENC_1_1, "20 '::T::New' 99"}, {ICE_ENC_1_1, "00 '::T::New' 99 20 '::T::Error' 'why'"},
        {ICE_ENC_1_1, "10 '::T::New' {99} 30 '::T::Newer' {98}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct ice_object *exc = (const struct ice_object *)&cases;
        const char *id = NULL;
        struct err err = ERR_INIT;

        assert_ok(read_exception(cases[i].enc, cases[i].bytes, mem, &exc, &id, &err), &err);
        assert_null(exc);
        assert_string_equal(id, "::T::New");
    }
}

static void wrong_exceptions_are_refused(void **state)
{
    static const struct graph cases[] = {
        {ICE_ENC_1_0, ""}, {ICE_ENC_1_0, "00 '::T::Error'"}, {ICE_ENC_1_0, "00 '::T::Error' {}"},
        {ICE_ENC_1_0, "00 '::T::Error' #99 'why'"}, {ICE_ENC_1_0, "00 '::T::Worse' {#0} '::T::New' {}"},
        {ICE_ENC_1_0, "01 '::T::Worse' {#-1} '::T::Error' {'why'} 00"}, {ICE_ENC_1_0, "01 '::T::Error' {'why'}"},
        {ICE_ENC_1_1, ""}, {ICE_ENC_1_1, "20 '::T::Worse' 00"}, {ICE_ENC_1_1, "00 '::T::Error' 'why' 20 '::T::New' 00"},
        {ICE_ENC_1_1, "30 '::T::Error' #99 'why'"}, {ICE_ENC_1_1, "20 '::T::Error'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_freep) struct arena *mem = arena_new();
        const struct ice_object *exc = NULL;
        const char *id = NULL;
        struct err err = ERR_INIT;

        if (read_exception(cases[i].enc, cases[i].bytes, mem, &exc, &id, &err) == 0)
            fail_msg("%s: was taken", cases[i].bytes);
        assert_string_equal(reason_row(err.why)->name, "protocol");
    }
}

static void exceptions_are_written_compactly(void **state)
{
    const struct t_node n = {&t_node_class, 1, "n", NULL};
    const struct t_worse w = {&t_worse_class, "why", &n};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(buf_clear) struct buf mine = BUF_INIT(1 << 16), expected = BUF_INIT(1 << 16);
        struct err err = ERR_INIT;

        assert_ok(ice_write_exception(&mine, worse[i].enc, (const struct ice_object *)&w, &err), &err);
        t_encaps(&expected, worse[i].enc, worse[i].bytes);
        assert_int_equal(mine.len, expected.len);
        assert_memory_equal(mine.data, expected.data, mine.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_references_are_null),
        cmocka_unit_test(a_chain_is_read_in_every_form),
        cmocka_unit_test(a_cycle_through_an_unknown_slice_is_closed),
        cmocka_unit_test(an_instance_may_refer_to_itself),
        cmocka_unit_test(aliases_and_null_elements_stay_what_they_are),
        cmocka_unit_test(an_unknown_class_is_an_object_to_who_takes_any),
        cmocka_unit_test(wrong_graphs_are_refused),
        cmocka_unit_test(an_error_says_class_and_member),
        cmocka_unit_test(graphs_are_written_in_member_order),
        cmocka_unit_test(an_instance_of_a_wrong_class_is_not_written),
        cmocka_unit_test(exceptions_are_read_in_every_form),
        cmocka_unit_test(an_unknown_exception_has_only_its_id),
        cmocka_unit_test(wrong_exceptions_are_refused),
        cmocka_unit_test(exceptions_are_written_compactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
