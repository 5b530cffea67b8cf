/* Masters that are plain text: MetaMorph .nd, Micro-Manager metadata, the slide sets of Hamamatsu, file patterns. */
#include "format/set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/str.h"
#include "format/text.h"

char *text_of(const struct format_look *look, size_t max, const char **text)
{
    struct err err = ERR_INIT;

    if (look->size > max) {
        *text = "it is longer than any text of its kind";
        return NULL;
    }

    AUTO(mem_freep) char *bytes = mem_new((size_t)look->size + 1, 1);
    ssize_t got = io_pread(look->fd, bytes, (size_t)look->size, 0, &err);

    if (got < 0) {
        *text = "it cannot be read";
        return NULL;
    }
    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] == '\0')
            bytes[i] = ' ';
    return STEAL(bytes);
}

char *text_line(char **at)
{
    char *line = *at;

    if (!line || *line == '\0')
        return NULL;

    size_t n = strcspn(line, "\r\n");

    *at = line + n + strspn(line + n, "\r\n");
    line[n] = '\0';
    return line;
}

char *text_trim(char *s)
{
    size_t n;

    s += strspn(s, " \t\r\n");
    n = strlen(s);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]))
        s[--n] = '\0';
    return s;
}

static unsigned count_of(const char *value, unsigned least)
{
    unsigned long n = strtoul(value, NULL, 10);

    return n < least ? least : n > NAMES_MAX ? NAMES_MAX + 1 : (unsigned)n;
}

/* ---- MetaMorph ---- */

enum { WAVES_MAX = 1000 };

/* A line is `"Key", value`.  Names are X[_wN[Wave]][_sN][_tN].TIF or .STK. */
struct nd {
    bool version_2, do_z, time, wave, wave_names;
    unsigned n_times, n_stages, n_waves, n_z;
    bool wave_z[WAVES_MAX];
    char *names[WAVES_MAX];
    unsigned n_names;
};

static void nd_line(struct nd *nd, const char *key, char *value)
{
    bool yes = strcasecmp(value, "TRUE") == 0;

    if (strcmp(key, "NDInfoFile") == 0)
        nd->version_2 = strcmp(value, "Version 2.0") == 0;
    else if (strcmp(key, "DoTimelapse") == 0)
        nd->time = yes;
    else if (strcmp(key, "NTimePoints") == 0)
        nd->n_times = count_of(value, 1);
    else if (strcmp(key, "NStagePositions") == 0)
        nd->n_stages = count_of(value, 0);
    else if (strcmp(key, "DoWave") == 0)
        nd->wave = yes;
    else if (strcmp(key, "NWavelengths") == 0)
        nd->n_waves = count_of(value, 1);
    else if (strncmp(key, "WaveDoZ", 7) == 0 && nd->n_z < WAVES_MAX)
        nd->wave_z[nd->n_z++] = yes;
    else if (strncmp(key, "WaveName", 8) == 0 && nd->n_names < WAVES_MAX)
        nd->names[nd->n_names++] = value;
    else if (strcmp(key, "WaveInFileName") == 0)
        nd->wave_names = yes;
    else if (strcmp(key, "DoZSeries") == 0)
        nd->do_z = yes;
}

static const char *nd_suffix(const struct nd *nd, unsigned wave)
{
    if (nd->version_2 || !nd->do_z)
        return ".TIF";
    return wave < nd->n_z && !nd->wave_z[wave] && !nd->do_z ? ".TIF" : ".STK";
}

/* The wave's own name as it stands in names of files: without quotes, and without what no file may have. */
static void nd_wave(struct buf *b, const struct nd *nd, unsigned wave)
{
    if (wave >= nd->n_names || !nd->wave)
        return;
    buf_printf(b, "_w%u", wave + 1);
    for (const char *c = nd->names[wave]; nd->wave_names && *c; c++)
        if (*c != '"')
            buf_add_byte(b, (uint8_t)(strchr("_/\\()", *c) ? '-' : *c));
}

static void nd_names(const struct nd *nd, const char *stem, struct names *names)
{
    unsigned stages = nd->n_stages ? nd->n_stages : 1, times = nd->time ? nd->n_times : 1;

    for (unsigned t = 0; t < times && !names->full; t++)
        for (unsigned s = 0; s < stages && !names->full; s++)
            for (unsigned w = 0; w < nd->n_waves && !names->full; w++) {
                struct buf b = BUF_INIT(TREE_PATH_MAX);

                buf_add_str(&b, stem);
                nd_wave(&b, nd, w);
                if (nd->n_stages > 0)
                    buf_printf(&b, "_s%u", s + 1);
                if (nd->time)
                    buf_printf(&b, "_t%u", t + 1);
                buf_add_str(&b, nd_suffix(nd, w));

                AUTO(mem_freep) char *name = buf_take_str(&b);
                names_add(names, name, "");
            }
}

