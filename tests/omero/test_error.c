/* Recorded refusals (tests/data/vectors) and texts that a real server was seen to give. */
#include "../test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ice/codec.h"
#include "ice/message.h"
#include "model/ops.h"
#include "omero/error.h"

enum { MAX_BYTES = 1 << 16 };

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;

    assert_true(n <= MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

static json_t *load(const char *file)
{
    AUTO(mem_freep) char *name = mem_printf("%s/vectors/%s", getenv("TEST_DATA"), file);
    json_t *json = json_load_file(name, 0, NULL);

    assert_non_null(json);
    return json;
}

/* The last reply of a recorded step, as bytes. */
static size_t last_reply(json_t *file, const char *step, uint8_t *out)
{
    json_t *v, *m;
    size_t i, j, n = 0;

    json_array_foreach(json_object_get(file, "vectors"), i, v)
    {
        if (strcmp(json_string_value(json_object_get(v, "name")), step) != 0)
            continue;
        json_array_foreach(json_object_get(v, "messages"), j, m)
        {
            if (strcmp(json_string_value(json_object_get(m, "type")), "reply") == 0)
                n = unhex(json_string_value(json_object_get(m, "hex")), out);
        }
    }
    assert_true(n > 0);
    return n;
}

static void classify(json_t *file, const char *step, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(ice_parser_clear) struct ice_parser parser = ICE_PARSER_INIT;
    AUTO(mem_freep) uint8_t *bytes = mem_new(1, MAX_BYTES);
    size_t n = last_reply(file, step, bytes);
    struct ice_msg msg;
    struct ice_reply reply = {0};
    enum ice_encoding enc;

    assert_ok(ice_parser_feed(&parser, bytes, n, err), err);
    assert_int_equal(ice_parser_next(&parser, mem, &msg, err), 1);
    reply.status = msg.status;
    reply.text = msg.text;
    reply.operation = msg.operation;
    if (msg.status == ICE_USER_EXCEPTION)
        assert_ok(ice_read_exception(&msg.encaps, &om_registry, mem, &reply.exception, &reply.exception_id, &enc, err), err);
    assert_int_equal(om_error(&om_api_iquery_get_op, &reply, err), -1);
}

static const struct {
    const char *step;
    enum reason why;
    const char *words;
} made[] = {
    {"exc_ServerError", REASON_SERVER_ERROR, "msg ServerError"},
    {"exc_InternalException", REASON_SERVER_ERROR, "msg InternalException"},
    {"exc_ResourceError", REASON_SERVER_ERROR, "msg ResourceError"},
    {"exc_ApiUsageException", REASON_BUG, "msg ApiUsageException"},
    {"exc_ValidationException", REASON_SERVER_ERROR, "msg ValidationException"},
    {"exc_SecurityViolation", REASON_NO_RIGHT, "msg SecurityViolation"},
    {"exc_GroupSecurityViolation", REASON_NO_RIGHT, "msg GroupSecurityViolation"},
    {"exc_OptimisticLockException", REASON_SERVER_BUSY, "msg OptimisticLockException"},
    {"exc_OverUsageException", REASON_SERVER_BUSY, "msg OverUsageException"},
    {"exc_LockTimeout", REASON_SERVER_BUSY, "msg LockTimeout"},
    {"exc_TryAgain", REASON_SERVER_BUSY, "msg TryAgain"},
    {"exc_DatabaseBusyException", REASON_SERVER_BUSY, "msg DatabaseBusyException"},
    {"exc_SessionException", REASON_SESSION, "msg SessionException"},
    {"exc_RemovedSessionException", REASON_SESSION, "msg RemovedSessionException"},
    {"exc_SessionTimeoutException", REASON_SESSION, "msg SessionTimeoutException"},
    {"exc_ShutdownInProgress", REASON_SERVER_DOWN, "msg ShutdownInProgress"},
    {"exc_ChecksumValidationException", REASON_CHECKSUM, "abc123"},
    {"exc_FilePathNamingException", REASON_IMPORT_FAILED, "FilePathNamingException"},
    {"exc_unknownlocal", REASON_SERVER_ERROR, "Ice.TimeoutException"},
    {"exc_unknown", REASON_SERVER_ERROR, "boom"},
    {"exc_ObjectNotExist", REASON_SESSION, "not there any more"},
    {"exc_OperationNotExist", REASON_PROTOCOL, "no such operation"},
    {"login_bad", REASON_LOGIN, "Password check failed for 'bad'"},
};

/* In encoding 1.0 the login's exceptions arrive without their members: only the others are asked for both ways. */
static void every_recorded_exception_has_its_reason(void **state)
{
    (void)state;
    json_t *compact = load("encoding-1.1.json"), *old = load("encoding-1.0.json");
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        classify(compact, made[i].step, &err);
        assert_string_equal(reason_row(err.why)->name, reason_row(made[i].why)->name);
        assert_non_null(strstr(err.text, made[i].words));
        classify(old, made[i].step, &err);
        assert_string_equal(reason_row(err.why)->name, reason_row(made[i].why)->name);
    }
    json_decref(compact);
    json_decref(old);
}

