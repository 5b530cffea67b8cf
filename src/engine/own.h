/* A map annotation for each image (or plate), where annotations.each asks for it: instead of a link to the map that dataset and
 * images of a card share.  Whether a part has its own is written down with it when it is imported, and stays. */
#pragma once

#include "engine/settings.h"
#include "ledger/ledger.h"
#include "omero/import.h"

/* What an import has made, as rows for the ledger: of a plate's fileset the plates are what carries annotations, else the images.
 * `each`: those get maps of their own. */
struct ledger_image *own_parts(const struct om_import_result *r, bool plate, bool each, struct arena *a, size_t *n);

struct own {
    const struct settings *settings;
    struct ledger *ledger;
    struct om_client *c;
    const struct ledger_dataset *d;
    const struct ledger_note *notes; /* of the card, as they are now */
    size_t n_notes;
};

/* Give a map with the rows of this revision to those parts that are to have one and have none: one that a run that was cut short
 * had linked is taken; a part on which the card's shared map hangs keeps that instead.  Written to `parts` alone. */
int own_need(const struct own *o, const struct ledger_revision *r, struct ledger_image *parts, size_t n, struct err *err);

/* The same for parts of which it is not known whether they have one, after a ledger was lost: the first map that hangs there is
 * taken, whatever it says, and none is made.  What is found is written down in the ledger. */
int own_look(const struct own *o, struct ledger_image *parts, size_t n, struct err *err);

/* Bring the maps of these parts from the dataset's applied revision to the wanted one, three-way and row by row (pairs_merge),
 * and write down what is new in the ledger.  One that was deleted in OMERO is not made anew; when the card has no pairs any more,
 * those in which nobody else wrote go. */
int own_follow(const struct own *o, struct ledger_image *parts, size_t n, struct err *err);
