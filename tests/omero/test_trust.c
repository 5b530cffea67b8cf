#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "omero/trust.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char dir[] = "/tmp/impomero-trust-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/known_servers", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static int no_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static struct om_trust trust_with_file(void)
{
    struct om_trust t = OM_TRUST_INIT;

    t.known_servers = path;
    return t;
}

static struct link_cert self_signed(const char *sha256)
{
    struct link_cert cert = {.why = "self-signed certificate", .subject = "localhost"};

    snprintf(cert.sha256, sizeof(cert.sha256), "%s", sha256);
    return cert;
}

static void a_vouched_for_certificate_is_trusted(void **state)
{
    (void)state;
    struct om_trust t = OM_TRUST_INIT;
    struct link_cert cert = {.sha256 = A, .chain_ok = true, .name_ok = true};
    struct err err;

    assert_int_equal(om_trust_decide(&t, "omero.example.org", 4064, &cert, &err), LINK_TRUST);
    cert.name_ok = false;
    assert_fails(om_trust_decide(&t, "omero.example.org", 4064, &cert, &err), &err, REASON_CERTIFICATE);
}

static void the_first_on_loopback_is_kept_and_a_second_refused(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct link_cert first = self_signed(A), second = self_signed(B);
    struct stat st;
    struct err err;

    assert_int_equal(om_trust_decide(&t, "localhost", 4064, &first, &err), LINK_TRUST);
    assert_int_equal(om_trust_decide(&t, "localhost", 4064, &first, &err), LINK_TRUST);
    assert_fails(om_trust_decide(&t, "localhost", 4064, &second, &err), &err, REASON_CERTIFICATE);
    assert_non_null(strstr(err.text, A));
    assert_non_null(strstr(err.text, B));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void an_unknown_one_is_refused_with_fingerprint_and_command(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct link_cert cert = self_signed(A);
    struct err err;

    assert_fails(om_trust_decide(&t, "omero.example.org", 4064, &cert, &err), &err, REASON_CERTIFICATE);
    assert_non_null(strstr(err.text, A));
    assert_non_null(strstr(err_hint_text(&err), "impomero doctor --pin"));
    assert_int_equal(access(path, F_OK), -1);
}

static void a_pinned_one_is_trusted_at_its_port_only(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct link_cert cert = self_signed(A);
    struct err err;

    assert_ok(om_trust_pin(&t, "omero.example.org", 4064, A, &err), &err);
    assert_int_equal(om_trust_decide(&t, "OMERO.example.org", 4064, &cert, &err), LINK_TRUST);
    assert_fails(om_trust_decide(&t, "omero.example.org", 14064, &cert, &err), &err, REASON_CERTIFICATE);
    assert_fails(om_trust_decide(&t, "omero.example.or", 4064, &cert, &err), &err, REASON_CERTIFICATE);
}

static void a_later_pin_wins(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    char known[65];
    struct err err;

    assert_ok(om_trust_pin(&t, "::1", 4064, A, &err), &err);
    assert_ok(om_trust_pin(&t, "::1", 4064, B, &err), &err);
    assert_int_equal(om_trust_known(&t, "::1", 4064, known, &err), 0);
    assert_string_equal(known, B);
    assert_int_equal(om_trust_known(&t, "::1", 4065, known, &err), OM_TRUST_UNKNOWN);
}

static void no_certificate_needs_an_explicit_word(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct link_cert cert = {.anonymous = true};
    struct err err;

    assert_fails(om_trust_decide(&t, "localhost", 4064, &cert, &err), &err, REASON_CERTIFICATE);
    t.allow_anonymous = true;
    assert_int_equal(om_trust_decide(&t, "localhost", 4064, &cert, &err), LINK_TRUST);
}

static bool says_yes(void *arg, const char *host, uint16_t port, const struct link_cert *cert, const char *known)
{
    *(bool *)arg = true;
    return strcmp(host, "far.example.org") == 0 && port == 4064 && cert && !known;
}

static void a_person_may_accept_it_once(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct link_cert cert = self_signed(A);
    bool asked = false;
    struct err err;

    t.ask = says_yes;
    t.ask_arg = &asked;
    assert_int_equal(om_trust_decide(&t, "far.example.org", 4064, &cert, &err), LINK_TRUST);
    assert_true(asked);
    asked = false;
    assert_int_equal(om_trust_decide(&t, "far.example.org", 4064, &cert, &err), LINK_TRUST);
    assert_false(asked);
}

static void lines_that_are_not_understood_mean_nothing_and_stay(void **state)
{
    (void)state;
    static const char text[] =
        "# localhost:4064 " A "\nlocalhost:4064\nlocalhost:4064 short\nlocalhost:4064 " A "0\nlocalhost:40640 " A
        "\nlocalhost:4064" A "\n\0\xff\nlocalhost:4064 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct om_trust t = trust_with_file();
    char known[65], again[1024] = "";
    struct err err;

    write_file(text, sizeof(text) - 1);
    assert_int_equal(om_trust_known(&t, "localhost", 4064, known, &err), OM_TRUST_UNKNOWN);
    assert_ok(om_trust_pin(&t, "localhost", 4064, B, &err), &err);
    assert_int_equal(om_trust_known(&t, "localhost", 4064, known, &err), 0);
    assert_string_equal(known, B);

    FILE *f = fopen(path, "r");
    assert_true(fread(again, 1, sizeof(again), f) > sizeof(text));
    fclose(f);
    assert_memory_equal(again, text, sizeof(text) - 1);
}

static void the_last_line_needs_no_end_and_may_have_blanks(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    char known[65];
    struct err err;

    write_file("localhost:4064 \t " A " \r", strlen("localhost:4064 \t " A " \r"));
    assert_int_equal(om_trust_known(&t, "localhost", 4064, known, &err), 0);
    assert_string_equal(known, A);
}

static void a_file_over_the_ceiling_is_an_error(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    AUTO(mem_freep) char *big = mem_new(1, (1u << 20) + 1);
    char known[65];
    struct err err;

    memset(big, '#', (1u << 20) + 1);
    write_file(big, (1u << 20) + 1);
    assert_fails(om_trust_known(&t, "localhost", 4064, known, &err), &err, REASON_TOO_LARGE);
}

static void a_fingerprint_that_is_none_is_not_kept(void **state)
{
    (void)state;
    struct om_trust t = trust_with_file();
    struct err err;

    assert_fails(om_trust_pin(&t, "localhost", 4064, "xyz\nevil:4064 " A, &err), &err, REASON_BUG);
    assert_int_equal(access(path, F_OK), -1);
}

static void loopback_is_the_machine_itself(void **state)
{
    (void)state;
    assert_true(om_is_loopback("localhost"));
    assert_true(om_is_loopback("127.0.0.1"));
    assert_true(om_is_loopback("127.9.9.9"));
    assert_true(om_is_loopback("::1"));
    assert_false(om_is_loopback("localhost.example.org"));
    assert_false(om_is_loopback("127.0.0.1.example.org"));
    assert_false(om_is_loopback("10.0.0.1"));
    assert_false(om_is_loopback("::2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vouched_for_certificate_is_trusted),
        cmocka_unit_test_setup(the_first_on_loopback_is_kept_and_a_second_refused, no_file),
        cmocka_unit_test_setup(an_unknown_one_is_refused_with_fingerprint_and_command, no_file),
        cmocka_unit_test_setup(a_pinned_one_is_trusted_at_its_port_only, no_file),
        cmocka_unit_test_setup(a_later_pin_wins, no_file),
        cmocka_unit_test_setup(no_certificate_needs_an_explicit_word, no_file),
        cmocka_unit_test_setup(a_person_may_accept_it_once, no_file),
        cmocka_unit_test_setup(lines_that_are_not_understood_mean_nothing_and_stay, no_file),
        cmocka_unit_test_setup(the_last_line_needs_no_end_and_may_have_blanks, no_file),
        cmocka_unit_test_setup(a_file_over_the_ceiling_is_an_error, no_file),
        cmocka_unit_test_setup(a_fingerprint_that_is_none_is_not_kept, no_file),
        cmocka_unit_test(loopback_is_the_machine_itself),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
