/* What concerns the server: from its name to the trial of a session. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "cli/doctor.h"
#include "engine/policy.h"

static const int64_t patience_ns = 10 * NS_PER_S;
enum { CLOCK_APART_MS = 2000 };

/* ---- the way there ---- */

static int name(struct doctor *d, struct finding *f, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char address[128] = "";
    int r = getaddrinfo(d->server.host, NULL, &hints, &found);

    if (r != 0) {
        err_set(err, REASON_NO_SERVER, 0, "'%s' is not found: %s", d->server.host, gai_strerror(r));
        return err_hint(err, "correct server.host (OMERO_SERVER), or the name service of this host");
    }
    (void)getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    doctor_say(f, "%s is %s", d->server.host, address);
    return 0;
}

static int port(struct doctor *d, struct finding *f, struct err *err)
{
    struct link *link = NULL;

    if (link_tcp_connect(&link, d->server.host, d->server.port, clock_after_ns(patience_ns), err) < 0)
        return -1;
    link_close(link);
    doctor_say(f, "port %u answers", (unsigned)d->server.port);
    return 0;
}

/* Keeps the certificate, and decides nothing. */
static int note_cert(void *arg, const char *host, uint16_t port_, const struct link_cert *cert, struct err *err)
{
    (void)host, (void)port_, (void)err;
    *(struct link_cert *)arg = *cert;
    return LINK_TRUST;
}

/* What the handshake shows; nothing of the program goes over it. */
static int shake_hands(struct doctor *d, struct link_cert *cert, const char **how, struct err *err)
{
    const struct link_tls tls = {.ca_file = d->trust.ca_file, .allow_anonymous = d->trust.allow_anonymous, .decide = note_cert,
                                 .arg = cert};
    int64_t deadline = clock_after_ns(patience_ns);
    struct link *tcp = NULL, *link = NULL;

    if (link_tcp_connect(&tcp, d->server.host, d->server.port, deadline, err) < 0 ||
        link_tls_connect(&link, tcp, d->server.host, d->server.port, &tls, deadline, err) < 0)
        return -1;
    *how = arena_str(d->mem, link_describe(link));
    link_close(link);
    return 0;
}

static int pin(struct doctor *d, const struct link_cert *cert, struct err *err)
{
    if (cert->anonymous)
        return err_set(err, REASON_CERTIFICATE, 0, "there is no certificate to remember: the server shows none");
    return om_trust_pin(&d->trust, d->server.host, d->server.port, cert->sha256, err);
}

static int plain(struct doctor *d, struct finding *f)
{
    doctor_say(f, "none: plain connections are asked for");
    return om_is_loopback(d->server.host) ? 0 : doctor_doubt(f, DOUBTFUL,
                                                             "everybody on the way can read along: use the TLS port (4064)");
}

static int tls(struct doctor *d, struct finding *f, struct err *err)
{
    struct link_cert cert = {0};
    const char *how = "";

    if (d->server.plain)
        return plain(d, f);
    if (shake_hands(d, &cert, &how, err) < 0 || (cli_flag(d->cli, "pin") && pin(d, &cert, err) < 0) ||
        om_trust_decide(&d->trust, d->server.host, d->server.port, &cert, err) < 0)
        return -1;
    doctor_say(f, "%s; %s %s", how, cert.anonymous ? "no certificate" : cert.chain_ok && cert.name_ok ? "vouched for, SHA-256"
               : "known, SHA-256",
               cert.sha256);
    return cert.anonymous ? doctor_doubt(f, DOUBTFUL, "give the server a certificate: `omero certificates`") : 0;
}

/* ---- the administrator ---- */

static int login(struct doctor *d, struct finding *f, struct err *err)
{
    if (reach_login(d->set, &d->server, &d->admin, err) < 0)
        return -1;
    doctor_say(f, "as %s", d->admin->who.user_name);
    return 0;
}

static int rights(struct doctor *d, struct finding *f, struct err *err)
{
    const struct om_who *who = &d->admin->who;

    if (!who->may_sudo && who->n_owned == 0) {
        err_set(err, REASON_NO_RIGHT, 0, "user '%s' may not act for others", d->admin->who.user_name);
        return err_hint(err, "give it the privilege Sudo (a restricted administrator with nothing else will do), make it an "
                             "owner of the group, or name another by --user");
    }
    if (who->may_sudo)
        doctor_say(f, "%s may act for others (privilege Sudo)", who->user_name);
    else
        doctor_say(f, "%s may act for the members of the groups it owns (%zu)", who->user_name, who->n_owned);
    return 0;
}

