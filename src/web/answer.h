/* From a request's target to an answer, without a socket.  Handlers fill in type and body, or say what is wrong. */
#pragma once

#include "base/buf.h"
#include "web/live.h"
#include "web/request.h"

struct web_facts {
    const struct web_job *job;
    struct live *live;
};

struct answer {
    int status;
    const char *type;
    struct buf body;
    const unsigned char *fixed; /* instead of body: bytes of the program */
    size_t n_fixed;
};

/* What a handler has at hand. */
struct view {
    const struct web_facts *web;
    struct ledger *l;
    struct arena *a;
    const struct request *q;
    struct answer *out;
    struct buf *b; /* of the answer */
};

enum { VIEW_NOTHING = 1 }; /* there is no such thing: 404 */
typedef int view_fn(struct view *v, struct err *err);

/* Always an answer: 200, 400 the address cannot be understood, 404, 500 and 503 the ledger cannot be read; 503 of health too. */
void answer_make(const struct web_facts *web, struct ledger *l, const char *target, struct answer *out);
void answer_clear(struct answer *a);

/* An answer of plain text. */
void answer_text(struct answer *out, int status, const char *text);
/* Takes the reference. */
void answer_json(struct view *v, json_t *value);

/* What health is judged from, and the verdict. */
int view_health(struct view *v, int question, struct health *out, struct status *status, struct err *err);

/* A fileset by its row, with at most WEB_MEMBERS_MAX files and images, and its dataset (NULL: none).  VIEW_NOTHING. */
struct view_fileset {
    const struct ledger_fileset *f;
    const struct ledger_dataset *dataset;
    const struct ledger_image *images;
    size_t n_images;
};
int view_fileset(struct view *v, int64_t id, struct view_fileset *out, struct err *err);
