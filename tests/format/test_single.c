#include "../test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "format/format.h"

#define OLE "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
#define ND2 "\xDA\xCE\xBE\x0A"

/* 40 numbers of 16 bits, 10 of 16; explicit little endian with 852 bytes of pixels from 172 on; a second directory whose only
 * strip begins at 1000. */
#define FITS_OF_80 \
    {0, 9, "SIMPLE  ="}, {80, 30, "BITPIX  =                   16"}, {160, 30, "NAXIS   =                    1"}, \
        {240, 30, "NAXIS1  =                   40"}, {320, 8, "END     "}
#define NIFTI_OF_20 \
    {0, 2, "\x5C\1"}, {40, 4, "\1\0\x0A\0"}, {72, 2, "\x10\0"}, {108, 4, "\0\0\xB0\x43"}, {344, 3, "n+1"}
#define DICOM_TO_1024 \
    {128, 4, "DICM"}, {132, 8, "\2\0\x10\0UI\x14\0"}, {140, 20, "1.2.840.10008.1.2.1\0"}, \
        {160, 12, "\xE0\x7F\x10\0OW\0\0\x54\3\0\0"}
#define TIFF_OF_TWO \
    {0, 8, "II*\0\x08\0\0\0"}, {8, 18, "\1\0\0\1\3\0\1\0\0\0\1\0\0\0\x1A\0\0\0"}, \
        {26, 18, "\1\0\x11\1\4\0\1\0\0\0\xE8\3\0\0\0\0\0\0"}

struct piece {
    size_t at, n;
    const char *bytes;
};

/* A file of zeros with some pieces in it, and what it must be: "format, reader" or "reason". */
struct given {
    const char *name;
    size_t size;
    struct piece pieces[5];
    const char *want;
};

static void write_file(int dir, const struct given *g)
{
    AUTO(mem_freep) char *bytes = mem_new(g->size + 1, 1);
    int fd = openat(dir, g->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    for (size_t i = 0; i < ARRAY_LEN(g->pieces) && g->pieces[i].n > 0; i++)
        memcpy(bytes + g->pieces[i].at, g->pieces[i].bytes, g->pieces[i].n);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, g->size), g->size);
    close(fd);
}

static char *shown(const struct format_group *g)
{
    const char *dot = g->reader ? strrchr(g->reader, '.') : NULL;

    return g->why == REASON_NONE ? mem_printf("%s, %s", g->format, dot + 1) : mem_str(reason_row(g->why)->name);
}

static void check_one(const struct given *given)
{
    char path[] = "/tmp/impomero-single-XXXXXX";
    struct err err = ERR_INIT;

    assert_non_null(mkdtemp(path));

    AUTO(io_closep) int dir = io_open_dir(path, &err);
    AUTO(tree_freep) struct tree *tree = NULL;
    AUTO(format_groups_freep) struct format_groups *groups = NULL;

    write_file(dir, given);
    assert_ok(tree_scan(path, &tree, &err), &err);
    assert_ok(format_group_tree(tree, NULL, &groups, &err), &err);
    assert_int_equal(groups->n, 1);

    const struct format_group g = format_group_at(groups, 0);
    AUTO(mem_freep) char *have = shown(&g);

    if (strcmp(have, given->want) != 0)
        fail_msg("%s of %zu bytes is %s (%s), not %s", given->name, given->size, have, g.text, given->want);
    unlinkat(dir, given->name, 0);
    rmdir(path);
}

static void check_all(const struct given *given, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_one(&given[i]);
}

