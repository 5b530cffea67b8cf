/* Inside telling: one message, where it comes from, and its ways out.  Not for other files. */
#pragma once

#include "base/json.h"
#include "daemon/tell.h"

struct tell_stuck {
    const char *path; /* below the root */
    int line;         /* of a card; 0 = none */
    const char *reason, *text, *hint;
};

/* Of one dataset; or, where `dataset` is NULL, of the cards of a root. */
struct tell_message {
    const char *user, *group, *project, *dataset; /* NULL where it is of cards; group may be NULL */
    const char *dir;                              /* absolute: the card's directory, or the root */
    int64_t dataset_id;                           /* in OMERO; 0 = not made */
    size_t n_imported, n_images;
    const struct tell_stuck *stuck;
    size_t n_stuck, n_more; /* named, and not named for want of room */
    size_t n_untold;        /* messages that the limit kept back */
};

enum { TELL_LATER = 1 };

/* What waits or is held in a dataset, and a number for it (0: nothing), and the number that people were told last.
 * TELL_LATER: something is under way. */
int tell_read_dataset(struct ledger *ledger, int64_t dataset, struct arena *a, struct tell_message *m, uint64_t *trouble,
                      uint64_t *told, struct err *err);

/* The cards (and directories that cannot be read) of one root that do not apply and nobody was told of; their rows. */
struct tell_cards {
    struct tell_message message;
    int64_t *ids;
    size_t n_ids;
};
/* TELL_LATER: some more have not been so for `quiet_ms`. */
int tell_read_cards(struct ledger *ledger, int64_t quiet_ms, struct arena *a, struct tell_cards **out, size_t *n,
                    struct err *err);

json_t *tell_json(const struct tell_message *m) ATTR_MUST_USE;
/* A mail with its headers; NULL when there is no user, or a name that does not fit into an address, and no `otherwise` (may be
 * NULL).  Owned by the caller. */
char *tell_mail(const struct tell_message *m, const char *to, const char *otherwise, const char *from) ATTR_MUST_USE;

/* Run a program without a shell and give it text; its output goes nowhere.  REASON_TIMEOUT, REASON_UNREADABLE. */
int tell_run(char *const argv[], const char *text, struct err *err);
int tell_post(const char *url, const char *json, struct err *err);
