#include "engine/reach.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void reach_trust(const struct settings *s, const char *known_servers, struct om_trust *out)
{
    out->known_servers = known_servers;
    out->ca_file = s->server.ca_file;
    out->allow_anonymous = s->server.allow_anonymous;
}

void reach_server(const struct settings *s, struct om_trust *trust, struct om_trace *trace, struct om_server *out)
{
    *out = (struct om_server){.host = s->server.host, .port = (uint16_t)s->server.port, .plain = s->server.plain_tcp,
                              .force_plain = s->server.plain_tcp, .answer_ns = s->server.timeout_s * NS_PER_S, .trust = trust,
                              .trace = trace};
}

struct om_trace *reach_trace(const struct settings *s)
{
    return strcmp(s->trace, "wire") == 0 ? om_trace_new(STDERR_FILENO) : NULL;
}

int reach_login(const struct settings *s, const struct om_server *server, struct om_client **out, struct err *err)
{
    if (!s->server.password) {
        err_set(err, REASON_CONFIG, 0, "no password is known for OMERO's user '%s'", s->server.user);
        return err_hint(err, "put it in a file 'password' beside the configuration, or set OMERO_ROOT_PASSWORD");
    }
    return om_client_login(out, server, s->server.user, s->server.password, NULL, err);
}
