/* Renamed files are known by size, mtime and inode: what lies at a new path and lay at another one that it has left. */
#include "ledger/sync.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/moves.h"

/* A planned fileset and the one of the ledger that it seems to be. */
struct match {
    size_t plan;
    int64_t fileset, dataset;
    int64_t occupant; /* of the new path: a fileset that was sent or is claimed; 0 = none */
    bool finished;    /* its import is over */
    bool dropped;
};

struct place {
    const char *path;
    size_t plan;
};

struct matching {
    struct sync *s;
    struct place *by_path; /* all plans, sorted; NULL before it is needed */
    struct match *at;
    size_t n, cap;
};

static int compare_path(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return strcmp(x->path, y->path);
}

static void sort_plans(struct matching *m)
{
    const struct ledger_scan *scan = m->s->scan;

    m->by_path = mem_new(scan->n_plans + 1, sizeof(*m->by_path));
    for (size_t i = 0; i < scan->n_plans; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct ledger_plan p = sync_plan(m->s, i, a);

        m->by_path[i] = (struct place){p.path, i};
    }
    qsort(m->by_path, scan->n_plans, sizeof(*m->by_path), compare_path);
}

/* Does the scan find at this path what is looked for elsewhere: a hard link, and no move? */
static bool is_in_place(struct matching *m, const char *path, const struct ledger_stamp *stamp)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct place key = {.path = path}, *found;

    if (!m->by_path)
        sort_plans(m);
    found = bsearch(&key, m->by_path, m->s->scan->n_plans, sizeof(key), compare_path);
    if (!found)
        return false;

    struct ledger_plan p = sync_plan(m->s, found->plan, a);

    return p.n_members > 0 && p.members[0].stamp.size == stamp->size && p.members[0].stamp.mtime_ns == stamp->mtime_ns;
}

static int same_members(struct sync *s, const struct ledger_plan *p, int64_t fileset, bool *same, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    size_t i = 0;
    int r = -1;

    *same = true;
    if (sql_start(s->l, &st, err, "SELECT f.size, f.mtime_ns, f.ino FROM member m JOIN file f ON f.id = m.file"
                  " WHERE m.fileset = ?1 ORDER BY m.position", "i", fileset) < 0)
        return -1;
    for (; (r = sql_step(s->l, st, err)) > 0; i++)
        *same = *same && i < p->n_members && sql_num(st, 0) == p->members[i].stamp.size &&
                sql_num(st, 1) == p->members[i].stamp.mtime_ns && (uint64_t)sql_num(st, 2) == p->members[i].stamp.ino;
    *same = *same && i == p->n_members;
    return r;
}

/* LEDGER_NOTHING: none is renamed to this. */
static int find_match(struct matching *m, size_t i, const struct ledger_plan *p, struct match *out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();
    const struct ledger_stamp *t = &p->members[0].stamp;
    int64_t root = m->s->scan->root;
    int r = -1;

    if (sql_start(m->s->l, &st, err, "SELECT o.id, o.root, o.path, o.gone_ms, o.call, o.dataset FROM file f JOIN member m"
                  " ON m.file = f.id AND m.position = 0 JOIN fileset o ON o.id = m.fileset WHERE f.size = ?1 AND f.mtime_ns = ?2"
                  " AND f.ino = ?3 AND o.call <> 'none' AND NOT (o.root = ?4 AND o.path = ?5) ORDER BY o.id", "iiiip", t->size,
                  t->mtime_ns, (int64_t)t->ino, root, p->path) < 0)
        return -1;
    while ((r = sql_step(m->s->l, st, err)) > 0) {
        bool here = sql_num(st, 1) == root, same;

        if (here ? is_in_place(m, sql_text(st, 2, a), t) : sql_null(st, 3))
            continue;
        if (same_members(m->s, p, sql_num(st, 0), &same, err) < 0)
            return -1;
        if (!same)
            continue;
        *out = (struct match){.plan = i, .fileset = sql_num(st, 0), .dataset = sql_num(st, 5),
                              .finished = sql_is(st, 4, ledger_call_name(LEDGER_CALL_FINISHED))};
        return 0;
    }
    return r < 0 ? -1 : LEDGER_NOTHING;
}

/* Is this path and content known to have been sent?  Then it is no news. */
static int is_known(struct sync *s, const struct ledger_plan *p, bool *known, struct err *err)
{
    const struct ledger_stamp *t = &p->members[0].stamp;
    int r = sql_int(s->l, &(int64_t){0}, err, "SELECT 1 FROM file f JOIN member m ON m.file = f.id AND m.position = 0"
                    " JOIN fileset o ON o.id = m.fileset WHERE f.root = ?1 AND f.path = ?2 AND f.size = ?3 AND f.mtime_ns = ?4"
                    " AND o.call <> 'none'", "ipii", s->scan->root, p->path, t->size, t->mtime_ns);

    *known = r == 0;
    return r < 0 ? -1 : 0;
}

static int occupant_of(struct sync *s, const struct ledger_plan *p, int64_t *out, struct err *err)
{
    return sql_int(s->l, out, err, "SELECT id FROM fileset WHERE root = ?1 AND path = ?2 AND (call <> 'none' OR claimed = 1)",
                   "ip", s->scan->root, p->path);
}

