/* Links over TCP: names, addresses, deadlines, ends of the stream. */
#include "../test.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ice/link.h"
#include "peer.h"

#define SOON clock_after_ns(50 * NS_PER_MS)
#define AMPLE clock_after_ns(10 * NS_PER_S)

/* --- a name server of our own: the names that the tests use --- */

static struct addrinfo *address(const char *text, const char *port, struct addrinfo *next)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in in;
    } *a = mem_new(1, sizeof(*a));

    a->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, text, &a->in.sin_addr);
    a->info = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addr = (struct sockaddr *)&a->in,
                                .ai_addrlen = sizeof(a->in), .ai_next = next};
    return &a->info;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
    struct in_addr unused;

    if (inet_pton(AF_INET, host, &unused) == 1)
        *out = address(host, port, NULL);
    else if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    else if (strcmp(host, "two.test") == 0)
        *out = address("127.0.0.2", port, address("127.0.0.1", port, NULL));
    else if (strcmp(host, "slow.test") == 0)
        peer_sleep_ms(200), *out = address("127.0.0.1", port, NULL);
    else if (strcmp(host, "system.test") == 0)
        return errno = EMFILE, EAI_SYSTEM;
    else
        return EAI_NONAME;
    return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
    for (struct addrinfo *next; a; a = next) {
        next = a->ai_next;
        free(a);
    }
}

/* --- players --- */

static void hello_then_drain(struct peer *p, int fd)
{
    p->ok = peer_send(fd, "hello", 5);
    shutdown(fd, SHUT_WR);
    p->got = peer_drain(fd);
}

static void say_nothing(struct peer *p, int fd)
{
    p->got = peer_drain(fd);
}

static void reset(struct peer *p, int fd)
{
    char byte;

    p->ok = peer_receive(fd, &byte, 1);
    peer_reset(fd);
}

static void close_at_once(struct peer *p, int fd)
{
    (void)fd;
    p->ok = true;
}

static void never_read(struct peer *p, int fd)
{
    (void)p;
    (void)fd;
    peer_sleep_ms(150);
}

/* --- tests --- */

