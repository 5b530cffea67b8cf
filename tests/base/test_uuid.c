#include "../test.h"

#include <string.h>

#include "base/auto.h"
#include "base/uuid.h"

/* RFC 4122: 8-4-4-4-12 lower-case hex digits, version 4, variant 10. */
static void a_uuid_has_the_form_of_version_4(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char text[UUID_TEXT];
        uuid_new(text);
        assert_int_equal(strlen(text), 36);
        for (size_t k = 0; k < 36; k++)
            assert_non_null(strchr(k == 8 || k == 13 || k == 18 || k == 23 ? "-" : "0123456789abcdef", text[k]));
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
}

static void two_uuids_differ(void **state)
{
    (void)state;
    char one[UUID_TEXT], other[UUID_TEXT];

    uuid_new(one);
    uuid_new(other);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_has_the_form_of_version_4),
        cmocka_unit_test(two_uuids_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