static int look(struct matching *m, size_t i, const struct ledger_plan *p, struct err *err)
{
    struct match found;
    bool known = true;
    int r;

    if (p->n_members == 0 || is_known(m->s, p, &known, err) < 0)
        return p->n_members == 0 ? 0 : -1;
    if (known)
        return 0;
    r = find_match(m, i, p, &found, err);
    if (r != 0)
        return r < 0 ? -1 : 0;
    if (occupant_of(m->s, p, &found.occupant, err) < 0)
        return -1;
    m->at = mem_grow(m->at, m->n, &m->cap, sizeof(*m->at));
    m->at[m->n++] = found;
    return 0;
}

static int compare_match(const void *a, const void *b)
{
    const struct match *x = a, *y = b;

    return x->fileset != y->fileset ? (x->fileset > y->fileset) - (x->fileset < y->fileset)
                                    : (x->plan > y->plan) - (x->plan < y->plan);
}

static bool moves_away(const struct matching *m, int64_t fileset)
{
    size_t low = 0, high = m->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (m->at[mid].fileset < fileset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n && m->at[low].fileset == fileset && !m->at[low].dropped;
}

/* One fileset goes to one place; a place that another one keeps is not taken; what is under way keeps its newcomer waiting. */
static void choose(struct matching *m)
{
    bool again = true;

    qsort(m->at, m->n, sizeof(*m->at), compare_match);
    for (size_t i = 0; i < m->n; i++) {
        bool second = i > 0 && m->at[i].fileset == m->at[i - 1].fileset;

        m->at[i].dropped = second || !m->at[i].finished;
        if (!second && !m->at[i].finished)
            m->s->blocked[m->at[i].plan] = true;
    }
    while (again) {
        again = false;
        for (size_t i = 0; i < m->n; i++)
            if (!m->at[i].dropped && m->at[i].occupant != 0 && !moves_away(m, m->at[i].occupant))
                again = m->at[i].dropped = true;
    }
}

/* ---- which dataset follows where: most of its moved filesets decide ---- */

struct vote {
    int64_t dataset;
    size_t target, n;
};

static int compare_vote(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return x->dataset != y->dataset ? (x->dataset > y->dataset) - (x->dataset < y->dataset)
                                    : (x->target > y->target) - (x->target < y->target);
}

static size_t count_votes(const struct matching *m, struct vote *votes)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < m->n; i++) {
        size_t target = sync_plan(m->s, m->at[i].plan, a).target;

        if (!m->at[i].dropped && m->at[i].dataset != 0 && target != SIZE_MAX)
            votes[n++] = (struct vote){m->at[i].dataset, target, 0};
    }
    qsort(votes, n, sizeof(*votes), compare_vote);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || votes[kept - 1].dataset != votes[i].dataset || votes[kept - 1].target != votes[i].target)
            votes[kept++] = votes[i];
        votes[kept - 1].n++;
    }
    qsort(votes, kept, sizeof(*votes), compare_vote);
    return kept;
}

static int follow(struct matching *m, struct err *err)
{
    AUTO(mem_freep) struct vote *votes = mem_new(m->n + 1, sizeof(*votes));
    AUTO(mem_freep) struct follow *follows = mem_new(m->n + 1, sizeof(*follows));
    size_t n_votes = count_votes(m, votes), n = 0;

    for (size_t i = 0; i < n_votes; i++) {
        const struct ledger_target *t = &m->s->scan->targets[votes[i].target];
        bool used = false;

        for (size_t k = 0; k < n && !used; k++)
            used = follows[k].dataset == votes[i].dataset;
        if (!used)
            follows[n++] = (struct follow){.dataset = votes[i].dataset, .root = m->s->scan->root, .dir = t->dir};
    }
    return follows_apply(m->s->l, follows, n, err);
}

static int apply(struct matching *m, struct err *err)
{
    AUTO(mem_freep) struct move *moves = mem_new(m->n + 1, sizeof(*moves));
    AUTO(arena_freep) struct arena *a = arena_new();
    size_t n = 0;

    for (size_t i = 0; i < m->n; i++) {
        struct ledger_plan p = sync_plan(m->s, m->at[i].plan, a);

        if (!m->at[i].dropped)
            moves[n++] = (struct move){.fileset = m->at[i].fileset, .dataset = m->at[i].dataset, .root = m->s->scan->root,
                                       .path = p.path, .members = p.members, .n_members = p.n_members};
    }
    m->s->out.moved = n;
    return n == 0 ? 0 : moves_apply(m->s->l, moves, n, err) < 0 ? -1 : follow(m, err);
}

int sync_moves(struct sync *s, struct err *err)
{
    struct matching m = {.s = s};
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->scan->n_plans; i++) {
        AUTO(arena_freep) struct arena *a = arena_new();
        struct ledger_plan p = sync_plan(s, i, a);

        r = look(&m, i, &p, err);
    }
    if (r == 0 && m.n > 0) {
        choose(&m);
        r = apply(&m, err);
    }
    free(m.at);
    free(m.by_path);
    return r;
}
