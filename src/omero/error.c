/* Two tables: what a server's words mean, and what its exceptions mean.  The words come first: a full disk or a read-only
 * database shows under many exceptions. */
#include "omero/error.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/str.h"

enum { SAID_MAX = 400 }; /* bytes of the server's words that are kept */

static const struct {
    const char *words;
    enum reason why;
    const char *hint;
} by_words[] = {
    {"No space left on device", REASON_REPOSITORY_FULL, "OMERO's repository is full: make room on the server"},
    {"Disk quota exceeded", REASON_REPOSITORY_FULL, "OMERO's repository is full: make room on the server"},
    {"not enough space", REASON_REPOSITORY_FULL, "OMERO's repository is full: make room on the server"},
    {"in a read-only transaction", REASON_DB_READ_ONLY, "OMERO's database takes no changes: look at the server"},
    {"Read-only file system", REASON_REPOSITORY_FULL, "OMERO's repository is mounted read-only: look at the server"},
    {"Could not open JDBC Connection", REASON_SERVER_DOWN, "OMERO's database does not answer: look at the server"},
    {"Could not get JDBC Connection", REASON_SERVER_DOWN, "OMERO's database does not answer: look at the server"},
    {"the database system is", REASON_SERVER_DOWN, "OMERO's database is starting or stopping: look at the server"},
    {"This connection has been closed", REASON_SERVER_DOWN, "OMERO's database went away: look at the server"},
    {"terminating connection due to", REASON_SERVER_DOWN, "OMERO's database went away: look at the server"},
    {"Server not fully initialized", REASON_SERVER_DOWN, "OMERO is starting: wait, or look at the server"},
    {"internal server error", REASON_SERVER_DOWN, "OMERO's router answers, and OMERO behind it does not: look at the server"},
    {"index row size", REASON_TOO_LONG, "shorten the longest value"},
    {"[namespace_name]", REASON_SERVER_BUSY, "nothing: the same namespace was new to two imports, and it is tried again"},
    {"_owner_id_key", REASON_SERVER_BUSY, "nothing: somebody else made the same link at that moment, and it is tried again"},
    {"is not a member of group", REASON_NOT_MEMBER, NULL},
    {"No matching roles found", REASON_DEACTIVATED, NULL},
    {"Cannot find a user with name", REASON_NO_USER, NULL},
    {"No such experimenter", REASON_NO_USER, NULL},
    {"No such group", REASON_NO_GROUP, NULL},
    {"session exists", REASON_BUG, NULL},
    {"Uuid cannot be null", REASON_BUG, NULL},
};

/* Derived classes before their bases. */
static const struct {
    const struct ice_class *cls;
    enum reason why;
} by_class[] = {
    {&om_glacier2_permission_denied_exception_class, REASON_LOGIN},
    {&om_expired_credential_exception_class, REASON_LOGIN},
    {&om_authentication_exception_class, REASON_LOGIN},
    {&om_glacier2_cannot_create_session_exception_class, REASON_SERVER_DOWN},
    {&om_glacier2_session_not_exist_exception_class, REASON_SESSION},
    {&om_shutdown_in_progress_class, REASON_SERVER_DOWN},
    {&om_removed_session_exception_class, REASON_SESSION},
    {&om_session_timeout_exception_class, REASON_SESSION},
    {&om_session_exception_class, REASON_SESSION},
    {&om_security_violation_class, REASON_NO_RIGHT},
    {&om_checksum_validation_exception_class, REASON_CHECKSUM},
    {&om_optimistic_lock_exception_class, REASON_SERVER_BUSY},
    {&om_over_usage_exception_class, REASON_SERVER_BUSY},
    {&om_concurrency_exception_class, REASON_SERVER_BUSY},
    {&om_file_path_naming_exception_class, REASON_IMPORT_FAILED},
    {&om_query_exception_class, REASON_BUG},
    {&om_validation_exception_class, REASON_SERVER_ERROR},
    {&om_api_usage_exception_class, REASON_BUG},
    {&om_server_error_class, REASON_SERVER_ERROR},
};

static bool is_a(const struct ice_object *o, const struct ice_class *cls)
{
    return o && ice_class_is_a(o->cls, cls);
}

/* The first line of a text, cut, as one printable line: a Java stack trace helps nobody. */
static void first_line(const char *text, char out[SAID_MAX])
{
    size_t n = 0;

    while (*text == '\n' || *text == '\r' || *text == ' ')
        text++;
    for (; *text && *text != '\n' && *text != '\r' && n < SAID_MAX - 1; text++)
        out[n++] = (unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text;
    while (n > 0 && n == SAID_MAX - 1 && ((unsigned char)out[n - 1] & 0x80) != 0)
        n--; /* rather a character less than half a one */
    out[n] = '\0';
}

/* -1 when no row fits. */
static int row_of_words(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(by_words); i++)
        if (strcasestr(text, by_words[i].words))
            return (int)i;
    return -1;
}

