/* TLS links against plain OpenSSL servers, and against peers that speak something else. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ice/conn.h"
#include "ice/link.h"
#include "peer.h"
#include "wire.h"

#define SOON clock_after_ns(50 * NS_PER_MS)
#define AMPLE clock_after_ns(10 * NS_PER_S)

enum { DAY = 86400, LARGE = 8 << 20 };

static char dir[] = "/tmp/test_tls.XXXXXX";
static struct peer_cert localhost, expired, by_address, odd, later, system_ca;

static int make_certs(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    peer_make_cert(&localhost, dir, "localhost", "localhost", NULL, -DAY, DAY);
    peer_make_cert(&expired, dir, "expired", "localhost", NULL, -2 * DAY, -DAY);
    peer_make_cert(&later, dir, "later", "localhost", NULL, DAY, 2 * DAY);
    peer_make_cert(&by_address, dir, "address", "someone", "IP:127.0.0.1,DNS:*.example.org", -DAY, DAY);
    peer_make_cert(&odd, dir, "odd", "a\x1B[31mb", NULL, -DAY, DAY);
    peer_make_cert(&system_ca, dir, "system", "localhost", NULL, -DAY, DAY);
    return setenv("SSL_CERT_FILE", system_ca.cert, 1); /* of OpenSSL: where the system's store is */
}

static int remove_certs(void **state)
{
    (void)state;
    const struct peer_cert *all[] = {&localhost, &expired, &later, &by_address, &odd, &system_ca};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        unlink(all[i]->cert);
        unlink(all[i]->key);
    }
    return rmdir(dir);
}

/* --- players after the handshake --- */

static void count(struct peer *p, SSL *ssl)
{
    char some[4096];

    for (int r; (r = SSL_read(ssl, some, sizeof(some))) > 0;)
        p->got += (size_t)r;
}

static void greet_and_count(struct peer *p, SSL *ssl)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    snprintf(p->text, sizeof(p->text), "%.200s", name ? name : "none");
    p->ok = SSL_write(ssl, "hello", 5) == 5;
    count(p, ssl);
    SSL_shutdown(ssl);
}

static void say_goodbye(struct peer *p, SSL *ssl)
{
    SSL_shutdown(ssl);
    count(p, ssl);
}

static void cut(struct peer *p, SSL *ssl)
{
    p->ok = SSL_write(ssl, "hello", 5) == 5;
    shutdown(SSL_get_fd(ssl), SHUT_WR);
    peer_drain(SSL_get_fd(ssl));
}

static void cut_by_reset(struct peer *p, SSL *ssl)
{
    (void)p;
    peer_reset(SSL_get_fd(ssl));
}

static void sleep_on(struct peer *p, SSL *ssl)
{
    (void)p;
    (void)ssl;
    peer_sleep_ms(150);
}

/* --- the bench --- */

struct bench {
    struct peer p;
    struct peer_tls tls;
    struct link *l;
    struct err err;
    struct link_cert seen;
    int asked, verdict;
};

static int decide(void *arg, const char *host, uint16_t port, const struct link_cert *cert, struct err *err)
{
    struct bench *b = arg;

    b->asked++;
    b->seen = *cert;
    if (b->verdict < 0)
        return err_set(err, REASON_CERTIFICATE, 0, "not %s:%u", host, port);
    return b->verdict;
}

static int connect_as(struct bench *b, const char *host, const struct link_tls *how, int64_t deadline_ns)
{
    struct link *tcp;

    assert_ok(link_tcp_connect(&tcp, "127.0.0.1", b->p.port, AMPLE, &b->err), &b->err);
    return link_tls_connect(&b->l, tcp, host, b->p.port, how, deadline_ns, &b->err);
}

static void serve(struct bench *b, const struct peer_cert *cert, void (*run)(struct peer *, SSL *))
{
    *b = (struct bench){.tls = {.cert = cert, .run = run}};
    peer_start(&b->p, peer_tls_server, &b->tls);
}

/* A trusted connection to such a server. */
static void set_up(struct bench *b, void (*run)(struct peer *, SSL *))
{
    const struct link_tls how = {.ca_file = localhost.cert};

    serve(b, &localhost, run);
    assert_ok(connect_as(b, "localhost", &how, AMPLE), &b->err);
}

