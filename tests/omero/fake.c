#include "fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "omero/object.h"

/* One proxy a name, so that services can be told apart. */
static const struct ice_proxy *proxy(struct fake *f, const char *name)
{
    return ice_proxy_make(f->mem, name, "fake", NULL, 0);
}

static bool gives_service(struct fake *f, const struct ice_op *op, void *out)
{
    bool yes = strcmp(op->interface, "::omero::api::ServiceFactory") == 0 &&
               (strncmp(op->name, "get", 3) == 0 || strcmp(op->name, "sharedResources") == 0);

    if (yes)
        *(const struct ice_proxy **)out = proxy(f, op->name);
    return yes;
}

static int fake_send(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t *id,
                     struct err *err)
{
    struct fake *f = c->way_state;

    (void)to, (void)in, (void)err;
    *id = 1;
    if (f->n_sent < ARRAY_LEN(f->sent))
        snprintf(f->sent[f->n_sent++], sizeof(f->sent[0]), "%s", op->name);
    f->outstanding++;
    if (f->outstanding > f->most_outstanding)
        f->most_outstanding = f->outstanding;
    return 0;
}

static int fake_wait(struct om_client *c, const struct ice_proxy *to, const struct ice_op *op, const void *in, int32_t id,
                     void *out, struct arena *mem, struct err *err)
{
    struct fake *f = c->way_state;

    (void)id;
    f->outstanding--;
    if (op->out_size)
        memset(out, 0, op->out_size);
    if (gives_service(f, op, out))
        return 0;
    if (f->n_log < 64) {
        f->groups[f->n_log] = c->group;
        snprintf(f->log[f->n_log++], sizeof(f->log[0]), "%s", op->name);
    }
    return f->answer(f, to, op, in, out, mem, err);
}

static void fake_close(struct om_client *c)
{
    (void)c;
}

static int fake_rejoin(struct om_client *c, struct err *err)
{
    struct fake *f = c->way_state;

    (void)err;
    f->rejoins++;
    f->outstanding = 0;
    c->dead = false;
    return 0;
}

static const struct om_way fake_way = {.send = fake_send, .wait = fake_wait, .close = fake_close, .rejoin = fake_rejoin};

void fake_init(struct fake *f, int (*answer)(struct fake *, const struct ice_proxy *, const struct ice_op *, const void *, void *,
                                             struct arena *, struct err *))
{
    *f = (struct fake){.answer = answer, .mem = arena_new()};
    f->client = om_client_over(&fake_way, f, proxy(f, "factory"));
    f->client->who = (struct om_who){.user_id = 2, .group_id = 3, .user_name = "alice", .group_name = "lab"};
}

void fake_clear(struct fake *f)
{
    om_client_close(f->client);
    arena_free(f->mem);
}

int fake_throw(struct fake *f, const struct ice_class *cls, enum reason why, const char *text, struct err *err)
{
    f->client->fault = cls;
    return err_set(err, why, 0, "%s", text);
}

size_t fake_count(const struct fake *f, const char *op)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n_log; i++)
        n += strcmp(f->log[i], op) == 0;
    return n;
}

static const struct om_rtype *rights(struct arena *mem, const char *which)
{
    static const struct {
        const char *key;
        char letter;
    } flags[] = {{"canLink", 'L'}, {"canEdit", 'E'}, {"canDelete", 'D'}, {"canAnnotate", 'A'}};
    struct om_rtype_dict_entry *entries = arena_alloc(mem, 5, sizeof(*entries));
    struct om_rmap *map = arena_alloc(mem, 1, sizeof(*map));

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        entries[i] = (struct om_rtype_dict_entry){
            .key = flags[i].key, .value = (const struct om_rtype *)om_rbool(mem, strchr(which, flags[i].letter) != NULL)};
    entries[4] = (struct om_rtype_dict_entry){.key = "perm", .value = (const struct om_rtype *)om_rstring(mem, "rwra--")};
    *map = (struct om_rmap){.cls = &om_rmap_class, .val = {.n = 5, .at = entries}};
    return (const struct om_rtype *)map;
}

/* What a real server makes of `select new map(a as c0, b as c1_details_permissions)`: one column; its keys come
 * in any order. */
static const struct om_rtype *map_of(struct arena *mem, const char *cols, const struct om_rtype *const *cells)
{
    size_t n = strlen(cols);
    struct om_rtype_dict_entry *entries = arena_alloc(mem, n, sizeof(*entries));
    struct om_rmap *map = arena_alloc(mem, 1, sizeof(*map));

    for (size_t i = 0; i < n; i++)
        entries[n - 1 - i] = (struct om_rtype_dict_entry){
            .key = arena_printf(mem, "c%zu%s", i, cols[i] == 'p' ? "_details_permissions" : ""), .value = cells[i]};
    *map = (struct om_rmap){.cls = &om_rmap_class, .val = {.n = n, .at = entries}};
    return (const struct om_rtype *)map;
}

static const struct om_rtype *time_value(struct arena *mem, int64_t ms)
{
    struct om_rtime *t = arena_alloc(mem, 1, sizeof(*t));

    *t = (struct om_rtime){.cls = &om_rtime_class, .val = ms};
    return (const struct om_rtype *)t;
}

struct om_rtype_seq_seq fake_rows(struct arena *mem, const char *cols, size_t n, ...)
{
    size_t n_cols = strlen(cols);
    struct om_rtype_seq *rows = arena_alloc(mem, n, sizeof(*rows));
    va_list args;

    va_start(args, n);
    for (size_t r = 0; r < n; r++) {
        const struct om_rtype **cells = arena_alloc(mem, n_cols, sizeof(struct om_rtype *));
        for (size_t i = 0; i < n_cols; i++)
            switch (cols[i]) {
            case 'l':
                cells[i] = (const struct om_rtype *)om_rlong(mem, va_arg(args, int));
                break;
            case 'i':
                cells[i] = (const struct om_rtype *)om_rint(mem, va_arg(args, int));
                break;
            case 'b':
                cells[i] = (const struct om_rtype *)om_rbool(mem, va_arg(args, int) != 0);
                break;
            case 't':
                cells[i] = time_value(mem, va_arg(args, int));
                break;
            case 's':
                cells[i] = (const struct om_rtype *)om_rstring(mem, va_arg(args, const char *));
                break;
            case 'p':
                cells[i] = rights(mem, va_arg(args, const char *));
                break;
            default:
                cells[i] = NULL;
            }
        if (strchr(cols, 'p'))
            cells[0] = map_of(mem, cols, cells);
        rows[r] = (struct om_rtype_seq){.n = strchr(cols, 'p') ? 1 : n_cols, .at = cells};
    }
    va_end(args);
    return (struct om_rtype_seq_seq){.n = n, .at = rows};
}

const char *fake_hql(const void *in)
{
    return ((const struct om_api_iquery_projection_in *)in)->query;
}

const struct om_rtype *fake_arg(const void *in, const char *name)
{
    const struct om_sys_parameters *p = ((const struct om_api_iquery_projection_in *)in)->params;

    for (size_t i = 0; i < p->map.n; i++)
        if (strcmp(p->map.at[i].key, name) == 0)
            return p->map.at[i].value;
    return NULL;
}
