/* The conversation with the server, a line a message, without its secrets.
 *
 *   trace: 1 > 3 IQuery.projection query="select ..." to=<{2} {1}omero.api.IQuery> [omero.session.uuid={2}]
 *
 * The first number is that of the connection.  Passwords stand as ***; a session can be joined by its uuid alone, so every uuid
 * stands as its number in order of appearance: {2} is the same one on all lines.  The content of files is not shown. */
#pragma once

#include "ice/conn.h"

struct om_trace;

/* Lines go to `fd`, each by one write, from several threads if need be. */
struct om_trace *om_trace_new(int fd) ATTR_MUST_USE;
void om_trace_free(struct om_trace *t); /* after the connections; NULL is fine */
void om_trace_freep(struct om_trace **t);

/* One connection's part in it. */
struct om_tap {
    struct om_trace *trace;
    unsigned number;
};

/* Show what a connection says from now on.  `tap` is filled in, and lives as long as the connection. */
void om_trace_watch(struct om_trace *t, struct ice_conn *conn, struct om_tap *tap);
