/* The way of a session's requests: an Ice connection to a Glacier2 router. */
#pragma once

#include "omero/client.h"

/* How a session begins. */
struct om_login {
    const char *user, *password; /* for a join: the uuid twice */
    const char *group;           /* a name, or NULL */
};

/* Connect, create the session, register the factory.  Sets way, way_state, factory and uuid of the client, whose other members
 * are set already. */
int om_router_login(struct om_client *c, const struct om_login *login, struct err *err);
