/* The socket: libmicrohttpd in a loop of ours, so that what takes too long can be cut. */
#include "web/web.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/listen.h"
#include "web/answer.h"
#include "web/guard.h"
#include "web/mhd.h"

enum { TICK_MS = 1000, IDLE_S = 10 };

static struct mhd_calls mhd; /* filled in before the first page is served */

/* A connection, since when it owes us a whole request or we owe it an answer. */
struct caller {
    int fd; /* -1: free */
    int64_t since_ns;
};

struct web {
    struct web_job job; /* its texts are in the arena */
    struct arena *a;
    struct live live;
    struct ledger *ledger;
    struct MHD_Daemon *daemon;
    struct caller callers[WEB_CONNECTIONS_MAX];
    pthread_t thread;
    int wake; /* eventfd: end */
    bool started;
};

/* ---- answers ---- */

/* Every answer carries these. */
static const struct {
    const char *name, *value;
} headers[] = {
    {"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
                                " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

static enum MHD_Result send_answer(struct MHD_Connection *c, struct answer *out)
{
    bool fixed = out->fixed != NULL;
    void *bytes = fixed ? (void *)(uintptr_t)out->fixed : out->body.data;
    struct MHD_Response *r = MHD_create_response_from_buffer(fixed ? out->n_fixed : out->body.len, bytes,
                                                             fixed ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);

    if (!r)
        return MHD_NO;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        MHD_add_response_header(r, headers[i].name, headers[i].value);
    MHD_add_response_header(r, "Content-Type", out->type);
    if (out->status == 405)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    if (out->status == 401)
        MHD_add_response_header(r, "WWW-Authenticate", "Basic realm=\"impomero\", charset=\"UTF-8\"");
    enum MHD_Result sent = MHD_queue_response(c, (unsigned)out->status, r);
    MHD_destroy_response(r);
    return sent;
}

static enum MHD_Result count_hosts(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    (void)value;
    *(size_t *)arg += strcasecmp(key, "Host") == 0;
    return MHD_YES;
}

static void read_head(struct MHD_Connection *c, const char *method, struct guard_head *h)
{
    *h = (struct guard_head){.method = method, .host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host"),
                             .origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin"),
                             .site = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Site"),
                             .mode = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Mode"),
                             .authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization")};
    MHD_get_connection_values(c, MHD_HEADER_KIND, count_hosts, &h->n_hosts);
}

/* Called once the head is there; what a request carries beyond it is never read. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *n_upload, void **target)
{
    struct web *w = arg;
    AUTO(answer_clear) struct answer out = {.body = BUF_INIT(WEB_BODY_MAX)};
    struct guard_head head;
    const char *why = NULL;
    int refused;

    (void)url;
    (void)version;
    (void)upload;
    (void)n_upload;
    read_head(c, method, &head);
    refused = guard_check(&(struct guard_rules){.token = w->job.token, .hosts = w->job.hosts}, &head, &why);
    if (refused)
        answer_text(&out, refused, why);
    else
        answer_make(&(struct web_facts){.job = &w->job, .live = &w->live}, w->ledger, *target ? *target : "", &out);
    return send_answer(c, &out);
}

/* The target as it came, before anything is taken out of it. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
    (void)arg;
    (void)c;
    return mem_strn(target, strnlen(target, WEB_TARGET_MAX + 1));
}

/* ---- callers ---- */

static struct caller *caller_of(struct web *w, int fd)
{
    for (size_t i = 0; i < WEB_CONNECTIONS_MAX; i++)
        if (w->callers[i].fd == fd)
            return &w->callers[i];
    return NULL;
}

static int fd_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? (int)info->connect_fd : -1;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct web *w = arg;
    bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;
    struct caller *caller = caller_of(w, begins ? -1 : fd_of(c));

    (void)socket_context;
    if (caller)
        *caller = begins ? (struct caller){.fd = fd_of(c), .since_ns = clock_mono_ns()} : (struct caller){.fd = -1};
}

static void on_completed(void *arg, struct MHD_Connection *c, void **target, enum MHD_RequestTerminationCode code)
{
    struct caller *caller = caller_of(arg, fd_of(c));

    (void)code;
    mem_freep(target);
    if (caller)
        caller->since_ns = clock_mono_ns();
}

/* A byte now and then keeps nobody in: the whole has its time. */
static void cut_slow(struct web *w)
{
    int64_t before = clock_mono_ns() - WEB_REQUEST_S * NS_PER_S;

    for (size_t i = 0; i < WEB_CONNECTIONS_MAX; i++)
        if (w->callers[i].fd >= 0 && w->callers[i].since_ns < before)
            shutdown(w->callers[i].fd, SHUT_RDWR);
}

/* ---- the thread ---- */

static void *web_main(void *arg)
{
    struct web *w = arg;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{.fd = w->wake, .events = POLLIN}, {.fd = info->epoll_fd, .events = POLLIN}};

    while (!(fds[0].revents & POLLIN)) {
        MHD_UNSIGNED_LONG_LONG left = TICK_MS;
        bool hurries = MHD_get_timeout(w->daemon, &left) == MHD_YES && left < TICK_MS;

        if (poll(fds, ARRAY_LEN(fds), hurries ? (int)left : TICK_MS) < 0 && errno != EINTR)
            break;
        MHD_run(w->daemon);
        cut_slow(w);
    }
    return NULL;
}

/* ---- beginning and end ---- */

static void copy_job(struct web *w, const struct web_job *job)
{
    size_t n_hosts = 0;
    struct health_root *roots = arena_alloc(w->a, job->n_roots + 1, sizeof(*roots));

    while (job->hosts && job->hosts[n_hosts])
        n_hosts++;
    const char **hosts = arena_alloc(w->a, n_hosts + 1, sizeof(*hosts));
    for (size_t i = 0; i < n_hosts; i++)
        hosts[i] = arena_str(w->a, job->hosts[i]);
    for (size_t i = 0; i < job->n_roots; i++)
        roots[i] = (struct health_root){.path = arena_str(w->a, job->roots[i].path), .look_s = job->roots[i].look_s};
    w->job = (struct web_job){.listen = arena_str(w->a, job->listen), .token = job->token ? arena_str(w->a, job->token) : NULL,
                              .hosts = hosts, .omero_web = job->omero_web ? arena_str(w->a, job->omero_web) : NULL,
                              .state_dir = arena_str(w->a, job->state_dir), .roots = roots, .n_roots = job->n_roots};
}

static int listen_at(struct web *w, const struct listen_address *at, struct err *err)
{
    unsigned flags = MHD_USE_EPOLL | (at->at.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);

    if (!MHD_start_daemon && late_load("libmicrohttpd.so.12", mhd_names, ARRAY_LEN(mhd_names), &mhd, err) < 0)
        return -1;
    w->daemon = MHD_start_daemon(flags, (uint16_t)at->port, NULL, NULL, on_request, w, MHD_OPTION_SOCK_ADDR, &at->at,
                                 MHD_OPTION_CONNECTION_LIMIT, WEB_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WEB_HEADER_MAX,
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
                                 MHD_OPTION_URI_LOG_CALLBACK, on_target, w, MHD_OPTION_NOTIFY_CONNECTION, on_connection, w,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, w, MHD_OPTION_END);
    if (w->daemon)
        return 0;
    err_set(err, REASON_CONFIG, errno, "web.listen = '%s'", w->job.listen);
    return err_hint(err, "is the port taken by another program?");
}

int web_port(const struct web *w)
{
    return (int)MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void web_closep(struct web **w)
{
    web_stop(*w);
}

int web_start(const struct web_job *job, struct web **out, struct err *err)
{
    AUTO(web_closep) struct web *w = mem_new(1, sizeof(*w));
    struct listen_address at;

    w->a = arena_new();
    w->wake = eventfd(0, EFD_CLOEXEC);
    live_init(&w->live);
    copy_job(w, job);
    for (size_t i = 0; i < WEB_CONNECTIONS_MAX; i++)
        w->callers[i].fd = -1;
    if (listen_parse(job->listen, &at, err) < 0)
        return -1;
    int r = ledger_open(job->state_dir, LEDGER_READ, &w->ledger, err);
    if (r != 0)
        return r < 0 ? -1 : err_set(err, REASON_LEDGER, 0, "no ledger in '%s'", job->state_dir);
    if (listen_at(w, &at, err) < 0)
        return -1;
    r = pthread_create(&w->thread, NULL, web_main, w);
    if (r != 0)
        return err_set(err, REASON_BUG, r, "start the thread of the page");
    w->started = true;
    *out = STEAL(w);
    return 0;
}

void web_stop(struct web *w)
{
    const uint64_t one = 1;

    if (!w)
        return;
    if (w->started) {
        (void)!write(w->wake, &one, sizeof(one));
        pthread_join(w->thread, NULL);
    }
    if (w->daemon)
        MHD_stop_daemon(w->daemon);
    ledger_close(w->ledger);
    live_clear(&w->live);
    io_closep(&w->wake);
    if (w->job.token)
        explicit_bzero((char *)(uintptr_t)w->job.token, strlen(w->job.token));
    arena_free(w->a);
    mem_freep(&w);
}

void web_tell(struct web *w, const struct web_news *news)
{
    if (w)
        live_tell(&w->live, news);
}
