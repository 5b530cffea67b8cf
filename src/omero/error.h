/* What a server's refusal means: exceptions and reply states into the program's reasons.
 *
 * The texts of the server are kept (shortened, without stack traces), passwords and session uuids are taken out. */
#pragma once

#include "base/err.h"
#include "ice/conn.h"
#include "model/types.h"

/* Fill `err` in from a reply whose status is not ICE_OK.  Returns -1. */
int om_error(const struct ice_op *op, const struct ice_reply *reply, struct err *err);

/* The same for the words of a command that answered with ERR (category, name, parameters).  Returns -1. */
int om_error_command(const char *what, const struct om_cmd_err *e, struct err *err);

/* Take a secret out of an error's text and hint. */
void om_error_hide(struct err *err, const char *secret);
