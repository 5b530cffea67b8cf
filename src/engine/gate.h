/* The first import of a tree by a run that goes on for ever: what OMERO has of it already, by other programs, is not imported
 * once more without a word of a person.  (`import` asks the same before it begins, and stops.) */
#pragma once

#include "engine/inside.h"

enum gate {
    GATE_ASK,  /* nothing of the root was ever sent: OMERO is to be asked before anything is */
    GATE_SHUT, /* more than one fileset in a hundred is there: all of the root is held (REASON_THERE) */
    GATE_OPEN,
};

/* What a root begins with; `asks`: this run is one that must ask.  An open one frees what was held here. */
int gate_begin(struct engine *e, const struct engine_place *place, bool asks, enum gate *out, struct err *err);
/* After a look at the root, by its row.  OMERO is asked once (1,000 paths a query) when there are files to ask for; what comes to
 * a shut root is held as well.  -1 with the gate as it was: what stands in the way of asking. */
int gate_look(struct engine *e, const struct engine_place *place, int64_t root, enum gate *gate, struct err *err);
