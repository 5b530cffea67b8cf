/* Where clients come in: the sockets, and the certificate. */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "base/err.h"

struct server;

/* Make the certificate that official servers have (self-signed, CN=localhost) in the data directory, once. */
int listen_certificate(struct server *s, struct err *err);
/* A socket on all local addresses of this machine's loopback; *port is 0 to choose, and what was chosen. */
int listen_open(uint16_t *port, struct err *err);
/* Make a listening socket take no more connections: its one place is taken by the socket that this returns. */
int listen_deafen(int fd);
/* The signals that listen_serve takes: to be blocked before any thread starts. */
void listen_signals(sigset_t *set);
/* Take connections until a signal to end comes.  A socket of -1 is none.  SIGUSR1 ends all faults, and *filler. */
void listen_serve(struct server *s, int tls_fd, int tcp_fd, int *filler);
