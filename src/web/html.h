/* Writing HTML: texts of the program go out as they are, all else through one escape. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* `text` is the program's own, with
 *   %s  a text of any bytes, shown as str_show() does and escaped: for content and attribute values in double quotes
 *   %u  a part of an address, percent-encoded byte by byte: for a parameter's value in an attribute
 *   %d  an int64_t
 *   %%  %
 * Nothing else follows a %. */
void html(struct buf *b, const char *text, ...);

/* The one escape: & < > " ' and whatever could not be shown. */
void html_text(struct buf *b, const char *bytes);

/* "<time ...>2026-11-24 18:15 UTC</time>"; "–" for 0. */
void html_time(struct buf *b, int64_t wall_ms);
void html_bytes(struct buf *b, int64_t bytes); /* "1.4 MB" */
