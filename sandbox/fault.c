#include "sandbox/fault.h"

#include <string.h>

#include "base/auto.h"

#define HTTP_REFUSAL "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define READ_ONLY "could not insert; nested exception is ERROR: cannot execute nextval() in a read-only transaction"

static const struct fault table[] = {
    {"freeze-connect", FAULT_DEAF},
    {"freeze-tls", FAULT_MUTE},
    {"freeze-greeting", FAULT_NO_GREETING},
    {"http", FAULT_PLAIN, .text = HTTP_REFUSAL},
    {"ssh", FAULT_PLAIN, .text = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
    {"imaps", FAULT_OTHER, .text = "* OK IMAP4rev1 ready\r\n"},
    {"other-ice", FAULT_STRANGER, "createSession"},
    /* the router lives, Blitz does not */
    {"blitz-away", FAULT_REFUSE, "createSession", &om_glacier2_permission_denied_exception_class, "internal server error"},
    {"blitz-starting", FAULT_REFUSE, "createSession", &om_wrapped_create_session_exception_class,
     "Server not fully initialized"},
    {"database-away", FAULT_REFUSE, "projection findAllByQuery", &om_internal_exception_class,
     "Could not open JDBC Connection for transaction; nested exception is java.sql.SQLException: Connection refused"},
    {"database-read-only", FAULT_REFUSE, "saveAndReturnIds saveAndReturnObject importFileset", &om_internal_exception_class,
     READ_ONLY},
    {"repository-full", FAULT_REFUSE, "importFileset", &om_resource_error_class,
     "Failed to create directory: No space left on device"},
    {"repository-full-write", FAULT_REFUSE, "write", &om_resource_error_class, "write: No space left on device"},
    {"freeze-createSession", FAULT_FREEZE, "createSession"},
    {"freeze-addProxies", FAULT_FREEZE, "addProxies"},
    {"freeze-query", FAULT_FREEZE, "projection findAllByQuery"},
    {"freeze-importFileset", FAULT_FREEZE, "importFileset"},
    {"freeze-write", FAULT_FREEZE, "write"},
    {"freeze-save", FAULT_FREEZE, "save"},
    {"freeze-verifyUpload", FAULT_FREEZE, "verifyUpload"},
    {"freeze-poll", FAULT_FREEZE, "getStatus getResponse"},
    {"freeze-logout", FAULT_FREEZE, "destroySession"},
    {"pause-write", FAULT_PAUSE, "write"},
    {"pause-verifyUpload", FAULT_PAUSE, "verifyUpload"},
    {"hang-importFileset", FAULT_HANG, "importFileset"},
    {"hang-write", FAULT_HANG, "write"},
    {"hang-verifyUpload", FAULT_HANG, "verifyUpload"},
    {"queue-import", FAULT_QUEUE},
    {"cut-write", FAULT_CUT, "write"},
    {"lose-importFileset", FAULT_LOSE, "importFileset"},
    {"lose-verifyUpload", FAULT_LOSE, "verifyUpload"},
};
_Static_assert(ARRAY_LEN(table) <= 64, "server.faults has a bit for each");

int fault_begin(struct server *s, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, name) == 0) {
            s->faults |= UINT64_C(1) << i;
            return 0;
        }
    return -1;
}

void fault_end_all(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->faults = 0;
    s->frozen = NULL;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void fault_list(FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        fprintf(out, "%s%s", i % 5 ? " " : "\n    ", table[i].name);
    fputc('\n', out);
}

static bool is_on(const struct server *s, size_t i)
{
    return s->faults >> i & 1;
}

const struct fault *fault_find(const struct server *s, enum fault_act act)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (is_on(s, i) && table[i].act == act)
            return &table[i];
    return NULL;
}

static bool names(const char *operations, const char *operation)
{
    size_t n = strlen(operation);

    for (const char *at = operations; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == n && strncmp(at, operation, n) == 0)
            return true;
    return false;
}

const struct fault *fault_meets(struct server *s, const char *operation)
{
    if (s->frozen)
        return s->frozen;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (!is_on(s, i) || !names(table[i].operations, operation))
            continue;
        if (table[i].act == FAULT_FREEZE)
            s->frozen = &table[i];
        return &table[i];
    }
    return NULL;
}

int fault_throw(const struct fault *f, struct call *c)
{
    if (f->cls == &om_glacier2_permission_denied_exception_class)
        return call_deny(c, f->text);
    if (f->cls == &om_wrapped_create_session_exception_class)
        return call_wrap(c, "omero.ApiUsageException", f->text);
    return call_throw(c, f->cls, "%s", f->text);
}

bool fault_outlast(struct server *s, enum fault_act act)
{
    while (!s->stopping && (s->frozen || fault_find(s, act)))
        pthread_cond_wait(&s->changed, &s->lock);
    return !s->stopping;
}
