/* Masters that are XML: their files stand in a few elements and attributes. */
#include "format/set.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "format/xml.h"

/* The wanted values as names; which of them may be missing stands in `may`. */
struct gather {
    struct names *names;
    unsigned may; /* a bit each */
    char *(*change)(const char *value); /* NULL: as it is; gives NULL for no name */
};

static bool take(void *arg, size_t which, const char *value)
{
    struct gather *g = arg;
    AUTO(mem_freep) char *name = g->change ? g->change(value) : mem_str(value);

    if (name)
        names_add(g->names, name, g->may >> which & 1 ? NAME_MAY : "");
    return !g->names->full;
}

static int gather(struct format_look *look, const struct xml_wanted *wanted, size_t n, struct gather *g, const char **text)
{
    struct err err = ERR_INIT;

    if (xml_collect(look->fd, 0, look->size, NULL, wanted, n, take, g, &err) < 0) {
        *text = arena_str(look->arena, err.text);
        return -1;
    }
    if (g->names->full)
        *text = "it names more files than any set has";
    return g->names->full ? -1 : 1;
}

int set_read_afi(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"Path", NULL}};
    int done = gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names}, text);

    if (done > 0 && names->n == 0)
        *text = "it names no images";
    return done > 0 && names->n == 0 ? -1 : done;
}

int set_read_incell(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"Image", "filename"}, {"Image", "thumbnail"}};

    return gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names, .may = 2}, text);
}

int set_read_operetta(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"URL", NULL}};

    return gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names}, text);
}

int set_read_prairie(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"File", "filename"}};

    return gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names}, text);
}

int set_read_omp2info(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"image", NULL}};
    int done = gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names}, text);

    for (size_t i = 0; i < names->n; i++) /* beside its tiles a picture of the map */
        if (!suffix_is_one_of(names->at[i].name, "oir vsi"))
            names->at[i].more = NAME_MAY;
    return done;
}

int set_read_bdv(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"hdf5", NULL}};
    int done = gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names}, text);

    if (done > 0 && names->n == 0)
        *text = "it names no HDF5 file";
    return done > 0 && names->n == 0 ? -1 : done;
}

/* Any well-formed XML; names none. */
int set_read_zeiss(struct format_look *look, struct names *names, const char **text)
{
    return gather(look, NULL, 0, &(struct gather){.names = names}, text) < 0 ? 0 : 1;
}

/* ---- Leica XLEF ---- */

/* %20 and backslashes are how Windows programs write a path in XML. */
static char *decode(const char *value)
{
    char *out = mem_new(strlen(value) + 1, 1), *to = out;

    for (; *value; value++) {
        if (value[0] == '%' && isxdigit((unsigned char)value[1]) && isxdigit((unsigned char)value[2])) {
            char digits[] = {value[1], value[2], '\0'};
            char byte = (char)strtoul(digits, NULL, 16);

            value += 2;
            *to++ = byte ? byte : '?';
        } else {
            *to++ = *value == '+' ? ' ' : *value;
        }
        if (to[-1] == '\\')
            to[-1] = '/';
    }
    return out;
}

int set_read_xlef(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"Reference", "File"}, {"Frame", "File"}, {"Block", "File"}};

    return gather(look, wanted, ARRAY_LEN(wanted), &(struct gather){.names = names, .change = decode}, text);
}

/* ---- Olympus ScanR ---- */

/* LabVIEW's XML: <Name>key</Name><Val>value</Val>.  Channels are kept with "c", wells with "w" beside them. */
struct scanr {
    struct names *names;
    char key[64];
    char last[256]; /* the channel that is not in the list yet: one that is idle stays out */
};

static void scanr_value(struct scanr *s, const char *value)
{
    if (strcmp(s->key, "name") == 0) {
        names_add(s->names, s->last, "c");
        snprintf(s->last, sizeof(s->last), "%s", value);
    } else if (strcmp(s->key, "idle") == 0) {
        if (strcmp(value, "0") == 0 && strcmp(s->last, "Autofocus") != 0)
            names_add(s->names, s->last, "c");
        s->last[0] = '\0';
    } else if (strcmp(s->key, "well selection table + cDNA") == 0 && isdigit((unsigned char)value[0])) {
        AUTO(mem_freep) char *well = mem_printf("W%05lu", strtoul(value, NULL, 10));

        names_add(s->names, well, "w");
    }
}

static bool take_scanr(void *arg, size_t which, const char *value)
{
    struct scanr *s = arg;

    if (which == 0)
        snprintf(s->key, sizeof(s->key), "%s", value);
    else
        scanr_value(s, value);
    return !s->names->full;
}

int set_read_scanr(struct format_look *look, struct names *names, const char **text)
{
    static const struct xml_wanted wanted[] = {{"Name", NULL}, {"Val", NULL}};
    struct scanr s = {.names = names};
    struct err err = ERR_INIT;

    if (xml_collect(look->fd, 0, look->size, NULL, wanted, ARRAY_LEN(wanted), take_scanr, &s, &err) == 0) {
        names_add(names, s.last, "c");
        return 1;
    }
    *text = arena_str(look->arena, err.text);
    return -1;
}
