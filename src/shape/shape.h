/* The shapes of what is shown: one JSON object each for a file, a fileset, a card, a dataset, a problem, a root, a count and an
 * event, the same in every --json, in the API and in what people are told.
 * Their schema files are doc/schema/NAME.json. */
#pragma once

#include "base/json.h"
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
    int64_t fileset; /* its row; 0: of a card or a dataset */
};
json_t *shape_problem(const struct shape_problem *p) ATTR_MUST_USE;

json_t *shape_file(const char *path, int64_t size, int64_t mtime_ns) ATTR_MUST_USE;
json_t *shape_fileset(const struct ledger_fileset *f) ATTR_MUST_USE;
/* The same with its dataset (NULL: none) and images. */
json_t *shape_fileset_whole(const struct ledger_fileset *f, const struct ledger_dataset *d, const struct ledger_image *images,
                            size_t n) ATTR_MUST_USE;
json_t *shape_event(const struct ledger_event *e) ATTR_MUST_USE;
json_t *shape_images(const struct ledger_image *images, size_t n) ATTR_MUST_USE;
/* A dataset or screen; `card` NULL: its directory has none now. */
json_t *shape_dataset(const struct ledger_dataset *d, const char *card) ATTR_MUST_USE;
json_t *shape_card(const struct ledger_card *c) ATTR_MUST_USE; /* c->root NULL: of a tree that is in no ledger */
json_t *shape_annotations(const struct ledger_revision *r) ATTR_MUST_USE; /* tags, kv, comment */
json_t *shape_count(const struct ledger_count *c) ATTR_MUST_USE;
json_t *shape_root(const struct ledger_root *r) ATTR_MUST_USE;
json_t *shape_time(int64_t wall_ms) ATTR_MUST_USE; /* RFC 3339 UTC; 0 and CLOCK_NEVER give null */
void shape_reason(json_t *o, enum reason why, const char *text); /* members reason and text */

/* "1.4 MB": decimal, for people. */
void shape_bytes(int64_t n, char out[32]);
