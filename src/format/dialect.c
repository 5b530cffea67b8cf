/* TIFF as single makers write it, told by tags and texts of the first directory.
 *
 * Those that stand alone are imported as they are: the server tells them by the same signs.  Those whose files can belong
 * together are deferred.  The signs and their order are those of Bio-Formats' readers. */
#include "format/drivers.h"

#include <string.h>

#include "base/str.h"

enum beside {
    NOTHING,
    SAME_STEM,   /* x.anything beside x.tif */
    ANNOTATIONS, /* each *_annotations.xml of the directory */
};

struct dialect {
    const char *format;
    const char *reader;  /* NULL: files of this kind can belong together, so they are deferred */
    uint16_t tags[3];    /* all of these; 0 ends the list */
    const char *software, *make, *document, *comment; /* what such a text begins with; NULL: anything */
    const char *software_has, *comment_has, *copyright_has;
    bool several;        /* needs more than one directory */
    bool iscan, no_software;
    enum beside beside;  /* what belongs to it */
    bool ome;            /* here stands the OME-TIFF driver */
};

#define READER(name) "loci.formats.in." name "Reader"

static const struct dialect dialects[] = {
    {"Image-Pro Sequence", NULL, {50288}},
    {"Image-Pro Sequence", NULL, {40100}},
    {"Amersham GEL", READER("Gel"), {33445}},
    {"Aperio SVS", READER("SVS"), .comment = "Aperio Image", .several = true},
    {"Imacon", READER("Imacon"), {50457}},
    {"LEO", READER("LEO"), {34118}},
    {"Hamamatsu NDPI", READER("NDPI"), {65426}},
    {"Hamamatsu NDPI", READER("NDPI"), {65449}},
    {"Ventana BIF", READER("Ventana"), .iscan = true},
    {"OME-TIFF", NULL, .ome = true},
    {"Pyramid TIFF", READER("PyramidTiff"), .software_has = "Faas"},
    {"MIAS", NULL, .software = "eaZYX"},
    {"MIAS", NULL, .software = "SCIL_Image"},
    {"MIAS", NULL, .software = "IDL"},
    {"Leica TCS TIFF", NULL, .document = "CHANNEL"},
    {"Leica TCS TIFF", NULL, .software = "TCS"},
    {"Nikon NEF", READER("Nikon"), {37398}},
    {"Nikon NEF", READER("Nikon"), .make = "Nikon"},
    {"Fluoview", READER("Fluoview"), {34361}, .comment_has = "FLUOVIEW"},
    {"Fluoview", READER("Fluoview"), {34362}},
    {"Fluoview", READER("Fluoview"), .comment = "Andor"},
    {"MetaMorph STK", READER("Metamorph"), {33628, 33630, 33631}},
    {"MetaMorph STK", READER("Metamorph"), .software = "MetaMorph"},
    {"Improvision TIFF", NULL, .comment_has = "Improvision"},
    {"MetaMorph TIFF", READER("MetamorphTiff"), .comment = "<MetaData>"},
    {"Nikon TIFF", READER("NikonTiff"), .software_has = "EZ-C1"},
    {"Mikroscan TIFF", READER("MikroscanTiff"), .comment = "Mikroscan"},
    {"Photoshop TIFF", READER("PhotoshopTiff"), {37724}},
    {"FEI TIFF", READER("FEITiff"), {34680}},
    {"FEI TIFF", READER("FEITiff"), {34682}},
    {"FEI TIFF", READER("FEITiff"), {34683}},
    {"SimplePCI TIFF", READER("SimplePCITiff"), .comment = "Created by Hamamatsu Inc."},
    {"Nikon Elements TIFF", READER("NikonElementsTiff"), {65332}},
    {"Trestle", READER("Trestle"), .copyright_has = "Trestle Corp.", .beside = SAME_STEM},
    {"Olympus SIS TIFF", READER("SIS"), {33560}, .software = "analySIS"},
    {"Olympus SIS TIFF", READER("SIS"), {33560}, .no_software = true},
    {"Olympus SIS TIFF", READER("SIS"), {34853}, .make = "Olympus"},
    {"Leica SCN", READER("LeicaSCN"), .comment_has = "http://www.leica-microsystems.com/scn"},
    {"PerkinElmer QPTIFF", READER("Vectra"), .software = "PerkinElmer-QPI", .beside = ANNOTATIONS},
    {"Ionpath MIBI", READER("IonpathMIBITiff"), .software = "IonpathMIBI"},
};