static void content_decides_where_it_can(void **state)
{
    static const struct given given[] = {
        {"noname", 20, {{0, 10, "P5\n2 2\n255"}}, "Portable Any Map, PGMReader"},
        {"notes", 20, {{0, 10, "P5 protein"}}, "unknown-format"},
        {"x.pgm", 20, {{0, 10, "P5 protein"}}, "broken-file"},
        {"noname", 20, {{0, 12, "iiii\4\0\0\0\x0E\x10\0\0"}}, "IPLab, IPLabReader"},
        {"noname", 20, {{0, 12, "mmmm\0\0\0\4\0\0\x10\x0E"}}, "IPLab, IPLabReader"},
        {"noname", 20, {{0, 12, "mmmm\0\0\0\4\0\0\x10\x0D"}}, "unknown-format"},
        {"noname", 20, {{0, 4, "8BPS"}}, "Photoshop, PSDReader"},
        {"noname", 20, {{0, 8, "\0\0\xFF\xFFimpr"}}, "Openlab, OpenlabReader"},
        {"noname", 20, {{0, 10, "OMAS_BF\n\xFF\xFF"}}, "OBF, OBFReader"},
        {"noname", 60, {{0, 12, "\0\0\0\3\0\0\0\x28\0\0\0\1"}}, "Gatan Digital Micrograph, GatanReader"},
        {"noname", 600, {{0, 12, "\0\0\0\3\0\0\0\x28\0\0\0\1"}}, "unknown-format"},
        {"noname", 1024, {{128, 4, "DICM"}}, "DICOM, DicomReader"},
        {"noname", 1023, {{128, 4, "DICM"}}, "unknown-format"},
        {"noname", 30, {{0, 12, "\0\0\0\x0CjP  \r\n\x87\n"}, {28, 2, "\xFF\xD9"}}, "JPEG 2000, JPEG2000Reader"},
        {"noname", 8, {{0, 4, "\xFF\x4F\xFF\x51"}, {6, 2, "\xFF\xD9"}}, "JPEG 2000, JPEG2000Reader"},
        {"noname", 2048, {{0, 21, "ST-7 Compressed Image"}}, "SBIG, SBIGReader"},
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

static void a_name_needs_its_content(void **state)
{
    static const struct given given[] = {
        {"x.fits", 2880, {{0, 9, "SIMPLE  ="}, {80, 8, "END     "}}, "FITS, FitsReader"},
        {"x.fits", 2880, {{0, 9, "SIMPLE  ="}}, "broken-file"},
        {"x.fits", 2880 + 80, {FITS_OF_80}, "FITS, FitsReader"},
        {"x.fits", 2880 + 79, {FITS_OF_80}, "broken-file"},
        {"x.FTS", 2880, {{0, 9, "something"}}, "broken-file"},
        {"x.gif", 20, {{0, 6, "GIF89a"}}, "GIF, GIFReader"},
        {"noname", 20, {{0, 6, "GIF89a"}}, "unknown-format"},
        {"x.pcx", 128, {{0, 3, "\x0A\5\1"}}, "PCX, PCXReader"},
        {"x.tga", 20, {{0, 18, "\0\0\2\0\0\0\0\0\0\0\0\0\4\0\4\0\x18\0"}}, "Targa, TargaReader"},
        {"x.tga", 20, {{0, 18, "\0\0\7\0\0\0\0\0\0\0\0\0\4\0\4\0\x18\0"}}, "broken-file"},
        {"x.sif", 40, {{0, 35, "Andor Technology Multi-Channel File"}}, "Andor SIF, SIFReader"},
        {"x.sdt", 64, {{32, 2, "UU"}}, "Becker & Hickl SDT, SDTReader"},
        {"x.sld", 64, {{4, 4, "\x6C\0\0\1"}}, "SlideBook, SlidebookReader"},
        {"x.sld", 64, {{4, 4, "\0\x6C\1\0"}}, "SlideBook, SlidebookReader"},
        {"x.spl", 64, {{4, 4, "\0\x6D\1\0"}}, "broken-file"},
        {"x.ims", 64, {{0, 4, "\0\x4C\xA1\x0C"}}, "Imaris, ImarisReader"},
        {"x.msr", 64, {{9, 10, "CDataStack"}}, "Imspector, ImspectorReader"},
        {"x.scn", 64, {{0, 22, "Generated by Image Lab"}}, "Bio-Rad SCN, BioRadSCNReader"},
        {"x.scn", 64, {{0, 11, "LI-COR LI2D"}}, "deferred"},
        {"x.nii", 352, {{0, 2, "\x5C\1"}, {344, 3, "n+1"}}, "NIfTI, NiftiReader"},
        {"x.nii", 352, {{2, 2, "\1\x5C"}, {344, 3, "n+1"}}, "NIfTI, NiftiReader"},
        {"x.nii", 352, {{0, 2, "\x5C\1"}, {344, 3, "ni1"}}, "broken-file"},
        {"x.nii", 372, {NIFTI_OF_20}, "NIfTI, NiftiReader"},
        {"x.nii", 371, {NIFTI_OF_20}, "broken-file"},
        {"x.dcm", 1024, {DICOM_TO_1024}, "DICOM, DicomReader"},
        {"x.dcm", 1027, {DICOM_TO_1024}, "DICOM, DicomReader"},
        {"x.dcm", 1024, {DICOM_TO_1024, {168, 1, "\x55"}}, "broken-file"},
        {"x.tif", 1000, {TIFF_OF_TWO}, "TIFF, TiffDelegateReader"},
        {"x.tif", 999, {TIFF_OF_TWO}, "broken-file"},
        {"x.nii.gz", 20, {{0, 3, "\x1F\x8B\x08"}}, "NIfTI, NiftiReader"},
        {"x.nrrd", 64, {{0, 8, "NRRD0004"}}, "NRRD, NRRDReader"},
        {"x.nrrd", 64, {{0, 25, "NRRD0004\ndata file: x.raw"}}, "incomplete"},
        {"x.ics", 64, {{0, 18, "\t\nics_version\t2.0\n"}}, "ICS, ICSReader"},
        {"x.ics", 64, {{0, 18, "\t\nics_version\t1.0\n"}}, "incomplete"},
        {"x.seq", 64, {{0, 4, "\xED\xFE\0\0"}}, "unknown-format"},
        {"x.ipm", 4096, {{0, 6, "4.5A\0\2"}}, "IVision, IvisionReader"},
        {"x.ipm", 4096, {{0, 6, "4.5A\0\x09"}}, "broken-file"},
        {"x.ipm", 4095, {{0, 6, "4.5A\0\2"}}, "broken-file"},
        /* 1 slice, 2 rows, 3 columns, a header of 1024 bytes */
        {"x.spi", 1048, {{0, 8, "\0\0\x80?\0\0\0@"}, {44, 4, "\0\0@@"}, {84, 4, "\0\0\x80""D"}}, "SPIDER, SpiderReader"},
        {"x.spi", 1048, {{0, 8, "?\x80\0\0@\0\0\0"}, {44, 4, "@@\0\0"}, {84, 4, "D\x80\0\0"}}, "SPIDER, SpiderReader"},
        {"x.spi", 1049, {{0, 8, "\0\0\x80?\0\0\0@"}, {44, 4, "\0\0@@"}, {84, 4, "\0\0\x80""D"}}, "deferred"},
        {"x.labels", 64, {{0, 4, "some"}}, "deferred"},
        {"x.lim", 64, {{0, 4, "\x4B\x4C\0\0"}}, "deferred"},
        {"x.svs", 64, {{0, 4, "text"}}, "broken-file"},
        {"x.st", 2000, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}}, "MRC, MRCReader"},
        {"x.st", 1050, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}}, "unknown-format"},
        {"x.map", 2000, {{0, 12, "\0\0\0\4\0\0\0\4\0\0\0\4"}}, "MRC, MRCReader"},
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