static void logins_that_something_else_prevents_are_no_wrong_password(void **state)
{
    (void)state;
    json_t *file = load("encoding-1.1.json");
    struct err err = ERR_INIT;

    classify(file, "login_wrapped", &err);
    assert_int_equal(err.why, REASON_SERVER_DOWN);
    classify(file, "login_cannot", &err);
    assert_int_equal(err.why, REASON_SERVER_DOWN);
    classify(file, "login_expired", &err);
    assert_int_equal(err.why, REASON_LOGIN);
    json_decref(file);
}

static void a_real_server_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        enum reason why;
    } steps[] = {{"tag_link_duplicate", REASON_SERVER_BUSY},
                 {"e_nochecksum", REASON_BUG},
                 {"cv_wronghash", REASON_CHECKSUM},
                 {"cv_afterclose", REASON_SESSION},
                 {"login_uuid_pwmismatch", REASON_LOGIN}};
    json_t *file = load("real-server-1.1.json");
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        classify(file, steps[i].step, &err);
        assert_string_equal(reason_row(err.why)->name, reason_row(steps[i].why)->name);
    }
    json_decref(file);
}

static void say(const struct ice_class *cls, const char *message, struct err *err)
{
    const struct om_server_error e = {.cls = cls, .message = message, .server_stack_trace = "", .server_exception_class = ""};
    const struct ice_reply reply = {.status = ICE_USER_EXCEPTION, .exception = (const struct ice_object *)&e};

    assert_int_equal(om_error(&om_api_iupdate_save_object_op, &reply, err), -1);
}

static void conditions_of_the_server_are_told_by_its_words(void **state)
{
    (void)state;
    static const struct {
        const struct ice_class *cls;
        const char *message;
        enum reason why;
    } said[] = {
        {&om_validation_exception_class,
         "could not insert: [CommentAnnotation]; constraint [namespace_name]; nested exception is x",
         REASON_SERVER_BUSY},
        {&om_resource_error_class, "java.io.IOException: No space left on device", REASON_REPOSITORY_FULL},
        {&om_internal_exception_class, "ERROR: cannot execute INSERT in a read-only transaction", REASON_DB_READ_ONLY},
        {&om_internal_exception_class, "Could not open JDBC Connection for transaction", REASON_SERVER_DOWN},
        {&om_security_violation_class, "User 2 is not a member of group 4 and cannot login", REASON_NOT_MEMBER},
        {&om_security_violation_class, "No matching roles found in [lab] for session x (allowed: [user])", REASON_DEACTIVATED},
        {&om_removed_session_exception_class, "Cannot find a user with name nosuch", REASON_NO_USER},
        {&om_internal_exception_class, "index row size 2800 exceeds btree maximum 2704", REASON_TOO_LONG},
    };
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        say(said[i].cls, said[i].message, &err);
        assert_string_equal(reason_row(err.why)->name, reason_row(said[i].why)->name);
        assert_non_null(strstr(err.text, said[i].message));
    }
}

static void a_denied_login_of_a_server_that_is_down_is_no_wrong_password(void **state)
{
    (void)state;
    const struct om_glacier2_permission_denied_exception e = {.cls = &om_glacier2_permission_denied_exception_class,
                                                              .reason = "internal server error"};
    const struct ice_reply reply = {.status = ICE_USER_EXCEPTION, .exception = (const struct ice_object *)&e};
    struct err err;

    om_error(&om_glacier2_router_create_session_op, &reply, &err);
    assert_int_equal(err.why, REASON_SERVER_DOWN);
}

