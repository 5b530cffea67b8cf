#include "ledger/store.h"

#include <stdlib.h>

#include "base/clock.h"

/* "impo": tells a ledger from another program's database. */
#define APPLICATION_ID "1768779887"

/* Migrations, oldest first; a text is never changed once released: what is new is a new text.  user_version counts them. */
/* What counts as there: as ledger_counts says it. */
#define COUNTED(row) row ".gone_ms IS NULL OR " row ".state = 'done'"
/* One more or one less (sign) of a fileset's state, among all and in its dataset. */
#define TALLY(row, sign)                                                                                                      \
    " INSERT INTO tally (dataset, state, reason, n, bytes) VALUES (0, " row ".state, " row ".reason, " sign "1, " sign row    \
    ".bytes), (coalesce(" row ".dataset, -1), " row ".state, " row ".reason, " sign "1, " sign row ".bytes)"                  \
    " ON CONFLICT (dataset, state, reason) DO UPDATE SET n = n + excluded.n, bytes = bytes + excluded.bytes;"
#define TALLIED(row) "(" row ".state, " row ".reason, " row ".bytes, " row ".dataset, " row ".gone_ms IS NULL)"

static const char *const migrations[] = {
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE root (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, path BLOB NOT NULL UNIQUE,"
    " scanned_ms INTEGER NOT NULL DEFAULT 0, away_ms INTEGER, away_text TEXT) STRICT;"

    /* The content of cards: one row a content, however many files hold it and however often it comes back. */
    "CREATE TABLE card_revision (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, project TEXT NOT NULL, user TEXT NOT NULL,"
    " grp TEXT, title TEXT, comment TEXT NOT NULL, tags TEXT NOT NULL, pairs TEXT NOT NULL, first_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE card (id INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES root, path BLOB NOT NULL,"
    " revision INTEGER REFERENCES card_revision, reason TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL,"
    " since_ms INTEGER NOT NULL, gone_ms INTEGER, UNIQUE (root, path)) STRICT;"

    "CREATE TABLE dataset (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, root INTEGER NOT NULL REFERENCES root,"
    " dir BLOB NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('dataset', 'screen')), name TEXT NOT NULL,"
    " server TEXT, omero_id INTEGER, project_id INTEGER, owner_id INTEGER, group_id INTEGER,"
    " made_project TEXT, made_user TEXT, made_group TEXT,"
    " wanted INTEGER NOT NULL REFERENCES card_revision, applied INTEGER REFERENCES card_revision,"
    " applied_ms INTEGER NOT NULL DEFAULT 0, stale INTEGER NOT NULL DEFAULT 1, claimed INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT 'none', text TEXT NOT NULL DEFAULT '', since_ms INTEGER NOT NULL,"
    " retry_ms INTEGER NOT NULL DEFAULT 0, UNIQUE (root, dir, kind), UNIQUE (server, kind, omero_id)) STRICT;"
    "CREATE INDEX dataset_stale ON dataset (retry_ms) WHERE stale = 1;"

    "CREATE TABLE annotation (dataset INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE, position INTEGER NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind IN ('map', 'comment', 'tag', 'source')), text TEXT NOT NULL, omero_id INTEGER NOT NULL,"
    " made INTEGER NOT NULL, linked INTEGER NOT NULL, PRIMARY KEY (dataset, position)) STRICT, WITHOUT ROWID;"

    /* Stamps are those of the last plan until a set is sent, and stay as they were sent from then on. */
    "CREATE TABLE file (id INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES root, path BLOB NOT NULL, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, ino INTEGER NOT NULL, algorithm TEXT, hash TEXT,"
    " UNIQUE (root, path)) STRICT;"
    "CREATE INDEX file_moved ON file (size, mtime_ns);"
    "CREATE INDEX file_hash ON file (hash) WHERE hash IS NOT NULL;"

    "CREATE TABLE fileset (id INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL REFERENCES root, path BLOB NOT NULL,"
    " dataset INTEGER REFERENCES dataset, revision INTEGER REFERENCES card_revision, user TEXT NOT NULL, name TEXT NOT NULL,"
    " format TEXT NOT NULL, reader TEXT, plate INTEGER NOT NULL, bytes INTEGER NOT NULL, plan_reason TEXT NOT NULL,"
    " quiet_ms INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('seen', 'settling', 'ready', 'sent', 'started', 'done', 'waiting', 'held')),"
    " reason TEXT NOT NULL DEFAULT 'none', class INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL DEFAULT '',"
    " hint TEXT NOT NULL DEFAULT '', since_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL, retry_ms INTEGER NOT NULL DEFAULT 0,"
    " gone_ms INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " due_ms INTEGER, claimed INTEGER NOT NULL DEFAULT 0,"
    " job TEXT UNIQUE, call TEXT NOT NULL DEFAULT 'none'"
    " CHECK (call IN ('none', 'import', 'upload', 'verify', 'running', 'finished')),"
    " call_ms INTEGER NOT NULL DEFAULT 0, server TEXT, session_id INTEGER, omero_id INTEGER, process TEXT, handle TEXT,"
    " UNIQUE (root, path)) STRICT;"
    /* due_ms: when a worker may take it, NULL = not before something changes. */
    "CREATE INDEX fileset_due ON fileset (user, due_ms, id) WHERE due_ms IS NOT NULL AND claimed = 0;"
    "CREATE INDEX fileset_next ON fileset (due_ms) WHERE due_ms IS NOT NULL AND claimed = 0;"
    "CREATE INDEX fileset_claimed ON fileset (user) WHERE claimed = 1;"
    "CREATE INDEX fileset_state ON fileset (state, reason);"
    "CREATE INDEX fileset_omero ON fileset (omero_id) WHERE omero_id IS NOT NULL;"
    "CREATE INDEX fileset_dataset ON fileset (dataset);"

    "CREATE TABLE member (fileset INTEGER NOT NULL REFERENCES fileset ON DELETE CASCADE, position INTEGER NOT NULL,"
    " file INTEGER NOT NULL REFERENCES file, PRIMARY KEY (fileset, position)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX member_file ON member (file);"

    "CREATE TABLE image (id INTEGER PRIMARY KEY AUTOINCREMENT, fileset INTEGER NOT NULL REFERENCES fileset ON DELETE CASCADE,"
    " dataset INTEGER REFERENCES dataset, omero_id INTEGER NOT NULL, plate INTEGER NOT NULL, series INTEGER NOT NULL,"
    " name TEXT NOT NULL, revision INTEGER REFERENCES card_revision, made_ms INTEGER NOT NULL, deleted_ms INTEGER,"
    " UNIQUE (fileset, plate, omero_id)) STRICT;"
    "CREATE INDEX image_omero ON image (omero_id);"
    "CREATE INDEX image_dataset ON image (dataset, id);"

    "CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL CHECK (verb IN ('retry', 'forget')), path"
    " BLOB,"
    " made_ms INTEGER NOT NULL, taken_ms INTEGER, answer TEXT) STRICT;"
    "CREATE INDEX request_open ON request (id) WHERE taken_ms IS NULL;"

    /* What happened, for people: never read to decide anything. */
    "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL,"
    " fileset INTEGER REFERENCES fileset ON DELETE CASCADE, dataset INTEGER REFERENCES dataset ON DELETE CASCADE,"
    " what TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_fileset ON event (fileset);",

    /* Stamps of a changed file whose checksum was compared with what was imported: it is not read again for them. */
    "ALTER TABLE file ADD COLUMN seen_size INTEGER; ALTER TABLE file ADD COLUMN seen_mtime_ns INTEGER;",
    /* What was found in files by their stamps, and the lists of names that many of them share.  May be lost. */
    "CREATE TABLE look_list (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE look_file (root INTEGER NOT NULL REFERENCES root, path BLOB NOT NULL, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, ino INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " PRIMARY KEY (root, path)) STRICT, WITHOUT ROWID;",
    /* What people were told of: a card's trouble, and which trouble of a dataset. */
    "ALTER TABLE card ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE dataset ADD COLUMN told INTEGER NOT NULL DEFAULT 0;",

    /* What is asked at any size: how many filesets are in which state (dataset 0: in all; -1: in those without one), what each
     * hour brought, and the ways that lists and searches go. */
    "CREATE TABLE tally (dataset INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, PRIMARY KEY (dataset, state, reason)) STRICT, WITHOUT ROWID;"
    "INSERT INTO tally SELECT 0, state, reason, count(*), sum(bytes) FROM fileset f WHERE " COUNTED("f") " GROUP BY 2, 3;"
    "INSERT INTO tally SELECT coalesce(dataset, -1), state, reason, count(*), sum(bytes) FROM fileset f WHERE " COUNTED("f")
    " GROUP BY 1, 2, 3;"
    "CREATE TRIGGER tally_new AFTER INSERT ON fileset WHEN " COUNTED("new") " BEGIN" TALLY("new", "") " END;"
    "CREATE TRIGGER tally_gone AFTER DELETE ON fileset WHEN " COUNTED("old") " BEGIN" TALLY("old", "-") " END;"
    "CREATE TRIGGER tally_from AFTER UPDATE OF state, reason, bytes, dataset, gone_ms ON fileset WHEN (" COUNTED("old") ") AND "
    TALLIED("old") " IS NOT " TALLIED("new") " BEGIN" TALLY("old", "-") " END;"
    "CREATE TRIGGER tally_to AFTER UPDATE OF state, reason, bytes, dataset, gone_ms ON fileset WHEN (" COUNTED("new") ") AND "
    TALLIED("old") " IS NOT " TALLIED("new") " BEGIN" TALLY("new", "") " END;"
    "CREATE TABLE pace (hour INTEGER NOT NULL PRIMARY KEY, done INTEGER NOT NULL, bytes INTEGER NOT NULL, stuck INTEGER NOT NULL,"
    " queue INTEGER NOT NULL) STRICT;"
    "INSERT INTO pace SELECT e.at_ms / 3600000, sum(e.what = 'done'), sum(CASE e.what WHEN 'done' THEN f.bytes ELSE 0 END),"
    " sum(e.what IN ('waiting', 'held')), 0 FROM event e JOIN fileset f ON f.id = e.fileset GROUP BY 1;"
    "CREATE TRIGGER pace_event AFTER INSERT ON event WHEN new.fileset IS NOT NULL BEGIN"
    " INSERT INTO pace (hour, done, bytes, stuck, queue) VALUES (new.at_ms / 3600000, new.what = 'done',"
    " CASE new.what WHEN 'done' THEN (SELECT bytes FROM fileset WHERE id = new.fileset) ELSE 0 END,"
    " new.what IN ('waiting', 'held'),"
    " (SELECT coalesce(sum(n), 0) FROM tally WHERE dataset = 0 AND state NOT IN ('done', 'held')))"
    " ON CONFLICT (hour) DO UPDATE SET done = done + excluded.done, bytes = bytes + excluded.bytes,"
    " stuck = stuck + excluded.stuck, queue = excluded.queue; END;"
    "DROP INDEX fileset_state;"
    "CREATE INDEX fileset_state ON fileset (state, reason, gone_ms, since_ms);"
    "CREATE INDEX fileset_by_state ON fileset (state);"
    "CREATE INDEX fileset_by_user ON fileset (user);"
    "CREATE INDEX fileset_by_name ON fileset (name COLLATE NOCASE);"
    "CREATE INDEX dataset_omero ON dataset (omero_id) WHERE omero_id IS NOT NULL;"
    "CREATE INDEX dataset_trouble ON dataset (root, dir, kind) WHERE reason <> 'none';"
    "CREATE INDEX card_trouble ON card (root, path) WHERE reason <> 'none' AND gone_ms IS NULL;"
    "CREATE INDEX event_dataset ON event (dataset) WHERE dataset IS NOT NULL;",

    /* What its provenance in OMERO says of the directory is out of date. */
    "ALTER TABLE dataset ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;",

    /* Does an image have a map annotation of its own, and which (0: none was made, or it had to go)? */
    "ALTER TABLE image ADD COLUMN own INTEGER NOT NULL DEFAULT 0; ALTER TABLE image ADD COLUMN map INTEGER NOT NULL DEFAULT 0;",
    /* Cards of one user. */
    "CREATE INDEX card_revision_user ON card_revision (user); CREATE INDEX card_by_revision ON card (revision);",

    /* The description that it was given; NULL: not known, as of those made before this version. */
    "ALTER TABLE dataset ADD COLUMN described TEXT;",
};

