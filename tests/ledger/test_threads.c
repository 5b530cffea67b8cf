/* One handle under several threads, and a reader beside it. */
#include "bed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { N_FILES = 200, N_THREADS = 4 };

struct crew {
    struct bed *bed;
    atomic_int done, wrong;
    int seen[N_FILES + 1]; /* by row: each is handed to one thread alone */
};

static int finish(struct ledger *l, int64_t id, struct err *err)
{
    static const enum ledger_call calls[] = {LEDGER_CALL_IMPORT, LEDGER_CALL_UPLOAD, LEDGER_CALL_VERIFY, LEDGER_CALL_RUNNING};

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct ledger_journal j = {.call = calls[i]};

        if (ledger_journal(l, id, &j, err) < 0)
            return -1;
    }
    return ledger_done(l, id, 0, &(struct ledger_image){.omero_id = id}, 1, err);
}

static void *worker(void *arg)
{
    struct crew *c = arg;
    struct err err = ERR_INIT;
    int r = 0;

    while (r == 0) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct ledger_fileset *f = NULL;
        int64_t next = 0;

        r = ledger_next(c->bed->l, 0, a, &f, &next, &err);
        if (r == 0) {
            c->seen[f->id]++;
            if (finish(c->bed->l, f->id, &err) < 0)
                atomic_fetch_add(&c->wrong, 1);
            atomic_fetch_add(&c->done, 1);
        }
    }
    if (r < 0)
        atomic_fetch_add(&c->wrong, 1);
    return NULL;
}

/* What it sees only ever grows, and it is never kept waiting by the writer. */
static void *reader(void *arg)
{
    struct crew *c = arg;
    struct err err = ERR_INIT;
    AUTO(ledger_closep) struct ledger *l = NULL;
    int64_t last = 0;

    if (ledger_open(c->bed->dir, LEDGER_READ, &l, &err) != 0)
        atomic_fetch_add(&c->wrong, 1);
    while (l && atomic_load(&c->done) < N_FILES && atomic_load(&c->wrong) == 0) {
        AUTO(arena_freep) struct arena *a = arena_new();
        const struct ledger_count *counts = NULL;
        size_t n = 0;
        int64_t done = 0;

        if (ledger_counts(l, a, &counts, &n, &err) < 0)
            atomic_fetch_add(&c->wrong, 1);
        for (size_t i = 0; i < n; i++)
            done += counts[i].state == LEDGER_DONE ? counts[i].n : 0;
        if (done < last)
            atomic_fetch_add(&c->wrong, 1);
        last = done;
    }
    return NULL;
}

static void fill(struct bed *b)
{
    struct bed_scan s = {0};
    AUTO(mem_freep) struct ledger_plan *plans = mem_new(N_FILES, sizeof(*plans));
    AUTO(mem_freep) struct ledger_member *members = mem_new(N_FILES, sizeof(*members));
    struct ledger_synced out;

    bed_target(&s, "d", "s1", "ada");
    for (int i = 0; i < N_FILES; i++) {
        members[i] = (struct ledger_member){.path = arena_printf(b->a, "d/%03d", i), .stamp = {.size = 1}};
        plans[i] = (struct ledger_plan){.path = members[i].path, .name = "x", .format = "TIFF", .text = "",
                                        .members = &members[i], .n_members = 1};
    }
    s.scan.root = b->root;
    s.scan.targets = s.targets;
    s.scan.plan = bed_plan;
    s.scan.arg = plans;
    s.scan.n_plans = N_FILES;
    assert_ok(ledger_sync(b->l, &s.scan, &out, &b->err), &b->err);
}

static void each_fileset_goes_to_one_worker_while_a_reader_looks_on(void **state)
{
    (void)state;
    struct bed b;
    pthread_t threads[N_THREADS], looker;

    bed_begin(&b);
    fill(&b);
    struct crew c = {.bed = &b};
    assert_int_equal(pthread_create(&looker, NULL, reader, &c), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &c), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(looker, NULL);
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_int_equal(atomic_load(&c.done), N_FILES);
    for (int i = 1; i <= N_FILES; i++)
        assert_int_equal(c.seen[i], 1);
    bed_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fileset_goes_to_one_worker_while_a_reader_looks_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
