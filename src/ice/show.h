/* Messages as text, a line each, by the tables of types: for --trace=wire.
 *
 *   > 7 IQuery.projection query="select ..." params={theFilter=Filter{...}} to=<name category> [omero.group=5]
 *   < 7 IQuery.projection ok ret=[[RLong(3) RString("x")]]
 *   < 8 IUpdate.saveObject throws ValidationException{message="..."}
 *
 * Names of types and interfaces go without their modules; a class of one member stands as Name(value).  Null references and empty
 * sequences are left out; an instance that is met again stands as #2, its number in the order of the message; bytes are counted
 * and not shown.  A line is cut at ICE_LINE_MAX. */
#pragma once

#include "ice/message.h"

struct ice_show {
    const struct ice_registry *registry;
    /* Append a text of the message, without quotes around it.  What is secret is told by its place: `op` and the field's name
     * (context entries: their key); NULL where there is none. */
    void (*text)(void *arg, struct buf *out, const struct ice_op *op, const char *field, const char *text);
    void *arg;
};

/* Append the line of a message, without a line feed.  `op` NULL: what is in it cannot be read, and its head alone is shown. */
void ice_show_message(const struct ice_show *how, bool sent, const struct ice_msg *msg, const struct ice_op *op, struct buf *out);
