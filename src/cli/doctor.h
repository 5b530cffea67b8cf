/* The parts of `impomero doctor`: a table of probes, each of which tries one thing that an administrator has to set up. */
#pragma once

#include "cli/command.h"
#include "engine/look.h"
#include "engine/reach.h"
#include "ledger/ledger.h"
#include "omero/repository.h"
#include "omero/sudo.h"

/* What probes need of those before them. */
enum {
    HAS_NAME = 1, HAS_PORT = 2, HAS_TLS = 4, HAS_LOGIN = 8, HAS_SUDO = 16, HAS_USER = 32, HAS_SESSION = 64, HAS_REPOSITORY = 128,
    HAS_ROOT = 256,
};

enum outcome { GOOD, DOUBTFUL, LEFT_OUT, BAD };

struct finding {
    enum outcome outcome;
    char text[1024];
    char hint[512]; /* "" where nothing is to be done */
    struct err why; /* of a BAD one */
};

struct doctor {
    struct cli *cli;
    const struct settings *set;
    struct arena *mem;
    struct om_trust trust;
    struct om_server server;
    struct om_client *admin, *user; /* NULL before they are open */
    struct om_repository repository;
    const char *for_user, *for_group; /* whose sessions are tried; NULL: nobody's */
    unsigned has;
    /* of the root that is looked at */
    const char *root_name, *root_path;
    const struct root_settings *root;
    struct tree *tree;
};

/* 0 and f->text, DOUBTFUL or LEFT_OUT with text and hint, or -1. */
struct probe {
    const char *name;
    unsigned needs, gives; /* HAS_... */
    int (*run)(struct doctor *d, struct finding *f, struct err *err);
};

extern const struct probe server_probes[], here_probes[], root_probes[]; /* a NULL name ends each */

void doctor_say(struct finding *f, const char *fmt, ...) ATTR_PRINTF(2, 3);
int doctor_doubt(struct finding *f, enum outcome outcome, const char *hint); /* returns the outcome */
