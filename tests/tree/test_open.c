/* Links that may be followed, and the ways by which a file must not be reached. */
#include "../test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "tree/tree.h"

/* A place with the root `tree`, the directory `store` that its links may lead into, and `other`, of which it knows nothing. */
struct place {
    char path[32];
    int fd, root;
    char *tree, *into;
    const char *list[2];
};

static void put(const struct place *p, const char *name, const char *text)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void dir(const struct place *p, const char *name)
{
    assert_int_equal(mkdirat(p->fd, name, 0700), 0);
}

static void to(const struct place *p, const char *name, const char *target)
{
    AUTO(mem_freep) char *path = target[0] == '/' && strncmp(target, "/proc", 5) != 0 ? mem_printf("%s%s", p->path, target)
                                                                                       : mem_str(target);

    assert_int_equal(symlinkat(path, p->fd, name), 0);
}

static int make_place(void **state)
{
    static const char *const dirs[] = {"tree", "tree/sub", "store", "store/deep", "other"};
    struct place *p = mem_new(1, sizeof(*p));
    struct err err = ERR_INIT;

    strcpy(p->path, "/tmp/impomero-open-XXXXXX");
    if (!mkdtemp(p->path) || (p->fd = io_open_dir(p->path, &err)) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        dir(p, dirs[i]);
    put(p, "tree/sub/plain", "plain");
    put(p, "store/deep/far", "far");
    put(p, "store/near", "near");
    put(p, "other/secret", "secret");
    p->tree = mem_printf("%s/tree", p->path);
    p->list[0] = p->into = mem_printf("%s/store", p->path);
    p->root = io_open_dir(p->tree, &err);
    *state = p;
    return p->root < 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", p->path);
    int done = system(command);

    io_closep(&p->fd);
    io_closep(&p->root);
    free(p->tree);
    free(p->into);
    free(p);
    return done;
}

static void has(const struct place *p, const char *path, const char *text)
{
    struct err err = ERR_INIT;
    char got[16] = "";
    AUTO(io_closep) int fd = tree_open_beneath(p->root, p->list, path, &err);

    assert_ok(fd < 0 ? -1 : 0, &err);
    assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
    assert_string_equal(got, text);
}

static void links_into_named_directories_are_followed(void **state)
{
    const struct place *p = *state;
    AUTO(tree_freep) struct tree *t = NULL;
    struct err err = ERR_INIT;
    static const struct {
        const char *path;
        enum tree_kind kind;
        bool linked;
        enum reason skip;
    } rows[] = {
        {"absolute", TREE_DIR, true, REASON_NONE},        {"absolute/far", TREE_FILE, false, REASON_NONE},
        {"relative", TREE_FILE, true, REASON_NONE},       {"by-another", TREE_FILE, true, REASON_NONE},
        {"sub/whole", TREE_DIR, true, REASON_NONE},       {"sub/whole/deep/far", TREE_FILE, false, REASON_NONE},
        {"sub/plain", TREE_FILE, false, REASON_NONE},     {"out", TREE_LINK, false, REASON_LINK},
        {"dangling", TREE_LINK, false, REASON_LINK},      {"sub/beside", TREE_LINK, false, REASON_LINK},
        {".hidden", TREE_FILE, true, REASON_HIDDEN},
    };

    to(p, "tree/absolute", "/store/deep");
    to(p, "tree/relative", "../store/near");
    to(p, "tree/by-another", "../other/again");
    to(p, "other/again", "/store/near");
    to(p, "tree/sub/whole", "../../store");
    to(p, "tree/out", "../other/secret");
    to(p, "tree/dangling", "/store/nothing");
    to(p, "tree/sub/beside", "../../store-beside");
    to(p, "tree/.hidden", "/store/near");
    dir(p, "store-beside");
    assert_ok(tree_scan_into(p->tree, p->list, &t, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct tree_entry *e = tree_find(t, rows[i].path);

        if (!e || e->kind != rows[i].kind || e->linked != rows[i].linked || e->skip != rows[i].skip)
            fail_msg("%s: %s", rows[i].path, e ? reason_row(e->skip)->name : "not there");
    }
    assert_null(tree_find(t, "out/secret"));
    assert_int_equal(tree_find(t, "relative")->stamp.size, strlen("near"));
    has(p, "absolute/far", "far");
    has(p, "relative", "near");
    has(p, "by-another", "near");
    has(p, "sub/whole/deep/far", "far");
    has(p, "sub/plain", "plain");
}

static void a_directory_on_the_way_down_is_not_entered_again(void **state)
{
    const struct place *p = *state;
    AUTO(tree_freep) struct tree *t = NULL;
    struct err err = ERR_INIT;

    to(p, "tree/whole", "../store");
    to(p, "store/deep/up", "../../store");
    to(p, "store/itself", ".");
    assert_ok(tree_scan_into(p->tree, p->list, &t, &err), &err);
    assert_int_equal(tree_find(t, "whole")->skip, REASON_NONE);
    assert_int_equal(tree_find(t, "whole/deep/up")->skip, REASON_LINK);
    assert_int_equal(tree_find(t, "whole/itself")->skip, REASON_LINK);
    assert_null(tree_find(t, "whole/deep/up/deep"));
}

/* Attempts to read what is elsewhere. */
static const struct attempt {
    const char *what, *link, *target, *path;
    enum reason why;
} attempts[] = {
    {"a link out of the root", "tree/x", "../other/secret", "x", REASON_LINK},
    {"the same with an absolute path", "tree/x", "/other/secret", "x", REASON_LINK},
    {"a directory that is a link out of the root", "tree/x", "../other", "x/secret", REASON_LINK},
    {"a link to a directory beside, of like name", "tree/x", "/store-beside", "x/f", REASON_LINK},
    {"a link to the root of the system by the process", "tree/x", "/proc/self/root", "x/etc/passwd", REASON_LINK},
    {"a link to an open file of the process", "tree/x", "/proc/self/fd/0", "x", REASON_LINK},
    {"a way up in the path", NULL, NULL, "../other/secret", REASON_LINK},
    {"a way up behind a good link", "tree/x", "/store", "x/../other/secret", REASON_LINK},
    {"an absolute path", NULL, NULL, "/etc/passwd", REASON_LINK},
    {"a link in the named directory that leads out of it", "store/x", "../other/secret", "good/x", REASON_LINK},
    {"a directory in it that does", "store/x", "../other", "good/x/secret", REASON_LINK},
    {"a link to itself", "tree/x", "x", "x", REASON_LINK},
    {"a link to a pipe in the named directory", "tree/x", "/store/pipe", "x", REASON_NOT_REGULAR},
    {"a pipe with an image's name", NULL, NULL, "pipe.tif", REASON_NOT_REGULAR},
    {"a directory with an image's name", NULL, NULL, "sub", REASON_NOT_REGULAR},
    {"a link into the named directory, and nothing there", "tree/x", "/store/nothing", "x", REASON_LINK},
};

static void nothing_elsewhere_is_opened(void **state)
{
    const struct place *p = *state;

    dir(p, "store-beside");
    put(p, "store-beside/f", "f");
    to(p, "tree/good", "/store");
    assert_int_equal(mkfifoat(p->fd, "store/pipe", 0600), 0);
    assert_int_equal(mkfifoat(p->fd, "tree/pipe.tif", 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        const struct attempt *a = &attempts[i];
        struct err err = ERR_INIT;

        if (a->link)
            to(p, a->link, a->target);
        int fd = tree_open_beneath(p->root, p->list, a->path, &err);
        if (fd >= 0 || err.why != a->why)
            fail_msg("%s: %d, %s", a->what, fd, err.text);
        if (a->link)
            assert_int_equal(unlinkat(p->fd, a->link, 0), 0);
    }
}

#define in_place(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(links_into_named_directories_are_followed),
        in_place(a_directory_on_the_way_down_is_not_entered_again),
        in_place(nothing_elsewhere_is_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
