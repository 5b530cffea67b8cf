/* A directory for one test: files are put there, and looked at as groups. */
#pragma once

#include "../test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "format/format.h"

struct place {
    char path[40];
    int fd;
    struct tree *tree;
    struct format_groups *groups;
};

static inline int make_place(void **state)
{
    struct err err = ERR_INIT;
    struct place *p = mem_new(1, sizeof(*p));

    strcpy(p->path, "/tmp/impomero-format-XXXXXX");
    if (!mkdtemp(p->path) || (p->fd = io_open_dir(p->path, &err)) < 0)
        return -1;
    *state = p;
    return 0;
}

static inline int remove_place(void **state)
{
    struct place *p = *state;
    AUTO(mem_freep) char *command = mem_printf("rm -rf '%s'", p->path);
    int done = system(command);

    format_groups_free(p->groups);
    tree_free(p->tree);
    io_closep(&p->fd);
    free(p);
    return done;
}

static inline void put(const struct place *p, const char *name, const void *bytes, size_t n)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    for (const char *at = bytes; n > 0; ) {
        ssize_t done = write(fd, at, n);

        assert_true(done > 0);
        at += done, n -= (size_t)done;
    }
    close(fd);
}

static inline void put_text(const struct place *p, const char *name, const char *text)
{
    put(p, name, text, strlen(text));
}

static inline void group(struct place *p)
{
    struct err err = ERR_INIT;

    format_groups_free(p->groups);
    tree_free(p->tree);
    p->groups = NULL, p->tree = NULL;
    assert_ok(tree_scan(p->path, &p->tree, &err), &err);
    assert_ok(format_group_tree(p->tree, NULL, &p->groups, &err), &err);
}

/* There is a group "target member ... | format", or "... | reason" when it is left out. */
static inline void assert_group(const struct place *p, const char *want)
{
    struct buf all = BUF_INIT(1 << 20);

    for (size_t i = 0; i < p->groups->n; i++) {
        const struct format_group g = format_group_at(p->groups, i);
        size_t from = all.len;

        for (size_t m = 0; m < g.n_members; m++)
            buf_printf(&all, "%s ", g.members[m]->path);
        buf_printf(&all, "| %s", g.why == REASON_NONE ? g.format : reason_row(g.why)->name);
        if (all.len - from == strlen(want) && memcmp(all.data + from, want, all.len - from) == 0) {
            buf_clear(&all);
            return;
        }
        buf_add_byte(&all, '\n');
    }
    fail_msg("no group %s among\n%.*s", want, (int)all.len, (const char *)all.data);
}

#define in_place(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
