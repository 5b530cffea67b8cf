#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

static char top[] = "/tmp/impomero-io-XXXXXX";
static int top_fd = -1;

static void put(const char *name, const char *text)
{
    int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int make_top(void **state)
{
    (void)state;
    struct err err = ERR_INIT;

    if (!mkdtemp(top) || (top_fd = io_open_dir(top, &err)) < 0)
        return -1;
    mkdirat(top_fd, "sub", 0700);
    put("sub/file", "hello");
    return 0;
}

static int remove_top(void **state)
{
    (void)state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", top);

    io_closep(&top_fd);
    return system(command);
}

static void a_file_is_opened_and_read_whole(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buf b = BUF_INIT(5);
    AUTO(io_closep) int fd = io_open_beneath(top_fd, "sub/file", &err);

    assert_ok(fd, &err);
    assert_ok(io_read_all(fd, &b, &err), &err);
    assert_int_equal(b.len, 5);
    assert_memory_equal(b.data, "hello", 5);
    buf_clear(&b);
}

static void a_file_above_the_ceiling_is_refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buf b = BUF_INIT(4);
    AUTO(io_closep) int fd = io_open_beneath(top_fd, "sub/file", &err);

    assert_fails(io_read_all(fd, &b, &err), &err, REASON_TOO_LARGE);
    buf_clear(&b);
}

static void nothing_leads_out_of_the_directory(void **state)
{
    (void)state;
    struct err err = ERR_INIT;

    assert_int_equal(symlinkat("sub/file", top_fd, "link"), 0);
    assert_int_equal(symlinkat("sub", top_fd, "linked"), 0);
    assert_fails(io_open_beneath(top_fd, "link", &err), &err, REASON_LINK);
    assert_fails(io_open_beneath(top_fd, "linked/file", &err), &err, REASON_LINK);
    assert_fails(io_open_beneath(top_fd, "../../etc/passwd", &err), &err, REASON_LINK);
    assert_fails(io_open_beneath(top_fd, "/etc/passwd", &err), &err, REASON_LINK);
}

static void what_is_no_file_is_told_without_waiting(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    AUTO(io_closep) int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_int_equal(mkfifoat(top_fd, "fifo", 0600), 0);
    assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", top) > 0);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);

    assert_fails(io_open_beneath(top_fd, "fifo", &err), &err, REASON_NOT_REGULAR);
    assert_fails(io_open_beneath(top_fd, "socket", &err), &err, REASON_NOT_REGULAR);
    assert_fails(io_open_beneath(top_fd, "sub", &err), &err, REASON_NOT_REGULAR);
    assert_fails(io_open_beneath(top_fd, "absent", &err), &err, REASON_GONE);
    assert_fails(io_open_beneath(top_fd, "sub/file/below", &err), &err, REASON_GONE);
    assert_fails(io_open_dir("/dev/null/nothing", &err), &err, REASON_GONE);
}

static void what_may_not_be_read_is_told(void **state)
{
    (void)state;
    struct err err = ERR_INIT;

    if (geteuid() == 0)
        skip(); /* root reads everything */
    put("secret", "x");
    assert_int_equal(fchmodat(top_fd, "secret", 0, 0), 0);
    assert_fails(io_open_beneath(top_fd, "secret", &err), &err, REASON_UNREADABLE);
}

static void a_read_is_short_only_at_the_end(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char at[8];
    AUTO(io_closep) int fd = io_open_beneath(top_fd, "sub/file", &err);

    assert_int_equal(io_pread(fd, at, 2, 1, &err), 2);
    assert_memory_equal(at, "el", 2);
    assert_int_equal(io_pread(fd, at, 8, 3, &err), 2);
    assert_int_equal(io_pread(fd, at, 8, 99, &err), 0);
    assert_fails(io_pread(fd, at, 8, -1, &err), &err, REASON_UNREADABLE);
    assert_fails((int)io_pread(-1, at, 8, 0, &err), &err, REASON_UNREADABLE);
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct stat st;
    struct buf b = BUF_INIT(100);
    AUTO(mem_freep) char *path = mem_printf("%s/replaced", top);
    AUTO(mem_freep) char *nowhere = mem_printf("%s/no/such", top);

    put("replaced", "something longer");
    assert_ok(io_replace(path, "new", 3, 0640, &err), &err);
    AUTO(io_closep) int fd = io_open_beneath(top_fd, "replaced", &err);
    assert_ok(io_read_all(fd, &b, &err), &err);
    assert_int_equal(b.len, 3);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_fails(io_replace(nowhere, "x", 1, 0600, &err), &err, REASON_GONE);
    buf_clear(&b);
}

static void directories_are_made_down_to_the_last(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct stat st;
    AUTO(mem_freep) char *path = mem_printf("%s/a/b/c", top);
    AUTO(mem_freep) char *through = mem_printf("%s/sub/file/x", top);
    AUTO(mem_freep) char *file = mem_printf("%s/sub/file", top);

    assert_ok(io_make_dirs(path, &err), &err);
    assert_ok(io_make_dirs(path, &err), &err);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_fails(io_make_dirs(through, &err), &err, REASON_GONE);
    assert_fails(io_make_dirs(file, &err), &err, REASON_GONE);
}

static void a_file_that_somebody_writes_is_told(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    int writer = openat(top_fd, "sub/file", O_WRONLY | O_APPEND | O_CLOEXEC);
    AUTO(io_closep) int fd = io_open_beneath(top_fd, "sub/file", &err);

    assert_true(writer >= 0 && fd >= 0);
    assert_int_equal(io_is_written(fd), 1);
    close(writer);
    assert_int_equal(io_is_written(fd), 0);
    writer = openat(top_fd, "sub/file", O_WRONLY | O_CLOEXEC); /* the lease was given back: this does not wait */
    assert_true(writer >= 0);
    close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_opened_and_read_whole),
        cmocka_unit_test(a_file_above_the_ceiling_is_refused),
        cmocka_unit_test(nothing_leads_out_of_the_directory),
        cmocka_unit_test(what_is_no_file_is_told_without_waiting),
        cmocka_unit_test(what_may_not_be_read_is_told),
        cmocka_unit_test(a_read_is_short_only_at_the_end),
        cmocka_unit_test(a_file_that_somebody_writes_is_told),
        cmocka_unit_test(a_file_is_replaced_as_a_whole),
        cmocka_unit_test(directories_are_made_down_to_the_last),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
