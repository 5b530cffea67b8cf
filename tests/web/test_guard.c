/* Who may ask, and what an address means: RFC 9110 (Host, Authorization), RFC 7617 (Basic), RFC 6750 (Bearer), RFC 3986. */
#include "../test.h"

#include <string.h>

#include "base/listen.h"
#include "base/mem.h"
#include "web/guard.h"
#include "web/html.h"
#include "web/request.h"

#define TOKEN "0123456789abcdef0"

static const char *const names[] = {"omero.example.org", NULL};

static void hosts_are_ours_by_name_or_number(void **state)
{
    static const struct {
        const char *host;
        bool ours;
    } table[] = {
        {"localhost", true}, {"LOCALHOST:4080", true}, {"127.0.0.1:4080", true}, {"[::1]:4080", true}, {"192.0.2.7", true},
        {"omero.example.org", true}, {"OMERO.example.org:443", true},
        {"evil.example", false}, {"localhost.evil.example", false}, {"127.0.0.1.evil.example", false}, {"", false},
        {"localhost:", true}, {"localhost:x", false}, {"localhost:1234567", false}, {"[::1", false}, {"[::1]x", false},
        {"evil.example:localhost", false}, {"localhost@evil.example", false}, {"[]", false}, {":80", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (guard_knows_host(names, table[i].host) != table[i].ours)
            fail_msg("host '%s'", table[i].host);
    assert_false(guard_knows_host(NULL, "omero.example.org"));
}

static void a_token_is_known_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *authorization;
        bool known;
    } table[] = {
        {"Bearer " TOKEN, true}, {"bearer " TOKEN, true}, {"Bearer " TOKEN "1", false}, {"Bearer 0123456789abcdef", false},
        {"Bearer ", false}, {"Bearer", false}, {"", false}, {NULL, false}, {"Digest " TOKEN, false}, {TOKEN, false},
        {"Basic YTowMTIzNDU2Nzg5YWJjZGVmMA==", true}, /* a:TOKEN */
        {"basic OjAxMjM0NTY3ODlhYmNkZWYw", true},     /* :TOKEN */
        {"Basic MDEyMzQ1Njc4OWFiY2RlZjA=", false},    /* TOKEN without a colon */
        {"Basic YTowMTIzNDU2Nzg5YWJjZGVmMA", false},  /* without its padding */
        {"Basic ====", false}, {"Basic =", false}, {"Basic !!!!", false}, {"Basic ", false},
        {"Basic YTo=", false},                        /* a: */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (guard_knows_token(TOKEN, table[i].authorization) != table[i].known)
            fail_msg("authorization '%s'", table[i].authorization);
}

static void a_basic_token_of_any_length_stays_in_its_buffer(void **state)
{
    char text[4096];

    (void)state;
    for (size_t n = 1; n < sizeof(text) - 8; n++) {
        memset(text, 'A', sizeof(text));
        memcpy(text, "Basic ", 6);
        text[6 + n] = '\0';
        assert_false(guard_knows_token(TOKEN, text));
    }
}

static void each_head_has_its_answer(void **state)
{
    static const struct {
        struct guard_head head;
        int status;
    } table[] = {
        {{.method = "GET", .host = "localhost", .n_hosts = 1}, 0},
        {{.method = "HEAD", .host = "localhost", .n_hosts = 1}, 0},
        {{.method = "GET", .n_hosts = 0}, 400},
        {{.method = "GET", .host = "localhost", .n_hosts = 2}, 400},
        {{.method = "GET", .host = "evil.example", .n_hosts = 1}, 421},
        {{.method = "POST", .host = "localhost", .n_hosts = 1}, 405},
        {{.method = "OPTIONS", .host = "localhost", .origin = "http://evil.example", .n_hosts = 1}, 405},
        {{.method = "get", .host = "localhost", .n_hosts = 1}, 405},
        {{.method = "GET", .host = "localhost:80", .origin = "http://localhost:80", .n_hosts = 1}, 0},
        {{.method = "GET", .host = "localhost:80", .origin = "http://localhost:81", .n_hosts = 1}, 403},
        {{.method = "GET", .host = "localhost", .origin = "null", .n_hosts = 1}, 403},
        {{.method = "GET", .host = "localhost", .site = "same-origin", .mode = "cors", .n_hosts = 1}, 0},
        {{.method = "GET", .host = "localhost", .site = "none", .mode = "navigate", .n_hosts = 1}, 0},
        {{.method = "GET", .host = "localhost", .site = "cross-site", .mode = "navigate", .n_hosts = 1}, 0},
        {{.method = "GET", .host = "localhost", .site = "cross-site", .mode = "no-cors", .n_hosts = 1}, 403},
        {{.method = "GET", .host = "localhost", .site = "same-site", .mode = "no-cors", .n_hosts = 1}, 403},
        {{.method = "GET", .host = "localhost", .site = "cross-site", .n_hosts = 1}, 403},
    };
    const char *why;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        assert_int_equal(guard_check(&(struct guard_rules){0}, &table[i].head, &why), table[i].status);
        assert_int_equal(guard_check(&(struct guard_rules){.token = TOKEN}, &table[i].head, &why),
                         table[i].status ? table[i].status : 401);
    }
}

