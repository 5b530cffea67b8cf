/* Pictures: expected values are what OMERO.server 5.6.17 with Bio-Formats 7.3.1 made of the same files (sets), or what
 * Bio-Formats 7.3.1 alone says of them (the small ones). */
#include "../test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "sandbox/picture.h"

static int read_as(const char *folder, const char *name, struct arena *arena, struct picture *p, struct err *err)
{
    return picture_read(arena_printf(arena, "%s/%s", getenv(folder), name), arena, p, err);
}

/* "name: x,y,z,c,t type" of every image, a line each; error texts as they are. */
static char *told(const char *folder, const char *name, struct arena *arena)
{
    struct err err = ERR_INIT;
    struct picture p;
    char *all = arena_str(arena, "");

    if (read_as(folder, name, arena, &p, &err) < 0)
        return arena_str(arena, err.text);
    for (size_t i = 0; i < p.n_images; i++) {
        const struct picture_image *m = &p.images[i];
        const char *shown = picture_name(&p, i, NULL, arena);
        all = arena_printf(arena, "%s%s%s: %u,%u,%u,%u,%u %s", all, i ? "\n" : "", shown, m->x, m->y, m->z, m->c, m->t, m->type);
    }
    return all;
}

static const struct {
    const char *folder, *file, *images;
} cases[] = {
    {"PICTURES", "result.tif", "result.tif: 64,48,1,1,3 float"},
    {"PICTURES", "big.ome.btf", "big.ome.btf: 64,48,3,2,2 uint16"},
    {"PICTURES", "three images.ome.tiff",
     "three images.ome.tiff [multi]: 64,48,3,2,1 uint8\nthree images.ome.tiff [multi 2]: 64,48,3,2,1 uint8\n"
     "three images.ome.tiff [multi 3]: 64,48,3,2,1 uint8"},
    {"PICTURES", "sample.companion.ome", "sample.companion.ome: 56,40,4,2,1 uint16"},
    {"PICTURES", "sample_Z1.ome.tiff", "sample.companion.ome: 56,40,4,2,1 uint16"},
    {"SAMPLE", "Spindle orientation/embryo 1/field_0001.tif", "field_0001.tif: 64,48,1,1,1 uint16"},
    {"SAMPLE", "gut/run_T0_C1.ome.tiff", "run_T0_C1.ome.tiff: 64,48,3,2,2 uint16"},
    {"SAMPLE", "gut/stained/overview.png", "overview.png: 160,120,1,1,1 uint8"},
    {"SAMPLE", "gut/stained/section.jpg", "section.jpg: 160,120,1,3,1 uint8"},
    {"PICTURES", "nonuni.tif",
     "nonuni.tif [nonuni.tif #1]: 40,30,1,1,1 uint8\nnonuni.tif [nonuni.tif #2]: 20,15,1,1,1 uint8\n"
     "nonuni.tif [nonuni.tif #3]: 40,30,1,1,1 uint8"},
    {"PICTURES", "m_8_16.tif", "m_8_16.tif [m_8_16.tif #1]: 40,30,1,1,1 uint8\nm_8_16.tif [m_8_16.tif #2]: 40,30,1,1,1 uint16"},
    {"PICTURES", "m_rgbgrey.tif", "m_rgbgrey.tif: 40,30,1,3,2 uint8"},
    {"PICTURES", "rgb.tif", "rgb.tif: 40,30,1,3,1 uint8"},
    {"PICTURES", "ij_slices.tif", "ij_slices.tif: 8,8,3,1,1 uint8"},
    {"PICTURES", "ij_one.tif", "ij_one.tif: 8,8,4,1,1 uint8"},
    {"PICTURES", "ij_bad.tif", "ij_bad.tif: 8,8,1,1,3 uint8"},
    {"PICTURES", "thumb0.tif", "thumb0.tif: 8,8,1,1,2 uint8"},
    {"PICTURES", "badxml.tif", "badxml.tif: 8,8,1,1,3 uint8"},
    {"PICTURES", "noname.ome.tif", "noname.ome.tif: 8,8,3,1,1 uint8"},
    {"PICTURES", "p_rgba.png", "p_rgba.png: 40,30,1,4,1 uint8"},
    {"PICTURES", "p_la.png", "p_la.png: 40,30,1,2,1 uint8"},
    {"PICTURES", "p_i16.png", "p_i16.png: 40,30,1,1,1 uint16"},
    {"PICTURES", "j_cmyk.jpg", "j_cmyk.jpg: 40,30,1,3,1 uint8"},
    {"PICTURES", "cut60.tif", "loci.formats.FormatException: No IFDs found"},
    {"PICTURES", "cut100.tif", "java.io.EOFException: Attempting to read beyond end of file."},
    {"PICTURES", "page2cut.tif", "java.io.EOFException: Attempting to read beyond end of file."},
    {"PICTURES", "garbage.tif", "loci.formats.FormatException: Invalid TIFF file: garbage.tif"},
};