static void tear_down(struct bench *b)
{
    link_close(b->l);
    peer_stop(&b->p);
}

/* --- trust --- */

static void a_certificate_of_the_ca_file_is_trusted(void **state)
{
    (void)state;
    struct bench b;
    char at[8];
    size_t written;

    set_up(&b, greet_and_count);
    assert_true(strncmp(link_describe(b.l), "TLSv1.3 TLS_", 12) == 0);
    assert_int_equal(link_read(b.l, at, sizeof(at), AMPLE, &b.err), 5);
    assert_memory_equal(at, "hello", 5);
    assert_ok(link_write(b.l, "abc", 3, AMPLE, &written, &b.err), &b.err);
    assert_int_equal(written, 3);
    tear_down(&b);
    assert_true(b.p.ok);
    assert_int_equal(b.p.got, 3);
    assert_string_equal(b.p.text, "localhost");
}

static void the_systems_certificates_are_trusted_and_kept_for_a_while(void **state)
{
    (void)state;
    static const struct link_tls how = {.ca_file = NULL};
    struct bench b;

    for (int i = 0; i < 2; i++) {
        serve(&b, &system_ca, greet_and_count);
        assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
        tear_down(&b);
        assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere", 1), 0);
    }
}

static void an_unknown_certificate_is_refused_before_any_byte(void **state)
{
    (void)state;
    static const struct link_tls how = {.ca_file = NULL};
    struct bench b;

    serve(&b, &localhost, greet_and_count);
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CERTIFICATE);
    assert_non_null(strstr(b.err.text, localhost.sha256));
    assert_non_null(strstr(b.err.text, "'localhost'"));
    assert_non_null(strstr(b.err.text, "self-signed certificate"));
    assert_non_null(strstr(b.err.hint, "fingerprint"));
    tear_down(&b);
    assert_int_equal(b.p.got, 0);
}

static void the_caller_decides_with_all_that_is_known(void **state)
{
    (void)state;
    struct bench b;
    const struct link_tls how = {.decide = decide, .arg = &b};

    serve(&b, &localhost, greet_and_count);
    b.verdict = LINK_TRUST;
    assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
    assert_int_equal(b.asked, 1);
    assert_string_equal(b.seen.sha256, localhost.sha256);
    assert_string_equal(b.seen.subject, "localhost");
    assert_false(b.seen.chain_ok);
    assert_true(b.seen.name_ok);
    assert_false(b.seen.anonymous);
    assert_string_equal(b.seen.why, "self-signed certificate");
    tear_down(&b);

    serve(&b, &localhost, greet_and_count);
    b.verdict = LINK_REFUSE;
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CERTIFICATE);
    assert_non_null(strstr(b.err.text, localhost.sha256));
    tear_down(&b);

    serve(&b, &localhost, greet_and_count);
    b.verdict = -1;
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CERTIFICATE);
    assert_true(strncmp(b.err.text, "not localhost:", 14) == 0);
    tear_down(&b);
}

static void a_certificate_must_be_for_the_name_and_the_time(void **state)
{
    (void)state;
    const struct { const struct peer_cert *cert; const char *host; bool trusted; const char *why; } cases[] = {
        {&localhost, "localhost", true, NULL},
        {&localhost, "omero.example.org", false, "not for this host name"},
        {&localhost, "127.0.0.1", false, "not for this host name"},
        {&by_address, "127.0.0.1", true, NULL},
        {&by_address, "omero.example.org", true, NULL},
        {&by_address, "someone", false, "not for this host name"},
        {&expired, "localhost", false, "certificate has expired"},
        {&later, "localhost", false, "certificate is not yet valid"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct link_tls how = {.ca_file = cases[i].cert->cert};
        struct bench b;
        serve(&b, cases[i].cert, greet_and_count);
        int r = connect_as(&b, cases[i].host, &how, AMPLE);
        if (cases[i].trusted) {
            assert_ok(r, &b.err);
        } else {
            assert_fails(r, &b.err, REASON_CERTIFICATE);
            assert_non_null(strstr(b.err.text, cases[i].why));
        }
        tear_down(&b);
        if (strcmp(cases[i].host, "127.0.0.1") == 0)
            assert_true(b.p.text[0] == '\0' || strcmp(b.p.text, "none") == 0); /* no server name for an address */
    }
}

static void a_hostile_common_name_is_shown_harmlessly(void **state)
{
    (void)state;
    static const struct link_tls how = {.ca_file = NULL};
    struct bench b;

    serve(&b, &odd, greet_and_count);
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CERTIFICATE);
    assert_non_null(strstr(b.err.text, "'a\\x1B[31mb'"));
    tear_down(&b);
}

