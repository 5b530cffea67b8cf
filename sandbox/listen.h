/* Ports: where clients come in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct server;

struct listener {
    int fd;
    uint16_t port; /* really listened on */
    bool tls;
};

/* On loopback and every other address of the machine; port 0 takes a free one. */
int listener_open(struct listener *l, uint16_t port, bool tls, struct err *err);
void listener_close(struct listener *l);
/* Take what comes until the server stops. `dir` holds the certificate. */
void listeners_serve(struct server *s, const struct listener *listeners, size_t n);

/* certificate.c: a self-signed one for CN=localhost, made when it is not there. */
int certificate_need(const char *cert_file, const char *key_file, struct err *err);
