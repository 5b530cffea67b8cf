#include "../test.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"
#include "tree/scan.h"

struct place {
    char path[32];
    int fd;
};

static int make_place(void **state)
{
    struct err err = ERR_INIT;
    struct place *p = mem_new(1, sizeof(*p));

    strcpy(p->path, "/tmp/impomero-tree-XXXXXX");
    if (!mkdtemp(p->path) || (p->fd = io_open_dir(p->path, &err)) < 0)
        return -1;
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    AUTO(mem_freep) char *command = mem_printf("chmod -R u+rwx '%s'; rm -rf '%s'", p->path, p->path);
    int done = system(command);

    io_closep(&p->fd);
    free(p);
    return done;
}

static void put(const struct place *p, const char *name)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void dir(const struct place *p, const char *name)
{
    assert_int_equal(mkdirat(p->fd, name, 0700), 0);
}

static enum reason skip_at(const struct tree *t, const char *path)
{
    const struct tree_entry *e = tree_find(t, path);

    assert_non_null(e);
    assert_string_equal(e->path, path);
    return e->skip;
}

static void entries_come_by_directory_then_by_name(void **state)
{
    const struct place *p = *state;
    static const char *const want[] = {"", "a", "a-b", "a.tif", "z", "a/x", "a/y.tif", "a/x/deep.tif", "a-b/k.tif", "z/l.tif"};
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;

    dir(p, "z"), dir(p, "a"), dir(p, "a-b"), dir(p, "a/x");
    put(p, "z/l.tif"), put(p, "a/y.tif"), put(p, "a/x/deep.tif"), put(p, "a-b/k.tif"), put(p, "a.tif");
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_int_equal(t->n, ARRAY_LEN(want));
    for (size_t i = 0; i < t->n; i++) {
        assert_string_equal(t->entries[i].path, want[i]);
        assert_ptr_equal(tree_find(t, want[i]), &t->entries[i]);
    }
    assert_null(tree_find(t, "a/z"));
    assert_null(tree_find(t, "/a"));
    assert_null(tree_find(t, "a/"));
    assert_string_equal(tree_find(t, "a/x/deep.tif")->name, "deep.tif");
    assert_int_equal(tree_find(t, "a/x/deep.tif")->dir_len, 3);
}

static void a_stamp_says_what_the_file_system_says(void **state)
{
    const struct place *p = *state;
    const struct timespec times[2] = {{5, 0}, {1234567890, 987654321}};
    struct err err = ERR_INIT;
    struct stat st;
    AUTO(tree_freep) struct tree *t = NULL;

    put(p, "one");
    int fd = openat(p->fd, "one", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 4711), 0);
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    assert_int_equal(linkat(p->fd, "one", p->fd, "two", 0), 0);
    assert_ok(tree_scan(p->path, &t, &err), &err);

    const struct tree_stamp *one = &tree_find(t, "one")->stamp, *two = &tree_find(t, "two")->stamp;
    assert_int_equal(one->size, 4711);
    assert_int_equal(one->mtime_ns, INT64_C(1234567890987654321));
    assert_int_equal(one->ino, st.st_ino);
    assert_int_equal(one->uid, st.st_uid);
    assert_int_equal(two->nlink, 2);
    assert_true(tree_stamp_equal(one, two) && tree_stamp_untouched(one, two));

    struct tree_stamp other = *one;
    other.ctime_ns++;
    assert_true(tree_stamp_equal(one, &other));
    assert_false(tree_stamp_untouched(one, &other));
    other.mtime_ns++;
    assert_false(tree_stamp_equal(one, &other));
    other = *one;
    other.size++;
    assert_false(tree_stamp_equal(one, &other));
}

