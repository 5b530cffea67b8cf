/* The shapes of what is shown: one JSON object each for a file, a fileset, a card, a dataset and a problem, the same in every
 * --json.
 * Their schema files are doc/schema/NAME.json. */
#pragma once

#include "base/json.h"
#include "engine/look.h"
#include "ledger/ledger.h"

/* A path of a root; "" is shown as ".". */
json_t *shape_dir(const char *dir) ATTR_MUST_USE;

/* Something that keeps a path from being imported or followed.  text and hint "" or NULL: none of its own. */
struct shape_problem {
    const char *root, *path;
    int line, column;  /* 0 = none */
    enum reason why;
    enum err_class cls;
    const char *text, *hint;
    int64_t since_ms, retry_ms; /* 0 = not known, none */
};
json_t *shape_problem(const struct shape_problem *p) ATTR_MUST_USE;

json_t *shape_planned_fileset(const struct plan *p, const struct plan_fileset *f) ATTR_MUST_USE;
json_t *shape_planned_dataset(const struct plan_target *t) ATTR_MUST_USE;
json_t *shape_card(const struct found_card *c) ATTR_MUST_USE;
json_t *shape_annotations(const struct card *c) ATTR_MUST_USE; /* tags, kv, comment */

json_t *shape_fileset(const struct ledger_fileset *f) ATTR_MUST_USE; /* as the ledger has it */
json_t *shape_images(const struct ledger_image *images, size_t n) ATTR_MUST_USE;
/* A dataset or screen as the ledger has it; `card` NULL: its directory has none now. */
json_t *shape_dataset(const struct ledger_dataset *d, const char *card) ATTR_MUST_USE;
json_t *shape_time(int64_t wall_ms) ATTR_MUST_USE; /* RFC 3339 UTC; 0 and CLOCK_NEVER give null */

/* "1.4 MB": decimal, for people. */
void shape_bytes(int64_t n, char out[32]);
