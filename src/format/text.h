/* Texts that masters are.  Private to the room. */
#pragma once

#include "format/look.h"

/* All of a file as text, zero bytes as blanks; NULL with the reason in `*text`.  Owned by the caller. */
char *text_of(const struct format_look *look, size_t max, const char **text);
/* The next line that is not empty, ended in place; NULL at the end. */
char *text_line(char **at);
/* Without blanks around it, in place. */
char *text_trim(char *s);