static void what_is_left_out_is_listed_with_its_reason(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;

    dir(p, "sub"), dir(p, ".git"), put(p, ".git/config"), put(p, ".hidden"), put(p, "sub/file");
    assert_int_equal(symlinkat("..", p->fd, "sub/loop"), 0);
    assert_int_equal(symlinkat("nowhere", p->fd, "broken"), 0);
    assert_int_equal(symlinkat("sub/file", p->fd, ".link"), 0);
    assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
    assert_ok(tree_scan(p->path, &t, &err), &err);

    assert_int_equal(skip_at(t, ".git"), REASON_HIDDEN);
    assert_null(tree_find(t, ".git/config"));
    assert_int_equal(skip_at(t, ".hidden"), REASON_HIDDEN);
    assert_int_equal(skip_at(t, "sub/loop"), REASON_LINK);
    assert_null(tree_find(t, "sub/loop/sub"));
    assert_int_equal(skip_at(t, "broken"), REASON_LINK);
    assert_int_equal(skip_at(t, ".link"), REASON_LINK);
    assert_int_equal(skip_at(t, "fifo"), REASON_NOT_REGULAR);
    assert_int_equal(skip_at(t, "sub/file"), REASON_NONE);
    assert_int_equal(tree_find(t, "sub")->kind, TREE_DIR);
    assert_int_equal(tree_find(t, "fifo")->kind, TREE_OTHER);
    assert_int_equal(tree_find(t, "broken")->kind, TREE_LINK);
}

static void names_alone_are_the_same_entries(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL, *names = NULL;

    dir(p, "a"), put(p, "a/x.tif"), put(p, ".hidden"), put(p, "y.tif");
    assert_int_equal(symlinkat("y.tif", p->fd, "link"), 0);
    assert_int_equal(mkfifoat(p->fd, "pipe", 0600), 0);
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_ok(tree_scan_names(p->path, &names, &err), &err);
    assert_int_equal(t->n, names->n);
    for (size_t i = 0; i < t->n; i++) {
        assert_string_equal(t->entries[i].path, names->entries[i].path);
        assert_int_equal(t->entries[i].kind, names->entries[i].kind);
        assert_int_equal(t->entries[i].skip, names->entries[i].skip);
    }
}

static void a_directory_that_may_not_be_read_does_not_end_the_scan(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;

    if (geteuid() == 0)
        skip(); /* root reads everything */
    dir(p, "closed"), dir(p, "open"), put(p, "open/file");
    assert_int_equal(fchmodat(p->fd, "closed", 0, 0), 0);
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_int_equal(skip_at(t, "closed"), REASON_UNREADABLE);
    assert_int_equal(skip_at(t, "open/file"), REASON_NONE);
}

