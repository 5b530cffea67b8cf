/* A server of one function: every operation a client sends is answered by the test. */
#pragma once

#include "omero/client.h"

struct fake {
    /* Fill `out` in and return 0, or fake_throw(). */
    int (*answer)(struct fake *f, const struct ice_proxy *to, const struct ice_op *op, const void *in, void *out,
                  struct arena *mem, struct err *err);
    struct om_client *client;
    struct arena *mem; /* as long as the fake */
    char log[64][40];  /* names of the operations in order, those that get services left out */
    size_t n_log;
    char sent[64][40]; /* all names in the order in which they were asked, not answered */
    size_t n_sent;
    size_t outstanding, most_outstanding;
    int64_t groups[64]; /* omero.group of each logged call */
    size_t rejoins;     /* how often the session was joined again after its client was called dead */
};

void fake_init(struct fake *f, int (*answer)(struct fake *, const struct ice_proxy *, const struct ice_op *, const void *, void *,
                                             struct arena *, struct err *));
void fake_clear(struct fake *f);

/* The operation fails with this exception. */
int fake_throw(struct fake *f, const struct ice_class *cls, enum reason why, const char *text, struct err *err);
/* How often the operation was called. */
size_t fake_count(const struct fake *f, const char *op);
/* A projection's answer: rows of `cols` letters as in query.h, the values row after row; 'p' takes a text of the rights, "LEDA"
 * in any choice, and makes a map of the row; a letter '0' is null and takes none. */
struct om_rtype_seq_seq fake_rows(struct arena *mem, const char *cols, size_t n, ...);
/* The text of a projection, and the value of one of its parameters. */
const char *fake_hql(const void *in);
const struct om_rtype *fake_arg(const void *in, const char *name);
