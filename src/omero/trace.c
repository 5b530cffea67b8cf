#include "omero/trace.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/str.h"
#include "base/uuid.h"
#include "ice/show.h"
#include "model/types.h"

enum { UUID_BYTES = 16, UUIDS_KEPT = 1024, SECRETS_KEPT = 16, SHOWN_BYTES = 2000 };

struct om_trace {
    int fd;
    pthread_mutex_t lock; /* of all below */
    unsigned n_taps;
    uint8_t uuids[UUIDS_KEPT][UUID_BYTES]; /* a ring; number n is at (n - 1) % UUIDS_KEPT */
    size_t n_uuids;
    char *secrets[SECRETS_KEPT]; /* passwords that were sent: a server may repeat one when it refuses it */
};

struct om_trace *om_trace_new(int fd)
{
    struct om_trace *t = mem_new(1, sizeof(*t));

    t->fd = fd;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void om_trace_free(struct om_trace *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < SECRETS_KEPT && t->secrets[i]; i++) {
        explicit_bzero(t->secrets[i], strlen(t->secrets[i]));
        free(t->secrets[i]);
    }
    pthread_mutex_destroy(&t->lock);
    explicit_bzero(t, sizeof(*t));
    free(t);
}

void om_trace_freep(struct om_trace **t)
{
    om_trace_free(*t);
}

/* --- secrets --- */

static const struct {
    const char *operation, *field;
} secret_fields[] = {
    {"createSession", "password"},
};

static bool carries_secret(const struct ice_op *op)
{
    for (size_t i = 0; op && i < ARRAY_LEN(secret_fields); i++)
        if (strcmp(op->name, secret_fields[i].operation) == 0)
            return true;
    return false;
}

static bool is_secret(const struct ice_op *op, const char *field)
{
    for (size_t i = 0; op && field && i < ARRAY_LEN(secret_fields); i++)
        if (strcmp(op->name, secret_fields[i].operation) == 0 && strcmp(field, secret_fields[i].field) == 0)
            return true;
    return false;
}

/* Does a uuid stand here?  Its bytes then. */
static bool read_uuid(const char *text, uint8_t out[UUID_BYTES])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t digits = 0;

    for (size_t i = 0; form[i]; i++) {
        unsigned char c = (unsigned char)text[i];

        if (form[i] == '-' ? c != '-' : !isxdigit(c))
            return false;
        if (form[i] == '-')
            continue;

        uint8_t four = (uint8_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);

        out[digits / 2] = digits % 2 ? (uint8_t)(out[digits / 2] << 4 | four) : four;
        digits++;
    }
    return true;
}

static size_t number_of(struct om_trace *t, const uint8_t uuid[UUID_BYTES])
{
    size_t first = t->n_uuids > UUIDS_KEPT ? t->n_uuids - UUIDS_KEPT : 0;

    for (size_t i = first; i < t->n_uuids; i++)
        if (memcmp(t->uuids[i % UUIDS_KEPT], uuid, UUID_BYTES) == 0)
            return i + 1;
    memcpy(t->uuids[t->n_uuids++ % UUIDS_KEPT], uuid, UUID_BYTES);
    return t->n_uuids;
}

static void keep_secret(struct om_trace *t, const char *text)
{
    uint8_t uuid[UUID_BYTES];

    if (!text[0] || read_uuid(text, uuid))
        return;
    for (size_t i = 0; i < SECRETS_KEPT; i++) {
        if (!t->secrets[i])
            t->secrets[i] = mem_str(text);
        if (strcmp(t->secrets[i], text) == 0)
            return;
    }
}

/* How many bytes of a secret stand at `at` of a text, as a word of its own; 0: none. */
static size_t secret_len(const struct om_trace *t, const char *text, const char *at)
{
    for (size_t i = 0; i < SECRETS_KEPT && t->secrets[i]; i++) {
        size_t n = strlen(t->secrets[i]);

        if (str_starts(at, t->secrets[i]) && (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[n]))
            return n;
    }
    return 0;
}

/* --- lines --- */

static void put_char(struct buf *out, const char **at)
{
    size_t len = str_char_len(*at, strlen(*at));

    if (**at == '"' || **at == '\\')
        buf_add_byte(out, '\\');
    if (!len || (unsigned char)**at < ' ' || **at == 0x7F)
        buf_printf(out, "\\x%02X", (unsigned char)**at);
    else
        buf_add(out, *at, len);
    *at += len ? len : 1;
}

static void put_text(void *arg, struct buf *out, const struct ice_op *op, const char *field, const char *text)
{
    struct om_trace *t = arg;
    const char *at = text, *end = text + strnlen(text, SHOWN_BYTES);
    bool repeats = field && carries_secret(op);
    uint8_t uuid[UUID_BYTES];

    if (is_secret(op, field)) {
        keep_secret(t, text);
        buf_add_str(out, "***");
        return;
    }
    for (size_t n; at < end;) {
        if (read_uuid(at, uuid)) {
            buf_printf(out, "{%zu}", number_of(t, uuid));
            at += UUID_TEXT - 1;
        } else if (repeats && (n = secret_len(t, text, at))) {
            buf_add_str(out, "***");
            at += n;
        } else {
            put_char(out, &at);
        }
    }
    if (*at)
        buf_printf(out, "... (%zu bytes more)", strlen(at));
}

static void take(void *arg, bool sent, const struct ice_msg *msg, const struct ice_op *op)
{
    const struct om_tap *tap = arg;
    struct om_trace *t = tap->trace;
    const struct ice_show show = {.registry = &om_registry, .text = put_text, .arg = t};
    struct buf line = BUF_INIT(ICE_LINE_MAX + 256);

    pthread_mutex_lock(&t->lock);
    buf_printf(&line, "trace: %u ", tap->number);
    ice_show_message(&show, sent, msg, op, &line);
    buf_add_byte(&line, '\n');
    (void)!write(t->fd, line.data, line.len); /* a trace that nobody reads does not stop the work */
    pthread_mutex_unlock(&t->lock);
    explicit_bzero(line.data, line.len);
    buf_clear(&line);
}

void om_trace_watch(struct om_trace *t, struct ice_conn *conn, struct om_tap *tap)
{
    pthread_mutex_lock(&t->lock);
    *tap = (struct om_tap){.trace = t, .number = ++t->n_taps};
    pthread_mutex_unlock(&t->lock);
    ice_conn_trace(conn, take, tap);
}