static void half_a_file_is_told(void **state)
{
    static const struct given given[] = {
        {"x.mrc", 1088, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}}, "MRC, MRCReader"},
        {"x.mrc", 1087, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}}, "broken-file"},
        {"x.mrc", 2000, {{0, 12, "\4\1\0\0\4\1\0\0\4\1\0\0"}}, "broken-file"},
        {"x.dv", 1088, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}, {96, 2, "\xA0\xC0"}}, "DeltaVision, DeltavisionReader"},
        {"x.dv", 1087, {{0, 12, "\4\0\0\0\4\0\0\0\4\0\0\0"}, {96, 2, "\xA0\xC0"}}, "broken-file"},
        {"x.rcpnl", 1088, {{0, 12, "\0\0\0\4\0\0\0\4\0\0\0\4"}, {96, 2, "\xC0\xA0"}}, "DeltaVision, RCPNLReader"},
        {"x.dm3", 60, {{0, 12, "\0\0\0\3\0\0\0\x28\0\0\0\1"}}, "Gatan Digital Micrograph, GatanReader"},
        {"x.dm3", 30, {{0, 12, "\0\0\0\3\0\0\0\x28\0\0\0\1"}}, "broken-file"},
        {"x.dm4", 60, {{0, 16, "\0\0\0\4\0\0\0\0\0\0\0\x24\0\0\0\1"}}, "Gatan Digital Micrograph, GatanReader"},
        {"x.nd2", 80, {{0, 4, ND2}, {20, 4, ND2}, {40, 33, "ND2 CHUNK MAP SIGNATURE 0000001!\x14"}}, "Nikon ND2, ND2Reader"},
        {"x.nd2", 79, {{0, 4, ND2}, {20, 4, ND2}, {40, 33, "ND2 CHUNK MAP SIGNATURE 0000001!\x14"}}, "broken-file"},
        {"x.nd2", 80, {{0, 4, ND2},
                       {40, 40, "ND2 CHUNK MAP SIGNATURE 0000001!\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}}, "broken-file"},
        {"x.ims", 60, {{0, 10, "\x89HDF\r\n\x1A\n\2\x08"}, {28, 1, "\x3C"}}, "Imaris, ImarisHDFReader"},
        {"x.ims", 59, {{0, 10, "\x89HDF\r\n\x1A\n\2\x08"}, {28, 1, "\x3C"}}, "broken-file"},
        {"x.ims", 60, {{0, 14, "\x89HDF\r\n\x1A\n\0\0\0\0\0\x08"}, {40, 1, "\x3C"}}, "Imaris, ImarisHDFReader"},
        {"x.ims", 59, {{0, 14, "\x89HDF\r\n\x1A\n\0\0\0\0\0\x08"}, {40, 1, "\x3C"}}, "broken-file"},
        {"x.ims", 20, {{0, 10, "\x89HDF\r\n\x1A\n\2\x08"}}, "broken-file"},
        {"x.jp2", 30, {{0, 12, "\0\0\0\x0CjP  \r\n\x87\n"}}, "broken-file"},
        {"x.bmp", 30, {{0, 2, "BM"}, {10, 1, "\x36"}}, "broken-file"},
        {"x.spe", 4108, {{42, 1, "\2"}, {108, 1, "\3"}, {656, 1, "\2"}, {1446, 1, "\1"}, {2996, 4, "\x67\x45\x23\1"}},
         "Princeton SPE, SPEReader"},
        {"x.spe", 4107, {{42, 1, "\2"}, {108, 1, "\3"}, {656, 1, "\2"}, {1446, 1, "\1"}, {2996, 4, "\x67\x45\x23\1"}},
         "broken-file"},
        {"x.pic", 80, {{0, 6, "\2\0\2\0\1\0"}, {14, 1, "\1"}, {54, 2, "90"}}, "Bio-Rad PIC, BioRadReader"},
        {"x.pic", 79, {{0, 6, "\2\0\2\0\1\0"}, {14, 1, "\1"}, {54, 2, "90"}}, "broken-file"},
        {"x.pic", 200, {{0, 6, "\2\0\2\0\1\0"}, {14, 1, "\1"}, {54, 2, "90"}, {96, 20, "AXIS_9 = 11 0 3 RGB"}},
         "Bio-Rad PIC, BioRadReader"}, /* of three files only one is there, as Bio-Formats has it too */
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

/* One sector of FAT, the first after the header, whose second entry is the last in use. */
static void a_compound_file_ends_after_its_last_sector(void **state)
{
    static const char fat[] = "\xFD\xFF\xFF\xFF\xFE\xFF\xFF\xFF";
    AUTO(mem_freep) char *free_entries = mem_new(504, 1);
    struct given given = {"x.zvi", 1536, {{0, 8, OLE}, {30, 1, "\x09"}, {44, 1, "\1"}, {512, 8, fat}, {520, 504, free_entries}},
                          "Zeiss ZVI, ZeissZVIReader"};

    (void)state;
    memset(free_entries, 0xFF, 504);
    check_one(&given);
    given.name = "x.OIB", given.want = "Olympus OIB, FV1000Reader";
    check_one(&given);
    given.size = 1024, given.want = "broken-file";
    check_one(&given);
    given.size = 1023, given.pieces[4].n = 503;
    check_one(&given);
    given.pieces[1].bytes = "\x40", given.pieces[3].n = 0;
    check_one(&given);
    given.name = "x.ipw", given.pieces[0].bytes = "12345678";
    check_one(&given);
}

static void films_are_told_by_codec(void **state)
{
#define AVI(size, codec)                                                                                                       \
    {0, 12, "RIFF" size "\0\0\0AVI "}, {12, 12, "LIST\x50\0\0\0hdrl"}, {24, 20, "strh\x08\0\0\0vids\0\0\0\0strf"},              \
    {44, 1, "\x28"}, {64, 4, codec}
    static const struct given given[] = {
        {"x", 96, {AVI("\x58", "\0\0\0\0")}, "AVI, AVIReader"},
        {"x.avi", 96, {AVI("\x58", "MJPG")}, "AVI, AVIReader"},
        {"x.avi", 96, {AVI("\x58", "H264")}, "unknown-format"},
        {"x.avi", 95, {AVI("\x58", "MJPG")}, "broken-file"},
        {"x.avi", 20, {{0, 12, "RIFF\x0C\0\0\0AVI "}}, "broken-file"},
        {"x.avi", 20, {{0, 4, "text"}}, "broken-file"},
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

#define FILM(codec)                                                                                                            \
    {0, 24, "\0\0\0\x08wide\0\0\0\x60moov\0\0\0\x58trak"}, {24, 16, "\0\0\0\x50mdia\0\0\0\x14hdlr"}, {48, 4, "vide"},            \
    {52, 24, "\0\0\0\x34minf\0\0\0\x2Cstbl\0\0\0\x18stsd"}, {88, 4, codec}

static void films_of_quicktime_too(void **state)
{
    static const struct given given[] = {
        {"x.mov", 104, {FILM("raw ")}, "QuickTime, QTReader"},
        {"x", 104, {FILM("jpeg")}, "QuickTime, QTReader"},
        {"x.mov", 104, {FILM("avc1")}, "unknown-format"},
        {"x.mov", 100, {FILM("raw ")}, "broken-file"},
        {"x.mov", 8, {{0, 8, "\0\0\0\x08wide"}}, "unknown-format"},
        {"x.mov", 20, {{0, 4, "text"}}, "broken-file"},
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

static void ome_xml_has_its_planes_inside(void **state)
{
#define XML(text) {{0, sizeof(text) - 1, text}}
    static const struct given given[] = {
        {"x.ome", 60, XML("<OME><Image/></OME>                                         "), "OME-XML, OMEXMLReader"},
        {"x", 60, XML("<?xml version=\"1.0\"?><OME><Image/></OME>                     "), "OME-XML, OMEXMLReader"},
        {"x.ome", 20, XML("<OME><Image/></OM   "), "broken-file"},
        {"x.ome.xml", 20, XML("<other/>            "), "broken-file"},
        {"x.ome.xml", 99, XML("<OME><Image><Pixels><TiffData>"
         "<UUID FileName=\"a.tif\">u</UUID></TiffData></Pixels></Image></OME>  "),
         "deferred"},
    };

    (void)state;
    check_all(given, ARRAY_LEN(given));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_decides_where_it_can),
        cmocka_unit_test(a_name_needs_its_content),
        cmocka_unit_test(half_a_file_is_told),
        cmocka_unit_test(a_compound_file_ends_after_its_last_sector),
        cmocka_unit_test(films_are_told_by_codec),
        cmocka_unit_test(films_of_quicktime_too),
        cmocka_unit_test(ome_xml_has_its_planes_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
