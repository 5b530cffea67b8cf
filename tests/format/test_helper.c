#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "format/helper.h"

struct place {
    char path[40];
    int fd;
    struct tree *tree;
    struct format_groups *groups;
};

static void put(const struct place *p, const char *name, const char *text, mode_t mode)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* A plate of Flex files, which are left to Bio-Formats, and something else beside it. */
static int make_place(void **state)
{
    struct err err = ERR_INIT;
    struct place *p = mem_new(1, sizeof(*p));

    strcpy(p->path, "/tmp/impomero-helper-XXXXXX");
    if (!mkdtemp(p->path) || (p->fd = io_open_dir(p->path, &err)) < 0)
        return -1;
    mkdirat(p->fd, "plate", 0700);
    put(p, "plate/001.flex", "x", 0600), put(p, "plate/002.flex", "x", 0600), put(p, "plate/readme.txt", "x", 0600);
    put(p, "a.pgm", "P5\n1 1\n255\nx", 0600);
    if (tree_scan(p->path, &p->tree, &err) < 0 || format_group_tree(p->tree, NULL, &p->groups, &err) < 0)
        return -1;
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s' '%s.sh'", p->path, p->path);
    int done = system(command);

    format_groups_free(p->groups);
    tree_free(p->tree);
    io_closep(&p->fd);
    free(p);
    return done;
}

/* Run a script as the helper.  It stands beside the tree: files made in it now are not in the snapshot. */
static int help(struct place *p, const char *script, int64_t timeout_s, struct err *err)
{
    AUTO(mem_freep) char *path = mem_printf("%s.sh", p->path);
    AUTO(mem_freep) char *text = mem_printf("#!/bin/sh\n%s\n", script);
    const struct format_helper helper = {.command = path, .timeout_s = timeout_s};
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
    return format_help(p->tree, p->path, &helper, p->groups, err);
}

static struct format_group group_at(const struct place *p, const char *target)
{
    for (size_t i = 0; i < p->groups->n; i++)
        if (strcmp(p->groups->at[i].target->path, target) == 0)
            return format_group_at(p->groups, i);
    fail_msg("no group of %s", target);
    return (struct format_group){0};
}

#define HEAD "echo '#======================================'; " \
             "echo \"# Group: $1/001.flex SPW: true Reader: loci.formats.in.FlexReader\"; "

static void its_groups_take_the_place_of_deferred_ones(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    assert_int_equal(group_at(p, "plate/001.flex").why, REASON_DEFERRED);
    assert_ok(help(p, HEAD "echo $1/001.flex; echo $1/002.flex", 60, &err), &err);

    const struct format_group g = group_at(p, "plate/001.flex");

    assert_int_equal(g.why, REASON_NONE);
    assert_int_equal(g.n_members, 2);
    assert_true(g.plate && g.helped);
    assert_string_equal(g.reader, "loci.formats.in.FlexReader");
    assert_int_equal(p->groups->n, 3); /* the picture and the text stand as they were */
}

static void what_it_does_not_speak_of_stays_deferred(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(help(p, HEAD "echo $1/001.flex", 60, &err), &err);
    assert_int_equal(group_at(p, "plate/001.flex").why, REASON_NONE);
    assert_int_equal(group_at(p, "plate/002.flex").why, REASON_DEFERRED);
    assert_ok(help(p, "exit 125", 60, &err), &err);
    assert_int_equal(group_at(p, "plate/002.flex").why, REASON_DEFERRED);
}

static void a_group_with_a_file_that_has_a_driver_is_not_taken(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(help(p, HEAD "echo $1/001.flex; echo $1/002.flex; echo $1/../a.pgm | sed s:plate/../::", 60, &err), &err);
    assert_int_equal(group_at(p, "plate/001.flex").why, REASON_DEFERRED);
    assert_int_equal(group_at(p, "a.pgm").why, REASON_NONE);
}

static void what_cannot_be_used_changes_nothing(void **state)
{
    static const struct {
        const char *script, *text;
    } rows[] = {
        {HEAD "echo /etc/passwd", "it names '/etc/passwd', which is no file of this directory tree"},
        {HEAD "echo $1/../plate/001.flex", "no file of this directory tree"},
        {HEAD "echo $1/nothing", "no file of this directory tree"},
        {HEAD, "a group without files"},
        {"echo $1/001.flex", "a file before any group"},
        {"echo '# Group: x SPW: perhaps Reader: y'", "no head of a group"},
        {"echo '# Group: x SPW: true Reader: a b'", "no head of a group"},
        {"exit 3", "it ended with status 3"},
        {"kill -9 $$", "it was ended by signal 9"},
        {"head -c 10 /dev/zero", "its answer is no text"},
        {"sleep 60 & sleep 60", "it did not end in time"},
    };
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;

        assert_fails(help(p, rows[i].script, strstr(rows[i].script, "sleep") ? 1 : 60, &err), &err, REASON_HELPER);
        if (!strstr(err.text, rows[i].text))
            fail_msg("row %zu: %s", i, err.text);
        assert_int_equal(group_at(p, "plate/001.flex").why, REASON_DEFERRED);
    }
}

static void a_program_that_is_not_there_says_so(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT, again = ERR_INIT;
    const struct format_helper absent = {.command = "/does/not/exist -f", .timeout_s = 5};
    const struct format_helper none = {.command = " ", .timeout_s = 5};

    assert_fails(format_help(p->tree, p->path, &absent, p->groups, &err), &err, REASON_HELPER);
    assert_fails(format_help(p->tree, p->path, &none, p->groups, &again), &again, REASON_CONFIG);
}

static void it_never_sees_a_password(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    setenv("OMERO_ROOT_PASSWORD", "secret", 1);
    assert_fails(help(p, "[ -z \"$OMERO_ROOT_PASSWORD\" ] && exit 7; exit 8", 60, &err), &err, REASON_HELPER);
    assert_non_null(strstr(err.text, "status 7"));
    unsetenv("OMERO_ROOT_PASSWORD");
}

#define in_place(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(its_groups_take_the_place_of_deferred_ones),
        in_place(what_it_does_not_speak_of_stays_deferred),
        in_place(a_group_with_a_file_that_has_a_driver_is_not_taken),
        in_place(what_cannot_be_used_changes_nothing),
        in_place(a_program_that_is_not_there_says_so),
        in_place(it_never_sees_a_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
