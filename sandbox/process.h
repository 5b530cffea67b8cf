/* An import from importFileset to its end: files, settings, and what happens with them. */
#pragma once

#include "sandbox/command.h"

struct import_file {
    int64_t id;            /* OriginalFile */
    const char *path;      /* absolute */
    const char *client_path;
    struct servant *store; /* the open uploader, or NULL */
    int64_t offset;        /* end of its last write */
};

/* Counted: the process's servant, its uploaders and its commands refer to it. */
struct import_process {
    int refs;
    struct arena *mem;
    struct server *server;
    int64_t fileset, group, log_file, upload_link;
    const char *prefix;    /* of the template, within the repository */
    const char *log_path;  /* absolute */
    const char *algorithm;
    const struct om_grid_import_settings *settings;
    size_t n;
    struct import_file *files;
    const struct ice_proxy *handle; /* of the last verification, or NULL */
};

void import_unref(struct import_process *p);
/* process.c: a servant for it */
const struct ice_proxy *process_proxy(struct call *c, struct import_process *p);
/* run.c: begin the import; its handle */
const struct ice_proxy *import_start(struct call *c, struct import_process *p);

/* paths.c */
/* Where a fileset's files go: from the clients' paths to paths below the fileset's directory.  -1 and an exception. */
int paths_plan(struct call *c, const char *const *client, size_t n, bool has_reader, const char **out);
/* A new directory for a fileset of the caller: "alice_2/2026-11/23/18-15-42.943", made on disk. */
int paths_make(struct call *c, const char **out);
/* The directories before the last `/` of a path below the repository. */
int paths_parents(struct call *c, const char *below);
