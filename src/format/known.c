/* Formats that are known by name or first bytes and left alone by this version: so that "a microscope's file, not yet" is told
 * from "no image at all".  The suffixes are those on which Bio-Formats decides, without the ones that mostly mean something
 * else (.map, .st, .dat, .raw, .img, .v, .log, .cfg ...). */
#include "format/drivers.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const struct {
    const char *format, *suffixes;
} by_name[] = {
    {"Zeiss LSM", "lsm"},
    {"Zeiss ZVI", "zvi"},
    {"Zeiss LMS", "lms"},
    {"Leica XLIF", "xlif xlcf"},
    {"Leica LOF", "lof"},
    {"Leica SCN", "scn"},
    {"Nikon ND2", "nd2"},
    {"Nikon NEF", "nef"},
    {"Olympus OIB", "oib"},
    {"Olympus OIF", "pty"},
    {"Olympus OIR", "oir"},
    {"Olympus tile list", "omp2info"},
    {"Olympus VSI", "ets"},
    {"MetaMorph STK", "stk"},
    {"DeltaVision", "dv r3d r3d_d3d rcpnl"},
    {"Imaris", "ims"},
    {"SlideBook", "sld sldy spl"},
    {"Volocity", "acff aisf aiix atsf"},
    {"ICS", "ics ids"},
    {"Bio-Rad PIC", "pic"},
    {"Evotec Flex", "flex mea"},
    {"Cellomics", "c01 dib"},
    {"CellWorX", "pnl"},
    {"Aperio SVS", "svs"},
    {"Hamamatsu NDPI", "ndpi"},
    {"Hamamatsu Aquacosmos", "naf"},
    {"Hamamatsu HIS", "his"},
    {"Ventana BIF", "bif"},
    {"DICOM", "dcm dic dicom j2ki j2kr"},
    {"MRC", "mrc mrcs"},
    {"Gatan Digital Micrograph", "dm2 dm3 dm4"},
    {"Andor SIF", "sif"},
    {"Princeton SPE", "spe"},
    {"Becker & Hickl SDT", "sdt"},
    {"LI-FLIM", "fli"},
    {"Imspector", "msr obf"},
    {"FlowSight", "cif"},
    {"Nuance IM3", "im3"},
    {"KLB", "klb"},
    {"CellH5", "ch5"},
    {"PCO-RAW", "pcoraw"},
    {"TillVision", "vws pst"},
    {"SimplePCI", "cxd"},
    {"Image-Pro", "ipw seq"},
    {"IPLab", "ipl ipm"},
    {"Openlab", "liff"},
    {"Amersham GEL", "gel"},
    {"Imacon", "fff"},
    {"NIfTI", "nii nii.gz"},
    {"NRRD", "nrrd nhdr"},
    {"IMAGIC", "hed"},
    {"FITS", "fits fts"},
    {"OME-XML", "ome ome.xml"},
    {"JPEG 2000", "jp2 j2k jpf jpx"},
    {"BMP", "bmp"},
    {"GIF", "gif"},
    {"AVI", "avi"},
    {"QuickTime", "mov"},
    {"Photoshop", "psd"},
    {"EPS", "eps epsi"},
    {"Targa", "tga"},
    {"PCX", "pcx"},
    {"Portable Any Map", "pbm pgm ppm"},
    {"compressed TIFF", "tif.gz tiff.gz tif.bz2 tiff.bz2"},
    {"compressed image", "jpg.gz png.gz czi.gz lif.gz"},
};

static const struct {
    const char *format;
    size_t offset, n;
    const char *bytes;
} by_content[] = {
    {"DICOM", 128, 4, "DICM"},
    {"MRC", 208, 4, "MAP "},
    {"Olympus OIR", 0, 16, "OLYMPUSRAWFORMAT"},
    {"Nikon ND2", 0, 4, "\xDA\xCE\xBE\x0A"},
    {"JPEG 2000", 4, 8, "jP  \r\n\x87\n"},
    {"JPEG 2000", 0, 4, "\xFF\x4F\xFF\x51"},
    {"Imspector", 0, 10, "OMAS_BF\n\xFF\xFF"},
    {"Photoshop", 0, 4, "8BPS"},
    {"Openlab", 0, 8, "\0\0\xFF\xFFimpr"},
    {"AVI", 8, 4, "AVI "},
};

/* ".tif.gz" of "a.tif.gz" and ".gz" of it are both its suffixes. */
static bool has_suffix(const char *name, const char *suffixes)
{
    size_t length = strlen(name);

    for (size_t n; *suffixes; suffixes += n + (suffixes[n] == ' ')) {
        n = strcspn(suffixes, " ");
        if (length > n && name[length - n - 1] == '.' && strncasecmp(name + length - n, suffixes, n) == 0)
            return true;
    }
    return false;
}

/* OME-XML under any name: what Bio-Formats looks for in the first 64 bytes. */
static const char *ome_xml(const struct format_look *look)
{
    return look_has(look, 0, "<?xml", 5) && look_contains(look, "<OME", LOOK_HEAD) ? "OME-XML" : NULL;
}

static const char *format_of(const struct format_look *look)
{
    for (size_t i = 0; i < ARRAY_LEN(by_name); i++)
        if (has_suffix(look->entry->name, by_name[i].suffixes))
            return by_name[i].format;
    for (size_t i = 0; i < ARRAY_LEN(by_content); i++)
        if (look_has(look, by_content[i].offset, by_content[i].bytes, by_content[i].n))
            return by_content[i].format;
    return ome_xml(look);
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    const char *format = format_of(look);

    if (!format)
        return false;
    *said = (struct format_verdict){.why = REASON_DEFERRED, .format = format};
    return true;
}

const struct format_driver format_known = {.name = "known, not imported yet", .detect = detect};
