/* The queries that the sandbox knows: OMERO's text, and what it means here. */
#pragma once

#include <stdbool.h>

#include "sandbox/entity.h"

struct text {
    const char *hql;  /* white space squeezed; %T is any entity's name; a number is written :n1, :n2 ... */
    /* A letter a column: l RLong, i RInt, s RString, t RTime, o objects; '{' before them: one map of the columns, with the keys
     * of the text; there `r` is what the asker may do with an object, the last column: its group and owner.  (A real server says
     * "yes" to everything when it is asked for the permissions by themselves; no text here does that.) */
    const char *cols;
    const char *sql;  /* %T is the entity's table, of the class asked for */
    const char *entity; /* of `o`; NULL: that of %T */
    const char *fetch;  /* what is loaded with an object: paths (objects.h), separated by spaces */
};

enum { TEXT_NUMBERS = 4 };

struct text_match {
    const struct text *text;
    const struct entity *entity;  /* for %T */
    int64_t numbers[TEXT_NUMBERS]; /* :n1 ... */
    char sql[2048];
};

/* Which of them is it?  False: none. */
bool text_find(const char *hql, struct text_match *out);