static void a_missing_ca_file_is_a_matter_of_configuration(void **state)
{
    (void)state;
    static const struct link_tls how = {.ca_file = "/nowhere/ca.pem"};
    struct bench b;

    serve(&b, &localhost, greet_and_count);
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CONFIG);
    assert_non_null(strstr(b.err.text, "/nowhere/ca.pem"));
    tear_down(&b);
}

/* --- versions and ciphers --- */

static void tls_1_2_and_1_3_are_spoken(void **state)
{
    (void)state;
    static const struct { int version; const char *name; } cases[] = {{TLS1_2_VERSION, "TLSv1.2 "}, {TLS1_3_VERSION, "TLSv1.3 "}};
    const struct link_tls how = {.ca_file = localhost.cert};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = {.tls = {.cert = &localhost, .max = cases[i].version, .run = greet_and_count}};
        peer_start(&b.p, peer_tls_server, &b.tls);
        assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
        assert_true(strncmp(link_describe(b.l), cases[i].name, 8) == 0);
        tear_down(&b);
    }
}

static void older_versions_are_not_spoken(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};

    for (size_t i = 0; i < 2 * ARRAY_LEN(versions); i++) {
        const struct link_tls how = {.ca_file = localhost.cert, .allow_anonymous = i % 2};
        struct bench b = {.tls = {.cert = &localhost, .min = TLS1_VERSION, .max = versions[i / 2], .run = greet_and_count}};
        peer_start(&b.p, peer_tls_server, &b.tls);
        assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_TLS);
        assert_non_null(strstr(b.err.text, "'protocol version' (alert 70)"));
        tear_down(&b);
    }
}

static void anonymous_ciphers_need_a_word(void **state)
{
    (void)state;
    struct bench b = {.tls = {.max = TLS1_2_VERSION, .run = greet_and_count}};
    struct link_tls how = {.decide = decide, .arg = &b};
    char at[8];

    peer_start(&b.p, peer_tls_server, &b.tls);
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_TLS);
    assert_non_null(strstr(b.err.text, "'handshake failure' (alert 40)"));
    assert_non_null(strstr(b.err.hint, "anonymous"));
    tear_down(&b);

    how.allow_anonymous = true;
    peer_start(&b.p, peer_tls_server, &b.tls);
    b.asked = 0;
    assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
    assert_int_equal(b.asked, 1);
    assert_true(b.seen.anonymous);
    assert_false(b.seen.chain_ok || b.seen.name_ok);
    assert_string_equal(b.seen.sha256, "");
    assert_non_null(strstr(link_describe(b.l), "TLSv1.2 ADH-"));
    assert_int_equal(link_read(b.l, at, sizeof(at), AMPLE, &b.err), 5);
    tear_down(&b);

    how.decide = NULL;
    b.l = NULL;
    peer_start(&b.p, peer_tls_server, &b.tls);
    assert_fails(connect_as(&b, "localhost", &how, AMPLE), &b.err, REASON_CERTIFICATE);
    assert_non_null(strstr(b.err.text, "no certificate"));
    tear_down(&b);
}

static void with_anonymous_allowed_a_certificate_server_shows_its_certificate(void **state)
{
    (void)state;
    const struct link_tls how = {.ca_file = localhost.cert, .allow_anonymous = true};
    struct bench b;

    serve(&b, &localhost, greet_and_count);
    assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
    assert_true(strncmp(link_describe(b.l), "TLSv1.3 ", 8) == 0);
    tear_down(&b);
}

/* --- peers that speak no TLS --- */

