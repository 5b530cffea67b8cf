/* Between the look at a tree and the upload, what lies there is swapped for something else: whatever is opened then must be
 * what was looked at. */
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/work.h"

enum { BYTES = 8 };

/* A directory with the tree `tree` (day/a.tif), and `other` with as many bytes of somebody else's. */
struct bench {
    char top[32];
    char *tree, *store;
    const char *into[2];
    struct settings settings;
    struct settings_root root;
    struct engine_job job;
    struct engine engine;
    struct ledger_member member;
    struct work work;
};

static char *at(const struct bench *b, const char *path)
{
    return mem_printf("%s/%s", b->top, path);
}

static void put(const struct bench *b, const char *path, const char *bytes)
{
    AUTO(mem_freep) char *full = at(b, path);
    FILE *f = fopen(full, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, BYTES, f), BYTES);
    fclose(f);
}

/* As size and time go, the two cannot be told apart. */
static void same_times(const struct bench *b, const char *path)
{
    AUTO(mem_freep) char *full = at(b, path);
    const struct timespec t[2] = {{1000000000, 5}, {1000000000, 5}};

    assert_int_equal(utimensat(AT_FDCWD, full, t, 0), 0);
}

static void moved(const struct bench *b, const char *from, const char *to)
{
    AUTO(mem_freep) char *a = at(b, from);
    AUTO(mem_freep) char *z = at(b, to);

    assert_int_equal(rename(a, z), 0);
}

static void linked(const struct bench *b, const char *target, const char *path)
{
    AUTO(mem_freep) char *full = at(b, path);
    AUTO(mem_freep) char *to = strncmp(target, "/proc", 5) == 0 ? mem_str(target) : at(b, target);

    assert_int_equal(symlink(to, full), 0);
}

static void by_nothing(const struct bench *b)
{
    (void)b;
}

static void by_another_file(const struct bench *b)
{
    moved(b, "other/a.tif", "tree/day/a.tif");
}

static void by_a_link(const struct bench *b)
{
    moved(b, "tree/day/a.tif", "a.tif");
    linked(b, "other/a.tif", "tree/day/a.tif");
}

static void by_a_link_to_itself(const struct bench *b)
{
    moved(b, "tree/day/a.tif", "a.tif");
    linked(b, "a.tif", "tree/day/a.tif");
}

static void by_a_hard_link(const struct bench *b)
{
    AUTO(mem_freep) char *theirs = at(b, "other/a.tif");
    AUTO(mem_freep) char *ours = at(b, "tree/day/a.tif");

    assert_int_equal(unlink(ours), 0);
    assert_int_equal(link(theirs, ours), 0);
}

static void directory_by_a_link(const struct bench *b)
{
    moved(b, "tree/day", "day");
    linked(b, "other", "tree/day");
}

static void directory_by_another(const struct bench *b)
{
    moved(b, "tree/day", "day");
    moved(b, "other", "tree/day");
}

static void directory_by_a_magic_link(const struct bench *b)
{
    moved(b, "tree/day", "day");
    linked(b, "/proc/self/cwd", "tree/day");
}

static void root_by_a_link(const struct bench *b)
{
    AUTO(mem_freep) char *other = at(b, "other/day");

    moved(b, "tree", "away");
    assert_int_equal(mkdir(other, 0700), 0);
    moved(b, "other/a.tif", "other/day/a.tif");
    linked(b, "other", "tree");
}

static void followed_link_by_one_elsewhere(const struct bench *b)
{
    moved(b, "tree/day", "store/day");
    linked(b, "other", "tree/day");
}

static void followed_link_by_one_within(const struct bench *b)
{
    moved(b, "tree/day", "day");
    moved(b, "other", "store/other");
    linked(b, "store/other", "tree/day");
}

static void by_a_pipe(const struct bench *b)
{
    AUTO(mem_freep) char *ours = at(b, "tree/day/a.tif");

    assert_int_equal(unlink(ours), 0);
    assert_int_equal(mkfifo(ours, 0600), 0);
}

static void by_a_directory(const struct bench *b)
{
    AUTO(mem_freep) char *ours = at(b, "tree/day/a.tif");

    assert_int_equal(unlink(ours), 0);
    assert_int_equal(mkdir(ours, 0700), 0);
}

static void by_other_bytes(const struct bench *b)
{
    put(b, "tree/day/a.tif", "changed!");
}

static void by_nobody(const struct bench *b)
{
    AUTO(mem_freep) char *ours = at(b, "tree/day/a.tif");

    assert_int_equal(unlink(ours), 0);
}

static void to_another_user(const struct bench *b)
{
    ((struct bench *)b)->work.f.user = "bob";
}

