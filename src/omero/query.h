/* Questions to the server:  HQL projections with named parameters, answered by rows of a declared shape.
 *
 * `cols` has a letter for each column: l long, i int, s string, b bool, d double, t time (ms since 1970), p permissions.  A
 * capital letter means that the column may be null.  An answer of another shape is REASON_PROTOCOL, so cells need no checks
 * afterwards.
 *
 * A query with a `p` selects one map whose keys are numbered, with the object itself for its rights:
 *     select new map(x.id as c0, x as c1_details_permissions) from Project x      cols "lp"
 * A real server answers a plain `x.details.permissions` with "yes" to everything, also for other people's objects (measured). */
#pragma once

#include "omero/client.h"

enum om_arg_kind { OM_ARG_LONG, OM_ARG_STRING, OM_ARG_BOOL, OM_ARG_LONGS, OM_ARG_STRINGS };

struct om_arg {
    const char *name; /* without the colon */
    enum om_arg_kind kind;
    int64_t number;             /* LONG, BOOL */
    const char *string;         /* STRING */
    size_t n;                   /* LONGS, STRINGS; an empty list is refused (REASON_BUG): HQL has no empty `in ()` */
    const int64_t *numbers;     /* LONGS */
    const char *const *strings; /* STRINGS */
};

#define om_arg_long(key, v)                                                                                                      \
    {                                                                                                                            \
        .name = (key), .kind = OM_ARG_LONG, .number = (v)                                                                        \
    }
#define om_arg_bool(key, v)                                                                                                      \
    {                                                                                                                            \
        .name = (key), .kind = OM_ARG_BOOL, .number = (v)                                                                        \
    }
#define om_arg_string(key, v)                                                                                                    \
    {                                                                                                                            \
        .name = (key), .kind = OM_ARG_STRING, .string = (v)                                                                      \
    }
#define om_arg_longs(key, v, count)                                                                                              \
    {                                                                                                                            \
        .name = (key), .kind = OM_ARG_LONGS, .numbers = (v), .n = (count)                                                        \
    }
#define om_arg_strings(key, v, count)                                                                                            \
    {                                                                                                                            \
        .name = (key), .kind = OM_ARG_STRINGS, .strings = (v), .n = (count)                                                      \
    }

struct om_query {
    const char *hql, *cols;
    size_t n_args;
    const struct om_arg *args;
    int32_t offset, limit; /* limit 0 = all rows */
};

/* What the session may do with an object. */
struct om_rights {
    const char *perm; /* of its group: "rwra--" */
    bool link, edit, delete_, annotate;
};

struct om_cell {
    bool null;
    int64_t n; /* l i t b */
    double d;
    const char *s; /* s; "" when null */
    struct om_rights may;
};

struct om_rows {
    size_t n, n_cols;
    const struct om_cell *cells; /* row after row, in the arena */
};

int om_query(struct om_client *c, const struct om_query *q, struct arena *mem, struct om_rows *out, struct err *err);

/* The same in all of the user's groups. */
int om_query_everywhere(struct om_client *c, const struct om_query *q, struct arena *mem, struct om_rows *out, struct err *err);

/* The same as a list in the arena: `fill` writes a row of it, of `size` bytes. */
typedef void om_fill_fn(const struct om_rows *rows, size_t row, void *out);
int om_query_list(struct om_client *c, const struct om_query *q, struct arena *mem, size_t size, om_fill_fn *fill, void **out,
                  size_t *n, struct err *err);

/* The parameters of a query, as the services take them. */
int om_query_parameters(const struct om_query *q, struct arena *mem, struct om_sys_parameters *out, struct err *err);

/* Row and column must exist (checked by assert). */
const struct om_cell *om_cell(const struct om_rows *rows, size_t row, size_t col);
static inline int64_t om_long(const struct om_rows *rows, size_t row, size_t col)
{
    return om_cell(rows, row, col)->n;
}
static inline const char *om_string(const struct om_rows *rows, size_t row, size_t col)
{
    return om_cell(rows, row, col)->s;
}

/* One number, from the first row and column; OM_NO_ROW when there is none. */
enum { OM_NO_ROW = 1 };
int om_query_long(struct om_client *c, const struct om_query *q, int64_t *out, struct err *err);
