/* OME-XML with its planes inside: by name, or by its beginning under any name.  One that leaves its planes to TIFFs without being
 * called companion.ome would come in without them. */
#include "format/drivers.h"

#include "base/str.h"

static bool detect(struct format_look *look, struct format_verdict *said)
{
    struct err err = ERR_INIT;
    struct ome_facts *ome = NULL;
    const char *name = look->entry->name;

    if (!str_ends_nocase(name, ".ome") && !str_ends_nocase(name, ".ome.xml") &&
        !(look_has(look, 0, "<?xml", 5) && look_contains(look, "<OME", 64)))
        return false;
    *said = (struct format_verdict){.format = "OME-XML", .reader = "loci.formats.in.OMEXMLReader"};

    int done = look->names_left == 0 ? err_set(&err, REASON_TOO_LARGE, 0, "%s", LOOK_TOO_MANY_NAMES)
                                     : ome_read(look->fd, 0, look->size, &look->last_names, look->arena, &ome, &err);

    if (done != 0) {
        said->why = REASON_BROKEN_FILE;
        if (done < 0)
            said->why = err.why;
        said->text = done < 0 ? arena_str(look->arena, err.text) : "XML, but not OME-XML";
    } else if (ome->names->n > 0 && !look->official) {
        said->why = REASON_DEFERRED;
        said->text = "its planes are in other files, and only a companion.ome may name them";
    }
    said->plate = ome && ome->plate;
    return true;
}

static bool about(size_t i, struct format_about *out)
{
    *out = (struct format_about){"OME-XML", "loci.formats.in.OMEXMLReader", "*.ome *.ome.xml",
                                 "the name, or <?xml and <OME at its beginning", FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_ome_xml = {.name = "OME-XML", .wants = "a name that ends in .ome or .ome.xml, or <OME at its "
                                             "beginning", .detect = detect, .about = about};
