/* Files on their way to the server side by side.  Only for upload.c and resume.c.
 *
 * A lane has one file at a time and at most one call out to that file's RawFileStore; whoever waits on the connection reads for
 * all lanes.  What was asked is kept until it is answered, so that it can be asked again after the connection was lost: writing
 * the same bytes to the same place, saving and closing do no harm twice.  A turn that failed so is taken again as it was. */
#pragma once

#include "omero/import_state.h"

enum { LANE_TRIPS = 8 }; /* a write is to take at least so many times the way there and back */

enum lane_stage { LANE_FREE, LANE_OPEN, LANE_WRITE, LANE_SAVE, LANE_CLOSE, LANE_DONE };

struct lane_block {
    uint8_t *at;
    size_t n, cap;
};

/* Shared by all lanes. */
struct lane_pace {
    size_t block, most; /* bytes of a write now, and at most */
    bool ahead;         /* a lane reads its next block while one is on its way; where many lanes are, the others fill that time */
    int64_t trip_ns;    /* the shortest way there and back that was seen; 0 = none yet */
};

struct lane {
    struct om_import *imp;
    struct om_client *client;
    const struct om_upload *set;
    struct lane_pace *pace;
    enum lane_stage stage; /* what is done at its next turn */
    size_t index;
    bool open;                     /* `source` was given */
    const struct ice_proxy *store; /* the RawFileStore of this file; NULL when closed */
    struct om_source source;
    struct hash *hash;
    struct arena *mem;
    struct lane_block blocks[2]; /* one that may have to be sent again and, ahead, one that is read into */
    unsigned turn;
    bool ready;             /* the block of this turn is read, and not sent */
    bool ended;             /* the source */
    int64_t sent, answered; /* bytes whose write was sent, and answered */
    char hex[HASH_HEX_MAX];

    struct om_grid_import_process_get_uploader_in uploader;
    struct om_api_raw_file_store_write_in write;
    bool asked; /* a call is out: */
    const struct ice_op *op;
    const void *in;
    int32_t id;
    int64_t asked_ns;
};

struct lanes {
    struct om_import *imp;
    struct lane *at;
    size_t n, next, end;
    struct lane_pace pace;
    bool resumes, held;
    int64_t until_ns; /* how long joining again is tried; 0 = the connection is well */
};

/* Of the file's store.  While there is none, of the import's process, which takes one call at a time as well: so one lane at a
 * time is LANE_OPEN. */
int lane_ask(struct lane *l, const struct ice_op *op, const void *in, struct err *err);
int lane_wait(struct lane *l, void *out, struct err *err);

/* Have the session outlive its connection while bytes go up, and no longer. */
int lanes_hold(struct lanes *all, struct err *err);
void lanes_let_go(struct lanes *all);

/* After a failure: 0 when the connection was lost, and the same turn may be taken again on a new one; else -1, the error
 * as it was. */
int lanes_resume(struct lanes *all, struct err *err);