static void a_server_that_asks_for_patience_is_busy(void **state)
{
    (void)state;
    struct om_wrapped_create_session_exception e = {.cls = &om_wrapped_create_session_exception_class,
                                                    .reason = "try later",
                                                    .concurrency = true,
                                                    .back_off = 5000,
                                                    .type = "omero.TryAgain"};
    const struct ice_reply reply = {.status = ICE_USER_EXCEPTION, .exception = (const struct ice_object *)&e};
    struct err err;

    om_error(&om_glacier2_router_create_session_op, &reply, &err);
    assert_int_equal(err.why, REASON_SERVER_BUSY);
    e.concurrency = false;
    e.back_off = -1;
    e.type = "omero.ApiUsageException";
    om_error(&om_glacier2_router_create_session_op, &reply, &err);
    assert_int_equal(err.why, REASON_SERVER_ERROR);
    e.reason = "No such group: x";
    om_error(&om_glacier2_router_create_session_op, &reply, &err);
    assert_int_equal(err.why, REASON_NO_GROUP);
    e.reason = "";
    e.type = "omero.SecurityViolation";
    om_error(&om_glacier2_router_create_session_op, &reply, &err);
    assert_int_equal(err.why, REASON_NO_RIGHT);
}

static void an_exception_nobody_knows_is_named(void **state)
{
    (void)state;
    const struct ice_reply reply = {.status = ICE_USER_EXCEPTION, .exception_id = "::omero::NewException"};
    struct err err;

    om_error(&om_api_iquery_get_op, &reply, &err);
    assert_int_equal(err.why, REASON_SERVER_ERROR);
    assert_non_null(strstr(err.text, "NewException"));
}

static void a_router_that_cannot_reach_omero_says_so(void **state)
{
    (void)state;
    const struct ice_reply reply = {.status = ICE_LOCAL_EXCEPTION, .text = "Ice::ConnectionRefusedException"};
    const struct ice_reply mode = {.status = ICE_LOCAL_EXCEPTION, .text = "Ice::MarshalException unexpected operation mode"};
    struct err err;

    om_error(&om_api_iquery_get_op, &reply, &err);
    assert_int_equal(err.why, REASON_SERVER_DOWN);
    om_error(&om_api_iquery_get_op, &mode, &err);
    assert_int_equal(err.why, REASON_PROTOCOL);
}

static void hostile_words_become_one_short_line(void **state)
{
    (void)state;
    AUTO(mem_freep) char *long_one = mem_new(1, 9000);
    struct err err;

    memset(long_one, 0xC3, 8999);
    say(&om_internal_exception_class, "\n\r  first\x1b[31m line\nsecond line", &err);
    assert_non_null(strstr(err.text, "first [31m line"));
    assert_null(strstr(err.text, "second"));
    say(&om_internal_exception_class, long_one, &err);
    assert_true(strlen(err.text) < 600);
}

static void command(const char *name, const char *message, const char *stack, struct err *err)
{
    const struct om_cmd_string_map_entry entries[] = {{"message", message}, {"stacktrace", stack}};
    const struct om_cmd_err e = {.cls = &om_cmd_err_class,
                                 .category = "::omero::grid::ImportRequest",
                                 .name = name,
                                 .parameters = {.n = 2, .at = entries}};

    assert_int_equal(om_error_command("import", &e, err), -1);
}

