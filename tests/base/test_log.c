#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/suggest.h"

static int64_t still(void)
{
    return 1790000000123;
}

static const struct clock_source clock_of_test = {still, still};

/* What has been written since the pipe was read last. */
static char *written(int fd)
{
    char *text = mem_new(2 * LOG_LINE_MAX, 1);
    ssize_t n = read(fd, text, 2 * LOG_LINE_MAX - 1);

    assert_true(n > 0);
    return text;
}

static void an_event_is_one_line_of_name_fields_and_what_happens_next(void **state)
{
    (void)state;
    int ends[2];
    struct err err = ERR_INIT;

    err_set(&err, REASON_BROKEN_CARD, 0, "line 2: \"x\"");
    assert_int_equal(pipe(ends), 0);
    log_start_with(ends[1], LOG_LEVEL_INFO, false);
    log_warn("card.broken", "ignored until it changes", LOG_STR("path", "a\nb\xE9"), LOG_INT("n", -3), LOG_STR("gone", NULL),
             LOG_ERR(&err));
    AUTO(mem_freep) char *line = written(ends[0]);
    assert_string_equal(line, "warning: card.broken path=\"a\\nb\\xE9\" n=-3 why=broken-card text=\"line 2: \\\"x\\\"\""
                              ": ignored until it changes\n");
    log_start_with(ends[1], LOG_LEVEL_INFO, true);
    log_info("start", NULL);
    AUTO(mem_freep) char *timed = written(ends[0]);
    assert_string_equal(timed, "2026-09-21T14:13:20.123Z info: start\n");
}

static void lines_below_the_level_are_left_out_and_long_ones_cut(void **state)
{
    (void)state;
    int ends[2];
    AUTO(mem_freep) char *text = mem_new(3 * LOG_LINE_MAX, 1);

    memset(text, 'x', 3 * LOG_LINE_MAX - 1);
    assert_int_equal(pipe(ends), 0);
    log_start_with(ends[1], LOG_LEVEL_WARNING, false);
    log_info("quiet", NULL);
    log_error("loud", NULL, LOG_STR("a", "b"), LOG_STR("x", text));
    AUTO(mem_freep) char *line = written(ends[0]);
    assert_memory_equal(line, "error: loud a=\"b\"", 17);
    assert_true(strlen(line) <= LOG_LINE_MAX + 1);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_int_equal(log_level_named("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_named("DEBUG"), -1);
}

static void paths_that_are_not_utf8_carry_their_bytes(void **state)
{
    (void)state;
    AUTO(js_freep) json_t *o = json_object();

    js_add_path(o, "path", "a/\xE9.tif");
    js_add_path(o, "plain", "a\"b");
    js_add_path(o, "none", NULL);
    json_object_set_new(o, "text", js_text("x\xFF"));
    AUTO(mem_freep) char *text = js_dump(o);
    assert_string_equal(text,
                        "{\"path\": \"a/\\\\xE9.tif\", \"path_b64\": \"YS/pLnRpZg==\", \"plain\": \"a\\\"b\", \"none\": null,"
                              " \"text\": \"x\\\\xFF\"}");
}

static void the_word_that_was_meant_is_near(void **state)
{
    (void)state;
    static const char *const words[] = {"server.host", "server.port", "settle", "workers"};

    assert_string_equal(suggest_word("setle", words, 4), "settle");
    assert_string_equal(suggest_word("server.prot", words, 4), "server.port");
    assert_string_equal(suggest_word("worker", words, 4), "workers");
    assert_null(suggest_word("zzzzzz", words, 4));
    assert_null(suggest_word("", words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_one_line_of_name_fields_and_what_happens_next),
        cmocka_unit_test(lines_below_the_level_are_left_out_and_long_ones_cut),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(paths_that_are_not_utf8_carry_their_bytes),
        cmocka_unit_test(the_word_that_was_meant_is_near),
    };

    clock_inject(&clock_of_test);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
