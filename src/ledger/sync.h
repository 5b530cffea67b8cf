/* Inside ledger_sync: one scan being taken in. */
#pragma once

#include "ledger/store.h"

struct sync {
    struct ledger *l;
    const struct ledger_scan *scan;
    int64_t now;
    int64_t *targets;   /* row of each of the scan's targets */
    int64_t *revisions; /* and of its card */
    int64_t *seen;      /* rows of filesets that are in the scan */
    size_t n_seen;
    size_t at;          /* number of the plan that is being taken */
    bool *blocked;      /* plans whose files may be those of an import under way, renamed since */
    struct ledger_synced out;
};

/* What the ledger knows of a planned fileset. */
struct known {
    int64_t id, dataset, revision, quiet_ms;
    enum ledger_state state;
    enum ledger_call call;
    enum reason why, plan_why;
    bool gone, claimed;
    bool same_plan;    /* name, format, reader, plate, dataset and text are as planned */
    bool same_files;   /* same members with the same size, mtime and ctime */
    bool same_content; /* the same without looking at ctime */
    bool same_paths;   /* same members, whatever lies there */
    bool compared;     /* what differs was compared by its checksum already */
};

/* Plan number i of the scan, in the arena. */
struct ledger_plan sync_plan(struct sync *s, size_t i, struct arena *a);

int sync_cards(struct sync *s, struct err *err);
int sync_moves(struct sync *s, struct err *err);
int sync_targets(struct sync *s, struct err *err);
int sync_filesets(struct sync *s, struct err *err);
int sync_gone(struct sync *s, struct err *err);

/* Members of a planned fileset: compared with the rows, written down, looked for in other sets. */
int sync_compare(struct sync *s, const struct ledger_plan *p, struct known *k, struct err *err);
int sync_put_members(struct sync *s, const struct ledger_plan *p, int64_t id, struct err *err);
int sync_other_owner(struct sync *s, const struct ledger_plan *p, int64_t id, struct arena *a, const char **path,
                     struct err *err);
