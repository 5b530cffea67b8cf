/* Every card of tests/data/cards against its expectation. */
#include "../test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/slurp.h"
#include "base/str.h"
#include "card/card.h"

static char *data_path(const char *dir, const char *name)
{
    return mem_printf("%s/cards/%s/%s", getenv("TEST_DATA"), dir, name);
}

static json_t *load_json(const char *path)
{
    json_error_t e;
    json_t *j = json_load_file(path, 0, &e);

    if (!j)
        fail_msg("%s: %s", path, e.text);
    return j;
}

static int parse(const char *path, struct card **card, struct card_fault *fault)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(4u << 20);
    struct err err = ERR_INIT;

    assert_ok(slurp(path, &text, &err), &err);
    return card_parse(text.data ? (const char *)text.data : "", text.len, card, fault);
}

/* A CR LF within text may come out as LF or as CR LF. */
static char *without_cr(const char *s)
{
    struct buf out = BUF_INIT(4u << 20);

    for (; *s; s++)
        if (s[0] != '\r' || s[1] != '\n')
            buf_add_byte(&out, (uint8_t)*s);
    return buf_take_str(&out);
}

static void same_text(const char *file, const char *got, const json_t *want)
{
    if (json_is_null(want)) {
        if (got)
            fail_msg("%s: '%s' for nothing", file, got);
        return;
    }
    AUTO(mem_freep) char *a = without_cr(got ? got : "(nothing)");
    AUTO(mem_freep) char *b = without_cr(json_string_value(want));
    if (strcmp(a, b) != 0)
        fail_msg("%s: '%s' for '%s'", file, a, b);
}

static void same_tags(const char *file, const struct card *c, const json_t *want)
{
    size_t i;
    json_t *tag;

    if (c->n_tags != json_array_size(want))
        fail_msg("%s: %zu tags for %zu", file, c->n_tags, json_array_size(want));
    json_array_foreach(want, i, tag) {
        bool found = false;
        for (size_t k = 0; k < c->n_tags; k++)
            found = found || strcmp(c->tags[k], json_string_value(tag)) == 0;
        if (!found)
            fail_msg("%s: no tag '%s'", file, json_string_value(tag));
    }
}

static void same_pairs(const char *file, const struct card *c, const json_t *want)
{
    if (c->n_pairs != json_array_size(want))
        fail_msg("%s: %zu pairs for %zu", file, c->n_pairs, json_array_size(want));
    for (size_t i = 0; i < c->n_pairs; i++) {
        const json_t *row = json_array_get(want, i);
        same_text(file, c->pairs[i].key, json_array_get(row, 0));
        same_text(file, c->pairs[i].value, json_array_get(row, 1));
    }
}

static void check_good(const char *name)
{
    AUTO(mem_freep) char *path = data_path("good", name);
    AUTO(mem_freep) char *stem = mem_strn(path, strlen(path) - strlen(".toml"));
    AUTO(mem_freep) char *expectation = mem_printf("%s.json", stem);
    AUTO(js_freep) json_t *all = load_json(expectation);
    const json_t *want = json_object_get(all, "card");
    AUTO(card_freep) struct card *c = NULL;
    struct card_fault fault = {0};

    if (parse(path, &c, &fault) != 0)
        fail_msg("%s: %d:%d: %s", name, fault.line, fault.column, fault.message);
    same_text(name, c->title, json_object_get(want, "title"));
    same_text(name, c->created, json_object_get(want, "created"));
    same_text(name, c->project, json_object_get(want, "project"));
    same_text(name, c->user, json_object_get(want, "user"));
    same_text(name, c->group, json_object_get(want, "group"));
    same_text(name, c->comment, json_object_get(want, "comment"));
    same_tags(name, c, json_object_get(want, "tags"));
    same_pairs(name, c, json_object_get(want, "kv_pairs"));
}

static void good_cards_are_read_as_expected(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = data_path("good", "");
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (str_ends(e->d_name, ".toml")) {
            check_good(e->d_name);
            n++;
        }
    closedir(dir);
    assert_int_equal(n, 19);
}

static bool holds(const json_t *numbers, int n)
{
    size_t i;
    json_t *number;

    json_array_foreach(numbers, i, number)
        if (json_integer_value(number) == n)
            return true;
    return false;
}

static void check_bad(const char *name, const json_t *want)
{
    AUTO(mem_freep) char *path = data_path("bad", name);
    struct card_fault fault = {0};
    AUTO(card_freep) struct card *c = NULL;
    int outcome = parse(path, &c, &fault);
    const json_t *column = json_object_get(want, "column");

    assert_null(c);
    if (strcmp(json_string_value(json_object_get(want, "outcome")), "not a card") == 0) {
        if (outcome != CARD_NOT_A_CARD)
            fail_msg("%s: taken for a card", name);
        return;
    }
    if (outcome != CARD_BROKEN)
        fail_msg("%s: not seen as broken", name);
    if (!holds(json_object_get(want, "lines"), fault.line) || !fault.message[0] || !fault.hint[0])
        fail_msg("%s: %d:%d: '%s' hint '%s'", name, fault.line, fault.column, fault.message, fault.hint);
    if (column && json_integer_value(column) != fault.column)
        fail_msg("%s: column %d: %s", name, fault.column, fault.message);
}

static void bad_cards_are_told_with_line_and_column(void **state)
{
    (void)state;
    AUTO(mem_freep) char *path = data_path("bad", "expected.json");
    AUTO(js_freep) json_t *all = load_json(path);
    const char *name;
    json_t *want;

    assert_int_equal(json_object_size(all), 26);
    json_object_foreach(all, name, want)
        check_bad(name, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_cards_are_read_as_expected),
        cmocka_unit_test(bad_cards_are_told_with_line_and_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