static const struct attempt {
    const char *what;
    void (*swap)(const struct bench *b);
    enum reason why;
    const char *says;
} attempts[] = {
    {"nothing", by_nothing, REASON_NONE, NULL},
    {"the file by another of same size and times", by_another_file, REASON_CHANGED, "another file than was looked at"},
    {"the file by a link to somebody else's", by_a_link, REASON_LINK, "day/a.tif"},
    {"the file by a link to itself", by_a_link_to_itself, REASON_LINK, "day/a.tif"},
    {"the file by a hard link to somebody else's", by_a_hard_link, REASON_CHANGED, "another file than was looked at"},
    {"its directory by a link", directory_by_a_link, REASON_LINK, "day/a.tif"},
    {"its directory by somebody else's", directory_by_another, REASON_CHANGED, "another file than was looked at"},
    {"its directory by a link of the process's own", directory_by_a_magic_link, REASON_LINK, "day/a.tif"},
    {"the root by a link", root_by_a_link, REASON_CHANGED, "another file than was looked at"},
    {"its directory by a link elsewhere than links may lead", followed_link_by_one_elsewhere, REASON_LINK, "day/a.tif"},
    {"its directory by a link to another place where they may", followed_link_by_one_within, REASON_CHANGED, "another file"},
    {"the file by a pipe", by_a_pipe, REASON_NOT_REGULAR, "day/a.tif"},
    {"the file by a directory", by_a_directory, REASON_NOT_REGULAR, "day/a.tif"},
    {"its bytes", by_other_bytes, REASON_CHANGED, "it changed since it was looked at"},
    {"the file by nothing", by_nobody, REASON_GONE, "day/a.tif"},
    {"the card by one for somebody whom the list does not name", to_another_user, REASON_REFUSED, "'allow' does not name"},
};

static void begin(struct bench *b)
{
    static const char *const dirs[] = {"tree", "tree/day", "other", "store"};
    static const char *const allow[] = {"day = alice", NULL};
    struct stat st;

    *b = (struct bench){.top = "/tmp/impomero-swap-XXXXXX"};
    assert_non_null(mkdtemp(b->top));
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        AUTO(mem_freep) char *path = at(b, dirs[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    put(b, "tree/day/a.tif", "original");
    put(b, "other/a.tif", "stranger");
    same_times(b, "tree/day/a.tif");
    same_times(b, "other/a.tif");
    AUTO(mem_freep) char *file = at(b, "tree/day/a.tif");
    assert_int_equal(stat(file, &st), 0);
    b->tree = at(b, "tree");
    b->into[0] = b->store = at(b, "store");
    b->root = (struct settings_root){.name = "r", .path = b->tree,
                                     .set = {.policy = "list", .allow = allow, .follow_into = b->into}};
    b->settings = (struct settings){.roots = &b->root, .n_roots = 1};
    b->job = (struct engine_job){.settings = &b->settings};
    b->engine = (struct engine){.job = &b->job};
    b->member = (struct ledger_member){.path = "day/a.tif", .stamp = {.size = BYTES, .mtime_ns = INT64_C(1000000000000000005),
                                                                     .ctime_ns = 0, .ino = st.st_ino}};
    b->work = (struct work){.e = &b->engine, .root = -1, .f = {.root_path = b->tree, .path = "day/a.tif", .user = "alice",
                                                               .members = &b->member, .n_members = 1}};
}

static void end(struct bench *b)
{
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", b->top);

    io_closep(&b->work.root);
    assert_int_equal(system(command), 0);
    free(b->tree);
    free(b->store);
}

static void what_is_opened_is_what_was_looked_at(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        const struct attempt *a = &attempts[i];
        struct err err = ERR_INIT;
        struct bench b;

        begin(&b);
        a->swap(&b);
        int r = work_check_files(&b.work, &err);
        if (r != (a->why == REASON_NONE ? 0 : -1) || err.why != a->why)
            fail_msg("%s: %d, %s: %s", a->what, r, reason_row(err.why)->name, err.text);
        if (a->says && !strstr(err.text, a->says))
            fail_msg("%s: '%s' does not say \"%s\"", a->what, err.text, a->says);
        end(&b);
    }
}

/* The root is open already when the upload begins: a swap of what lies above changes nothing any more. */
static void a_root_that_is_open_stays_the_same(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct bench b;

    begin(&b);
    assert_ok(work_check_files(&b.work, &err), &err);
    root_by_a_link(&b);
    assert_ok(work_check_files(&b.work, &err), &err);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_opened_is_what_was_looked_at),
        cmocka_unit_test(a_root_that_is_open_stays_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
