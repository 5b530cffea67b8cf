#include "../test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "format/ome.h"

static int file_of(const char *text, size_t n)
{
    int fd = memfd_create("ome", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    return fd;
}

/* What ome_read says of a text. */
static int read_text(struct arena *arena, const char *text, size_t n, struct ome_facts **out, struct err *err)
{
    const struct format_names *last = NULL;
    AUTO(io_closep) int fd = file_of(text, n);

    return ome_read(fd, 0, n, &last, arena, out, err);
}

#define OPEN \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" \
    "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" UUID=\"urn:uuid:A\">"

static void names_come_once_in_the_order_of_the_xml(void **state)
{
    (void)state;
    static const char text[] = OPEN "<Image ID=\"Image:0\"><Pixels>"
        "<TiffData IFD=\"0\"><UUID FileName=\"b.tif\">urn:uuid:B</UUID></TiffData>"
        "<TiffData IFD=\"1\"><UUID FileName=\"a.tif\"> urn:uuid:A\n</UUID></TiffData>"
        "<TiffData IFD=\"2\"><UUID FileName=\"b.tif\">urn:uuid:B</UUID></TiffData>"
        "</Pixels></Image></OME>";
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    assert_ok(read_text(arena, text, sizeof(text) - 1, &ome, &err), &err);
    assert_string_equal(ome->uuid, "urn:uuid:A");
    assert_int_equal(ome->n_images, 1);
    assert_int_equal(ome->names->n, 2);
    assert_string_equal(ome->names->at[0].name, "b.tif");
    assert_string_equal(ome->names->at[0].more, "urn:uuid:B");
    assert_string_equal(ome->names->at[1].name, "a.tif");
    assert_string_equal(ome->names->at[1].more, "urn:uuid:A");
    assert_false(ome->own_planes);
    assert_false(ome->plate);
    assert_null(ome->metadata_file);
}

static void planes_without_a_name_lie_in_the_file_itself(void **state)
{
    (void)state;
    static const char text[] = OPEN "<Plate ID=\"Plate:0\"/><Image><Pixels><TiffData IFD=\"0\"/></Pixels></Image></OME>\0";
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    assert_ok(read_text(arena, text, sizeof(text), &ome, &err), &err);
    assert_true(ome->own_planes);
    assert_true(ome->plate);
    assert_int_equal(ome->names->n, 0);
}

static void a_pointer_says_where_the_metadata_is(void **state)
{
    (void)state;
    static const char text[] = "<ome:OME xmlns:ome=\"x\"><ome:BinaryOnly MetadataFile=\"m.companion.ome\" UUID=\"u\"/></ome:OME>";
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    assert_ok(read_text(arena, text, sizeof(text) - 1, &ome, &err), &err);
    assert_string_equal(ome->metadata_file, "m.companion.ome");
    assert_int_equal(ome->n_images, 0);
}

static void bytes_that_are_no_characters_do_no_harm(void **state)
{
    (void)state;
    static const char text[] = OPEN "<Image Name=\"5 \xB5m \x01\"><Pixels><TiffData>"
        "<UUID FileName=\"\xC3\xA9.tif\">u</UUID></TiffData></Pixels></Image></OME>";
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    assert_ok(read_text(arena, text, sizeof(text) - 1, &ome, &err), &err);
    assert_string_equal(ome->names->at[0].name, "\xC3\xA9.tif");
}

static void xml_that_is_cut_or_not_ome_is_told(void **state)
{
    (void)state;
    static const char cut[] = OPEN "<Image><Pixels>", other[] = "<html><Image/></html>", none[] = "no xml";
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    assert_fails(read_text(arena, cut, sizeof(cut) - 1, &ome, &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_text(arena, none, sizeof(none) - 1, &ome, &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_text(arena, "", 0, &ome, &err), &err, REASON_BROKEN_FILE);
    assert_int_equal(read_text(arena, other, sizeof(other) - 1, &ome, &err), 1);
    assert_null(ome);
}

static void entities_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<!DOCTYPE OME [<!ENTITY a \"b\">]><OME>&a;</OME>",
        "<!DOCTYPE OME [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><OME>&a;</OME>",
        "<!DOCTYPE OME [<!ENTITY % a SYSTEM \"http://localhost/\"> %a;]><OME/>",
    };
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_fails(read_text(arena, texts[i], strlen(texts[i]), &ome, &err), &err, REASON_BROKEN_FILE);
        assert_non_null(strstr(err.text, "entities"));
    }
}

static void the_ceiling_on_depth_holds(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    struct buf text = BUF_INIT(1 << 20);
    AUTO(arena_freep) struct arena *arena = arena_new();

    buf_add_str(&text, "<OME>");
    for (unsigned i = 1; i < OME_DEPTH_MAX; i++)
        buf_add_str(&text, "<a>");
    for (unsigned i = 1; i < OME_DEPTH_MAX; i++)
        buf_add_str(&text, "</a>");
    buf_add_str(&text, "</OME>");
    assert_ok(read_text(arena, (char *)text.data, text.len, &ome, &err), &err);

    buf_reset(&text);
    buf_add_str(&text, "<OME>");
    for (unsigned i = 0; i < OME_DEPTH_MAX; i++)
        buf_add_str(&text, "<a>");
    assert_fails(read_text(arena, (char *)text.data, text.len, &ome, &err), &err, REASON_TOO_LARGE);
    buf_clear(&text);
}

static void the_ceiling_on_names_holds(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    struct buf text = BUF_INIT(64 << 20);
    AUTO(arena_freep) struct arena *arena = arena_new();

    buf_add_str(&text, "<OME><Image><Pixels><TiffData>");
    for (unsigned i = 0; i <= NAMES_MAX; i++)
        buf_printf(&text, "<UUID FileName=\"%u\">u</UUID>", i);
    buf_add_str(&text, "</TiffData></Pixels></Image></OME>");
    assert_false(text.full);
    assert_fails(read_text(arena, (char *)text.data, text.len, &ome, &err), &err, REASON_TOO_LARGE);
    buf_clear(&text);
}

static void the_ceiling_on_one_tag_holds(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    struct buf text = BUF_INIT(64 << 20);
    AUTO(arena_freep) struct arena *arena = arena_new();

    buf_add_str(&text, "<OME UUID=\"");
    memset(buf_reserve(&text, OME_TOKEN_MAX + (128 << 10)), 'x', OME_TOKEN_MAX + (128 << 10));
    buf_add_str(&text, "\"/>");
    assert_fails(read_text(arena, (char *)text.data, text.len, &ome, &err), &err, REASON_TOO_LARGE);
    buf_clear(&text);
}

static void the_ceiling_on_length_holds(void **state)
{
    (void)state;
    enum { PIECE = 1 << 20 };
    struct err err = ERR_INIT;
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(mem_freep) uint8_t *blanks = mem_new(PIECE, 1);
    AUTO(ome_parser_freep) struct ome_parser *p = ome_parser_new(arena, NULL);

    memset(blanks, ' ', PIECE);
    assert_ok(ome_parser_feed(p, (const uint8_t *)"<OME>", 5, &err), &err);
    for (unsigned i = 0; i < OME_XML_MAX / PIECE - 1; i++)
        assert_ok(ome_parser_feed(p, blanks, PIECE, &err), &err);
    assert_fails(ome_parser_feed(p, blanks, PIECE, &err), &err, REASON_TOO_LARGE);
}

static void members_of_a_set_share_their_names(void **state)
{
    (void)state;
    static const char text[] = OPEN "<Image><Pixels><TiffData><UUID FileName=\"a\">u</UUID></TiffData></Pixels></Image></OME>";
    struct err err = ERR_INIT;
    const struct format_names *last = NULL;
    struct ome_facts *one = NULL, *two = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(io_closep) int fd = file_of(text, sizeof(text) - 1);

    assert_ok(ome_read(fd, 0, sizeof(text) - 1, &last, arena, &one, &err), &err);
    assert_ok(ome_read(fd, 0, sizeof(text) - 1, &last, arena, &two, &err), &err);
    assert_ptr_equal(one->names, two->names);
    assert_ptr_equal(last, one->names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_once_in_the_order_of_the_xml),
        cmocka_unit_test(planes_without_a_name_lie_in_the_file_itself),
        cmocka_unit_test(a_pointer_says_where_the_metadata_is),
        cmocka_unit_test(bytes_that_are_no_characters_do_no_harm),
        cmocka_unit_test(xml_that_is_cut_or_not_ome_is_told),
        cmocka_unit_test(entities_are_refused),
        cmocka_unit_test(the_ceiling_on_depth_holds),
        cmocka_unit_test(the_ceiling_on_names_holds),
        cmocka_unit_test(the_ceiling_on_one_tag_holds),
        cmocka_unit_test(the_ceiling_on_length_holds),
        cmocka_unit_test(members_of_a_set_share_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
