/* An expat parser as hostile files want it: it refuses entity declarations, and its memory never runs out half-way.
 * Private to the room. */
#pragma once

#include <expat.h>

/* `user` is what the handlers get; its first member must be the XML_Parser that this returns.  Ended by XML_ParserFree.  A
 * declaration of an entity ends parsing with XML_ERROR_ABORTED. */
XML_Parser xml_parser_new(const char *encoding, void *user, XML_StartElementHandler on_start, XML_EndElementHandler on_end);

/* The value of an attribute whatever its namespace prefix, or NULL. */
const char *xml_attribute(const char **atts, const char *name);

/* A name without its namespace prefix. */
const char *xml_local_name(const char *name);
