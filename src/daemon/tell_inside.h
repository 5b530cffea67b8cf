/* Inside telling: one message and its ways out.  Not for other files. */
#pragma once

#include "base/json.h"
#include "daemon/tell.h"

struct tell_stuck {
    const char *path, *reason, *text, *hint;
};

struct tell_message {
    const char *user, *group, *project, *dataset, *dir; /* group may be NULL; dir absolute */
    int64_t dataset_id; /* in OMERO; 0 = not made */
    size_t n_imported, n_images;
    const struct tell_stuck *stuck;
    size_t n_stuck;
    size_t n_untold; /* messages that the limit kept back */
};

json_t *tell_json(const struct tell_message *m) ATTR_MUST_USE;
/* A mail with its headers; NULL when the user's name does not fit into an address.  Owned by the caller. */
char *tell_mail(const struct tell_message *m, const char *to, const char *from) ATTR_MUST_USE;

/* Run a program without a shell and give it text; its output goes nowhere.  REASON_TIMEOUT, REASON_UNREADABLE. */
int tell_run(char *const argv[], const char *text, struct err *err);
int tell_post(const char *url, const char *json, struct err *err);
