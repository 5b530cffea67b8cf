/* What the ledger's tests begin with: a state directory of its own, a clock by hand, and scans put together in few words. */
#pragma once

#include "../test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ledger/ledger.h"

static int64_t bed_now = 1000000;

static inline int64_t bed_wall(void)
{
    return bed_now;
}

static const struct clock_source bed_clock = {bed_wall, bed_wall};

struct bed {
    char dir[64];
    struct ledger *l;
    struct arena *a;
    struct err err;
    int64_t root;
};

static inline void bed_open(struct bed *b)
{
    assert_ok(ledger_open(b->dir, LEDGER_ENGINE, &b->l, &b->err), &b->err);
    assert_ok(ledger_root(b->l, "data", "/data", &b->root, &b->err), &b->err);
}

static inline void bed_dir(struct bed *b)
{
    *b = (struct bed){.dir = "/tmp/impomero-ledger-XXXXXX", .err = ERR_INIT, .a = arena_new()};
    assert_non_null(mkdtemp(b->dir));
    clock_inject(&bed_clock);
}

static inline void bed_begin(struct bed *b)
{
    bed_dir(b);
    bed_open(b);
}

/* What the triggers kept is what counting gives, whatever a test did. */
static inline void bed_counted(const struct bed *b)
{
    static const char differ[] =
        "WITH counted AS (SELECT coalesce(dataset, -1) AS dataset, state, reason, count(*) AS n, sum(bytes) AS bytes FROM fileset"
        " WHERE gone_ms IS NULL OR state = 'done' GROUP BY 1, 2, 3 UNION ALL SELECT 0, state, reason, count(*), sum(bytes) FROM"
        " fileset WHERE gone_ms IS NULL OR state = 'done' GROUP BY 2, 3),"
        " kept AS (SELECT dataset, state, reason, n, bytes FROM tally WHERE n <> 0 OR bytes <> 0)"
        " SELECT (SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)) +"
        " (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted))";
    AUTO(mem_freep) char *path = mem_printf("%s/ledger.db", b->dir);
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, differ, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        assert_int_equal(sqlite3_column_int(st, 0), 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static inline void bed_end(struct bed *b)
{
    char *const argv[] = {"rm", "-rf", b->dir, NULL};

    ledger_closep(&b->l);
    bed_counted(b);
    arena_freep(&b->a);
    pid_t pid = fork();
    if (pid == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    clock_inject(NULL);
}

static inline void bed_reopen(struct bed *b)
{
    ledger_closep(&b->l);
    bed_open(b);
}

#define BED_MAX 16

/* One scan: cards' directories with a revision, and files. */
struct bed_scan {
    struct ledger_scan scan;
    struct ledger_revision revisions[BED_MAX];
    struct ledger_target targets[BED_MAX];
    struct ledger_card cards[BED_MAX];
    struct ledger_plan plans[BED_MAX];
    struct ledger_member members[BED_MAX];
};

static inline void bed_target(struct bed_scan *s, const char *dir, const char *sha, const char *user)
{
    size_t n = s->scan.n_targets++;
    static const char *const tags[] = {"red", "blue"};
    static const struct ledger_pair pairs[] = {{"organism", "yeast"}, {"caf\xC3\xA9", "\"quoted\""}};

    s->revisions[n] = (struct ledger_revision){.sha256 = sha, .project = "P", .user = user, .group = "lab", .comment = "hello",
                                               .tags = tags, .n_tags = 2, .pairs = pairs, .n_pairs = 2};
    s->targets[n] = (struct ledger_target){.dir = dir, .kind = LEDGER_KIND_DATASET, .name = dir, .revision = &s->revisions[n]};
}

static inline void bed_plan(const void *plans, size_t i, struct arena *a, struct ledger_plan *out)
{
    (void)a;
    *out = ((const struct ledger_plan *)plans)[i];
}

static inline struct ledger_plan *bed_file(struct bed_scan *s, const char *path, size_t target, int64_t size)
{
    size_t n = s->scan.n_plans++;

    s->members[n] = (struct ledger_member){.path = path, .stamp = {.size = size, .mtime_ns = 7, .ctime_ns = 8, .ino = 9}};
    s->plans[n] = (struct ledger_plan){.path = path, .target = target, .name = path, .format = "TIFF", .text = "",
                                       .members = &s->members[n], .n_members = 1};
    return &s->plans[n];
}

static inline struct ledger_synced bed_sync(struct bed *b, struct bed_scan *s)
{
    struct ledger_synced out = {0};

    s->scan.root = b->root;
    s->scan.targets = s->targets;
    s->scan.plan = bed_plan;
    s->scan.arg = s->plans;
    s->scan.cards = s->cards;
    assert_ok(ledger_sync(b->l, &s->scan, &out, &b->err), &b->err);
    return out;
}

/* The next one, or NULL. */
static inline const struct ledger_fileset *bed_next(struct bed *b)
{
    const struct ledger_fileset *f = NULL;
    int64_t next = 0;
    int r = ledger_next(b->l, 0, b->a, &f, &next, &b->err);

    assert_ok(r, &b->err);
    return r == 0 ? f : NULL;
}

static inline const struct ledger_fileset *bed_get(struct bed *b, int64_t id)
{
    const struct ledger_fileset *f = NULL;

    assert_int_equal(ledger_fileset(b->l, id, b->a, &f, &b->err), 0);
    return f;
}

static inline void bed_call(struct bed *b, int64_t id, enum ledger_call call)
{
    struct ledger_journal j = {.call = call, .server = "srv", .session_id = 4, .omero_id = call == LEDGER_CALL_UPLOAD ? 77 : 0};

    assert_ok(ledger_journal(b->l, id, &j, &b->err), &b->err);
}

/* A fileset all the way to done, with one image. */
static inline void bed_import(struct bed *b, int64_t id, int64_t image)
{
    bed_call(b, id, LEDGER_CALL_IMPORT);
    bed_call(b, id, LEDGER_CALL_UPLOAD);
    bed_call(b, id, LEDGER_CALL_VERIFY);
    bed_call(b, id, LEDGER_CALL_RUNNING);
    assert_ok(ledger_done(b->l, id, 0, &(struct ledger_image){.omero_id = image, .name = "a"}, 1, &b->err), &b->err);
}