static int version(struct ledger *l, int64_t *out, struct err *err)
{
    return sql_int(l, out, err, "PRAGMA user_version", "");
}

int schema_check(struct ledger *l, struct err *err)
{
    int64_t have = 0, id = 0, tables = 0;
    const int64_t newest = ARRAY_LEN(migrations);

    if (version(l, &have, err) < 0 || sql_int(l, &id, err, "PRAGMA application_id", "") < 0 ||
        sql_int(l, &tables, err, "SELECT count(*) FROM sqlite_schema", "") < 0)
        return -1;
    if (have == 0 && id == 0 && tables == 0)
        return LEDGER_NOTHING;
    if (id != strtoll(APPLICATION_ID, NULL, 10))
        return err_set(err, REASON_LEDGER, 0, "ledger '%s': a database of another program", l->path);
    if (have > newest)
        return err_set(err, REASON_LEDGER, 0, "ledger '%s': of version %lld, written by a newer impomero; this one knows up to"
                       " %lld",
                       l->path, (long long)have, (long long)newest);
    if (have < newest && l->mode != LEDGER_ENGINE)
        return err_set(err, REASON_LEDGER, 0, "ledger '%s': of version %lld, older than this impomero's %lld; the next import or "
                       "start of the service brings it up to date", l->path, (long long)have, (long long)newest);
    return 0;
}

