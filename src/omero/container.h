/* Projects, and what holds images: datasets, and screens for plates.
 *
 * Names in OMERO are not unique and creating is not atomic with looking: callers serialise om_project_need for each user and
 * group. */
#pragma once

#include "omero/query.h"
#include "omero/sudo.h"

/* The project of that name which the session's user owns in the session's group; of several the lowest id.  0, or OM_ABSENT.
 * REASON_NO_RIGHT when it may not be linked to. */
int om_project_find(struct om_client *c, const char *name, int64_t *out, struct err *err);
/* Found, or made.  `*made` may be NULL. */
int om_project_need(struct om_client *c, const char *name, int64_t *out, bool *made, struct err *err);

struct om_pair {
    const char *key, *value;
};

/* What annotations hang on.  Of these OM_DATASET and OM_SCREEN are targets of imports: `kind` below is one of the two. */
enum om_parent { OM_PROJECT, OM_DATASET, OM_IMAGE, OM_PLATE, OM_SCREEN };
const char *om_parent_name(enum om_parent kind); /* "Dataset": in HQL and for people */

struct om_target_new {
    int64_t project; /* a dataset is linked there; 0 = to none */
    const char *name, *description;
    const char *ns; /* a map annotation of this namespace goes with it, in the same transaction; NULL = none */
    size_t n_pairs;
    const struct om_pair *pairs;
};
/* Make a dataset or a screen, its link and its map: all or nothing. */
int om_target_create(struct om_client *c, enum om_parent kind, const struct om_target_new *t, int64_t *out, struct err *err);

/* The one whose map annotation of namespace `ns`, by the same owner, says key = value; of several the lowest id.
 * 0, or OM_ABSENT. */
int om_target_find(struct om_client *c, enum om_parent kind, const char *ns, const char *key, const char *value, int64_t *out,
                   struct err *err);

enum { OM_STALE = 1 }; /* somebody changed it since it was loaded or written */

/* Give it another description where it has the old one still.  0: it has the new one; OM_STALE: it has another, which stays. */
int om_target_describe(struct om_client *c, enum om_parent kind, int64_t id, const char *old, const char *text,
                       struct err *err);

struct om_target_facts {
    int64_t owner, group;
    const char *name;
    bool can_link, can_annotate;
};
/* What it is now, in whatever group.  0, or OM_ABSENT. */
int om_target_look(struct om_client *c, enum om_parent kind, int64_t id, struct arena *mem, struct om_target_facts *out,
                   struct err *err);
/* May images be put there: exists, same owner and group, linking allowed?  REASON_TARGET_GONE (deleted or moved),
 * REASON_NO_RIGHT. */
int om_target_check(struct om_client *c, enum om_parent kind, int64_t id, int64_t owner, int64_t group, struct err *err);
/* Which of these objects (numbers that rise) does the session's group hold, as far as its user sees?  `there` has n places. */
int om_alive(struct om_client *c, enum om_parent kind, const int64_t *ids, size_t n, bool *there, struct err *err);
/* The link by which it lies in that project.  0, or OM_ABSENT. */
int om_project_link(struct om_client *c, int64_t dataset, int64_t project, int64_t *link, struct err *err);
