/* How the server of the settings is reached: shared by all who open sessions. */
#pragma once

#include "engine/settings.h"
#include "omero/client.h"

/* `out` is OM_TRUST_INIT before; nobody is asked.  `known_servers` is borrowed. */
void reach_trust(const struct settings *s, const char *known_servers, struct om_trust *out);
/* Everything is borrowed. */
void reach_server(const struct settings *s, struct om_trust *trust, struct om_trace *trace, struct om_server *out);
/* NULL unless the settings ask for one; it goes to standard error. */
struct om_trace *reach_trace(const struct settings *s);
/* Log in as the settings' user.  REASON_CONFIG without a password. */
int reach_login(const struct settings *s, const struct om_server *server, struct om_client **out, struct err *err);
