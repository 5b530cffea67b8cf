/* The sessions of a run: an administrator's, and a pool of sessions of the cards' users made by it.
 *
 * A session is taken by one worker at a time and given back; idle ones are closed after a minute, all of them at the end, on
 * the server too.  The administrator's is opened at its first use.  A session in which a connection was lost is dropped when
 * it is given back. */
#pragma once

#include "engine/settings.h"
#include "omero/client.h"

#define SESSIONS_END_NS (INT64_C(3) * 1000000000) /* a server that does not answer at the end is not waited for longer */

struct sessions;

struct session {
    struct session *next;
    struct om_client *client;
    char *user, *group;    /* as asked for; group NULL: the default one */
    const char *server;    /* uuid of the server's database; as long as the pool lives */
    int64_t used_ns, judged_ns;
    bool leave; /* an import may still be queued in it: a server that ends the session would drop that, so it idles out */
};

/* `settings`, `trust` and `stop` (NULL: never) are borrowed.  Connects nothing yet. */
struct sessions *sessions_new(const struct settings *settings, struct om_trust *trust, const atomic_bool *stop) ATTR_MUST_USE;
/* From now on; host, port and trust stay as they were.  Another administrator logs in at the next need. */
void sessions_renew(struct sessions *s, const struct settings *settings);
void sessions_close(struct sessions *s); /* all must have been given back; NULL is fine */

/* A session of this user in this group.  -1: what policy_may says about them (one user's matter), or why the server cannot be
 * worked with (`*for_all` is true then). */
int sessions_take(struct sessions *s, const char *user, const char *group, struct session **out, bool *for_all, struct err *err);
void sessions_give(struct sessions *s, struct session *session);

/* Close what has been idle for a minute; keep the administrator's alive.  Every few seconds. */
void sessions_tidy(struct sessions *s);

/* How many of users are open.  Never waits. */
int64_t sessions_open(struct sessions *s);

/* Is a session of an earlier try over, by its number?  Nothing of it can still be under way then.  `own`: a session of the same
 * user, who is asked where the administrator is not shown it (a group's owner). */
int sessions_is_over(struct sessions *s, struct om_client *own, int64_t session_id, bool *over, struct err *err);