static const struct plain { const char *bytes; size_t n; char then; enum reason why; } plain[] = {
    {"IceP\1\0\1\0\3\0\x0e\0\0\0", 14, 'w', REASON_NOT_OMERO}, {"HTTP/1.1 400 Bad Request\r\n", 26, 'w', REASON_NOT_OMERO},
    {"220 mail.example.org ESMTP\r\n", 28, 'w', REASON_NOT_OMERO}, {"hi", 2, 'w', REASON_NOT_OMERO},
    {"hi", 2, 'c', REASON_NOT_OMERO}, {"", 0, 'w', REASON_TIMEOUT}, {"\x16\3\3", 3, 'w', REASON_TIMEOUT},
    {"", 0, 'c', REASON_LOST}, {"\x16\3\3", 3, 'c', REASON_LOST}, {"", 0, 'r', REASON_LOST},
};

static void speak_plainly(struct peer *p, int fd)
{
    const struct plain *what = p->arg;
    char byte;

    p->ok = peer_send(fd, what->bytes, what->n);
    if (what->then == 'c')
        shutdown(fd, SHUT_WR);
    if (what->then == 'r')
        peer_receive(fd, &byte, 1), peer_reset(fd);
    else
        peer_drain(fd);
}

static void a_peer_without_tls_is_told(void **state)
{
    (void)state;
    static const struct link_tls how = {.ca_file = NULL};

    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        struct bench b = {0};
        peer_start(&b.p, speak_plainly, (void *)&plain[i]);
        bool silent = plain[i].then == 'w' && plain[i].n < 5; /* less than the head of a TLS record */
        int64_t before = clock_mono_ns(), patience = silent ? 300 * NS_PER_MS : 10 * NS_PER_S;
        assert_fails(connect_as(&b, "localhost", &how, before + patience), &b.err, plain[i].why);
        assert_true(clock_mono_ns() - before < 5 * NS_PER_S);
        assert_non_null(strstr(b.err.text, "127.0.0.1:"));
        if (plain[i].why == REASON_NOT_OMERO)
            assert_non_null(strstr(b.err.text, "without TLS"));
        if (i == 0)
            assert_non_null(strstr(b.err.hint, "TLS port"));
        tear_down(&b);
    }
}

/* --- the stream --- */

static void a_goodbye_is_the_end(void **state)
{
    (void)state;
    struct bench b;
    char byte;
    size_t written;

    set_up(&b, say_goodbye);
    assert_int_equal(link_read(b.l, &byte, 1, AMPLE, &b.err), 0);
    assert_true(link_readable(b.l));
    assert_int_equal(link_read(b.l, &byte, 1, AMPLE, &b.err), 0);
    assert_ok(link_write(b.l, "still", 5, AMPLE, &written, &b.err), &b.err);
    tear_down(&b);
    assert_int_equal(b.p.got, 5);
}

static void an_end_without_a_goodbye_is_a_loss(void **state)
{
    (void)state;
    struct bench b;
    char at[8];

    set_up(&b, cut);
    assert_int_equal(link_read(b.l, at, sizeof(at), AMPLE, &b.err), 5);
    assert_fails((int)link_read(b.l, at, 1, AMPLE, &b.err), &b.err, REASON_LOST);
    assert_non_null(strstr(b.err.text, "cut off"));
    assert_true(link_readable(b.l));
    assert_fails((int)link_read(b.l, at, 1, AMPLE, &b.err), &b.err, REASON_LOST);
    tear_down(&b);
}

static void a_reset_is_a_loss_and_raises_no_signal(void **state)
{
    (void)state;
    struct bench b;
    char at[8];
    size_t written;

    set_up(&b, cut_by_reset);
    peer_sleep_ms(20);
    assert_true(link_readable(b.l));
    assert_fails((int)link_read(b.l, at, 1, AMPLE, &b.err), &b.err, REASON_LOST);
    for (int i = 0; i < 3; i++)
        assert_fails(link_write(b.l, "x", 1, AMPLE, &written, &b.err), &b.err, REASON_LOST);
    assert_int_equal(written, 0);
    tear_down(&b);
}

