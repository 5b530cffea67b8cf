#include "../test.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "format/tiff.h"

/* A TIFF of one directory at byte 8, written by hand after TIFF 6.0, section 2. */
struct draft {
    struct buf bytes;
    bool big_endian;
};

static void put(struct draft *d, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_byte(&d->bytes, (uint8_t)(value >> 8 * (d->big_endian ? n - 1 - i : i)));
}

static void begin(struct draft *d, bool big_endian, uint32_t directory, uint16_t n_tags)
{
    *d = (struct draft){.bytes = BUF_INIT(1 << 20), .big_endian = big_endian};
    buf_add(&d->bytes, big_endian ? "MM\0*" : "II*\0", 4);
    put(d, directory, 4);
    put(d, n_tags, 2);
}

static void tag(struct draft *d, uint16_t id, uint16_t type, uint32_t count, uint32_t value)
{
    put(d, id, 2), put(d, type, 2), put(d, count, 4), put(d, value, 4);
}

static struct tiff_facts read_draft(struct draft *d)
{
    struct err err = ERR_INIT;
    struct tiff_facts t;
    AUTO(io_closep) int fd = memfd_create("tiff", MFD_CLOEXEC);

    assert_int_equal(write(fd, d->bytes.data, d->bytes.len), d->bytes.len);
    assert_true(tiff_begins(d->bytes.data, d->bytes.len));
    /* only the header is in memory: the rest has to be read */
    assert_ok(tiff_read(fd, d->bytes.len, d->bytes.data, d->bytes.len < 16 ? d->bytes.len : 16, &t, &err), &err);
    buf_clear(&d->bytes);
    return t;
}

static void texts_and_tags_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big_endian = 0; big_endian < 2; big_endian++) {
        struct draft d;

        begin(&d, big_endian, 8, 3);
        tag(&d, 254, 4, 1, 2);
        tag(&d, 270, 2, 6, 8 + 2 + 36 + 4);
        tag(&d, 34361, 4, 1, 0);
        put(&d, 0, 4);
        buf_add(&d.bytes, "hello", 6);

        struct tiff_facts t = read_draft(&d);
        assert_null(t.broken);
        assert_string_equal(t.comment, "hello");
        assert_int_equal(t.description.offset, 50);
        assert_int_equal(t.description.bytes, 6);
        assert_int_equal(t.subfile_type, 2);
        assert_true(tiff_has(&t, 34361));
        assert_false(tiff_has(&t, 34362));
        assert_false(t.more_directories);
        assert_int_equal(t.big_endian, big_endian);
    }
}

static void a_short_text_lies_in_the_tag_itself(void **state)
{
    (void)state;
    struct draft d;

    begin(&d, false, 8, 1);
    tag(&d, 305, 2, 4, 0x00434241);
    put(&d, 0, 4);
    assert_string_equal(read_draft(&d).software, "ABC");
}

static void a_bigtiff_is_read(void **state)
{
    (void)state;
    struct draft d = {.bytes = BUF_INIT(1000)};

    buf_add(&d.bytes, "II+\0", 4);
    put(&d, 8, 2), put(&d, 0, 2), put(&d, 16, 8), put(&d, 1, 8);
    put(&d, 305, 2), put(&d, 2, 2), put(&d, 9, 8), put(&d, 16 + 8 + 20 + 8, 8), put(&d, 0, 8);
    buf_add(&d.bytes, "software", 9);

    struct tiff_facts t = read_draft(&d);
    assert_null(t.broken);
    assert_true(t.big);
    assert_string_equal(t.software, "software");
}

static void what_is_not_whole_is_told(void **state)
{
    (void)state;
    static const struct { uint32_t directory; uint16_t n_tags, id; uint32_t count, value, next; const char *word; } cases[] = {
        {9999, 1, 305, 4, 0, 0, "first directory lies beyond"},
        {8, 0, 305, 4, 0, 0, "empty"},
        {8, 400, 305, 4, 0, 0, "ends within"},
        {8, 5000, 305, 4, 0, 0, "more tags"},
        {8, 1, 270, 100, 9999, 0, "text"},
        {8, 1, 270, UINT32_MAX, UINT32_MAX, 0, "text"},
        {8, 1, 305, 4, 0, 8, "circle"},
        {8, 1, 305, 4, 0, 9999, "second directory"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct draft d;

        begin(&d, false, cases[i].directory, cases[i].n_tags);
        tag(&d, cases[i].id, 2, cases[i].count, cases[i].value);
        put(&d, cases[i].next, 4);
        struct tiff_facts t = read_draft(&d);
        assert_non_null(t.broken);
        assert_non_null(strstr(t.broken, cases[i].word));
    }
}

static void pixels_beyond_the_end_are_told(void **state)
{
    (void)state;
    for (uint32_t bytes = 10; bytes <= 11; bytes++) {
        struct draft d;

        begin(&d, false, 8, 2);
        tag(&d, 273, 4, 1, 8 + 2 + 24 + 4);
        tag(&d, 279, 4, 1, bytes);
        put(&d, 0, 4);
        buf_add(&d.bytes, "0123456789", 10);
        assert_int_equal(read_draft(&d).broken != NULL, bytes == 11);
    }
}

static void a_header_alone_is_no_tiff(void **state)
{
    (void)state;
    static const uint8_t header[] = {'I', 'I', '*', 0, 8, 0, 0};
    struct err err = ERR_INIT;
    struct tiff_facts t;

    assert_true(tiff_begins(header, sizeof(header)));
    assert_false(tiff_begins(header, 3));
    assert_false(tiff_begins((const uint8_t *)"II*\1", 4));
    assert_ok(tiff_read(-1, sizeof(header), header, sizeof(header), &t, &err), &err);
    assert_non_null(t.broken);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    static const uint8_t header[] = {'I', 'I', '*', 0, 64, 0, 0, 0};
    struct err err = ERR_INIT;
    struct tiff_facts t;

    assert_fails(tiff_read(-1, 1000, header, sizeof(header), &t, &err), &err, REASON_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_tags_are_read_in_both_byte_orders),
        cmocka_unit_test(a_short_text_lies_in_the_tag_itself),
        cmocka_unit_test(a_bigtiff_is_read),
        cmocka_unit_test(what_is_not_whole_is_told),
        cmocka_unit_test(pixels_beyond_the_end_are_told),
        cmocka_unit_test(a_header_alone_is_no_tiff),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
