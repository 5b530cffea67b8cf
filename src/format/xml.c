#include "format/xml.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/ceilings.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

static void *never_null(size_t n)
{
    return mem_new(n, 1);
}

static void *never_null_again(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

static void on_entity(void *user, const char *name, int is_parameter, const char *value, int n, const char *base,
                      const char *system, const char *public, const char *notation)
{
    (void)name, (void)is_parameter, (void)value, (void)n, (void)base, (void)system, (void)public, (void)notation;
    XML_StopParser(*(XML_Parser *)user, XML_FALSE);
}

static unsigned long salt_of_process;

static void draw_salt(void)
{
    if (getrandom(&salt_of_process, sizeof(salt_of_process), 0) != (ssize_t)sizeof(salt_of_process) || salt_of_process == 0)
        salt_of_process = (unsigned long)clock_mono_ns() | 1;
}

/* Drawn once: expat asks the system for each parser, of which there may be one a file. */
static unsigned long salt(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, draw_salt);
    return salt_of_process;
}

XML_Parser xml_parser_new(const char *encoding, void *user, XML_StartElementHandler on_start, XML_EndElementHandler on_end)
{
    static const XML_Memory_Handling_Suite memory = {never_null, never_null_again, free};
    XML_Parser xml = XML_ParserCreate_MM(encoding, &memory, NULL);

    (void)XML_SetHashSalt(xml, salt());
    XML_SetUserData(xml, user);
    XML_SetElementHandler(xml, on_start, on_end);
    XML_SetEntityDeclHandler(xml, on_entity);
    return xml;
}

const char *xml_local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}

const char *xml_attribute(const char **atts, const char *name)
{
    for (; *atts; atts += 2)
        if (strcmp(xml_local_name(atts[0]), name) == 0)
            return atts[1];
    return NULL;
}

static size_t sequence_length(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
}

size_t xml_clean(uint8_t *bytes, size_t n, bool last)
{
    for (size_t i = 0, length; i < n; i += length) {
        length = sequence_length(bytes[i]);
        if (i + length > n && !last && n - i < n)
            return i;
        if (length == 1 ? bytes[i] < ' ' && !memchr("\t\r\n", bytes[i], 3)
                        : i + length > n || !str_is_utf8((const char *)bytes + i, length)) {
            bytes[i] = bytes[i] ? '?' : ' ';
            length = 1;
        }
    }
    return n;
}

/* ---- wanted values ---- */

enum { STEP = 64 * 1024, TEXT_MAX = 4096 };

struct collector {
    XML_Parser xml; /* first: see xml.h */
    const struct xml_wanted *wanted;
    size_t n_wanted;
    bool (*take)(void *arg, size_t which, const char *value);
    void *arg;
    unsigned depth;
    bool too_deep, enough;
    unsigned text_depth; /* of the element whose text is gathered; 0: none */
    size_t text_of;      /* which of the wanted */
    char text[TEXT_MAX + 1];
    size_t text_len;
};

static void give(struct collector *c, size_t which, const char *value)
{
    if (c->enough || c->take(c->arg, which, value))
        return;
    c->enough = true;
    XML_StopParser(c->xml, XML_FALSE);
}

static void collect_start(void *data, const char *element, const char **atts)
{
    struct collector *c = data;
    const char *name = xml_local_name(element);

    if (++c->depth > OME_DEPTH_MAX) {
        c->too_deep = true;
        XML_StopParser(c->xml, XML_FALSE);
    }
    for (size_t i = 0; i < c->n_wanted; i++) {
        if (strcmp(c->wanted[i].element, name) != 0)
            continue;
        if (!c->wanted[i].attribute) {
            c->text_depth = c->depth;
            c->text_of = i;
            c->text_len = 0;
        } else if (xml_attribute(atts, c->wanted[i].attribute)) {
            give(c, i, xml_attribute(atts, c->wanted[i].attribute));
        }
    }
}

static void collect_end(void *data, const char *element)
{
    struct collector *c = data;

    (void)element;
    if (c->text_depth == c->depth) {
        while (c->text_len > 0 && strchr(" \t\r\n", c->text[c->text_len - 1]))
            c->text_len--;
        c->text[c->text_len] = '\0';
        c->text_depth = 0;
        give(c, c->text_of, c->text + strspn(c->text, " \t\r\n"));
    }
    c->depth--;
}

static void collect_text(void *data, const char *text, int n)
{
    struct collector *c = data;

    for (int i = 0; c->text_depth == c->depth && i < n && c->text_len < TEXT_MAX; i++)
        c->text[c->text_len++] = text[i];
}

static int collect_failed(const struct collector *c, struct err *err)
{
    if (c->too_deep)
        return err_set(err, REASON_TOO_LARGE, 0, "XML with too many elements within one another");
    if (XML_GetErrorCode(c->xml) == XML_ERROR_ABORTED)
        return err_set(err, REASON_BROKEN_FILE, 0, "XML that declares entities");
    return err_set(err, REASON_BROKEN_FILE, 0, "no well-formed XML at line %lu: %s", XML_GetCurrentLineNumber(c->xml),
                   XML_ErrorString(XML_GetErrorCode(c->xml)));
}

static bool is_utf16(const uint8_t *bytes, size_t n)
{
    return n >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0 || !bytes[0] || !bytes[1]);
}

static int collect_all(struct collector *c, int fd, uint64_t offset, uint64_t bytes, bool as_it_is, struct err *err)
{
    AUTO(mem_freep) uint8_t *step = mem_new(bytes < STEP ? (size_t)bytes : STEP, 1);

    for (uint64_t done = 0; bytes > done && !c->enough; ) {
        size_t want = bytes - done < STEP ? (size_t)(bytes - done) : STEP;
        ssize_t got = io_pread(fd, step, want, (off_t)(offset + done), err);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        as_it_is |= done == 0 && is_utf16(step, (size_t)got);

        size_t ready = as_it_is ? (size_t)got : xml_clean(step, (size_t)got, (uint64_t)got == bytes - done);

        if (XML_Parse(c->xml, (const char *)step, (int)ready, false) != XML_STATUS_OK && !c->enough)
            return collect_failed(c, err);
        done += ready;
        if (!c->enough && done - (uint64_t)XML_GetCurrentByteIndex(c->xml) > OME_TOKEN_MAX)
            return err_set(err, REASON_TOO_LARGE, 0, "XML with an element of more than %u bytes", OME_TOKEN_MAX);
    }
    if (!c->enough && XML_Parse(c->xml, "", 0, true) != XML_STATUS_OK && !c->enough)
        return collect_failed(c, err);
    return 0;
}

int xml_collect(int fd, uint64_t offset, uint64_t bytes, const char *encoding, const struct xml_wanted *wanted, size_t n_wanted,
                bool (*take)(void *arg, size_t which, const char *value), void *arg, struct err *err)
{
    if (bytes > OME_XML_MAX)
        return err_set(err, REASON_TOO_LARGE, 0, "XML of more than %u bytes", OME_XML_MAX);

    struct collector *c = mem_new(1, sizeof(*c));

    *c = (struct collector){.wanted = wanted, .n_wanted = n_wanted, .take = take, .arg = arg};
    c->xml = xml_parser_new(encoding, c, collect_start, collect_end);
    XML_SetCharacterDataHandler(c->xml, collect_text);

    int done = collect_all(c, fd, offset, bytes, encoding != NULL, err);

    XML_ParserFree(c->xml);
    free(c);
    return done;
}
