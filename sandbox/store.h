/* The sandbox's memory: one SQLite database in its data directory.  All calls happen under the server's lock.
 *
 * A table for each kind of object (entity.h), with the columns `id`, `_kind` (the class, where several share a table), `_owner`,
 * `_grp`,
 * `_version`, `_made` and `_changed` (events) before its own; `Pair` holds lists of named values.  Ids are never used again.
 *
 * SQL may use see(_grp, _owner): may the viewer of now see such an object, within the groups of the call? */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct store;
struct viewer;

int store_open(struct store **out, const char *file, bool read_only, struct err *err);
void store_close(struct store *s);

/* Whose eyes see() has; NULL sees all.  Borrowed until the next call of this. */
void store_view(struct store *s, const struct viewer *v);

/* A statement with its parameters bound, to be stepped through.  A letter in `kinds` for each value: i int64_t, d double, s text
 * (NULL is null), n null without a value.  SQL that SQLite does not take is a fault of this program and ends it. */
sqlite3_stmt *store_query(struct store *s, const char *sql, const char *kinds, ...);
void store_donep(sqlite3_stmt **q); /* for AUTO */
bool store_next(struct store *s, sqlite3_stmt *q);
const char *store_col_text(struct arena *mem, sqlite3_stmt *q, int col); /* NULL for null */

/* Change something.  0, or -1 when a constraint forbids it; anything else that SQLite refuses ends the program with its words. */
int store_run(struct store *s, const char *sql, const char *kinds, ...);
int64_t store_last_id(struct store *s);
/* The first column of the first row, or `otherwise`. */
int64_t store_long(struct store *s, int64_t otherwise, const char *sql, const char *kinds, ...);
const char *store_text(struct store *s, struct arena *mem, const char *sql, const char *kinds, ...); /* NULL without a row */

void store_begin(struct store *s);
void store_end(struct store *s, bool keep); /* commit or roll back */
sqlite3 *store_db(struct store *s);
