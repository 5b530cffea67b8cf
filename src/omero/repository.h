/* OMERO's managed repository: where imported files go. */
#pragma once

#include "omero/client.h"

/* Sets c->repository, once a session.  REASON_SERVER_DOWN when there is none. */
int om_repository_need(struct om_client *c, struct err *err);

/* The first of the server's preferred checksums among `names` ("SHA1-160", NULL at the end); "" when it wants none of them. */
int om_repository_suggest(struct om_client *c, const char *const *names, struct arena *mem, const char **out, struct err *err);

struct om_repository {
    const char *path; /* its directory, as the server names it */
    size_t n_checksums;
    const char *const *checksums; /* what the server knows, in its order */
};
int om_repository_look(struct om_client *c, struct arena *mem, struct om_repository *out, struct err *err);

/* Its directory as an absolute path with one slash between parts. */
const char *om_repository_path(const struct om_original_file *root, struct arena *mem);
