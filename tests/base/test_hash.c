/* Digests against those of the official Java checksum providers (tests/data/checksums.json). */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"
#include "base/mem.h"

enum { PATTERN_BYTES = 1000003 };

/* The bytes of a vector: given as hex, or the pattern that the file describes in words. */
static uint8_t *input_bytes(json_t *input, size_t *n)
{
    const char *hex = json_string_value(json_object_get(input, "hex"));

    *n = hex ? strlen(hex) / 2 : PATTERN_BYTES;
    uint8_t *bytes = mem_new(*n, 1);
    for (size_t i = 0; i < *n; i++) {
        char pair[3] = {hex ? hex[2 * i] : '0', hex ? hex[2 * i + 1] : '0', '\0'};
        bytes[i] = hex ? (uint8_t)strtoul(pair, NULL, 16) : (uint8_t)(i * 7 + (i >> 8));
    }
    return bytes;
}

static void check(const char *algorithm, const uint8_t *bytes, size_t n, size_t first, const char *expected)
{
    AUTO(hash_freep) struct hash *h = hash_new(algorithm);
    char hex[HASH_HEX_MAX];

    assert_non_null(h);
    hash_add(h, bytes, first);
    hash_add(h, bytes + first, n - first);
    hash_hex(h, hex);
    assert_string_equal(hex, expected);
}

static void digests_are_those_of_the_official_client(void **state)
{
    (void)state;
    char path[1024];
    const char *name;
    json_t *vector;
    size_t checked = 0;

    snprintf(path, sizeof(path), "%s/checksums.json", getenv("TEST_DATA"));
    json_t *file = json_load_file(path, 0, NULL);
    assert_non_null(file);
    json_object_foreach(json_object_get(file, "vectors"), name, vector) {
        size_t n;
        AUTO(mem_freep) uint8_t *bytes = input_bytes(json_object_get(vector, "input"), &n);
        for (const char *const *a = hash_algorithms; *a; a++, checked++) {
            const char *expected = json_string_value(json_object_get(json_object_get(vector, "digests"), *a));
            check(*a, bytes, n, 0, expected);
            check(*a, bytes, n, n / 3, expected);
        }
    }
    json_decref(file);
    assert_int_equal(checked, 25);
}

static void a_name_that_is_no_algorithm_gives_nothing(void **state)
{
    (void)state;
    assert_null(hash_new("Murmur3-32"));
    assert_null(hash_new(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_official_client),
        cmocka_unit_test(a_name_that_is_no_algorithm_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