static void images_are_those_of_bio_formats(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].file);
        assert_string_equal(told(cases[i].folder, cases[i].file, arena), cases[i].images);
    }
}

static void images_are_those_of_the_sample_sets(void **state)
{
    static const struct {
        const char *file, *images;
    } sets[] = {
        {"samples/sets/made-imagej-hyperstack/hyperstack.tif", "hyperstack.tif: 64,48,4,2,3 uint16"},
        {"samples/sets/made-ome-tiff-5d/five dimensions.ome.tif", "five dimensions.ome.tif: 64,48,3,2,2 uint16"},
        {"samples/sets/made-ome-tiff-pyramid/pyramid.ome.tif", "pyramid.ome.tif: 320,256,1,2,1 uint16"},
        {"samples/sets/made-ome-xml/volume.ome", "volume.ome: 56,40,4,2,1 uint16"},
        {"samples/sets/broken-companion-member-gone/sample.companion.ome",
         "loci.formats.FormatException: Missing file sample_Z2.ome.tiff associated with UUID "
         "urn:uuid:f3a38512-e3a9-4b75-a561-486025fed861."},
        {"samples/sets/broken-empty-tiff/empty.tif", "loci.formats.FormatException: Invalid TIFF file: empty.tif"},
    };
    char beside[PATH_MAX];

    (void)state;
    snprintf(beside, sizeof beside, "%s/../../shared", getenv("SAMPLE"));
    setenv("IMPOMERO_SHARED", beside, 0);
    if (access(getenv("IMPOMERO_SHARED"), R_OK) < 0)
        skip();
    AUTO(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        assert_string_equal(told("IMPOMERO_SHARED", sets[i].file, arena), sets[i].images);
}

static void channels_have_the_names_of_the_ome_xml(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;
    struct picture p;

    (void)state;
    assert_ok(read_as("PICTURES", "big.ome.btf", arena, &p, &err), &err);
    assert_string_equal(p.images[0].channels[0], "DAPI");
    assert_string_equal(p.images[0].channels[1], "AF568");
    assert_ok(read_as("PICTURES", "rgb.tif", arena, &p, &err), &err);
    assert_null(p.images[0].channels[2]);
}

static void a_format_that_is_not_read_is_one_image_marked_so(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;
    struct picture p;

    (void)state;
    assert_ok(read_as("SAMPLE", "Spindle orientation/embryo 2/time lapse.czi", arena, &p, &err), &err);
    assert_false(p.known);
    assert_int_equal(p.n_images, 1);
    assert_string_equal(picture_name(&p, 0, " ", arena), "time lapse.czi");
}

static void a_file_that_is_not_there_is_said_so(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;
    struct picture p;

    (void)state;
    assert_fails(read_as("PICTURES", "no such.tif", arena, &p, &err), &err, REASON_GONE);
}

/* Rules of omero-server's PixelsProcessor, as a real server showed them. */
static void names_follow_the_import_and_the_series(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    const struct picture_image images[] = {{.name = " one "}, {.name = ""}, {.name = NULL}};
    struct picture p = {.file = "f.tif", .images = images, .n_images = 3, .known = true};
    char *long_name = arena_alloc(arena, 301, 1);

    (void)state;
    memset(long_name, 'x', 300);
    assert_string_equal(picture_name(&p, 0, "n", arena), "n [one]");
    assert_string_equal(picture_name(&p, 1, " n\t", arena), "n [1]");
    assert_string_equal(picture_name(&p, 2, NULL, arena), "f.tif [2]");
    p.n_images = 1;
    assert_string_equal(picture_name(&p, 0, "n", arena), "n");
    assert_string_equal(picture_name(&p, 0, long_name + 45, arena), long_name + 45);
    const char *cut = picture_name(&p, 0, long_name, arena);
    assert_int_equal(strlen(cut), 3 + 254);
    assert_memory_equal(cut, "\xe2\x80\xa6x", 4);
    const char *wide = arena_printf(arena, "\xf0\x9f\x94\xac%s", long_name + 46);
    assert_int_equal(strlen(picture_name(&p, 0, wide, arena)), 3 + 254);
}

static char *written(struct arena *arena, const char *ending, const void *bytes, size_t n)
{
    char *path = arena_printf(arena, "%s/impomero-picture-XXXXXX%s", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", ending);
    int fd = mkstemps(path, (int)strlen(ending));

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    return path;
}

static int read_picture(struct arena *arena, const char *text, struct picture *p, struct err *err)
{
    const char *path = written(arena, ".ome", text, strlen(text));
    int r = picture_read(path, arena, p, err);

    unlink(path);
    return r;
}

static int read_xml(struct arena *arena, const char *text, struct err *err)
{
    struct picture p;

    return read_picture(arena, text, &p, err);
}

#define PIXELS(c) "<OME><Image><Pixels Type='uint8' SizeX='1' SizeY='1' SizeZ='1' SizeT='1' SizeC='" c "'>"
#define END "</Pixels></Image></OME>"

static void hostile_ome_xml_is_refused(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(read_xml(arena, PIXELS("65536") END, &err), &err);
    assert_int_equal(SANDBOX_CHANNELS_MAX, 65536);
    assert_fails(read_xml(arena, PIXELS("65537") END, &err), &err, REASON_TOO_LARGE);
    assert_fails(read_xml(arena, PIXELS("-1") END, &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, PIXELS("") END, &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, "", &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, "<OME/>", &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, "<OME><Image/></OME>", &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, "<!DOCTYPE OME [<!ENTITY a 'b'>]>" PIXELS("1") END, &err), &err, REASON_BROKEN_FILE);
    assert_fails(read_xml(arena, PIXELS("1") "<TiffData><UUID FileName='../x.tif'>u</UUID></TiffData>" END, &err), &err,
                 REASON_INCOMPLETE);
    assert_string_equal(err.text, "loci.formats.FormatException: Missing file ../x.tif associated with UUID u.");
}

#define FIELD(id) "<WellSample><ImageRef ID='" id "'/></WellSample>"
#define IMAGE(id) "<Image ID='" id "'><Pixels Type='uint8' SizeX='1' SizeY='1' SizeZ='1' SizeT='1' SizeC='1'/></Image>"

/* Rows and columns of wells count from 0 (OME schema 2016-06, WellType); wells without fields are wells too. */
static void plates_have_wells_and_wells_have_fields(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;
    struct picture p;

    (void)state;
    assert_ok(read_picture(arena, "<OME>" FIELD("Image:0") "<Plate Name='P' Rows='2' Columns='3'>" FIELD("Image:0")
                           "<Well Row='1' Column='2'>" FIELD("Image:1") FIELD("Image:0") FIELD("Image:9") "</Well>"
                           "<Well Row='0' Column='0'/></Plate><Plate/>" IMAGE("Image:0") IMAGE("Image:1") "</OME>", &p, &err),
              &err);
    assert_int_equal(p.n_plates, 2);
    assert_int_equal(p.plates[0].rows, 2);
    assert_int_equal(p.plates[0].columns, 3);
    assert_int_equal(p.plates[0].n_wells, 2);
    assert_int_equal(p.plates[0].wells[0].row, 1);
    assert_int_equal(p.plates[0].wells[0].column, 2);
    assert_int_equal(p.plates[0].wells[0].n_fields, 2);
    assert_int_equal(p.plates[0].wells[0].fields[0], 1);
    assert_int_equal(p.plates[0].wells[0].fields[1], 0);
    assert_int_equal(p.plates[0].wells[1].n_fields, 0);
    assert_string_equal(picture_plate_name(&p, 0, NULL), "P");
    assert_string_equal(picture_plate_name(&p, 0, "mine"), "mine");
    assert_string_equal(picture_plate_name(&p, 1, NULL), p.file);
}

static void a_plate_has_no_more_wells_than_the_ceiling(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(buf_clear) struct buf text = BUF_INIT(1u << 24);
    struct err err = ERR_INIT;

    (void)state;
    buf_add_str(&text, "<OME>" IMAGE("Image:0") "<Plate>");
    for (int i = 0; i <= SANDBOX_WELLS_MAX; i++)
        buf_add_str(&text, "<Well/>");
    buf_add_str(&text, "</Plate></OME>");
    buf_add_byte(&text, 0);
    assert_fails(read_xml(arena, (const char *)text.data, &err), &err, REASON_TOO_LARGE);
}

static void put(uint8_t *at, uint32_t value, int n)
{
    for (int i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A TIFF of n pages of one pixel. */
static int read_pages(struct arena *arena, size_t n, struct err *err)
{
    static const uint16_t tags[] = {256, 257, 273, 279};
    enum { PAGE = 2 + 4 * 12 + 4 };
    uint8_t *b = arena_alloc(arena, 8 + n * PAGE, 1);
    struct picture p;

    put(b, 0x002a4949, 4);
    put(b + 4, 8, 4);
    for (size_t i = 0; i < n; i++) {
        uint8_t *page = b + 8 + i * PAGE;
        put(page, 4, 2);
        for (int t = 0; t < 4; t++) {
            put(page + 2 + t * 12, tags[t], 2);
            put(page + 4 + t * 12, 4, 2);
            put(page + 6 + t * 12, 1, 4);
            put(page + 10 + t * 12, 1, 4);
        }
        put(page + PAGE - 4, i + 1 < n ? (uint32_t)(8 + (i + 1) * PAGE) : 0, 4);
    }
    const char *path = written(arena, ".tif", b, 8 + n * PAGE);
    int r = picture_read(path, arena, &p, err);
    unlink(path);
    return r == 0 ? (int)p.images[0].t : r;
}

static void a_tiff_has_no_more_pages_than_the_ceiling(void **state)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(read_pages(arena, 3, &err), 3);
    assert_fails(read_pages(arena, SANDBOX_PAGES_MAX + 1, &err), &err, REASON_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_those_of_bio_formats),
        cmocka_unit_test(plates_have_wells_and_wells_have_fields),
        cmocka_unit_test(a_plate_has_no_more_wells_than_the_ceiling),
        cmocka_unit_test(images_are_those_of_the_sample_sets),
        cmocka_unit_test(channels_have_the_names_of_the_ome_xml),
        cmocka_unit_test(a_format_that_is_not_read_is_one_image_marked_so),
        cmocka_unit_test(a_file_that_is_not_there_is_said_so),
        cmocka_unit_test(names_follow_the_import_and_the_series),
        cmocka_unit_test(a_tiff_has_no_more_pages_than_the_ceiling),
        cmocka_unit_test(hostile_ome_xml_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
