/* Watching real temporary directories, and events that the system cannot be made to send. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tree/watch_inside.h"

struct bench {
    char dir[40];
    struct watch *w;
};

static char *path(const struct bench *b, const char *name)
{
    return mem_printf("%s/%s", b->dir, name);
}

static void make_dir(const struct bench *b, const char *name)
{
    AUTO(mem_freep) char *full = path(b, name);

    assert_int_equal(mkdir(full, 0700), 0);
}

static void put(const struct bench *b, const char *name)
{
    AUTO(mem_freep) char *full = path(b, name);
    int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void move(const struct bench *b, const char *from, const char *to)
{
    AUTO(mem_freep) char *old = path(b, from);
    AUTO(mem_freep) char *new = path(b, to);

    assert_int_equal(rename(old, new), 0);
}

/* Local disks or memory: elsewhere nothing of this can be tried. */
static bool is_local(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool local = fd >= 0 && watch_is_local(fd);

    close(fd);
    return local;
}

static int begin(void **state)
{
    struct bench *b = mem_new(1, sizeof(*b));

    strcpy(b->dir, "/tmp/impomero-watch-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    make_dir(b, "r");
    make_dir(b, "r/sub");
    AUTO(mem_freep) char *root = path(b, "r");

    b->w = watch_new();
    assert_int_equal(watch_add(b->w, root), 0);
    *state = b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", b->dir);

    watch_free(b->w);
    assert_int_equal(system(command), 0);
    free(b);
    return 0;
}

/* As an engine does it: watch, forget what led to it, look. */
static void look(struct bench *b)
{
    if (!is_local(b->dir))
        skip();
    assert_null(watch_refresh(b->w, 0));
    watch_read(b->w);
    watch_take(b->w, 0);
}

static bool told(struct bench *b)
{
    struct pollfd p = {.fd = watch_fd(b->w), .events = POLLIN};

    poll(&p, 1, 200);
    watch_read(b->w);
    return watch_take(b->w, 0);
}

static void a_new_root_counts_as_changed_once(void **state)
{
    struct bench *b = *state;

    assert_true(watch_take(b->w, 0));
    assert_false(watch_take(b->w, 0));
}

static void what_happens_to_files_is_told(void **state)
{
    struct bench *b = *state;
    AUTO(mem_freep) char *file = path(b, "r/sub/a");

    look(b);
    assert_false(told(b));
    put(b, "r/sub/a");
    assert_true(told(b));
    put(b, "outside");
    assert_false(told(b));
    move(b, "outside", "r/b");
    assert_true(told(b));
    assert_int_equal(chmod(file, 0400), 0);
    assert_true(told(b));
    move(b, "r/b", "r/sub/b");
    assert_true(told(b));
    assert_int_equal(unlink(file), 0);
    assert_true(told(b));
}

static void hidden_names_are_not_told(void **state)
{
    struct bench *b = *state;

    look(b);
    put(b, "r/.part");
    make_dir(b, "r/.dir");
    assert_false(told(b));
    move(b, "r/.part", "r/whole");
    assert_true(told(b));
    look(b);
    put(b, "r/.dir/x");
    assert_false(told(b));
}

static void new_nested_directories_are_watched_after_the_next_refresh(void **state)
{
    struct bench *b = *state;

    look(b);
    make_dir(b, "r/n");
    make_dir(b, "r/n/m");
    assert_true(told(b));
    look(b);
    assert_int_equal(watch_count(b->w), 4);
    put(b, "r/n/m/deep");
    assert_true(told(b));
}

static void a_directory_that_is_moved_in_is_watched_and_one_that_is_moved_out_is_not(void **state)
{
    struct bench *b = *state;

    make_dir(b, "other");
    make_dir(b, "other/d");
    look(b);
    move(b, "other", "r/in");
    move(b, "r/sub", "out");
    assert_true(told(b));
    look(b);
    assert_int_equal(watch_count(b->w), 3);
    put(b, "r/in/d/x");
    assert_true(told(b));
    put(b, "out/x");
    assert_false(told(b));
}

static void a_renamed_directory_stays_watched(void **state)
{
    struct bench *b = *state;

    look(b);
    move(b, "r/sub", "r/new name");
    assert_true(told(b));
    look(b);
    put(b, "r/new name/x");
    assert_true(told(b));
}

static void a_directory_that_is_removed_is_told_and_forgotten(void **state)
{
    struct bench *b = *state;
    AUTO(mem_freep) char *sub = path(b, "r/sub");

    look(b);
    assert_int_equal(rmdir(sub), 0);
    assert_true(told(b));
    assert_int_equal(watch_count(b->w), 1);
}

static void links_are_not_followed(void **state)
{
    struct bench *b = *state;
    AUTO(mem_freep) char *out = path(b, "out");
    AUTO(mem_freep) char *link = path(b, "r/link");

    make_dir(b, "out");
    assert_int_equal(symlink(out, link), 0);
    look(b);
    assert_int_equal(watch_count(b->w), 2);
    put(b, "out/x");
    assert_false(told(b));
}

static void a_root_that_goes_is_told_and_found_again_when_it_is_back(void **state)
{
    struct bench *b = *state;

    look(b);
    move(b, "r", "elsewhere");
    assert_true(told(b));
    assert_non_null(watch_refresh(b->w, 0));
    assert_int_equal(watch_count(b->w), 0);
    make_dir(b, "r");
    look(b);
    put(b, "r/x");
    assert_true(told(b));
}

static void lost_events_mean_that_all_is_looked_at_and_watched_anew(void **state)
{
    struct bench *b = *state;
    AUTO(mem_freep) char *other = path(b, "other");

    make_dir(b, "other");
    assert_int_equal(watch_add(b->w, other), 1);
    look(b);
    assert_null(watch_refresh(b->w, 1));
    watch_take(b->w, 1);
    watch_event(b->w, &(struct inotify_event){.wd = -1, .mask = IN_Q_OVERFLOW}, "");
    assert_true(watch_take(b->w, 0));
    assert_true(watch_take(b->w, 1));
    assert_null(watch_refresh(b->w, 0));
    put(b, "r/sub/x");
    assert_true(told(b));
}

static void an_unmounted_part_means_a_new_look(void **state)
{
    struct bench *b = *state;

    look(b);
    watch_event(b->w, &(struct inotify_event){.wd = 1, .mask = IN_UNMOUNT}, "");
    assert_true(watch_take(b->w, 0));
    watch_event(b->w, &(struct inotify_event){.wd = 1, .mask = IN_IGNORED}, "");
    assert_int_equal(watch_count(b->w), 1);
    assert_null(watch_refresh(b->w, 0));
    assert_int_equal(watch_count(b->w), 2);
}

static void an_event_of_no_watch_is_nothing(void **state)
{
    struct bench *b = *state;

    look(b);
    watch_event(b->w, &(struct inotify_event){.wd = 12345, .mask = IN_CREATE}, "");
    assert_false(watch_take(b->w, 0));
}

static void too_many_directories_make_a_root_blind_and_say_so(void **state)
{
    struct bench *b = *state;

    if (!is_local(b->dir))
        skip();
    watch_set_max(b->w, 1);
    assert_non_null(strstr(watch_refresh(b->w, 0), "max_user_watches"));
    assert_int_equal(watch_count(b->w), 1);
    watch_set_max(b->w, 10);
    assert_null(watch_refresh(b->w, 0));
    assert_int_equal(watch_count(b->w), 2);
}

static void a_root_that_is_not_there_is_blind(void **state)
{
    struct bench *b = *state;

    assert_int_equal(watch_add(b->w, "/nonexistent/impomero"), 1);
    assert_non_null(watch_refresh(b->w, 1));
}

/* Numbers of linux/magic.h. */
static void network_file_systems_are_not_local(void **state)
{
    (void)state;
    assert_true(watch_is_local_type(0xEF53));
    assert_true(watch_is_local_type(0x01021994));
    assert_false(watch_is_local_type(0x6969));     /* NFS */
    assert_false(watch_is_local_type(0xFF534D42)); /* CIFS */
    assert_false(watch_is_local_type(0xFE534D42)); /* SMB2 */
    assert_false(watch_is_local_type(0x65735546)); /* FUSE */
    assert_false(watch_is_local_type(0x9FA0));     /* proc */
}

#define BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(a_new_root_counts_as_changed_once),
        BENCH(what_happens_to_files_is_told),
        BENCH(hidden_names_are_not_told),
        BENCH(new_nested_directories_are_watched_after_the_next_refresh),
        BENCH(a_directory_that_is_moved_in_is_watched_and_one_that_is_moved_out_is_not),
        BENCH(a_renamed_directory_stays_watched),
        BENCH(a_directory_that_is_removed_is_told_and_forgotten),
        BENCH(links_are_not_followed),
        BENCH(a_root_that_goes_is_told_and_found_again_when_it_is_back),
        BENCH(lost_events_mean_that_all_is_looked_at_and_watched_anew),
        BENCH(an_unmounted_part_means_a_new_look),
        BENCH(an_event_of_no_watch_is_nothing),
        BENCH(too_many_directories_make_a_root_blind_and_say_so),
        BENCH(a_root_that_is_not_there_is_blind),
        cmocka_unit_test(network_file_systems_are_not_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