static void deadlines_hold(void **state)
{
    (void)state;
    AUTO(mem_freep) char *bytes = mem_new(4 * LARGE, 1);
    struct bench b;
    size_t written;
    int64_t before;

    set_up(&b, sleep_on);
    before = clock_mono_ns();
    assert_fails((int)link_read(b.l, bytes, 1, SOON, &b.err), &b.err, REASON_TIMEOUT);
    assert_true(clock_mono_ns() - before >= 50 * NS_PER_MS);
    assert_fails(link_write(b.l, bytes, 4 * LARGE, SOON, &written, &b.err), &b.err, REASON_TIMEOUT);
    assert_true(written > 0 && written < 4 * LARGE);
    tear_down(&b);
}

static void a_large_write_arrives_whole(void **state)
{
    (void)state;
    AUTO(mem_freep) char *bytes = mem_new(LARGE, 1);
    struct bench b;
    size_t written;

    set_up(&b, greet_and_count);
    assert_ok(link_write(b.l, bytes, LARGE, AMPLE, &written, &b.err), &b.err);
    assert_int_equal(written, LARGE);
    tear_down(&b);
    assert_int_equal(b.p.got, LARGE);
}

static void bytes_that_tls_holds_are_readable(void **state)
{
    (void)state;
    struct bench b;
    char byte;

    set_up(&b, greet_and_count);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(link_read(b.l, &byte, 1, AMPLE, &b.err), 1);
        assert_int_equal(byte, "hello"[i]);
        if (i < 4)
            assert_int_equal(link_wait(b.l, LINK_READ, AMPLE, &b.err), 0);
        assert_int_equal(link_readable(b.l), i < 4);
    }
    assert_int_equal(link_wait(b.l, LINK_READ, SOON, &b.err), LINK_LATE);
    tear_down(&b);
}

static void what_comes_after_the_handshake_for_tls_alone_is_not_readable(void **state)
{
    (void)state;
    struct bench b;

    set_up(&b, sleep_on);
    peer_sleep_ms(30); /* TLS 1.3 tickets have come */
    assert_false(link_readable(b.l));
    tear_down(&b);
}

/* --- the server side --- */

static void echo_by_link(struct peer *p, int fd)
{
    struct err err = ERR_INIT;
    struct link *l = NULL;
    char at[64];
    size_t written;
    ssize_t n;

    int r = link_tls_accept(&l, link_tcp_adopt(dup(fd)), localhost.cert, localhost.key, AMPLE, &err);
    snprintf(p->text, sizeof(p->text), "%.200s", err.text);
    while (r == 0 && (n = link_read(l, at, sizeof(at), AMPLE, &err)) > 0)
        r = link_write(l, at, (size_t)n, AMPLE, &written, &err);
    p->ok = r == 0;
    link_close(l);
}

static void both_sides_are_ours(void **state)
{
    (void)state;
    const struct link_tls how = {.ca_file = localhost.cert};
    struct bench b = {0};
    char at[8];
    size_t written;

    peer_start(&b.p, echo_by_link, NULL);
    assert_ok(connect_as(&b, "localhost", &how, AMPLE), &b.err);
    assert_ok(link_write(b.l, "echo", 4, AMPLE, &written, &b.err), &b.err);
    assert_int_equal(link_read(b.l, at, sizeof(at), AMPLE, &b.err), 4);
    assert_memory_equal(at, "echo", 4);
    tear_down(&b);
    assert_true(b.p.ok);
}

static void a_server_refuses_a_plain_client(void **state)
{
    (void)state;
    struct bench b = {0};
    size_t written;

    peer_start(&b.p, echo_by_link, NULL);
    assert_ok(link_tcp_connect(&b.l, "127.0.0.1", b.p.port, AMPLE, &b.err), &b.err);
    assert_ok(link_write(b.l, GREETING, sizeof(GREETING), AMPLE, &written, &b.err), &b.err);
    tear_down(&b);
    assert_false(b.p.ok);
    assert_non_null(strstr(b.p.text, "without TLS, in plain Ice"));
}

