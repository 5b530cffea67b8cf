/* Lists of filesets: each way to ask has the text that walks the index for it, so that a page costs the same at any size. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "ledger/store.h"

/* ---- below a directory ---- */

static const char *joined(struct arena *a, const char *path, char last)
{
    size_t n = strlen(path);

    return n == 0 ? (last == '/' ? "" : "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF") : arena_printf(a, "%s%c", path, last);
}

/* "a/b" holds what lies from "a/b/" to "a/b0", as '0' is what follows '/'. */
static void set_below(struct arena *a, const char *path, struct below *b)
{
    b->path = arena_str(a, path);
    b->from = joined(a, path, '/');
    b->to = joined(a, path, '0');
}

int below_find(struct ledger *l, const char *path, struct arena *a, struct below *out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    struct below b = {0};
    int r = -1;

    set_below(a, "", &b);
    if (sql_start(l, &st, err, "SELECT id, path FROM root", "") < 0)
        return -1;
    while ((r = sql_step(l, st, err)) > 0) {
        const char *rest = str_below(path, sql_text(st, 1, a));

        if (!rest)
            continue;
        b.root = sql_num(st, 0);
        set_below(a, rest, &b);
        break;
    }
    if (r < 0)
        return -1;
    b.outer = arena_str(a, path);
    b.outer_from = strcmp(path, "/") == 0 ? "/" : joined(a, path, '/');
    b.outer_to = strcmp(path, "/") == 0 ? "0" : joined(a, path, '0');
    *out = b;
    return 0;
}

/* ---- the texts ----
 * ?1 rows after, ?2 states as a JSON array or NULL, ?3 only changed ones, ?4 at most; the rest is each one's own. */

#define COMMON " AND (?2 IS NULL OR f.state IN (SELECT value FROM json_each(?2)))"                                             \
    " AND (?3 = 0 OR (f.state = 'done' AND f.reason = 'changed'))"
#define BY_ROW " AND f.id > ?1" COMMON " ORDER BY f.id LIMIT ?4"

static const char by_row[] = "SELECT f.id FROM fileset f WHERE 1" BY_ROW;
static const char by_state[] = "SELECT f.id FROM fileset f WHERE f.state = json_extract(?2, '$[0]') AND f.id > ?1 AND ?3 = 0"
                               " ORDER BY f.id LIMIT ?4";
/* Few of many: the index is named, as the order of rows would lead the planner through all of them. */
static const char by_states[] =
    "SELECT f.id FROM fileset f INDEXED BY fileset_by_state WHERE f.state IN (SELECT value FROM json_each(?2)) AND f.id > ?1"
    " AND ?3 = 0 ORDER BY f.id LIMIT ?4";
static const char by_changed[] =
    "SELECT f.id FROM fileset f INDEXED BY fileset_state WHERE f.state = 'done' AND f.reason = 'changed'" BY_ROW;
static const char by_path[] =
    "SELECT f.id FROM fileset f WHERE f.id IN ("
    "SELECT id FROM fileset WHERE root IN (SELECT id FROM root WHERE path = ?5 OR (path >= ?6 AND path < ?7))"
    " UNION ALL SELECT id FROM fileset WHERE root = ?8 AND path = ?9"
    " UNION ALL SELECT id FROM fileset WHERE root = ?8 AND path >= ?10 AND path < ?11"
    " UNION ALL SELECT m.fileset FROM file p JOIN member m ON m.file = p.id WHERE p.root = ?8 AND p.path = ?9)" BY_ROW;
static const char by_file[] =
    "SELECT f.id FROM fileset f WHERE f.id IN (SELECT m.fileset FROM file p JOIN member m ON m.file = p.id"
    " WHERE p.root = ?5 AND p.path = ?6)" BY_ROW;
static const char by_image[] =
    "SELECT f.id FROM fileset f WHERE f.id IN (SELECT fileset FROM image WHERE omero_id = ?5 AND plate = 0)" BY_ROW;
static const char by_omero_fileset[] = "SELECT f.id FROM fileset f WHERE f.omero_id = ?5" BY_ROW;
static const char by_omero_dataset[] =
    "SELECT f.id FROM fileset f WHERE f.dataset IN (SELECT id FROM dataset WHERE omero_id = ?5 AND kind = 'dataset')" BY_ROW;
static const char by_dataset[] = "SELECT f.id FROM fileset f WHERE f.dataset = ?5" BY_ROW;
static const char by_user[] = "SELECT f.id FROM fileset f WHERE f.user = ?5" BY_ROW;
/* In the order of the index: of paths below one directory, of names that begin alike. */
static const char page_of_path[] =
    "SELECT f.id FROM fileset f WHERE f.root = ?5 AND f.path >= ?6 AND f.path < ?7 AND f.path > coalesce((SELECT path FROM"
    " fileset WHERE id = ?1), x'')" COMMON " ORDER BY f.path LIMIT ?4";
static const char page_of_name[] =
    "SELECT f.id FROM fileset f WHERE f.name COLLATE NOCASE >= ?5 AND f.name COLLATE NOCASE < ?6"
    " AND (f.name COLLATE NOCASE, f.id) > (coalesce((SELECT name FROM fileset WHERE id = ?1), ?5), ?1)" COMMON
    " ORDER BY f.name COLLATE NOCASE, f.id LIMIT ?4";

static char *state_words(unsigned states)
{
    AUTO(buf_clear) struct buf words = BUF_INIT(256);

    for (unsigned i = 0; i < N_LEDGER_STATES; i++)
        if (states & 1u << i)
            buf_printf(&words, "%c\"%s\"", words.len == 0 ? '[' : ',', ledger_state_name((enum ledger_state)i));
    buf_add_str(&words, "]");
    return buf_take_str(&words);
}

