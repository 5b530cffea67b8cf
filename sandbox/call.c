#include "sandbox/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"

const char *call_context(const struct call *c, const char *key)
{
    for (size_t i = 0; i < c->context.n; i++)
        if (strcmp(c->context.at[i].key, key) == 0)
            return c->context.at[i].value;
    return NULL;
}

/* "::omero::SecurityViolation" is "ome.conditions.SecurityViolation" inside of a server. */
const char *java_class(struct arena *mem, const struct ice_class *cls)
{
    const char *last = strrchr(cls->id, ':');
    const char *package = cls == &om_query_exception_class ? "ome.services.query" : "ome.conditions";

    return arena_printf(mem, "%s.%s", package, last ? last + 1 : cls->id);
}

static const char *vformat(struct arena *mem, const char *fmt, va_list args)
{
    AUTO(mem_freep) char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        return "";
    return arena_str(mem, text);
}

int call_throw(struct call *c, const struct ice_class *cls, const char *fmt, ...)
{
    struct om_server_error *e = arena_alloc(c->mem, 1, cls->size);
    va_list args;

    va_start(args, fmt);
    e->message = vformat(c->mem, fmt, args);
    va_end(args);
    e->cls = cls;
    e->server_exception_class = java_class(c->mem, cls);
    e->server_stack_trace = arena_printf(c->mem, "%s: %s\n\tat omero-sandbox", e->server_exception_class, e->message);
    c->status = ICE_USER_EXCEPTION;
    c->exception = (const struct ice_object *)e;
    return -1;
}

int call_unknown(struct call *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    c->text = vformat(c->mem, fmt, args);
    va_end(args);
    c->status = ICE_UNKNOWN;
    return -1;
}

const struct ice_proxy *call_proxy(struct call *c, const struct servant *v)
{
    return ice_proxy_make(c->mem, arena_str(c->mem, v->name), arena_str(c->mem, v->category), "127.0.0.1", 1);
}
