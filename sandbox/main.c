/* omero-sandbox: a stand-in for an OMERO server, for trying impomero and for its tests. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "sandbox/conn.h"
#include "sandbox/fault.h"
#include "sandbox/listen.h"
#include "sandbox/people.h"
#include "sandbox/show.h"

enum { EXIT_OVERLAPS = 3, PORT_SSL = 4064, FAULTS = 8, STEP_MS = 20 };

struct options {
    const char *data, *users, *faults[FAULTS];
    size_t n_faults;
    bool show, plain;
    uint16_t port, tcp_port, step_ms;
};

static const char usage_text[] =
    "usage: omero-sandbox --data DIR [--users FILE] [--port N] [--tcp-port N] [--step-ms N] [--fault NAME]...\n"
    "       omero-sandbox --show --data DIR\n"
    "\n"
    "A small stand-in for an OMERO server, for trying impomero and for its tests.  It is not OMERO: it keeps what it is given\n"
    "in DIR and shows no images.  It listens on this machine only.\n"
    "\n"
    "  --data DIR      where it keeps its database, certificate and files (made when it is not there)\n"
    "  --users FILE    users and groups to add, as in sample/users.toml; root (password omero) is always there\n"
    "  --port N        port for TLS (default 4064; 0: any that is free)\n"
    "  --tcp-port N    port without encryption (default: none; 0: any that is free)\n"
    "  --step-ms N     what a step of an import takes (default 20)\n"
    "  --fault NAME    play a fault, until SIGUSR1 ends all of them; names below\n"
    "  --show          print what DIR holds, and end\n"
    "\n"
    "Prints one line `ready ssl=PORT` (and ` tcp=PORT`) when it serves; ends on SIGTERM or SIGINT, with status 3 when a client\n"
    "made two calls at a time on a stateful service, which a real server does not survive.\n"
    "\n"
    "Faults: ";

static bool read_number(const char *text, uint16_t *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (uint16_t)n;
    return *text && !*end && n <= UINT16_MAX;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {{"data", required_argument, NULL, 'd'},     {"users", required_argument, NULL, 'u'},
                                          {"port", required_argument, NULL, 'p'},     {"tcp-port", required_argument, NULL, 't'},
                                          {"show", no_argument, NULL, 's'},           {"fault", required_argument, NULL, 'f'},
                                          {"step-ms", required_argument, NULL, 'm'},
                                          {NULL, 0, NULL, 0}};
    bool right = true;

    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 'd':
            o->data = optarg;
            break;
        case 'u':
            o->users = optarg;
            break;
        case 'p':
            right &= read_number(optarg, &o->port);
            break;
        case 't':
            right &= read_number(optarg, &o->tcp_port);
            o->plain = true;
            break;
        case 'm':
            right &= read_number(optarg, &o->step_ms);
            break;
        case 's':
            o->show = true;
            break;
        case 'f':
            right &= o->n_faults < FAULTS;
            if (right)
                o->faults[o->n_faults++] = optarg;
            break;
        default:
            right = false;
        }
    return right && o->data && optind == argc;
}

static int complain(const struct err *err)
{
    fprintf(stderr, "omero-sandbox: %s\n", err->text);
    return EXIT_FAILURE;
}

static int prepare(struct server *s, const struct options *o, struct err *err)
{
    if (server_open(s, o->data, err) < 0)
        return -1;
    s->pause_ms = o->step_ms;
    for (size_t i = 0; i < o->n_faults; i++)
        if (fault_begin(s, o->faults[i]) < 0)
            return err_set(err, REASON_USAGE, 0, "no fault is called '%s': see --help", o->faults[i]);
    people_begin(s->store);
    if (o->users && people_read(s->store, o->users, err) < 0)
        return -1;
    return listen_certificate(s, err);
}

static void say_ready(const struct options *o)
{
    fprintf(
        stderr,
        "omero-sandbox is NOT an OMERO server: it is for trying impomero and for its tests.  What is put into it stays in %s.\n",
        o->data);
    printf("ready ssl=%u", o->port);
    if (o->plain)
        printf(" tcp=%u", o->tcp_port);
    printf("\n");
    fflush(stdout);
}

static void stop(struct server *s, pthread_t runner)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(runner, NULL);
    conn_reap(s, true);
}

static int serve(struct server *s, struct options *o, struct err *err)
{
    AUTO(io_closep) int tls = listen_open(&o->port, err);
    AUTO(io_closep) int tcp = tls >= 0 && o->plain ? listen_open(&o->tcp_port, err) : -1;
    pthread_t runner;

    if (tls < 0 || (o->plain && tcp < 0))
        return -1;
    AUTO(io_closep) int filler = fault_find(s, FAULT_DEAF) ? listen_deafen(tls) : -1;

    pthread_create(&runner, NULL, server_runner, s);
    say_ready(o);
    listen_serve(s, tls, tcp, &filler);
    stop(s, runner);
    return 0;
}

/* Before any thread starts: they all inherit it. */
static void block_signals(void)
{
    sigset_t set;

    listen_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(struct options *o)
{
    struct err err = ERR_INIT;
    struct server s = {0};

    if (o->show)
        return show(o->data, stdout, &err) < 0 ? complain(&err) : EXIT_SUCCESS;
    block_signals();
    if (prepare(&s, o, &err) < 0 || serve(&s, o, &err) < 0)
        return complain(&err);

    unsigned overlaps = s.overlaps;

    server_close(&s);
    if (overlaps > 0)
        fprintf(stderr, "omero-sandbox: %u calls came for a stateful service that was busy: a real server would hang\n",
                overlaps);
    return overlaps > 0 ? EXIT_OVERLAPS : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options o = {.port = PORT_SSL, .step_ms = STEP_MS};

    if (!read_options(argc, argv, &o)) {
        fputs(usage_text, stderr);
        fault_list(stderr);
        return EXIT_FAILURE;
    }
    return run(&o);
}
