/* What the sandbox can keep: one row a class of OMERO's model, with its table and columns.
 *
 * A column is a member of the class of the same name; how it is stored follows from the member's type: text, numbers, times as
 * they are, a reference to another entity as its id, an enumeration as its value.  Columns without a member are the sandbox's
 * own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ice/type.h"
#include "model/types.h"

struct store;

struct entity {
    const char *name;            /* "Dataset" */
    const struct ice_class *cls;
    const char *table;           /* several classes may share one */
    const char *package;         /* of the server's own name for it: "ome.model.containers" */
    const char *columns;         /* separated by spaces; `!` before one that must not be null */
    const struct ice_class *link_parent; /* links only */
};

extern const struct entity entities[];
extern const size_t n_entities;

const struct entity *entity_by_name(const char *name); /* "Dataset", "DatasetI", "ome.model.containers.Dataset"; NULL */
const struct entity *entity_by_class(const struct ice_class *cls); /* NULL */
/* Abstract ones (Annotation, Job) stand for their table. */
bool entity_is_abstract(const struct entity *e);
bool entity_is_link(const struct entity *e);
bool entity_is_annotation(const struct entity *e);

enum column_kind {
    COL_NONE,
    COL_TEXT,
    COL_LONG,
    COL_INT,
    COL_BOOL,
    COL_DOUBLE,
    COL_TIME,
    COL_REF,
    COL_ENUM,
    COL_LENGTH,
    COL_PAIRS
};

struct column {
    char name[40];
    bool needed;
    enum column_kind kind;         /* COL_NONE: no member of that name */
    const struct ice_field *field;
};

/* Walk over the columns: `*at` begins as e->columns.  False at the end. */
bool entity_column(const struct entity *e, const char **at, struct column *out);
const struct ice_field *class_field(const struct ice_class *cls, const char *name); /* "_name"; NULL */

/* A collection of an entity: its items, and the member of an item that points back. */
struct collection {
    const char *field;   /* "_datasetLinksSeq" */
    const char *loaded;  /* "_datasetLinksLoaded" */
    const struct entity *items;
    const char *back;    /* column of the items */
};
bool entity_collection(const struct entity *e, const char *name, struct collection *out); /* name: "datasetLinks" */

/* Make the tables. */
void entity_schema(struct store *s);

/* Values of enumerations, in the order of their ids (from 1); NULL at the end.  NULL when the class is no enumeration of ours. */
const char *const *enum_values(const struct ice_class *cls);
const struct ice_class *enum_by_name(const char *name); /* "PixelsType"; NULL */