static int birth(struct ledger *l, struct err *err)
{
    char uuid[UUID_TEXT], now[25];

    uuid_new(uuid);
    clock_text(clock_wall_ms(), now);
    return sql_do(l, err, "INSERT INTO meta (key, value) VALUES ('uuid', ?1), ('made', ?2)", "tt", uuid, now);
}

static int migrate_one(struct ledger *l, int64_t from, struct err *err)
{
    AUTO(mem_freep) char *mark =
        mem_printf("PRAGMA application_id = " APPLICATION_ID "; PRAGMA user_version = %lld", (long long)from + 1);

    if (sql_script(l, migrations[from], err) < 0 || (from == 0 && birth(l, err) < 0))
        return -1;
    return sql_script(l, mark, err);
}

/* As one step: nobody ever reads a ledger that is half of one version and half of the next. */
int schema_migrate(struct ledger *l, struct err *err)
{
    AUTO(tx_end) struct tx tx = {0};
    int64_t have = 0;

    if (version(l, &have, err) < 0)
        return -1;
    if (have == (int64_t)ARRAY_LEN(migrations))
        return 0;
    if (tx_begin(&tx, l, LEDGER_ENGINE, err) < 0)
        return -1;
    for (; have < (int64_t)ARRAY_LEN(migrations); have++)
        if (migrate_one(l, have, err) < 0)
            return -1;
    return tx_commit(&tx, err);
}