static int set_by_words(const char *what, const char *said, int row, struct err *err)
{
    err_set(err, by_words[row].why, 0, "%s: %s", what, said);
    return by_words[row].hint ? err_hint(err, "%s", by_words[row].hint) : -1;
}

static int set_text(const char *what, const char *text, enum reason otherwise, struct err *err)
{
    char said[SAID_MAX];
    int row = row_of_words(text);

    first_line(text, said);
    return row >= 0 ? set_by_words(what, said, row, err) : err_set(err, otherwise, 0, "%s: %s", what, said);
}

static const char *words_of(const struct ice_object *o)
{
    if (is_a(o, &om_server_error_class)) {
        const struct om_server_error *e = (const void *)o;
        return e->message[0] ? e->message : e->server_exception_class;
    }
    if (is_a(o, &om_glacier2_permission_denied_exception_class))
        return ((const struct om_glacier2_permission_denied_exception *)(const void *)o)->reason;
    if (is_a(o, &om_glacier2_cannot_create_session_exception_class))
        return ((const struct om_glacier2_cannot_create_session_exception *)(const void *)o)->reason;
    return "";
}

static enum reason reason_of(const struct ice_object *o)
{
    for (size_t i = 0; i < ARRAY_LEN(by_class); i++)
        if (is_a(o, by_class[i].cls))
            return by_class[i].why;
    return REASON_SERVER_ERROR;
}

/* "::omero::SecurityViolation" -> "SecurityViolation" */
static const char *short_id(const char *id)
{
    const char *colon = id ? strrchr(id, ':') : NULL;

    return colon ? colon + 1 : id ? id : "an unknown exception";
}

/* A login that something else than its name and password prevented. */
static int set_wrapped(const char *what, const struct om_wrapped_create_session_exception *e, struct err *err)
{
    if (row_of_words(e->reason) >= 0)
        return set_text(what, e->reason, REASON_SERVER_ERROR, err);
    if (e->concurrency || e->back_off > 0)
        return err_set(err, REASON_SERVER_BUSY, 0, "%s: %s: %s", what, e->type, e->reason);
    return err_set(err, strstr(e->type, "SecurityViolation") ? REASON_NO_RIGHT : REASON_SERVER_ERROR, 0, "%s: %s: %s", what,
                   e->type, e->reason);
}

static int set_checksum(const char *what, const struct om_checksum_validation_exception *e, struct err *err)
{
    size_t n = e->failing_checksums.n;

    if (n == 0)
        return err_set(err, REASON_CHECKSUM, 0, "%s: %s", what, e->message);
    return err_set(err, REASON_CHECKSUM, 0,
                   "%s: %zu file%s arrived with other bytes, the first is number %d (the server has %.41s)", what, n,
                   n == 1 ? "" : "s", e->failing_checksums.at[0].key + 1, e->failing_checksums.at[0].value);
}

static int set_exception(const char *what, const struct ice_reply *reply, struct err *err)
{
    const struct ice_object *o = reply->exception;
    char named[256];

    if (is_a(o, &om_wrapped_create_session_exception_class))
        return set_wrapped(what, (const void *)o, err);
    if (is_a(o, &om_checksum_validation_exception_class))
        return set_checksum(what, (const void *)o, err);
    snprintf(named, sizeof(named), "%s: %s", what, short_id(o ? o->cls->id : reply->exception_id));
    return set_text(named, words_of(o), reason_of(o), err);
}

/* Status 5: an Ice exception inside the server, or of the router on its way to it. */
static int set_local(const char *what, const char *text, struct err *err)
{
    static const char *const away[] = {"ConnectFailed",  "ConnectionRefused", "ConnectionLost",
                                       "ConnectTimeout", "NoEndpoint",        "NotRegistered"};

    for (size_t i = 0; i < ARRAY_LEN(away); i++)
        if (strstr(text, away[i]))
            return set_text(what, text, REASON_SERVER_DOWN, err);
    return set_text(what, text, strstr(text, "MarshalException") ? REASON_PROTOCOL : REASON_SERVER_ERROR, err);
}

int om_error(const struct ice_op *op, const struct ice_reply *reply, struct err *err)
{
    char what[160];
    const char *text = reply->text ? reply->text : "";

    snprintf(what, sizeof(what), "OMERO, asked for %s.%s", short_id(op->interface), op->name);
    switch (reply->status) {
    case ICE_USER_EXCEPTION:
        return set_exception(what, reply, err);
    case ICE_NO_OBJECT:
        return err_set(err, REASON_SESSION, 0, "%s: what was asked is not there any more", what);
    case ICE_NO_FACET:
    case ICE_NO_OPERATION:
        return err_set(err, REASON_PROTOCOL, 0, "%s: it knows no such operation", what);
    case ICE_LOCAL_EXCEPTION:
        return set_local(what, text, err);
    default:
        return set_text(what, text, REASON_SERVER_ERROR, err);
    }
}

static const char *parameter(const struct om_cmd_string_map *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->at[i].key, key) == 0)
            return map->at[i].value;
    return "";
}

