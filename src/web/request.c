#include "web/request.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The byte of "%41" at `at`, of which n bytes follow; -1: no such escape, or a zero byte, which would end the text early. */
static int escaped(const char *at, size_t n)
{
    int high = n >= 3 ? hex(at[1]) : -1, low = n >= 3 ? hex(at[2]) : -1;

    return high < 0 || low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

static int decode(const char *from, size_t n, bool plus, struct arena *a, const char **out, struct err *err)
{
    char *to = arena_room(a, n);
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        int c = plus && from[i] == '+' ? ' ' : (unsigned char)from[i];

        if (c == '%') {
            c = escaped(from + i, n - i);
            i += 2;
        }
        if (c < 0)
            return err_set(err, REASON_USAGE, 0, "a wrong escape in the address");
        to[used++] = (char)c;
    }
    to[used] = '\0';
    *out = to;
    return 0;
}

static int take_param(const char *at, size_t n, struct arena *a, struct request *q, struct err *err)
{
    const char *equals = memchr(at, '=', n);
    size_t name = equals ? (size_t)(equals - at) : n;
    struct request_param *p = &q->params[q->n_params];

    if (n == 0)
        return 0;
    if (q->n_params == WEB_PARAMS_MAX)
        return err_set(err, REASON_USAGE, 0, "more than %u parameters in the address", WEB_PARAMS_MAX);
    if (decode(at, name, true, a, &p->name, err) < 0 ||
        decode(equals ? equals + 1 : "", equals ? n - name - 1 : 0, true, a, &p->value, err) < 0)
        return -1;
    q->n_params++;
    return 0;
}

int request_parse(const char *target, struct arena *a, struct request *out, struct err *err)
{
    size_t path = strcspn(target, "?");
    struct request q = {0};

    if (strlen(target) > WEB_TARGET_MAX)
        return err_set(err, REASON_USAGE, 0, "an address of more than %u bytes", WEB_TARGET_MAX);
    if (target[0] != '/')
        return err_set(err, REASON_USAGE, 0, "not a path of this server");
    if (decode(target, path, false, a, &q.path, err) < 0)
        return -1;
    for (const char *at = target + path; *at; at += strcspn(at, "&")) {
        at++;
        if (take_param(at, strcspn(at, "&"), a, &q, err) < 0)
            return -1;
    }
    *out = q;
    return 0;
}

const char *request_text(const struct request *q, const char *name)
{
    for (size_t i = 0; i < q->n_params; i++)
        if (strcmp(q->params[i].name, name) == 0)
            return q->params[i].value[0] ? q->params[i].value : NULL;
    return NULL;
}

int request_number(const struct request *q, const char *name, int64_t fallback, int64_t *out, struct err *err)
{
    const char *text = request_text(q, name);
    size_t n = text ? strspn(text, "0123456789") : 0;

    if (text && (n == 0 || n > 18 || text[n]))
        return err_set(err, REASON_USAGE, 0, "'%s' is no number", name);
    *out = text ? strtoll(text, NULL, 10) : fallback;
    return 0;
}