static bool begins(const char *text, const char *with)
{
    return !with || strncmp(text, with, strlen(with)) == 0;
}

static bool has(const char *text, const char *part)
{
    return !part || strstr(text, part);
}

static bool fits(const struct dialect *d, const struct format_look *look)
{
    const struct tiff_facts *t = &look->tiff;

    for (size_t i = 0; i < ARRAY_LEN(d->tags) && d->tags[i]; i++)
        if (!tiff_has(t, d->tags[i]))
            return false;
    return begins(t->software, d->software) && begins(t->make, d->make) && begins(t->document, d->document) &&
           begins(t->comment, d->comment) && has(t->software, d->software_has) && has(t->comment, d->comment_has) &&
           has(t->copyright, d->copyright_has) && (!d->several || t->more_directories) && (!d->iscan || t->iscan) &&
           (!d->no_software || t->software[0] == '\0');
}

static const struct dialect *dialect_of(const struct format_look *look)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (dialects[i].ome ? look_is_ome_tiff(look) : fits(&dialects[i], look))
            return &dialects[i];
    return NULL;
}

static bool detect(struct format_look *look, struct format_verdict *said)
{
    if (!look->is_tiff || look->tiff.broken)
        return false;

    const struct dialect *d = dialect_of(look);

    if (!d || d->ome)
        return false;

    struct format_facts *facts = arena_alloc(look->arena, 1, sizeof(*facts));

    facts->row = (uint16_t)(d - dialects);
    *said = (struct format_verdict){.why = d->reader ? REASON_NONE : REASON_DEFERRED, .format = d->format, .reader = d->reader,
                                    .facts = facts};
    return true;
}

/* What PerkinElmer's programs leave in the directory of a slide; each slide of it takes all of them. */
static bool goes_with(const struct format_file *master, const struct format_file *file, enum beside beside)
{
    static const char *const extra[] = {"CoverslipMask.tif", "FocusMap.tif", "Label.tif", "OverviewBF.tif", "OverviewFL.tif",
                                        "SampleMask.tif"};
    size_t stem = stem_length(master->entry->name);

    if (beside == SAME_STEM)
        return strncmp(master->entry->name, file->entry->name, stem) == 0 && file->entry->name[stem] == '.';
    if (str_ends(file->entry->name, "_annotations.xml"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(extra); i++)
        if (strcmp(file->entry->name, extra[i]) == 0)
            return true;
    return false;
}

static void group(struct format_scene *scene, struct format_file *file)
{
    const struct dialect *d = &dialects[file->said->facts->row];
    struct format_set set;
    size_t from = 0, to = 0;

    set_begin(&set, scene);
    set_add(&set, file);
    if (d->beside)
        scene_directory(scene, file->entry, &from, &to);
    for (size_t i = from; i < to; i++) {
        struct format_file *f = &scene->files[i];

        if (!goes_with(file, f, d->beside))
            continue;
        if (d->beside == ANNOTATIONS)
            set_share(&set, f);
        else
            set_add(&set, f);
    }
    set_end(&set, file->said);
}

static bool about(size_t i, struct format_about *out)
{
    if (i >= ARRAY_LEN(dialects))
        return false;
    *out = (struct format_about){dialects[i].format, dialects[i].ome ? "loci.formats.in.OMETiffReader" : dialects[i].reader, NULL,
                                 dialects[i].ome ? "see there" : "tags and texts of the first directory",
                                 dialects[i].reader || dialects[i].ome ? FORMAT_NATIVE : FORMAT_HELPER};
    return true;
}

const struct format_driver format_dialect = {.name = "TIFF dialects", .wants = "a TIFF with the tags of one maker",
                                             .detect = detect, .group = group, .about = about};
