#include "format/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

XML_Parser xml_parser_new(const char *encoding, void *user, XML_StartElementHandler on_start, XML_EndElementHandler on_end)
{
    static const XML_Memory_Handling_Suite memory = {never_null, never_null_again, free};
    XML_Parser xml = XML_ParserCreate_MM(encoding, &memory, NULL);

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