/* What ERR answers of an import and of a delete are called. */
static const struct {
    const char *name;
    const char *thrown; /* what the exception's class begins with, or NULL */
    const char *words;  /* words in the message that must be there too, or NULL */
    enum reason why;
    const char *say;
} commands[] = {
    {"import-missing-library", NULL, NULL, REASON_IMPORT_FAILED, "a library for this format is missing on the server"},
    {"import-unknown-format", NULL, NULL, REASON_IMPORT_FAILED, "Bio-Formats does not know this format"},
    {"error-on-init", "loci.formats.UnknownFormat", NULL, REASON_IMPORT_FAILED, "Bio-Formats does not know this format"},
    {"import-file-exception", NULL, NULL, REASON_IMPORT_FAILED, "Bio-Formats cannot read the file"},
    {"import-request-failure", NULL, "SecurityViolation", REASON_NO_RIGHT, "the target may not be used"},
    {"import-request-failure", "ome.conditions.", "No row with the given identifier", REASON_TARGET_GONE,
     "the target is not there"},
    {"import-request-failure", NULL, "Unable to handle target", REASON_TARGET_GONE,
     "the target is not one that images can go to"},
    {"not-ready", NULL, NULL, REASON_SERVER_ERROR, "it was cancelled"},
    {"error-on-init", NULL, "model.annotations.Annotation", REASON_SERVER_BUSY, "an annotation that was to go with it is gone"},
    {"bad-location", NULL, NULL, REASON_IMPORT_FAILED, "the files are not where they should be"},
    {"graph-fail", NULL, "not permitted to", REASON_NO_RIGHT, "not permitted"},
    {"graph-fail", NULL, "may not", REASON_NO_RIGHT, "not permitted"},
    {"graph-fail", NULL, "cannot read", REASON_GONE, "it is not there any more"},
    /* What was thrown by OMERO itself or by the machine below it is not the file's fault; all else is a reader's. */
    {NULL, "ome.", NULL, REASON_SERVER_ERROR, "OMERO failed inside"},
    {NULL, "omero.", NULL, REASON_SERVER_ERROR, "OMERO failed inside"},
    {NULL, "Ice.", NULL, REASON_SERVER_ERROR, "OMERO lost its own connection"},
    {NULL, "java.lang.OutOfMemoryError", NULL, REASON_SERVER_ERROR, "OMERO ran out of memory"},
    {"error-on-init", NULL, NULL, REASON_IMPORT_FAILED, "OMERO could not begin with it"},
    {"import-request-failure", NULL, NULL, REASON_IMPORT_FAILED, "Bio-Formats cannot read the file"},
};

static int row_of_command(const char *name, const char *thrown, const char *said)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if ((!commands[i].name || strcmp(commands[i].name, name) == 0) &&
            (!commands[i].thrown || str_starts(thrown, commands[i].thrown)) &&
            (!commands[i].words || strcasestr(said, commands[i].words)))
            return (int)i;
    return -1;
}

/* The server's own line about it: an exception that came through its inner wires carries that of the other side. */
static void cause_line(const char *stack, char out[SAID_MAX])
{
    static const char inner[] = "serverStackTrace = \"", nested[] = "; nested exception", wrap[] = "java.lang.RuntimeException: ";
    const char *at = strstr(stack, inner);

    first_line(at ? at + strlen(inner) : str_starts(stack, wrap) ? stack + strlen(wrap) : stack, out);

    char *end = strstr(out, nested);

    if (end)
        *end = '\0';
}

int om_error_command(const char *what, const struct om_cmd_err *e, struct err *err)
{
    char said[SAID_MAX], cause[SAID_MAX], all[2 * SAID_MAX + 2];
    const char *stack = parameter(&e->parameters, "stacktrace");

    first_line(parameter(&e->parameters, "message"), said);
    cause_line(stack, cause);
    snprintf(all, sizeof(all), "%s %s", said, cause);
    if (said[0] == '\0' || strstr(stack, "serverStackTrace"))
        memcpy(said, cause, sizeof(said));

    int row = row_of_words(all) >= 0 ? row_of_words(all) : row_of_words(stack);

    if (row >= 0)
        return set_by_words(what, said, row, err);
    row = row_of_command(e->name, cause, all);
    if (row >= 0)
        return err_set(err, commands[row].why, 0, "%s: %s: %s", what, commands[row].say, said);
    return err_set(err, REASON_SERVER_ERROR, 0, "%s: %.60s: %s", what, e->name, said);
}

static void hide_in(char *text, const char *secret)
{
    size_t n = strlen(secret);

    for (char *at = text; (at = strstr(at, secret));)
        for (size_t i = 0; i < n; i++)
            *at++ = '*';
}

void om_error_hide(struct err *err, const char *secret)
{
    /* A secret of three characters is found in ordinary words, and no server repeats it. */
    if (!secret || strlen(secret) < 4)
        return;
    hide_in(err->text, secret);
    hide_in(err->hint, secret);
}