static int version(struct doctor *d, struct finding *f, struct err *err)
{
    const char *found;

    if (om_client_version(d->admin, &found, err) < 0)
        return -1;
    doctor_say(f, "OMERO.server %s", found);
    return strncmp(found, "5.6.", 4) == 0 ? 0 : doctor_doubt(f, DOUBTFUL,
                                                             "tried with 5.6: import a few files first and look at them");
}

/* The server's clock is asked at once: half of the round trip is its error. */
static int clock_apart(struct doctor *d, struct finding *f, struct err *err)
{
    const struct ice_proxy *config;
    const struct om_rtime *there;
    int64_t before = clock_wall_ms();

    if (om_client_service(d->admin, OM_CONFIG, &config, err) < 0 ||
        om_api_iconfig_get_server_time(&d->admin->caller, config, d->mem, &there, err) < 0)
        return -1;

    int64_t after = clock_wall_ms(), apart = there ? there->val - (before + after) / 2 : 0;

    doctor_say(f, "the server's clock is %lld.%lld s %s this one", (long long)(llabs(apart) / 1000),
               (long long)(llabs(apart) % 1000 / 100),
               apart < 0 ? "behind" : "ahead of");
    return llabs(apart) <= CLOCK_APART_MS + (after - before) / 2
               ? 0
               : doctor_doubt(f, DOUBTFUL, "set both by NTP: times in OMERO mislead otherwise");
}

/* ---- a card's user ---- */

static int nobody(struct finding *f)
{
    doctor_say(f, "no user is named");
    return doctor_doubt(f, LEFT_OUT, "name one for whom a card is written: --for=USER");
}

static int user(struct doctor *d, struct finding *f, struct err *err)
{
    struct policy_ask ask = {.user = d->for_user, .group = cli_value(d->cli, "group")};
    struct om_user known;
    struct om_group group;
    struct buf groups = BUF_INIT(600);

    if (!d->for_user)
        return nobody(f);

    int u = om_user_find(d->admin, d->for_user, d->mem, &known, err);
    int g = u == 0 && ask.group ? om_group_find(d->admin, ask.group, d->mem, &group, err) : 0;

    if (u < 0 || g < 0)
        return -1;
    ask.known = u == OM_ABSENT ? NULL : &known;
    ask.group_known = g == 0;
    if (policy_may(&ask, &d->for_group, err) < 0)
        return -1;
    for (size_t i = 0; i < known.n_groups; i++)
        buf_printf(&groups, "%s%s", i ? ", " : "", known.groups[i].name);

    AUTO(mem_freep) char *text = buf_take_str(&groups);

    doctor_say(f, "%s is in %s; images go to %s", d->for_user, text, d->for_group);
    return 0;
}

static int sudo(struct doctor *d, struct finding *f, struct err *err)
{
    if (!d->for_user)
        return nobody(f);
    if (om_sudo_open(d->admin, d->for_user, d->for_group, &d->user, err) < 0)
        return -1;
    doctor_say(f, "a session for %s in %s (%s)", d->user->who.user_name, d->user->who.group_name, d->user->who.group_perms);
    return 0;
}

/* ---- the repository ---- */

static int repository(struct doctor *d, struct finding *f, struct err *err)
{
    if (om_repository_look(d->user ? d->user : d->admin, d->mem, &d->repository, err) < 0)
        return -1;
    doctor_say(f, "%s", d->repository.path);
    return 0;
}

static int checksums(struct doctor *d, struct finding *f, struct err *err)
{
    struct buf all = BUF_INIT(600);
    const char *chosen;

    if (om_repository_suggest(d->user ? d->user : d->admin, hash_algorithms, d->mem, &chosen, err) < 0)
        return -1;
    if (!chosen[0])
        return err_set(err, REASON_PROTOCOL, 0, "the server takes none of the checksums that this program knows");
    for (size_t i = 0; i < d->repository.n_checksums; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", d->repository.checksums[i]);

    AUTO(mem_freep) char *text = buf_take_str(&all);

    doctor_say(f, "%s of %s", chosen, text);
    return 0;
}

const struct probe server_probes[] = {
    {"name", 0, HAS_NAME, name},
    {"port", HAS_NAME, HAS_PORT, port},
    {"tls", HAS_PORT, HAS_TLS, tls},
    {"login", HAS_TLS, HAS_LOGIN, login},
    {"rights", HAS_LOGIN, HAS_SUDO, rights},
    {"version", HAS_LOGIN, 0, version},
    {"clock", HAS_LOGIN, 0, clock_apart},
    {"user", HAS_LOGIN, HAS_USER, user},
    {"sudo", HAS_SUDO | HAS_USER, HAS_SESSION, sudo},
    {"repository", HAS_LOGIN, HAS_REPOSITORY, repository},
    {"checksums", HAS_REPOSITORY, 0, checksums},
    {NULL, 0, 0, NULL},
};