int set_read_nd(struct format_look *look, struct names *names, const char **text)
{
    AUTO(mem_freep) char *bytes = text_of(look, 16 << 20, text);
    AUTO(mem_freep) char *stem = mem_strn(look->entry->name, stem_length(look->entry->name));
    AUTO(mem_freep) struct nd *nd = mem_new(1, sizeof(*nd));

    if (!bytes)
        return -1;
    *nd = (struct nd){.do_z = true, .wave_names = true, .n_times = 1, .n_waves = 1};
    for (char *at = bytes, *line; (line = text_line(&at)); ) {
        char *comma = strchr(line, ',');

        if (!comma || line[0] != '"')
            continue;
        *comma = '\0';
        line[strcspn(line + 1, "\"") + 1] = '\0';
        nd_line(nd, line + 1, text_trim(comma + 1));
    }
    nd_names(nd, stem, names);
    if (names->full)
        *text = "it stands for more files than any set has";
    return names->full ? -1 : 1;
}

/* ---- Micro-Manager ---- */

/* The value of a JSON string that begins at `at`, behind its quote, unescaped in place; NULL: it does not end. */
static char *json_string_at(char *at, char **end)
{
    char *to = at, *from = at;

    for (; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    if (*from != '"')
        return NULL;
    *to = '\0';
    *end = from + 1;
    return at;
}

/* "FileName": "img.tif", once a plane. */
int set_read_micro_manager(struct format_look *look, struct names *names, const char **text)
{
    static const char key[] = "\"FileName\"";
    AUTO(mem_freep) char *bytes = text_of(look, MASTER_TEXT_MAX, text);

    if (!bytes)
        return -1;
    for (char *at = bytes; (at = strstr(at, key)); ) {
        at += sizeof(key) - 1;
        at += strspn(at, " \t\r\n");
        if (*at != ':')
            continue;
        at += 1 + strspn(at + 1, " \t\r\n");

        char *name = *at == '"' ? json_string_at(at + 1, &at) : NULL;

        if (name)
            names_add(names, name, "");
        else if (*at == '"')
            break;
    }
    if (names->full)
        *text = "it names more files than any set has";
    return names->full ? -1 : 1;
}

/* ---- Hamamatsu ---- */

/* Key=Value lines whose key begins so; `exact` NULL at the end. */
static int read_keys(struct format_look *look, const char *beginning, const char *const *exact, struct names *names,
                     const char **text)
{
    AUTO(mem_freep) char *bytes = text_of(look, 16 << 20, text);
    size_t n = strlen(beginning);

    if (!bytes)
        return -1;
    for (char *at = bytes, *line; (line = text_line(&at)); ) {
        char *equals = strchr(line, '=');

        if (!equals)
            continue;
        *equals = '\0';

        const char *key = text_trim(line);
        bool wanted = strncmp(key, beginning, n) == 0;

        for (size_t i = 0; exact[i]; i++)
            wanted |= strcmp(key, exact[i]) == 0;
        if (wanted)
            names_add(names, text_trim(equals + 1), "");
    }
    if (names->n == 0)
        *text = "it names no images";
    return names->n == 0 || names->full ? -1 : 1;
}

int set_read_vms(struct format_look *look, struct names *names, const char **text)
{
    static const char *const keys[] = {"MapFile", "OptimisationFile", "MacroImage", NULL};

    return read_keys(look, "ImageFile", keys, names, text);
}

int set_read_ndpis(struct format_look *look, struct names *names, const char **text)
{
    static const char *const none[] = {NULL};

    return read_keys(look, "Image", none, names, text);
}

/* ---- UltraVIEW ---- */

/* An .htm beside TIFFs is UltraVIEW's own only when it speaks of an experiment; a report that somebody saved does not. */
int set_read_ultraview(struct format_look *look, struct names *names, const char **text)
{
    (void)names;
    if (look_contains(look, "Experiment details", LOOK_HEAD) || look_contains(look, "Wavelengths", LOOK_HEAD))
        return 1;
    *text = "a report in HTML, and not UltraVIEW's";
    return look->official ? -1 : 0;
}