static void names_are_bytes(void **state)
{
    const struct place *p = *state;
    static const char *const names[] = {"a\nb.tif", "caf\xE9.tif", "\xFF", "\x01", "Z\xC3\xA9.tif"};
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put(p, names[i]);
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_int_equal(t->n, 1 + ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(skip_at(t, names[i]), REASON_NONE);
    assert_string_equal(t->entries[1].name, "\x01");
    assert_string_equal(t->entries[t->n - 1].name, "\xFF");
}

static void ceilings_hold(void **state)
{
    const struct place *p = *state;
    const struct tree_limits shallow = {100, 1, 100, 0}, few = {5, 10, 100, 0}, enough = {6, 10, 100, 0}, brief = {100, 10, 3, 0};
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL, *u = NULL, *v = NULL;

    dir(p, "a"), dir(p, "a/b"), dir(p, "a/b/c"), put(p, "a/b/c/deep"), put(p, "a/f");
    assert_ok(tree_scan_within(p->path, &shallow, &t, &err), &err);
    assert_int_equal(skip_at(t, "a/b"), REASON_TOO_LARGE);
    assert_null(tree_find(t, "a/b/c"));
    assert_int_equal(skip_at(t, "a/f"), REASON_NONE);

    assert_fails(tree_scan_within(p->path, &few, &u, &err), &err, REASON_TOO_LARGE);
    assert_null(u);
    assert_ok(tree_scan_within(p->path, &enough, &u, &err), &err);

    assert_ok(tree_scan_within(p->path, &brief, &v, &err), &err);
    assert_int_equal(skip_at(v, "a/b/c"), REASON_TOO_LONG);
    assert_null(tree_find(v, "a/b/c/deep"));
}

static void a_tree_deeper_than_the_ceiling_is_cut_there(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct buf path = BUF_INIT(1000);
    AUTO(tree_freep) struct tree *t = NULL;

    for (unsigned i = 0; i <= TREE_DEPTH_MAX; i++) {
        buf_add_str(&path, i ? "/d" : "d");
        buf_add_byte(&path, 0);
        dir(p, (char *)path.data);
        path.len--;
    }
    buf_clear(&path);
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_int_equal(t->n, TREE_DEPTH_MAX + 2);
    assert_int_equal(t->entries[t->n - 1].skip, REASON_TOO_LARGE);
    assert_int_equal(t->entries[t->n - 2].skip, REASON_NONE);
}

static void a_root_that_is_not_there_is_told_from_an_empty_one(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL, *none = NULL;
    AUTO(mem_freep) char *absent = mem_printf("%s/absent", p->path);
    AUTO(mem_freep) char *file = mem_printf("%s/file", p->path);

    assert_fails(tree_scan(absent, &none, &err), &err, REASON_ROOT_AWAY);
    assert_ok(tree_scan(p->path, &t, &err), &err);
    assert_int_equal(t->n, 1);
    put(p, "file");
    assert_fails(tree_scan(file, &none, &err), &err, REASON_ROOT_AWAY);
    assert_null(none);
}

static void a_root_may_be_a_link_or_hidden(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *t = NULL;
    AUTO(mem_freep) char *link = mem_printf("%s/link", p->path);

    dir(p, ".real"), put(p, ".real/file");
    assert_int_equal(symlinkat(".real", p->fd, "link"), 0);
    assert_ok(tree_scan(link, &t, &err), &err);
    assert_int_equal(skip_at(t, "file"), REASON_NONE);
    assert_string_equal(t->root, link);
}

static void a_large_tree_stays_small_in_memory(void **state)
{
    enum { DIRS = 20, FILES = 500, BYTES = 240 }; /* a hundred thousand in 24 MiB */
    const struct place *p = *state;
    struct err err = ERR_INIT;
    char name[96];
    AUTO(tree_freep) struct tree *t = NULL;

    for (int d = 0; d < DIRS; d++) {
        snprintf(name, sizeof(name), "experiment-%02d", d);
        dir(p, name);
        for (int f = 0; f < FILES; f++) {
            snprintf(name, sizeof(name), "experiment-%02d/a-rather-ordinary-image-name_%06d.ome.tiff", d, f);
            assert_int_equal(mknodat(p->fd, name, S_IFREG | 0600, 0), 0);
        }
    }

    struct mallinfo2 before = mallinfo2();
    assert_ok(tree_scan(p->path, &t, &err), &err);
    struct mallinfo2 after = mallinfo2();

    assert_int_equal(t->n, 1 + DIRS + DIRS * FILES);
    assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + (size_t)DIRS * FILES * BYTES);
}

#define in_place(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(entries_come_by_directory_then_by_name),
        in_place(a_stamp_says_what_the_file_system_says),
        in_place(what_is_left_out_is_listed_with_its_reason),
        in_place(names_alone_are_the_same_entries),
        in_place(a_directory_that_may_not_be_read_does_not_end_the_scan),
        in_place(names_are_bytes),
        in_place(ceilings_hold),
        in_place(a_tree_deeper_than_the_ceiling_is_cut_there),
        in_place(a_root_that_is_not_there_is_told_from_an_empty_one),
        in_place(a_root_may_be_a_link_or_hidden),
        in_place(a_large_tree_stays_small_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