static void a_server_needs_its_files_and_a_client_in_time(void **state)
{
    (void)state;
    int fds[2];
    struct link *l;
    struct err err = ERR_INIT;
    const struct { const char *cert, *key; enum reason why; const char *named; } cases[] = {
        {"/nowhere/a.crt", localhost.key, REASON_CONFIG, "certificate '/nowhere/a.crt'"},
        {localhost.cert, "/nowhere/a.key", REASON_CONFIG, "key '/nowhere/a.key'"},
        {localhost.cert, expired.key, REASON_CONFIG, "mismatch"},
        {localhost.cert, localhost.key, REASON_TIMEOUT, "in time"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_fails(link_tls_accept(&l, link_tcp_adopt(fds[0]), cases[i].cert, cases[i].key, SOON, &err), &err, cases[i].why);
        assert_non_null(strstr(err.text, cases[i].named));
        close(fds[1]);
    }
}

/* --- a connection on it --- */

static const struct ice_op nothing = {.interface = "::T::None", .name = "nothing", .mode = ICE_NORMAL};
static const struct ice_registry empty = {NULL, 0};
static const struct ice_identity target = {"n", "c"};

static void answer_once(struct peer *p, SSL *ssl)
{
    static const uint8_t reply[] = {'I', 'c', 'e', 'P', 1, 0, 1, 0, 2, 0, 25, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1};
    uint8_t request[256];

    p->ok = SSL_write(ssl, GREETING, sizeof(GREETING)) == sizeof(GREETING) && SSL_read(ssl, request, sizeof(request)) > 14
            && SSL_write(ssl, reply, sizeof(reply)) == sizeof(reply) && SSL_read(ssl, request, sizeof(request)) > 14;
    p->ok = p->ok && SSL_write(ssl, CLOSING, sizeof(CLOSING)) == sizeof(CLOSING);
    SSL_shutdown(ssl);
}

static void a_connection_works_over_tls(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct bench b;
    struct ice_conn *c;
    struct ice_reply reply;
    int32_t id;

    set_up(&b, answer_once);
    assert_ok(ice_conn_open(&c, STEAL(b.l), &empty, AMPLE, &b.err), &b.err);
    assert_ok(ice_conn_send(c, &target, &nothing, NULL, ICE_ENC_1_1, NULL, AMPLE, &id, &b.err), &b.err);
    assert_ok(ice_conn_wait(c, id, &nothing, AMPLE, mem, NULL, &reply, &b.err), &b.err);
    assert_int_equal(reply.status, ICE_OK);
    assert_ok(ice_conn_send(c, &target, &nothing, NULL, ICE_ENC_1_1, NULL, AMPLE, &id, &b.err), &b.err);
    assert_fails(ice_conn_wait(c, id, &nothing, AMPLE, mem, NULL, &reply, &b.err), &b.err, REASON_LOST);
    assert_int_equal(b.err.cls, ERR_RETRY);
    ice_conn_close(c);
    tear_down(&b);
    assert_true(b.p.ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_the_ca_file_is_trusted),
        cmocka_unit_test(the_systems_certificates_are_trusted_and_kept_for_a_while),
        cmocka_unit_test(an_unknown_certificate_is_refused_before_any_byte),
        cmocka_unit_test(the_caller_decides_with_all_that_is_known),
        cmocka_unit_test(a_certificate_must_be_for_the_name_and_the_time),
        cmocka_unit_test(a_hostile_common_name_is_shown_harmlessly),
        cmocka_unit_test(a_missing_ca_file_is_a_matter_of_configuration),
        cmocka_unit_test(tls_1_2_and_1_3_are_spoken),
        cmocka_unit_test(older_versions_are_not_spoken),
        cmocka_unit_test(anonymous_ciphers_need_a_word),
        cmocka_unit_test(with_anonymous_allowed_a_certificate_server_shows_its_certificate),
        cmocka_unit_test(a_peer_without_tls_is_told),
        cmocka_unit_test(a_goodbye_is_the_end),
        cmocka_unit_test(an_end_without_a_goodbye_is_a_loss),
        cmocka_unit_test(a_reset_is_a_loss_and_raises_no_signal),
        cmocka_unit_test(deadlines_hold),
        cmocka_unit_test(a_large_write_arrives_whole),
        cmocka_unit_test(bytes_that_tls_holds_are_readable),
        cmocka_unit_test(what_comes_after_the_handshake_for_tls_alone_is_not_readable),
        cmocka_unit_test(both_sides_are_ours),
        cmocka_unit_test(a_server_refuses_a_plain_client),
        cmocka_unit_test(a_server_needs_its_files_and_a_client_in_time),
        cmocka_unit_test(a_connection_works_over_tls),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