/* The first text after all that begin with this one. */
static const char *after_prefix(struct arena *a, const char *prefix)
{
    return arena_printf(a, "%s\xF4\x8F\xBF\xBF", prefix); /* U+10FFFF */
}

/* With one state the rows of its index are in order; with several they are sorted. */
static const char *text_of(const struct ledger_filter *f)
{
    if (f->changed)
        return by_changed;
    if (!f->states)
        return by_row;
    return f->states & (f->states - 1) ? by_states : by_state;
}

static int start_file(struct ledger *l, const struct ledger_filter *f, const char *states, int64_t max, struct arena *a,
                      sqlite3_stmt **st, struct err *err)
{
    struct below b;

    if (below_find(l, f->file, a, &b, err) < 0)
        return -1;
    return sql_start(l, st, err, by_file, "itiiip", f->after, states, (int64_t)f->changed, max, b.root, b.path);
}

static int start_path(struct ledger *l, const struct ledger_filter *f, const char *states, int64_t max, struct arena *a,
                      sqlite3_stmt **st, struct err *err)
{
    struct below b;

    if (below_find(l, f->path, a, &b, err) < 0)
        return -1;
    if (f->in_order)
        return sql_start(l, st, err, page_of_path, "itiiipp", f->after, states, (int64_t)f->changed, max, b.root, b.from, b.to);
    return sql_start(l, st, err, by_path, "itiipppippp", f->after, states, (int64_t)f->changed, max, b.outer, b.outer_from,
                     b.outer_to, b.root, b.path, b.from, b.to);
}

/* Rows of other tables that an index leads to. */
static int start_number(struct ledger *l, const struct ledger_filter *f, const char *states, int64_t max, sqlite3_stmt **st,
                        struct err *err)
{
    const struct {
        int64_t number;
        const char *text;
    } ways[] = {{f->image, by_image}, {f->omero_fileset, by_omero_fileset}, {f->omero_dataset, by_omero_dataset},
                {f->dataset, by_dataset}};

    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (ways[i].number)
            return sql_start(l, st, err, ways[i].text, "itiii", f->after, states, (int64_t)f->changed, max, ways[i].number);
    return sql_start(l, st, err, text_of(f), "itii", f->after, states,
                     (int64_t)f->changed, max);
}

static int start(struct ledger *l, const struct ledger_filter *f, struct arena *a, sqlite3_stmt **st, struct err *err)
{
    AUTO(mem_freep) char *states = f->states ? state_words(f->states) : NULL;
    int64_t max = f->max ? (int64_t)f->max : INT64_C(-1);

    if (f->path)
        return start_path(l, f, states, max, a, st, err);
    if (f->file)
        return start_file(l, f, states, max, a, st, err);
    if (f->user)
        return sql_start(l, st, err, by_user, "itiit", f->after, states, (int64_t)f->changed, max, f->user);
    if (f->name)
        return sql_start(l, st, err, page_of_name, "itiitt", f->after, states, (int64_t)f->changed, max, f->name,
                         after_prefix(a, f->name));
    return start_number(l, f, states, max, st, err);
}

/* ---- rows ---- */

struct rows {
    int64_t **ids;
    size_t *n, cap;
};

static int take(struct ledger *l, sqlite3_stmt *st, struct rows *out, struct err *err)
{
    int r = -1;

    while ((r = sql_step(l, st, err)) > 0) {
        *out->ids = mem_grow(*out->ids, *out->n, &out->cap, sizeof(**out->ids));
        (*out->ids)[(*out->n)++] = sql_num(st, 0);
    }
    return r;
}

/* Pages of a directory that holds whole roots: one root after the other, beginning with that of the row before. */
static int take_roots(struct ledger *l, const struct ledger_filter *f, const struct below *b, struct arena *a, struct rows *out,
                      struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *roots = NULL;
    AUTO(mem_freep) char *states = f->states ? state_words(f->states) : NULL;
    int64_t begun = 0;
    int r = -1;

    if (sql_int(l, &begun, err, "SELECT root FROM fileset WHERE id = ?1", "i", f->after) < 0 ||
        sql_start(l, &roots, err, "SELECT id FROM root WHERE (path = ?1 OR (path >= ?2 AND path < ?3)) AND id >= ?4 ORDER BY id",
                  "pppi", b->outer, b->outer_from, b->outer_to, begun) < 0)
        return -1;
    while ((f->max == 0 || *out->n < f->max) && (r = sql_step(l, roots, err)) > 0) {
        AUTO(sql_reset) sqlite3_stmt *st = NULL;
        int64_t root = sql_num(roots, 0), left = f->max ? (int64_t)(f->max - *out->n) : INT64_C(-1);

        if (sql_start(l, &st, err, page_of_path, "itiiipp", root == begun ? f->after : INT64_C(0), states, (int64_t)f->changed,
                      left, root, joined(a, "", '/'), joined(a, "", '0')) < 0 ||
            take(l, st, out, err) < 0)
            return -1;
    }
    return r < 0 ? -1 : 0;
}

int fileset_ids(struct ledger *l, const struct ledger_filter *f, int64_t **ids, size_t *n, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;
    AUTO(arena_freep) struct arena *a = arena_new();
    struct rows out = {.ids = ids, .n = n};
    struct below b;

    if (f->path && f->in_order) {
        if (below_find(l, f->path, a, &b, err) < 0)
            return -1;
        if (!b.root)
            return take_roots(l, f, &b, a, &out, err);
    }
    return start(l, f, a, &st, err) < 0 ? -1 : take(l, st, &out, err);
}
