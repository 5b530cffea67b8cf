/* Texts as RFC 8259 wants them. */
#include "../test.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

static void texts_are_valid_json(void **state)
{
    static const char *const texts[][2] = {
        {"a/b c.tif", "\"a/b c.tif\""}, {"", "\"\""}, {"say \"x\"", "\"say \\\"x\\\"\""}, {"back\\slash", "\"back\\\\slash\""},
        {"two\nlines", "\"two\\nlines\""}, {"\x01", "\"\\u0001\""}, {"zell\xC3\xA9", "\"zell\xC3\xA9\""}, {NULL, "null"},
        {"\xE9.tif", "\"\\\\xE9.tif\""}, {"del\x7F", "\"del\x7F\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        assert_non_null(out);
        js_print_text(out, texts[i][0]);
        fclose(out);
        assert_string_equal(text, texts[i][1]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_valid_json)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