/* Messages and stack traces as a real server gave them. */
static void failed_commands_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message, *stack;
        enum reason why;
        const char *words;
    } said[] = {
        {"error-on-init", "Unknown file format: /x/a.bin",
         "java.lang.RuntimeException: loci.formats.UnknownFormatException: Unknown", REASON_IMPORT_FAILED,
         "Bio-Formats does not know this format"},
        {"error-on-init", "Invalid TIFF file: /x/bad.tif", "java.lang.RuntimeException: x", REASON_IMPORT_FAILED, "Invalid TIFF"},
        {"error-on-init", "Cannot invoke \"ome.model.annotations.Annotation.getNs()\" because \"<local6>\" is null", "",
         REASON_SERVER_BUSY, "annotation"},
        {"import-request-failure", "omero.ValidationException",
         "java.lang.RuntimeException: omero.ValidationException\n    serverStackTrace = \"ome.conditions.ValidationException: No "
         "row with "
         "the given identifier exists: [ome.model.containers.Dataset#9]; nested exception is x\n  at y",
         REASON_TARGET_GONE, "Dataset#9]"},
        {"import-request-failure", "omero.SecurityViolation", "", REASON_NO_RIGHT, "SecurityViolation"},
        {"import-request-failure",
         "omero.SecurityViolation\n    serverStackTrace = \"ome.conditions.SecurityViolation: Group is rwra--. Cannot link to "
         "object: ome.model.containers.Dataset:Id_129\n",
         "java.lang.RuntimeException: omero.SecurityViolation\n    serverStackTrace = \"ome.conditions.SecurityViolation: Group "
         "is rwra--. Cannot link to object: ome.model.containers.Dataset:Id_129\n  at y",
         REASON_NO_RIGHT, "Dataset:Id_129"},
        {"import-request-failure", "Unable to handle target: omero.model.ProjectI@1d972fdb",
         "Unable to handle target: omero.model.ProjectI@1d972fdb\n\tat ome.formats.model.TargetProcessor.process(TargetProcessor"
         ".java:69)", REASON_TARGET_GONE, "Unable to handle target"},
        {"import-request-failure", "Negative position",
         "java.lang.IllegalArgumentException: Negative position\n\tat java.base/sun.nio.ch.FileChannelImpl.read",
         REASON_IMPORT_FAILED, "cannot read the file: Negative position"},
        {"import-request-failure", "ImageIO returned null when reading JPEG stream",
         "java.lang.NullPointerException: ImageIO returned null when reading JPEG stream\n\tat ome.codecs.JPEGCodec.decompress",
         REASON_IMPORT_FAILED, "ImageIO returned null"},
        {"import-request-failure", "no target/omero.tif", "java.lang.IllegalStateException: no target/omero.tif\n\tat x",
         REASON_IMPORT_FAILED, "no target/omero.tif"},
        {"import-request-failure", "omero.InternalException\n",
         "java.lang.RuntimeException: omero.InternalException\n    serverStackTrace = \"ome.conditions.InternalException: "
         "Wrapped Exception: (java.lang.NullPointerException): null\n  at y",
         REASON_SERVER_ERROR, "OMERO failed inside"},
        {"import-request-failure", "Ice.ConnectionLostException",
         "java.lang.RuntimeException: Ice.ConnectionLostException\n  at y", REASON_SERVER_ERROR, "lost its own connection"},
        {"import-request-failure", "Java heap space", "java.lang.OutOfMemoryError: Java heap space\n\tat x", REASON_SERVER_ERROR,
         "memory"},
        {"import-file-exception", "java.util.zip.ZipException: incorrect header check",
         "loci.formats.FormatException: java.util.zip.ZipException: incorrect header check\n\tat ome.codecs.BaseCodec.decompress",
         REASON_IMPORT_FAILED, "incorrect header check"},
        {"error-on-init", "newPosition > limit: (5592 > 2804)",
         "java.lang.IllegalArgumentException: newPosition > limit: (5592 > 2804)\n\tat x", REASON_IMPORT_FAILED, "newPosition"},
        {"not-ready", "", "", REASON_SERVER_ERROR, "cancelled"},
        {"graph-fail", "", "GraphException: cannot read all the specified objects of class Dataset\n at x", REASON_GONE,
         "cannot read"},
        {"graph-fail", "", "not permitted to delete ome.model.containers.Project[55]", REASON_NO_RIGHT, "Project[55]"},
        {"import-file-exception", "java.io.IOException: No space left on device", "", REASON_REPOSITORY_FULL, "No space"},
        {"something-new", "words", "", REASON_SERVER_ERROR, "something-new"},
    };
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        command(said[i].name, said[i].message, said[i].stack, &err);
        assert_string_equal(reason_row(err.why)->name, reason_row(said[i].why)->name);
        assert_non_null(strstr(err.text, said[i].words));
    }
}

static void secrets_are_taken_out(void **state)
{
    (void)state;
    struct err err;

    err_set(&err, REASON_LOGIN, 0, "user with s3cret and again s3cret.");
    om_error_hide(&err, "s3cret");
    assert_string_equal(err.text, "user with ****** and again ******.");
    om_error_hide(&err, "");
    om_error_hide(&err, NULL);
    assert_string_equal(err.text, "user with ****** and again ******.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_exception_has_its_reason),
        cmocka_unit_test(logins_that_something_else_prevents_are_no_wrong_password),
        cmocka_unit_test(a_real_server_is_understood),
        cmocka_unit_test(conditions_of_the_server_are_told_by_its_words),
        cmocka_unit_test(a_denied_login_of_a_server_that_is_down_is_no_wrong_password),
        cmocka_unit_test(a_server_that_asks_for_patience_is_busy),
        cmocka_unit_test(an_exception_nobody_knows_is_named),
        cmocka_unit_test(a_router_that_cannot_reach_omero_says_so),
        cmocka_unit_test(hostile_words_become_one_short_line),
        cmocka_unit_test(failed_commands_say_why),
        cmocka_unit_test(secrets_are_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
