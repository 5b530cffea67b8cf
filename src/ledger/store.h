/* Inside the ledger: the handle, transactions and a thin layer over SQLite.  Not for other rooms. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "base/auto.h"
#include "ledger/ledger.h"

enum { SQL_CACHE = 192 }; /* statements of the program: each text once */

struct ledger {
    sqlite3 *db;
    char *path;
    enum ledger_mode mode;
    int lock; /* descriptor, -1 without */
    char uuid[UUID_TEXT];
    pthread_mutex_t mutex;
    char *last_user; /* whose turn it was */
    struct {
        const char *text;
        sqlite3_stmt *st;
    } cache[SQL_CACHE];
    size_t n_cache;
};

/* ---- transactions: the mutex and BEGIN together; what is not committed is rolled back ---- */

struct tx {
    struct ledger *l;
    bool open;
};

int tx_begin(struct tx *tx, struct ledger *l, enum ledger_mode least, struct err *err);
int tx_commit(struct tx *tx, struct err *err);
void tx_end(struct tx *tx);

/* ---- statements.  Formats: i int64_t, z int64_t with 0 as NULL, t text (NULL as NULL), p a path as blob (NULL as NULL) ---- */

int sql_fail(struct ledger *l, int rc, struct err *err);
/* A statement, ready to step; give it back by AUTO(sql_reset).  `text` must live as long as the ledger (a literal). */
int sql_start(struct ledger *l, sqlite3_stmt **st, struct err *err, const char *text, const char *format, ...);
int sql_step(struct ledger *l, sqlite3_stmt *st, struct err *err); /* 1 a row, 0 the end, -1 */
void sql_reset(sqlite3_stmt **st);
int sql_do(struct ledger *l, struct err *err, const char *text, const char *format, ...);
/* The first column of the first row; LEDGER_NOTHING without a row. */
int sql_int(struct ledger *l, int64_t *out, struct err *err, const char *text, const char *format, ...);
/* Several statements without parameters or rows: schema and pragmas. */
int sql_script(struct ledger *l, const char *text, struct err *err);

char *sql_str(sqlite3_stmt *st, int column, struct arena *a); /* text or blob; NULL for NULL */
char *sql_text(sqlite3_stmt *st, int column, struct arena *a); /* the same; "" for NULL */
int64_t sql_num(sqlite3_stmt *st, int column);
bool sql_null(sqlite3_stmt *st, int column);
bool sql_is(sqlite3_stmt *st, int column, const char *s); /* equal, NULL with NULL */

/* A grown array as it stays: copied into the arena. */
void *keep(struct arena *a, const void *items, size_t n, size_t size);

/* ---- files beside it ---- */

int place_check(const char *path, long f_type, struct err *err); /* REASON_LEDGER for a network file system */
int lock_take(const char *state_dir, int *fd, struct err *err);
/* Write into the lock that there is a ledger from now on; and what that is for: -1 where one was, and is a file of no bytes. */
int lock_note_ledger(const char *state_dir, int fd, struct err *err);
int place_check_empty(const char *state_dir, const char *ledger, struct err *err);

int schema_check(struct ledger *l, struct err *err);   /* 0 fine, LEDGER_NOTHING empty, -1 */
int schema_migrate(struct ledger *l, struct err *err); /* up to the newest */

/* ---- shared between the ledger's files ---- */

enum ledger_state state_named(const char *name);
enum ledger_call call_named(const char *name);
enum ledger_kind kind_named(const char *name);
enum ledger_note_kind note_named(const char *name);
enum ledger_verb verb_named(const char *name);

int event_add(struct ledger *l, int64_t fileset, int64_t dataset, const char *what, enum reason why, const char *text,
              struct err *err);
/* Unless it carries the fileset's revision, the card's annotations are still to be put on it. */
int image_put(struct ledger *l, int64_t fileset, bool carries, const struct ledger_image *i, struct err *err);
int revision_put(struct ledger *l, const struct ledger_revision *r, int64_t *id, struct err *err);
int revision_get(struct ledger *l, int64_t id, struct arena *a, const struct ledger_revision **out, struct err *err);

/* Enter a state.  `why` NULL: no reason.  retry_ms counts for WAITING alone: CLOCK_NEVER = not before a scan says so. */
int state_enter(struct ledger *l, int64_t fileset, enum ledger_state to, const struct err *why, int64_t retry_ms,
                struct err *err);
/* With at most so many of its members. */
int fileset_get(struct ledger *l, int64_t id, size_t members, struct arena *a, const struct ledger_fileset **out,
                struct err *err);
/* What lies at or below an absolute path: in the root that holds it (0: none does), at `path` and between `from` and `to`; and
 * the paths of roots that lie there themselves. */
struct below {
    int64_t root;
    const char *path, *from, *to;
    const char *outer, *outer_from, *outer_to;
};
int below_find(struct ledger *l, const char *path, struct arena *a, struct below *out, struct err *err);
/* Rows that a filter lets through, in order; *ids is owned by the caller. */
int fileset_ids(struct ledger *l, const struct ledger_filter *f, int64_t **ids, size_t *n, struct err *err);
int dataset_get(struct ledger *l, int64_t id, struct arena *a, const struct ledger_dataset **out, struct err *err);
