#include "ledger/sync.h"

static bool same_stamp(sqlite3_stmt *st, const struct ledger_stamp *stamp)
{
    return sql_num(st, 1) == stamp->size && sql_num(st, 2) == stamp->mtime_ns;
}

/* Numbers of inodes stay only where times can be believed, too: on this machine's own disks. */
static bool is_untouched(const struct sync *s, sqlite3_stmt *st, const struct ledger_stamp *stamp)
{
    return sql_num(st, 3) == stamp->ctime_ns && (!s->scan->trust_times || sql_num(st, 6) == (int64_t)stamp->ino);
}

static void compare_one(const struct sync *s, sqlite3_stmt *st, const struct ledger_member *m, struct known *k)
{
    bool same_path = m && sql_is(st, 0, m->path), same = same_path && same_stamp(st, &m->stamp);

    k->same_paths &= same_path;
    k->same_content &= same;
    k->same_files &= same && is_untouched(s, st, &m->stamp);
    k->compared &= same || (same_path && sql_num(st, 4) == m->stamp.size && sql_num(st, 5) == m->stamp.mtime_ns);
}

int sync_compare(struct sync *s, const struct ledger_plan *p, struct known *k, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    size_t i = 0;
    int r = -1;

    k->same_files = k->same_content = k->same_paths = k->compared = true;
    if (sql_start(s->l, &st, err, "SELECT f.path, f.size, f.mtime_ns, f.ctime_ns, f.seen_size, f.seen_mtime_ns, f.ino"
                  " FROM member m JOIN file f ON f.id = m.file WHERE m.fileset = ?1 ORDER BY m.position", "i", k->id) < 0)
        return -1;
    for (; (r = sql_step(s->l, st, err)) > 0; i++)
        compare_one(s, st, i < p->n_members ? &p->members[i] : NULL, k);
    k->same_paths = k->same_paths && i == p->n_members;
    k->same_content = k->same_content && k->same_paths;
    k->same_files = k->same_files && k->same_content;
    k->compared = k->compared && k->same_paths;
    return r;
}

static int put_file(struct sync *s, const struct ledger_member *m, int64_t *file, struct err *err)
{
    const struct ledger_stamp *t = &m->stamp;

    if (sql_do(s->l, err, "INSERT INTO file (root, path, size, mtime_ns, ctime_ns, ino) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
               " ON CONFLICT (root, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
               " ctime_ns = excluded.ctime_ns, ino = excluded.ino, algorithm = NULL, hash = NULL"
               /* what was sent keeps the stamps it was sent with */
               " WHERE NOT EXISTS (SELECT 1 FROM member m JOIN fileset o ON o.id = m.fileset WHERE m.file = file.id"
               " AND (o.call <> 'none' OR o.claimed = 1))", "ipiiii", s->scan->root, m->path, t->size, t->mtime_ns, t->ctime_ns,
               (int64_t)t->ino) < 0)
        return -1;
    return sql_int(s->l, file, err, "SELECT id FROM file WHERE root = ?1 AND path = ?2", "ip", s->scan->root, m->path);
}

int sync_put_members(struct sync *s, const struct ledger_plan *p, int64_t id, struct err *err)
{
    if (sql_do(s->l, err, "DELETE FROM member WHERE fileset = ?1", "i", id) < 0)
        return -1;
    for (size_t i = 0; i < p->n_members; i++) {
        int64_t file = 0;

        if (put_file(s, &p->members[i], &file, err) < 0 ||
            sql_do(s->l, err, "INSERT INTO member (fileset, position, file) VALUES (?1, ?2, ?3)", "iii", id, (int64_t)i,
                   file) < 0)
            return -1;
    }
    return 0;
}

int sync_other_owner(struct sync *s, const struct ledger_plan *p, int64_t id, struct arena *a, const char **path, struct err *err)
{
    for (size_t i = 0; i < p->n_members; i++) {
        AUTO(sql_reset) sqlite3_stmt *st = NULL;

        if (p->members[i].shared)
            continue;
        if (sql_start(s->l, &st, err, "SELECT o.path FROM file f JOIN member m ON m.file = f.id JOIN fileset o ON o.id ="
                      " m.fileset"
                      " WHERE f.root = ?1 AND f.path = ?2 AND o.id <> ?3 AND (o.call <> 'none' OR o.claimed = 1) LIMIT 1", "ipi",
                      s->scan->root, p->members[i].path, id) < 0)
            return -1;
        int r = sql_step(s->l, st, err);
        if (r < 0)
            return -1;
        if (r > 0) {
            *path = sql_text(st, 0, a);
            return 0;
        }
    }
    return LEDGER_NOTHING;
}
