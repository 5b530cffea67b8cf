/* A real tree, looked at and taken into a real ledger. */
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/record.h"

struct place {
    char dir[64];
    struct ledger *l;
    struct arena *a;
    struct err err;
    struct record_rules rules;
};

static void put(const struct place *p, const char *path, const void *bytes, size_t n)
{
    AUTO(mem_freep) char *full = mem_printf("%s/tree/%s", p->dir, path);
    FILE *f = fopen(full, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* The smallest picture that is whole: one pixel of grey, PNG. */
static const unsigned char png[] = {
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3A, 0x7E, 0x9B, 0x55, 0x00, 0x00, 0x00, 0x0A, 0x49, 0x44, 0x41,
    0x54, 0x78, 0xDA, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0xE5, 0x27, 0xDE, 0xFC, 0x00, 0x00, 0x00, 0x00, 0x49,
    0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
};

static void put_text(const struct place *p, const char *path, const char *text)
{
    put(p, path, text, strlen(text));
}

static void begin(struct place *p)
{
    *p = (struct place){.dir = "/tmp/impomero-record-XXXXXX", .a = arena_new(), .err = ERR_INIT};
    assert_non_null(mkdtemp(p->dir));
    AUTO(mem_freep) char *state = mem_printf("%s/state", p->dir);
    AUTO(mem_freep) char *tree = mem_printf("%s/tree", p->dir);
    AUTO(mem_freep) char *sub = mem_printf("%s/tree/d", p->dir);
    assert_int_equal(mkdir(tree, 0700) | mkdir(sub, 0700), 0);
    assert_ok(ledger_open(state, LEDGER_ENGINE, &p->l, &p->err), &p->err);
    assert_ok(ledger_root(p->l, "tree", tree, &p->rules.root, &p->err), &p->err);
}

static void end(struct place *p)
{
    char *const argv[] = {"rm", "-rf", p->dir, NULL};

    ledger_closep(&p->l);
    arena_freep(&p->a);
    pid_t pid = fork();
    if (pid == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
}

static struct ledger_synced record(struct place *p)
{
    AUTO(look_freep) struct look *look = NULL;
    AUTO(mem_freep) char *tree = mem_printf("%s/tree", p->dir);
    struct ledger_synced out = {0};

    assert_ok(look_at(tree, NULL, &look, &p->err), &p->err);
    assert_ok(record_look(p->l, look, &p->rules, &out, &p->err), &p->err);
    return out;
}

static void a_tree_is_taken_in_with_its_card(void **state)
{
    (void)state;
    struct place p;
    const struct ledger_fileset *f = NULL;
    const struct ledger_dataset *d = NULL;
    int64_t next = 0;

    begin(&p);
    put_text(&p, "d/c.toml",
             "# omero annotation file\nproject = \"P\"\nuser = \"ada\"\ntags = [\"x\"]\n[kv_pairs]\nb = 2\na = 1\n");
    put(&p, "d/a.png", png, sizeof(png));
    assert_int_equal(record(&p).ready, 1);
    assert_int_equal(record(&p).unchanged, 1);
    assert_int_equal(ledger_next(p.l, 0, p.a, &f, &next, &p.err), 0);
    assert_string_equal(f->path, "d/a.png");
    assert_string_equal(f->name, "a.png");
    assert_int_equal(f->bytes, sizeof(png));
    assert_int_equal(ledger_dataset(p.l, f->dataset, p.a, &d, &p.err), 0);
    assert_string_equal(d->name, "d");
    assert_string_equal(d->project, "P");
    assert_null(d->group);
    assert_string_equal(d->wanted->tags[0], "x");
    assert_string_equal(d->wanted->pairs[0].key, "b");
    assert_string_equal(d->wanted->pairs[1].value, "1");
    end(&p);
}

static void a_broken_card_keeps_its_files_until_it_is_mended(void **state)
{
    (void)state;
    struct place p;
    const struct ledger_card *cards = NULL;
    size_t n = 0;

    begin(&p);
    put_text(&p, "d/c.toml", "# omero annotation file\nproject = \"P\"\n");
    put(&p, "d/a.png", png, sizeof(png));
    struct ledger_synced out = record(&p);
    assert_int_equal(out.added, 1);
    assert_int_equal(out.ready, 0);
    assert_ok(ledger_cards(p.l, &(struct ledger_card_filter){0}, p.a, &cards, &n, &p.err), &p.err);
    assert_int_equal(n, 1);
    assert_int_equal(cards[0].why, REASON_BROKEN_CARD);
    put_text(&p, "d/c.toml", "# omero annotation file\nproject = \"P\"\nuser = \"ada\"\n");
    assert_int_equal(record(&p).ready, 1);
    assert_ok(ledger_cards(p.l, &(struct ledger_card_filter){0}, p.a, &cards, &n, &p.err), &p.err);
    assert_int_equal(n, 0);
    end(&p);
}

static void a_root_that_is_not_there_is_away(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct look *look = NULL;

    assert_fails(look_at("/does/not/exist", NULL, &look, &err), &err, REASON_ROOT_AWAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_taken_in_with_its_card),
        cmocka_unit_test(a_broken_card_keeps_its_files_until_it_is_mended),
        cmocka_unit_test(a_root_that_is_not_there_is_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
