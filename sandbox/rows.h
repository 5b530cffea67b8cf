/* New rows of the store on behalf of the caller: what imports make, step by step. */
#pragma once

#include <stdint.h>

#include "sandbox/save.h"

struct rows {
    struct call *c;
    struct saver *saver; /* NULL at the beginning */
};

/* An empty row of an entity ("UploadJob"); its id.  The caller fills the columns in. */
int64_t row_new(struct rows *m, const char *entity);
/* A link between two rows; -1 when this owner has one already. */
int64_t row_link(struct rows *m, const char *entity, int64_t parent, int64_t child);
/* Named values of a column that holds some ("Job.versionInfo"). */
void row_pairs(struct rows *m, const char *holder, int64_t object, const struct om_api_named_value_list *list);
/* The id of an annotation, which is saved when it is new.  -1 and an exception. */
int64_t row_note(struct rows *m, const struct om_annotation *a);
