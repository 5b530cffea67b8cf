/* What was said of files comes back from the memory without opening them. */
#include "../test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "format/memory.h"

enum { SLOTS = 32 };

struct memory {
    struct {
        char *path;
        void *bytes;
        size_t n;
    } files[SLOTS], lists[SLOTS];
    size_t n_files, n_lists;
};

static void *copy(const void *bytes, size_t n)
{
    void *out = mem_new(n + 1, 1);

    memcpy(out, bytes, n);
    return out;
}

static bool recall(void *arg, const struct tree_entry *e, const void **bytes, size_t *n)
{
    const struct memory *m = arg;

    for (size_t i = 0; i < m->n_files; i++)
        if (strcmp(m->files[i].path, e->path) == 0) {
            *bytes = m->files[i].bytes;
            *n = m->files[i].n;
            return true;
        }
    return false;
}

static void keep(void *arg, const struct tree_entry *e, const void *bytes, size_t n)
{
    struct memory *m = arg;

    assert_true(m->n_files < SLOTS);
    m->files[m->n_files].path = mem_str(e->path);
    m->files[m->n_files].bytes = copy(bytes, n);
    m->files[m->n_files++].n = n;
}

static bool recall_list(void *arg, long long id, const void **bytes, size_t *n)
{
    const struct memory *m = arg;

    if (id < 0 || (size_t)id >= m->n_lists)
        return false;
    *bytes = m->lists[id].bytes;
    *n = m->lists[id].n;
    return true;
}

static long long keep_list(void *arg, const void *bytes, size_t n)
{
    struct memory *m = arg;

    assert_true(m->n_lists < SLOTS);
    m->lists[m->n_lists].bytes = copy(bytes, n);
    m->lists[m->n_lists].n = n;
    return (long long)m->n_lists++;
}

static void forget(struct memory *m)
{
    for (size_t i = 0; i < SLOTS; i++) {
        free(m->files[i].path);
        free(m->files[i].bytes);
        free(m->lists[i].bytes);
    }
}

static void put(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static const char *const files[][2] = {
    {"x.nd", "\"NDInfoFile\", Version 1.0\r\n\"DoZSeries\", FALSE\r\n\"DoTimelapse\", TRUE\r\n\"NTimePoints\", 2\r\n"},
    {"x_t1.TIF", "II*"}, {"x.afi", "<L><Path>a.svs</Path><Path>gone.svs</Path></L>"}, {"broken.afi", "<L>"},
    {"b.hed", "x"}, {"b.img", "x"}, {"p.pgm", "P5\n1 1\n255\nx"}, {"notes.txt", "notes"}, {"q.lim", "x"},
};

static void same_groups(const struct format_groups *a, const struct format_groups *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct format_group x = format_group_at(a, i), y = format_group_at(b, i);

        assert_int_equal(x.why, y.why);
        assert_int_equal(x.n_members, y.n_members);
        assert_int_equal(x.n_missing, y.n_missing);
        assert_int_equal(x.by_name, y.by_name);
        assert_string_equal(x.members[0]->path, y.members[0]->path);
        assert_string_equal(x.format, y.format);
        assert_string_equal(x.text, y.text);
        assert_string_equal(x.reader ? x.reader : "", y.reader ? y.reader : "");
    }
}

static void files_that_are_known_stay_closed(void **state)
{
    char path[] = "/tmp/impomero-memory-XXXXXX";
    struct memory m = {0};
    const struct format_memory memory = {recall, keep, recall_list, keep_list, &m};
    const struct format_options options = {.memory = &memory};
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *tree = NULL;
    AUTO(format_groups_freep) struct format_groups *first = NULL, *again = NULL, *gone = NULL;

    (void)state;
    assert_non_null(mkdtemp(path));
    AUTO(io_closep) int dir = io_open_dir(path, &err);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put(dir, files[i][0], files[i][1]);
    assert_ok(tree_scan(path, &tree, &err), &err);
    assert_ok(format_group_tree(tree, &options, &first, &err), &err);
    assert_int_equal(m.n_files, ARRAY_LEN(files));
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlinkat(dir, files[i][0], 0);

    /* nothing can be opened any more, and the answer is the same */
    assert_ok(format_group_tree(tree, &options, &again, &err), &err);
    same_groups(first, again);
    assert_int_equal(m.n_files, ARRAY_LEN(files));

    /* what is damaged or of another version is not taken: the file would have to be opened */
    for (size_t i = 0; i < m.n_files; i++)
        ((char *)m.files[i].bytes)[0] ^= 1;
    assert_ok(format_group_tree(tree, &options, &gone, &err), &err);
    for (size_t i = 0; i < gone->n; i++)
        assert_int_equal(format_group_at(gone, i).why, REASON_GONE);
    forget(&m);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_that_are_known_stay_closed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
