/* Where things in OMERO came from: files by their client's paths, datasets by the map that says it.
 *
 * All of it is asked in every group that the session's user can see, and of objects of that user alone. */
#pragma once

#include "omero/container.h"

enum { OM_PATHS = 1000 }; /* paths or filesets in one query */

struct om_entry {
    int64_t fileset, group;
    const char *client_path; /* as stored: made safe, without a slash at its beginning */
    int64_t size;            /* -1: not known */
    const char *hash, *algorithm; /* "": not known */
};
struct om_entries {
    size_t n;
    const struct om_entry *at; /* of a fileset in its order, the file that is opened first; in the arena */
};

/* The filesets that have files of these client paths (at most OM_PATHS): fileset, group and path of each. */
int om_entries_by_path(struct om_client *c, const char *const *paths, size_t n, struct arena *mem, struct om_entries *out,
                       struct err *err);
/* All files of filesets (at most OM_PATHS). */
int om_entries_of(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, struct om_entries *out,
                  struct err *err);
/* The filesets of the images of a dataset. */
int om_dataset_filesets(struct om_client *c, int64_t dataset, struct arena *mem, const int64_t **out, size_t *n, struct err *err);

struct om_in_dataset {
    int64_t fileset, dataset;
};
/* The own datasets that have images of these filesets (at most OM_PATHS); each pair once. */
int om_datasets_of(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, const struct om_in_dataset **out,
                   size_t *n_out, struct err *err);

struct om_in_project {
    int64_t id;
    const char *name;
};
/* The projects of a dataset, lowest id first. */
int om_projects_of(struct om_client *c, int64_t dataset, struct arena *mem, const struct om_in_project **out, size_t *n,
                   struct err *err);

/* A pair of a map that says where a dataset or screen comes from. */
struct om_source_pair {
    int64_t target, map;                        /* dataset or screen; annotation */
    int64_t target_owner, link_owner, map_owner; /* by somebody else: it proves nothing */
    int64_t group;
    const char *key, *value;
};
/* The pairs of all such maps of a kind that the session can see, or of one target (0: all), by target and annotation. */
int om_sources_find(struct om_client *c, enum om_parent kind, const char *ns, int64_t target, struct arena *mem,
                    const struct om_source_pair **out, size_t *n, struct err *err);