/* ---- addresses ---- */

static void addresses_are_taken_apart(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct request q;
    struct err err = ERR_INIT;
    int64_t n = 0;

    (void)state;
    assert_ok(request_parse("/search?q=a%20b%2Fc+d&x=&after=12&%E9=1&&=y", a, &q, &err), &err);
    assert_string_equal(q.path, "/search");
    assert_string_equal(request_text(&q, "q"), "a b/c d");
    assert_null(request_text(&q, "x"));
    assert_null(request_text(&q, "none"));
    assert_string_equal(request_text(&q, "\xE9"), "1");
    assert_ok(request_number(&q, "after", 0, &n, &err), &err);
    assert_int_equal(n, 12);
    assert_ok(request_number(&q, "x", 7, &n, &err), &err);
    assert_int_equal(n, 7);
    assert_fails(request_number(&q, "q", 0, &n, &err), &err, REASON_USAGE);
    assert_ok(request_parse("/a+b%2e%2e", a, &q, &err), &err);
    assert_string_equal(q.path, "/a+b..");
}

static void wrong_addresses_are_refused(void **state)
{
    static const char *const wrong[] = {"", "*", "http://localhost/", "/%", "/%4", "/%zz", "/%00", "/?a=%", "/?a=%0", "/?a=%00",
                                        "/?%=a", "/?a=1&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q"};
    char longest[WEB_TARGET_MAX + 2];
    AUTO(arena_freep) struct arena *a = arena_new();
    struct request q;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_fails(request_parse(wrong[i], a, &q, &err), &err, REASON_USAGE);
    memset(longest, '/', sizeof(longest));
    longest[WEB_TARGET_MAX] = '\0';
    assert_ok(request_parse(longest, a, &q, &err), &err);
    longest[WEB_TARGET_MAX] = '/';
    longest[WEB_TARGET_MAX + 1] = '\0';
    assert_fails(request_parse(longest, a, &q, &err), &err, REASON_USAGE);
}

static void numbers_have_a_ceiling(void **state)
{
    static const char *const wrong[] = {"/?n=-1", "/?n=1x", "/?n=0x1", "/?n=9999999999999999999", "/?n=%31%20", "/?n=1.5"};
    AUTO(arena_freep) struct arena *a = arena_new();
    struct request q;
    struct err err = ERR_INIT;
    int64_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_ok(request_parse(wrong[i], a, &q, &err), &err);
        assert_fails(request_number(&q, "n", 0, &n, &err), &err, REASON_USAGE);
    }
}

/* ---- HTML ---- */

static void whatever_is_shown_is_escaped(void **state)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(4096);

    (void)state;
    html(&b, "<i title=\"%s\">%d%%</i><a href=\"/?q=%u\">", "\"'<>&\n\xFF" "é", INT64_C(-5), "a b&\"<é/\xFF");
    AUTO(mem_freep) char *got = buf_take_str(&b);
    assert_string_equal(got, "<i title=\"&quot;&#39;&lt;&gt;&amp;\\n\\xFFé\">-5%</i><a href=\"/?q=a%20b%26%22%3C%C3%A9%2F%FF\">");
}

/* ---- where to listen ---- */

static void places_to_listen(void **state)
{
    static const struct {
        const char *text;
        int port;
        bool loopback;
    } good[] = {{"4080", 4080, true}, {"127.0.0.1:0", 0, true}, {"127.9.9.9:1", 1, true}, {"[::1]:4080", 4080, true},
                {"0.0.0.0:80", 80, false}, {"[::]:65535", 65535, false}, {"192.0.2.1:4080", 4080, false}};
    static const char *const bad[] = {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:80", "::1:80",
                                      "[::1]80", "[::1]", "127.0.0.1:-1", "127.0.0.1:8 0", "[127.0.0.1]:x", "x", "-1"};
    struct listen_address l;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(listen_parse(good[i].text, &l, &err), &err);
        assert_int_equal(l.port, good[i].port);
        assert_int_equal(listen_is_loopback(&l), good[i].loopback);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(listen_parse(bad[i], &l, &err), &err, REASON_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_ours_by_name_or_number),
        cmocka_unit_test(a_token_is_known_whole_or_not_at_all),
        cmocka_unit_test(a_basic_token_of_any_length_stays_in_its_buffer),
        cmocka_unit_test(each_head_has_its_answer),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(wrong_addresses_are_refused),
        cmocka_unit_test(numbers_have_a_ceiling),
        cmocka_unit_test(whatever_is_shown_is_escaped),
        cmocka_unit_test(places_to_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
