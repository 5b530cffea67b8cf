/* An expat parser as hostile files want it: it refuses entity declarations, and its memory never runs out half-way.
 * Private to the room. */
#pragma once

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* `user` is what the handlers get; its first member must be the XML_Parser that this returns.  Ended by XML_ParserFree.  A
 * declaration of an entity ends parsing with XML_ERROR_ABORTED. */
XML_Parser xml_parser_new(const char *encoding, void *user, XML_StartElementHandler on_start, XML_EndElementHandler on_end);

/* The value of an attribute whatever its namespace prefix, or NULL. */
const char *xml_attribute(const char **atts, const char *name);

/* A name without its namespace prefix. */
const char *xml_local_name(const char *name);

/* Replace what is no UTF-8 or no character of XML: instruments write a micro sign in their own code page.  Returns the bytes
 * that are ready: but for the last piece, a character that goes on in the next one is left. */
size_t xml_clean(uint8_t *bytes, size_t n, bool last);

/* One thing wanted of a document: an attribute of all elements of a name, or their text (attribute NULL). */
struct xml_wanted {
    const char *element, *attribute;
};

/* The wanted values of the XML of `bytes` bytes at `offset` of a file, in its order, whatever the namespaces; texts without
 * blanks around them, cut to 4096 bytes.  `take` false ends the reading.  encoding NULL: as the document says.
 * -1: REASON_BROKEN_FILE (not well-formed, entities), REASON_TOO_LARGE (depth, a tag, the whole), REASON_UNREADABLE. */
int xml_collect(int fd, uint64_t offset, uint64_t bytes, const char *encoding, const struct xml_wanted *wanted, size_t n_wanted,
                bool (*take)(void *arg, size_t which, const char *value), void *arg, struct err *err);