static void a_connection_reads_writes_and_ends(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    char at[16];
    size_t written, n = 0;
    ssize_t r;

    peer_start(&p, hello_then_drain, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    while ((r = link_read(l, at + n, sizeof(at) - n, AMPLE, &err)) > 0)
        n += (size_t)r;
    assert_int_equal(r, 0);
    assert_memory_equal(at, "hello", 5);
    assert_int_equal(n, 5);
    assert_true(link_readable(l));
    assert_ok(link_write(l, "after its end", 13, AMPLE, &written, &err), &err);
    assert_int_equal(written, 13);
    link_close(l);
    peer_stop(&p);
    assert_true(p.ok);
    assert_int_equal(p.got, 13);
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void the_socket_is_set_up_as_the_header_says(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    char text[64];

    peer_start(&p, say_nothing, NULL);
    assert_ok(link_tcp_connect(&l, "two.test", p.port, AMPLE, &err), &err);
    assert_true(fcntl(link_fd(l), F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(link_fd(l), F_GETFD) & FD_CLOEXEC);
    assert_true(option(link_fd(l), IPPROTO_TCP, TCP_NODELAY));
    assert_true(option(link_fd(l), SOL_SOCKET, SO_KEEPALIVE));
    snprintf(text, sizeof(text), "tcp 127.0.0.1:%u", p.port);
    assert_string_equal(link_describe(l), text);
    snprintf(text, sizeof(text), "two.test:%u", p.port);
    assert_string_equal(link_peer(l), text);
    link_close(l);
    peer_stop(&p);
}

static void a_refused_connection_names_host_and_port(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    char text[128];

    peer_listen(&p);
    close(p.listener);
    assert_fails(link_tcp_connect(&l, "two.test", p.port, AMPLE, &err), &err, REASON_NO_SERVER);
    snprintf(text, sizeof(text), "connect to two.test:%u: Connection refused", p.port);
    assert_string_equal(err.text, text);
}

static void a_name_that_nobody_knows_is_no_server(void **state)
{
    (void)state;
    struct link *l;
    struct err err = ERR_INIT;

    assert_fails(link_tcp_connect(&l, "nowhere.test", 4064, AMPLE, &err), &err, REASON_NO_SERVER);
    assert_string_equal(err.text, "connect to nowhere.test:4064: look up host 'nowhere.test': Name or service not known");
    assert_fails(link_tcp_connect(&l, "system.test", 4064, AMPLE, &err), &err, REASON_NO_SERVER);
    assert_int_equal(err.sys, EMFILE);
}

static void a_look_up_ends_at_the_deadline(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    int64_t before = clock_mono_ns();

    assert_fails(link_tcp_connect(&l, "slow.test", 4064, SOON, &err), &err, REASON_TIMEOUT);
    assert_true(clock_mono_ns() - before < 150 * NS_PER_MS);
    assert_non_null(strstr(err.text, "slow.test:4064"));

    peer_start(&p, say_nothing, NULL);
    assert_ok(link_tcp_connect(&l, "slow.test", p.port, CLOCK_NEVER, &err), &err);
    link_close(l);
    peer_stop(&p);
    peer_sleep_ms(100); /* the look-up that was given up ends */
}

/* A listener whose queue is full: the kernel drops what asks for more. */
static void fill(uint16_t port, const char *host, int fds[3])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, host, &a.sin_addr);
    for (int i = 0; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(fds[i], (struct sockaddr *)&a, sizeof(a)); /* in progress for ever: that is the purpose */
    }
    peer_sleep_ms(20);
}

static void connecting_ends_at_the_deadline(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    int fds[3];

    peer_listen(&p);
    fill(p.port, "127.0.0.1", fds);
    int64_t before = clock_mono_ns();
    assert_fails(link_tcp_connect(&l, "127.0.0.1", p.port, SOON, &err), &err, REASON_TIMEOUT);
    assert_true(clock_mono_ns() - before >= 50 * NS_PER_MS);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close(p.listener);
}

static void a_silent_address_leaves_time_for_the_next(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    struct sockaddr_in a = {.sin_family = AF_INET};
    int fds[3], silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    peer_start(&p, say_nothing, NULL);
    a.sin_port = htons(p.port);
    inet_pton(AF_INET, "127.0.0.2", &a.sin_addr);
    assert_int_equal(bind(silent, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(silent, 0), 0);
    fill(p.port, "127.0.0.2", fds);
    assert_ok(link_tcp_connect(&l, "two.test", p.port, clock_after_ns(400 * NS_PER_MS), &err), &err);
    assert_non_null(strstr(link_describe(l), "127.0.0.1"));
    link_close(l);
    peer_stop(&p);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close(silent);
}

static void reading_ends_at_the_deadline(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    char byte;

    peer_start(&p, say_nothing, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    assert_false(link_readable(l));
    int64_t before = clock_mono_ns();
    assert_fails((int)link_read(l, &byte, 1, SOON, &err), &err, REASON_TIMEOUT);
    assert_true(clock_mono_ns() - before >= 50 * NS_PER_MS);
    assert_fails((int)link_read(l, &byte, 1, 0, &err), &err, REASON_TIMEOUT);
    link_close(l);
    peer_stop(&p);
}

static void a_reset_is_a_lost_connection(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    char byte = 'x';
    size_t written;

    peer_start(&p, reset, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    assert_ok(link_write(l, &byte, 1, AMPLE, &written, &err), &err);
    assert_fails((int)link_read(l, &byte, 1, AMPLE, &err), &err, REASON_LOST);
    assert_int_equal(err.sys, ECONNRESET);
    link_close(l);
    peer_stop(&p);
}

static void writing_to_a_closed_peer_raises_no_signal(void **state)
{
    (void)state;
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    size_t written;
    int r = 0;

    peer_start(&p, close_at_once, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    peer_stop(&p);
    for (int i = 0; i < 10 && r == 0; i++, peer_sleep_ms(5))
        r = link_write(l, "x", 1, AMPLE, &written, &err);
    assert_fails(r, &err, REASON_LOST);
    assert_int_equal(written, 0);
    link_close(l);
}

static void a_write_that_nobody_takes_ends_at_the_deadline(void **state)
{
    (void)state;
    enum { LARGE = 32 << 20 };
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    AUTO(mem_freep) char *bytes = mem_new(LARGE, 1);
    size_t written;

    peer_start(&p, never_read, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    assert_fails(link_write(l, bytes, LARGE, SOON, &written, &err), &err, REASON_TIMEOUT);
    assert_true(written > 0 && written < LARGE);
    link_close(l);
    peer_stop(&p);
}

static void a_large_write_arrives_whole(void **state)
{
    (void)state;
    enum { LARGE = 8 << 20 };
    struct peer p;
    struct link *l;
    struct err err = ERR_INIT;
    AUTO(mem_freep) char *bytes = mem_new(LARGE, 1);
    size_t written;

    peer_start(&p, say_nothing, NULL);
    assert_ok(link_tcp_connect(&l, "127.0.0.1", p.port, AMPLE, &err), &err);
    assert_ok(link_write(l, bytes, LARGE, AMPLE, &written, &err), &err);
    link_close(l);
    peer_stop(&p);
    assert_int_equal(p.got, LARGE);
}

static void a_socket_can_be_adopted(void **state)
{
    (void)state;
    int fds[2];
    struct err err = ERR_INIT;
    size_t written;
    char at[4];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct link *one = link_tcp_adopt(fds[0]), *other = link_tcp_adopt(fds[1]);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    assert_string_equal(link_peer(one), "peer without a name");
    assert_ok(link_write(one, "abcd", 4, AMPLE, &written, &err), &err);
    assert_true(link_readable(other));
    assert_int_equal(link_read(other, at, 4, AMPLE, &err), 4);
    link_close(one);
    assert_int_equal(link_read(other, at, 4, AMPLE, &err), 0);
    link_close(other);
    link_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_reads_writes_and_ends),
        cmocka_unit_test(the_socket_is_set_up_as_the_header_says),
        cmocka_unit_test(a_refused_connection_names_host_and_port),
        cmocka_unit_test(a_name_that_nobody_knows_is_no_server),
        cmocka_unit_test(a_look_up_ends_at_the_deadline),
        cmocka_unit_test(connecting_ends_at_the_deadline),
        cmocka_unit_test(a_silent_address_leaves_time_for_the_next),
        cmocka_unit_test(reading_ends_at_the_deadline),
        cmocka_unit_test(a_reset_is_a_lost_connection),
        cmocka_unit_test(writing_to_a_closed_peer_raises_no_signal),
        cmocka_unit_test(a_write_that_nobody_takes_ends_at_the_deadline),
        cmocka_unit_test(a_large_write_arrives_whole),
        cmocka_unit_test(a_socket_can_be_adopted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
