#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sandbox/listen.h"
#include "sandbox/people.h"
#include "sandbox/server.h"
#include "sandbox/show.h"

enum { EXIT_OVERLAP = 3, DEFAULT_PORT = 4064 };

struct options {
    const char *data, *users;
    long port, tcp_port; /* tcp_port -1: none */
    bool show;
};

static const char usage[] = "usage: omero-sandbox --data DIR [--port N] [--tcp-port N] [--users FILE]\n"
                            "       omero-sandbox --show --data DIR\n"
                            "\n"
                            "A small stand-in for OMERO's login, query, update and import services, to try impomero on.  It is NOT OMERO.\n"
                            "\n"
                            "  --data DIR      where it keeps everything; made when it is not there\n"
                            "  --port N        TLS port (4064; 0: a free one)\n"
                            "  --tcp-port N    a port without TLS beside it (0: a free one)\n"
                            "  --users FILE    people and groups to add\n"
                            "  --show          print what it holds, and end\n"
                            "\n"
                            "root's password is omero.  It prints `ready ssl=PORT tcp=PORT` when it serves (tcp=0: no such port).\n"
                            "Exit status 3: a client made two calls at a time on one stateful servant.\n";

static bool read_port(const char *text, long *out)
{
    char *end;

    *out = strtol(text, &end, 10);
    return *text && *end == '\0' && *out >= 0 && *out <= UINT16_MAX;
}

/* 0, or the exit status to end with. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option long_options[] = {{"data", required_argument, NULL, 'd'},     {"port", required_argument, NULL, 'p'},
                                                 {"tcp-port", required_argument, NULL, 't'}, {"users", required_argument, NULL, 'u'},
                                                 {"show", no_argument, NULL, 's'},           {"help", no_argument, NULL, 'h'},
                                                 {0}};

    *o = (struct options){.port = DEFAULT_PORT, .tcp_port = -1};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        bool good = true;
        if (c == 'd')
            o->data = optarg;
        else if (c == 'u')
            o->users = optarg;
        else if (c == 's')
            o->show = true;
        else if (c == 'p')
            good = read_port(optarg, &o->port);
        else if (c == 't')
            good = read_port(optarg, &o->tcp_port);
        else if (c == 'h')
            exit(printf("%s", usage) < 0);
        else
            good = false;
        if (!good)
            return fputs(usage, stderr), 2;
    }
    return o->data && optind == argc ? 0 : (fputs(usage, stderr), 2);
}

static int complain(const struct err *err)
{
    fprintf(stderr, "omero-sandbox: %s\n", err->text);
    return 1;
}

static int show_data(const char *dir)
{
    AUTO(mem_freep) char *file = mem_printf("%s/sandbox.db", dir);
    struct store *s = NULL;
    struct err err = ERR_INIT;

    if (store_open(&s, file, true, &err) < 0)
        return complain(&err);
    show(s);
    store_close(s);
    return 0;
}

static void *wait_for_signal(void *arg)
{
    struct server *s = arg;
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &got);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void serve(struct server *s, const struct listener *listeners, size_t n)
{
    pthread_t waiter, runner;

    pthread_create(&waiter, NULL, wait_for_signal, s);
    pthread_create(&runner, NULL, server_runner, s);
    printf("ready ssl=%u tcp=%u\n", (unsigned)listeners[0].port, n > 1 ? (unsigned)listeners[1].port : 0u);
    fflush(stdout);
    listeners_serve(s, listeners, n);
    pthread_join(runner, NULL);
    pthread_join(waiter, NULL);
}

static int prepare(struct server *s, const struct options *o, struct err *err)
{
    if (server_open(s, o->data, err) < 0)
        return -1;
    people_begin(s->store);
    if (o->users && people_read(s->store, o->users, err) < 0)
        return -1;

    AUTO(mem_freep) char *cert = mem_printf("%s/cert.pem", s->dir);
    AUTO(mem_freep) char *key = mem_printf("%s/key.pem", s->dir);

    return certificate_need(cert, key, err);
}

int main(int argc, char **argv)
{
    struct listener listeners[2];
    struct err err = ERR_INIT;
    struct options o;
    struct server s;
    size_t n = 0;
    int status = read_options(argc, argv, &o);

    if (status)
        return status;
    if (o.show)
        return show_data(o.data);
    block_signals();
    if (prepare(&s, &o, &err) < 0 || listener_open(&listeners[n++], (uint16_t)o.port, true, &err) < 0)
        return complain(&err);
    if (o.tcp_port >= 0 && listener_open(&listeners[n++], (uint16_t)o.tcp_port, false, &err) < 0)
        return complain(&err);
    fprintf(stderr, "omero-sandbox " IMPOMERO_VERSION ": this is NOT OMERO. It keeps data for trying impomero, in %s\n", o.data);
    serve(&s, listeners, n);
    for (size_t i = 0; i < n; i++)
        listener_close(&listeners[i]);
    if (s.overlaps)
        server_say("%u calls came to a stateful servant that was busy: a real server may hang for ever then", s.overlaps);
    status = s.overlaps ? EXIT_OVERLAP : 0;
    server_close(&s);
    return status;
}
