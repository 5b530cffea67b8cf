/* The ledger: what was seen, planned, sent and done, with which ids.  One SQLite file in the state directory.
 *
 * Invariants
 * - Every function is one transaction: it happened as a whole and is on the disk (WAL, synchronous FULL), or not at all.
 * - One engine per ledger: LEDGER_ENGINE holds `lock` beside the database for its life; the system drops it with the process.
 * - A handle may be used by several threads: each call holds the handle's mutex.  Readers open a handle of their own.
 * - Times are wall-clock milliseconds since 1970 UTC, paths are bytes relative to their root ("" = the root itself).
 * - Nothing secret is ever stored: of a server session only its number in OMERO's database is kept, never its uuid.
 * - Identity is never a name: a dataset is (root, directory, kind) -> uuid -> (server uuid, number in OMERO).
 *
 * Returns: 0, LEDGER_NOTHING where it says so, or -1: REASON_LEDGER (unusable: corrupt, newer, read-only, on a network share),
 * REASON_BUSY (another engine, or the database stays locked), REASON_DISK_FULL, REASON_BUG (a move that is not allowed).
 * Answers live in the arena of the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"

enum { LEDGER_NOTHING = 1 };

/* Where a fileset stands.  Stored by name. */
#define LEDGER_STATES(X)                                                                    \
    X(SEEN, "seen", "planned, not looked at any further")                                   \
    X(SETTLING, "settling", "its files may still be written")                               \
    X(READY, "ready", "waits for a worker")                                                 \
    X(SENT, "sent", "the server was asked to make a fileset; the files are being uploaded") \
    X(STARTED, "started", "the server was asked to import what was uploaded")               \
    X(DONE, "done", "its images are in OMERO")                                              \
    X(WAITING, "waiting", "tried again later by itself")                                    \
    X(HELD, "held", "needs a person or a change")

enum ledger_state {
#define X(id, name, help) LEDGER_##id,
    LEDGER_STATES(X)
#undef X
    N_LEDGER_STATES,
};

/* The call about a fileset that was sent last.  It is committed before the call goes out, so that after a crash it says what may
 * have happened on the server (design: exactly once). */
#define LEDGER_CALLS(X)                                                                     \
    X(NONE, "none", "nothing was sent, or what was sent is known to be undone")             \
    X(IMPORT, "import", "importFileset may have been sent")                                 \
    X(UPLOAD, "upload", "importFileset was answered; files may have been written")          \
    X(VERIFY, "verify", "verifyUpload may have been sent")                                  \
    X(RUNNING, "running", "verifyUpload was answered; the server imports")                  \
    X(FINISHED, "finished", "the server's answer was taken in")

enum ledger_call {
#define X(id, name, help) LEDGER_CALL_##id,
    LEDGER_CALLS(X)
#undef X
    N_LEDGER_CALLS,
};

/* What a card's directory becomes in OMERO. */
#define LEDGER_KINDS(X)                                            \
    X(DATASET, "dataset", "a dataset in the card's project")       \
    X(SCREEN, "screen", "a screen for the plates of the directory")

enum ledger_kind {
#define X(id, name, help) LEDGER_KIND_##id,
    LEDGER_KINDS(X)
#undef X
    N_LEDGER_KINDS,
};

/* The annotations that a card has in OMERO. */
#define LEDGER_NOTES(X)                                                       \
    X(MAP, "map", "the card's pairs")                                         \
    X(COMMENT, "comment", "the card's comment")                               \
    X(TAG, "tag", "one of the card's tags")                                   \
    X(SOURCE, "source", "where the dataset comes from (impomero/source)")

enum ledger_note_kind {
#define X(id, name, help) LEDGER_NOTE_##id,
    LEDGER_NOTES(X)
#undef X
    N_LEDGER_NOTES,
};

/* What a person asks of the engine. */
#define LEDGER_VERBS(X)                                                                      \
    X(RETRY, "retry", "try again at once what waits, is held or was deleted in OMERO")       \
    X(FORGET, "forget", "forget what is known of a path; nothing is changed in OMERO")

enum ledger_verb {
#define X(id, name, help) LEDGER_VERB_##id,
    LEDGER_VERBS(X)
#undef X
    N_LEDGER_VERBS,
};

const char *ledger_state_name(enum ledger_state state);
const char *ledger_state_help(enum ledger_state state);
const char *ledger_call_name(enum ledger_call call);
const char *ledger_kind_name(enum ledger_kind kind);
const char *ledger_note_name(enum ledger_note_kind kind);
const char *ledger_verb_name(enum ledger_verb verb);

/* ---- opening ------------------------------------------------------------------------------------------------------- */

struct ledger;

enum ledger_mode {
    LEDGER_READ,    /* status, where: never makes or changes anything */
    LEDGER_REQUEST, /* retry, forget: may only add requests; needs no lock */
    LEDGER_ENGINE,  /* all; makes the state directory and the ledger, migrates it, holds the lock */
};

/* Open `ledger.db` in a state directory.  LEDGER_NOTHING: there is none (never with LEDGER_ENGINE).
 * LEDGER_ENGINE frees what an earlier run had claimed: its filesets are handed out again, with their journal as it was. */
int ledger_open(const char *state_dir, enum ledger_mode mode, struct ledger **out, struct err *err);
void ledger_close(struct ledger *l); /* NULL is fine; gives the lock back */
void ledger_closep(struct ledger **l);
const char *ledger_uuid(const struct ledger *l);

/* ---- roots --------------------------------------------------------------------------------------------------------- */

struct ledger_root {
    int64_t id;
    const char *name, *path;          /* the path is absolute and canonical */
    int64_t scanned_ms;               /* the last look that found it; 0 = never */
    int64_t away_ms;                  /* since when it is away; 0 = it is there */
    const char *away_text;
};

/* The root of a path, made when new; a known one keeps its number, and its name follows the configuration.
 * REASON_CONFIG: it lies in a known root, or a known one lies in it (the text names both), or the name is another root's. */
int ledger_root(struct ledger *l, const char *name, const char *path, int64_t *id, struct err *err);
/* It is empty or not there: nothing is concluded about its files until a sync finds it again. */
int ledger_root_away(struct ledger *l, int64_t root, const char *text, struct err *err);
int ledger_roots(struct ledger *l, struct arena *a, const struct ledger_root **out, size_t *n, struct err *err);

/* ---- what a scan planned ------------------------------------------------------------------------------------------- */

struct ledger_stamp {
    int64_t size, mtime_ns, ctime_ns;
    uint64_t ino; /* a hint: compared only where times are trusted, before the import */
};

struct ledger_pair {
    const char *key, *value;
};

/* The content of a card; equal sha256 = the same revision. */
struct ledger_revision {
    int64_t id; /* answers only */
    const char *sha256, *project, *user, *group /* NULL: the default one */, *title /* NULL */, *comment;
    const char *const *tags;
    size_t n_tags;
    const struct ledger_pair *pairs;
    size_t n_pairs;
};

/* A card file as it lies there; or what cannot be looked into, of which nobody knows whether it is one or holds one. */
struct ledger_card {
    const char *path;
    const char *dir; /* of a scan: its directory when it is the one that applies there, else NULL */
    enum reason why; /* REASON_NONE: it applies; else _BROKEN_CARD, _CONFLICT, _REFUSED ... */
    int line;
    const char *text;                       /* what is wrong; "" */
    const struct ledger_revision *revision; /* NULL for a broken one */
    int64_t since_ms;                       /* answers only: since when it is so */
    const char *root;                       /* answers only: the root's path */
    int64_t id, root_id;                    /* answers only */
    bool told;                              /* answers only: ledger_card_told, since it is so */
};

/* The target of a card's directory as planned. */
struct ledger_target {
    const char *dir;
    enum ledger_kind kind;
    const char *name;
    const struct ledger_revision *revision;
};

struct ledger_member {
    const char *path;
    struct ledger_stamp stamp;
    bool shared; /* of a plan: a small companion that other filesets may have too */
    const char *algorithm, *hash; /* of what was uploaded; NULL before */
};

/* A fileset as planned.  Members: the target first. */
struct ledger_plan {
    const char *path; /* of the target */
    size_t target;    /* index into the scan's targets; SIZE_MAX = none (held) */
    const char *name, *format, *reader /* NULL */;
    bool plate;
    enum reason why; /* not REASON_NONE: held for it */
    const char *text;
    const struct ledger_member *members;
    size_t n_members;
};

struct ledger_scan {
    int64_t root;
    int64_t settle_ms;
    bool trust_times; /* the file system's clock is ours: a ctime that lies back far enough counts as having been quiet */
    const struct ledger_card *cards;
    size_t n_cards;
    const struct ledger_target *targets;
    size_t n_targets;
    /* Plan number i, in the arena but for its paths, which live as long as the scan: asked for one at a time, and more than once,
     * as there may be millions. */
    void (*plan)(const void *arg, size_t i, struct arena *a, struct ledger_plan *out);
    const void *arg;
    size_t n_plans;
};

struct ledger_synced {
    size_t added, changed, unchanged, gone, ready, moved;
    int64_t next_ms; /* when the next settling one may be ready; 0 = none is settling */
};

/* Take a scan in: new filesets, changed ones, ones that vanished; cards; the revision that each target should carry.
 * - Known = same root, path and members with the same size, mtime and ctime (of done ones: size and mtime).
 * - Not sent yet: follows the plan (dataset, name, card), settles anew when a stamp changed.  Held or waiting ones are released
 *   when a stamp or the card's revision changed, or when the plan's own reason is gone.
 * - Sent or started: left alone.  Done: stays done; a change of its files is reported (why = REASON_CHANGED), and due for
 *   ledger_compared once they have been quiet.
 * - Files with size, mtime and inode of done ones that lie there no more are these, renamed: their rows follow, and keep their
 *   dataset.  A dataset follows the card's directory with them, when the old one has no card any more.  Renamed while under
 *   way: held as REASON_UNDER_WAY until that import is over.  Inodes are compared for this alone; other moves are found by
 *   ledger_twins.
 * - A new set with a member, not a shared one, that another set has imported already is held as REASON_DUPLICATE.
 * - What was made for a card's directory follows the card that applies there, be any file left below it or not.
 * - Not in the scan any more: not handed out until it is back; done ones stay done. */
int ledger_sync(struct ledger *l, const struct ledger_scan *scan, struct ledger_synced *out, struct err *err);

/* ---- moved and copied files ---------------------------------------------------------------------------------------- */

/* A fileset whose files had the same bytes as those of another one. */
struct ledger_twin {
    int64_t id;
    const char *root_path, *path, *user;
    int64_t group_id;    /* of its dataset; 0 = not known */
    bool done, gone;     /* gone: the last look at its root did not find it */
    const struct ledger_member *members; /* as they were sent */
    size_t n_members;
};

/* Whether there is anything that a fileset's files may be copies of: those sent from as many files of the same sizes.  `gone`:
 * only those that the last look did not find, or found changed, or that lie in another root.  The algorithms of their checksums
 * (a NULL ends the list); `*pending`: one is gone and its import is not over. */
int ledger_twin_sums(struct ledger *l, int64_t fileset, bool gone, struct arena *a, const char *const **algorithms, bool *pending,
                     struct err *err);
/* The twins of a fileset by checksums of its members, lowest row first. */
int ledger_twins(struct ledger *l, int64_t fileset, const char *algorithm, const char *const *hashes, struct arena *a,
                 const struct ledger_twin **out, size_t *n, struct err *err);
/* The fileset `to`, which was never sent, is the done fileset `from` at a new place: one row remains, `from`, with its dataset.
 * The dataset follows as in ledger_sync; `dir_gone`: its directory is known to be away. */
int ledger_moved(struct ledger *l, int64_t from, int64_t to, bool dir_gone, struct err *err);
/* May this dataset, which was never made, turn out to be one whose directory was renamed: is there another fileset of it that is
 * still to be looked at, and seems to be one that is gone? */
int ledger_may_follow(struct ledger *l, int64_t dataset, int64_t fileset, bool *out, struct err *err);
/* What a done fileset's files hold now: stamps and checksums of all of its members.  The same bytes: they were only touched, and
 * the stamps are taken over.  Else the text of REASON_CHANGED names both checksums, and these stamps are not asked about
 * again. */
int ledger_compared(struct ledger *l, int64_t fileset, const struct ledger_member *now, bool *same, struct err *err);
/* It could not be done: the next scan asks for it again. */
int ledger_not_compared(struct ledger *l, int64_t fileset, struct err *err);

/* How many filesets have something under way that was sent in this session of OMERO, by its number. */
int ledger_session_users(struct ledger *l, int64_t session_id, int64_t *n, struct err *err);

/* ---- adopted ------------------------------------------------------------------------------------------------------- */

/* What lies in OMERO already: imported by another program, or before the ledger was lost. */
struct ledger_adopted {
    const char *server;
    int64_t omero_id; /* of the Fileset */
    bool carries;     /* its images have what the card of their dataset had when it was applied: of a ledger that was lost */
    const struct ledger_image *images;
    size_t n_images;
    const struct ledger_member *members; /* in the fileset's order: algorithm and hash, and the stamps of what was imported */
};
/* A fileset that was never sent is that one: done, with these images, which carry no card yet unless `carries` says so. */
int ledger_adopt(struct ledger *l, int64_t fileset, const struct ledger_adopted *found, struct err *err);
/* It is not known whether a fileset that was never sent has been imported: held as REASON_UNKNOWN_OUTCOME. */
int ledger_doubt(struct ledger *l, int64_t fileset, const char *text, struct err *err);
/* A dataset keeps the identity that OMERO knows it by; only one that was not made yet may. */
int ledger_dataset_identity(struct ledger *l, int64_t dataset, const char *uuid, struct err *err);
/* The ledger takes another's uuid: after that one was lost.  Only an empty one may: REASON_LEDGER. */
int ledger_become(struct ledger *l, const char *uuid, struct err *err);
/* What of a root was never sent is held for `why` (NULL: for what the root is held for already); freed again by its path. */
int ledger_root_hold(struct ledger *l, int64_t root, const struct err *why, struct err *err);
int ledger_root_free(struct ledger *l, const char *path, struct err *err);
/* Has anything of a root ever been sent or adopted? */
int ledger_root_is_new(struct ledger *l, const char *path, bool *is_new, struct err *err);

/* ---- datasets and screens ------------------------------------------------------------------------------------------ */

/* One annotation of a card in OMERO. */
struct ledger_note {
    enum ledger_note_kind kind;
    const char *text;  /* a tag's text; else "" */
    int64_t omero_id;
    bool made;         /* we made the annotation (a tag that was there already: false) */
    bool linked;       /* we made its link to the dataset */
};

struct ledger_dataset {
    int64_t id;
    char uuid[UUID_TEXT];
    int64_t root;
    const char *root_name, *root_path, *dir;
    enum ledger_kind kind;
    const char *name;
    const char *project, *user, *group; /* as of the card's wanted revision */
    const char *server;                 /* the server's uuid; NULL until it was made there */
    int64_t omero_id, project_id, owner_id, group_id; /* 0 until it was made */
    const char *made_project, *made_user, *made_group; /* of the card by which it was made: later ones may differ; NULL before */
    const struct ledger_revision *wanted, *applied; /* applied: NULL until ledger_applied */
    int64_t applied_ms;
    bool stale;                         /* something in OMERO does not carry the wanted revision yet, or: */
    bool moved;                         /* its root or directory got another name, which its provenance may not say yet */
    const char *described;              /* the description that we gave it; NULL: not known, or people wrote another one */
    enum reason why;                    /* why following the card waits or is held */
    const char *text;
    int64_t since_ms, retry_ms;
    uint64_t told;                      /* ledger_dataset_told; 0 = none */
    const struct ledger_note *notes;
    size_t n_notes;
};

/* LEDGER_NOTHING: no such row. */
int ledger_dataset(struct ledger *l, int64_t id, struct arena *a, const struct ledger_dataset **out, struct err *err);

/* It was made on the server (or adopted).  Once set, the numbers only change by this function. */
struct ledger_made {
    const char *server;
    int64_t omero_id, project_id, owner_id, group_id;
    const char *project, *user, *group;
    const char *description; /* NULL: as it is known */
};
int ledger_dataset_made(struct ledger *l, int64_t id, const struct ledger_made *made, struct err *err);

/* Its provenance in OMERO says where its directory is now. */
int ledger_dataset_sourced(struct ledger *l, int64_t id, struct err *err);
/* It has this description now; NULL: people's own, which stays. */
int ledger_dataset_described(struct ledger *l, int64_t id, const char *description, struct err *err);

/* It was deleted or moved there, and a person asked for another one: as if it had never been made, with its uuid kept.  What was
 * imported into it stays as it is known. */
int ledger_dataset_unmade(struct ledger *l, int64_t id, struct err *err);

/* Replace what is known of its annotations (made anew, or linked) without saying that a revision is applied. */
int ledger_dataset_notes(struct ledger *l, int64_t id, const struct ledger_note *notes, size_t n, struct err *err);

/* The revision is on the dataset and on all of its images up to this row number of `image` (ledger_images).  Still stale when the
 * card changed meanwhile or later images carry another revision. */
int ledger_applied(struct ledger *l, int64_t id, int64_t revision, int64_t last_image, const struct ledger_note *notes, size_t n,
                   struct err *err);

/* Following the card did not work: wait until retry_ms, or be held (CLOCK_NEVER) until the card changes. */
int ledger_dataset_wait(struct ledger *l, int64_t id, const struct err *why, int64_t retry_ms, struct err *err);

/* The next one whose card should be followed: made on the server, or to be made for images that were adopted; stale, due, not
 * claimed; claimed by this call until
 * ledger_applied, ledger_dataset_wait or ledger_dataset_release.  LEDGER_NOTHING: none is due; *next_ms is then when the next
 * one is (0 = none waits for a time). */
int ledger_next_card(struct ledger *l, struct arena *a, const struct ledger_dataset **out, int64_t *next_ms, struct err *err);
int ledger_dataset_release(struct ledger *l, int64_t id, struct err *err);

/* ---- filesets ------------------------------------------------------------------------------------------------------ */

struct ledger_fileset {
    int64_t id, root;
    const char *root_name, *root_path, *path, *name, *format, *reader /* NULL */;
    bool plate;
    const char *project, *user, *group /* NULL */; /* "" without a card */
    int64_t bytes;
    enum ledger_state state;
    enum reason why; /* of waiting, held, and done ones that changed on the disk */
    enum err_class cls;
    const char *text, *hint; /* hint: "" = the reason's own */
    int64_t since_ms, retry_ms, gone_ms, first_ms; /* state entered; due (CLOCK_NEVER: when a scan says so); vanished, 0 =
                                                       * there; first seen */
    int attempts;            /* moves to waiting since its files or its card last changed: for the back-off */
    int64_t dataset;         /* its row; 0 without a card */
    int64_t revision;        /* of the card, as planned; once sent: as sent */
    /* the journal */
    const char *job;         /* the token in the upload job's version info; NULL before the first try */
    enum ledger_call call;
    int64_t call_ms;
    const char *server;      /* uuid */
    int64_t session_id;      /* number of the session that sent it */
    int64_t omero_id;        /* of the Fileset; 0 = not known */
    const char *process, *handle; /* proxies' identities; NULL = not known */
    const struct ledger_member *members;
    size_t n_members;
    bool more_members;       /* than were asked for */
};

/* The next fileset to work on: ready, left over by an earlier run, or waiting and due; taking turns between the users, and none
 * for a user who has `per_user` of them under way (0 = no limit).  Claimed until it is moved out of sent/started, or released.
 * Look at `call` first: anything but _NONE or _FINISHED means that an earlier try may have happened on the server.
 * LEDGER_NOTHING: none is due; *next_ms is then when the next one is (0 = none waits). */
int ledger_next(struct ledger *l, int per_user, struct arena *a, const struct ledger_fileset **out, int64_t *next_ms,
                struct err *err);
int ledger_release(struct ledger *l, int64_t fileset, struct err *err);
/* Give back every claim, of filesets and of cards: when nobody works, and one could not be given back by itself. */
int ledger_unclaim(struct ledger *l, struct err *err);
/* LEDGER_NOTHING: no such row. */
int ledger_fileset(struct ledger *l, int64_t id, struct arena *a, const struct ledger_fileset **out, struct err *err);

/* Move a fileset: to SETTLING, READY, WAITING (why + retry_ms) or HELD (why).  The way to SENT, STARTED and DONE is
 * ledger_journal and ledger_done.  The journal stays as it is.  One event row. */
int ledger_move(struct ledger *l, int64_t fileset, enum ledger_state to, const struct err *why, int64_t retry_ms,
                struct err *err);

/* Write down what is about to be sent, or was answered; NULL and 0 fields leave what is there.
 * IMPORT makes a new job token (put into `job`), forgets the numbers of an earlier try and moves to SENT, as UPLOAD does; VERIFY
 * and RUNNING move to STARTED; NONE (it is known that nothing is left on the server) forgets token and numbers and moves to
 * READY.  The claim stays in each case.
 * REASON_BUG for a call that may not follow the last one: IMPORT only after NONE and FINISHED, UPLOAD after IMPORT and UPLOAD,
 * VERIFY after UPLOAD, RUNNING after VERIFY. */
struct ledger_journal {
    enum ledger_call call;
    const char *server;
    int64_t session_id, omero_id;
    const char *process, *handle;
    int64_t revision;    /* with IMPORT: of the card whose annotations ride along; 0 = as planned */
    char job[UUID_TEXT]; /* out, with IMPORT */
};
int ledger_journal(struct ledger *l, int64_t fileset, struct ledger_journal *j, struct err *err);

/* The digest of a member as sent, by its index. */
int ledger_hash(struct ledger *l, int64_t fileset, size_t member, const char *algorithm, const char *hash, struct err *err);

struct ledger_image {
    int64_t row;      /* answers only */
    int64_t fileset, dataset; /* answers only */
    int64_t omero_id;
    bool plate;       /* a Plate and not an Image */
    int series;
    const char *name;
    int64_t revision; /* answers only: the card that it carries */
    int64_t deleted_ms; /* answers only: found deleted in OMERO; 0 = it is there */
    bool own;         /* the card's pairs are in a map of its own, and not in the one that its dataset has */
    int64_t map;      /* with `own`: the map's number in OMERO; 0 = none was made, or it had to go with the card's pairs */
};

/* The import is over: its number in OMERO (0 = as in the journal), its images, call FINISHED, state DONE, in one step. */
int ledger_done(struct ledger *l, int64_t fileset, int64_t omero_id, const struct ledger_image *images, size_t n,
                struct err *err);

/* Images of a dataset (row order, from after `after`, at most `max`). */
int ledger_images(struct ledger *l, int64_t dataset, int64_t after, size_t max, struct arena *a, const struct ledger_image **out,
                  size_t *n, struct err *err);
int ledger_image_deleted(struct ledger *l, int64_t row, struct err *err);
/* Write down `own` and `map` of these rows. */
int ledger_image_maps(struct ledger *l, const struct ledger_image *images, size_t n, struct err *err);

/* ---- asking -------------------------------------------------------------------------------------------------------- */

struct ledger_count {
    enum ledger_state state;
    enum reason why;
    int64_t n, bytes, oldest_ms; /* oldest_ms: the earliest since_ms */
};
int ledger_counts(struct ledger *l, struct arena *a, const struct ledger_count **out, size_t *n, struct err *err);

/* One of path, file, user, name, image, omero_fileset, omero_dataset and dataset; states and changed go with each of them.  In
 * the order of rows, names in theirs.  Each walks an index: a page costs the same in a ledger of any size. */
struct ledger_filter {
    unsigned states;       /* bits 1u << LEDGER_x; 0 = all */
    const char *path;      /* absolute: this file, or what lies below this directory; NULL = all */
    bool in_order;         /* with path: only targets below it, in the order of paths: for pages */
    const char *file;      /* absolute: sets with this file among theirs */
    const char *user;
    const char *name;      /* what the name of its images begins with, in upper or lower case */
    int64_t image, omero_fileset, omero_dataset; /* numbers in OMERO; 0 = all */
    int64_t dataset;       /* its row */
    int64_t after;         /* what comes after this row */
    size_t max;            /* 0 = all */
    bool members;          /* fill them in */
    size_t members_max;    /* at most so many of each; 0 = all */
    bool changed;          /* only done ones that changed on the disk */
};
int ledger_list(struct ledger *l, const struct ledger_filter *f, struct arena *a, const struct ledger_fileset **out, size_t *n,
                struct err *err);
/* At most `max` (0 = all). */
int ledger_fileset_images(struct ledger *l, int64_t fileset, size_t max, struct arena *a, const struct ledger_image **out,
                          size_t *n, struct err *err);
int ledger_datasets(struct ledger *l, bool troubled, struct arena *a, const struct ledger_dataset **out, size_t *n,
                    struct err *err);
/* The dataset and the screen of a directory, and how many filesets of a dataset's row are in which state. */
int ledger_datasets_at(struct ledger *l, int64_t root, const char *dir, struct arena *a, const struct ledger_dataset **out,
                       size_t *n, struct err *err);
int ledger_datasets_page(struct ledger *l, bool troubled, int64_t after, size_t max, struct arena *a,
                         const struct ledger_dataset **out, size_t *n, struct err *err);
int ledger_tally(struct ledger *l, int64_t dataset, int64_t out[N_LEDGER_STATES], struct err *err);

/* Cards, by root and path: those that do not apply, with their reason; all; those of a user; those at or below a path. */
struct ledger_card_filter {
    bool all;
    const char *user, *path; /* NULL; with either of them: all */
    int64_t after;           /* what comes after this row */
    size_t max;              /* 0 = all */
};
int ledger_cards(struct ledger *l, const struct ledger_card_filter *f, struct arena *a, const struct ledger_card **out, size_t *n,
                 struct err *err);

/* What happened, latest first. */
struct ledger_event {
    int64_t id, at_ms;
    int64_t fileset, dataset; /* rows; one of them is 0 */
    const char *root_path, *path; /* of the fileset's target or the dataset's directory */
    const char *what;             /* a state, or made, unmade, applied, waiting, retry, ... */
    enum reason why;
    const char *text;
};
/* Before this row (0: the latest); of one fileset (0: all). */
int ledger_events(struct ledger *l, int64_t before, int64_t fileset, size_t max, struct arena *a, const struct ledger_event **out,
                  size_t *n, struct err *err);

/* What an hour brought; `queue`: filesets neither done nor held, when something happened in it last. */
struct ledger_hour {
    int64_t hour; /* since 1970 UTC */
    int64_t done, bytes, stuck, queue;
};
/* The hours from this one on in which something happened. */
int ledger_pace(struct ledger *l, int64_t from, struct arena *a, const struct ledger_hour **out, size_t *n, struct err *err);

/* What stands in the way of all work, told by the engine when it pauses and when it goes on. */
struct ledger_trouble {
    enum reason why;
    const char *text;
    int64_t since_ms;
};
int ledger_trouble_set(struct ledger *l, const struct err *why, struct err *err); /* NULL: nothing does */
int ledger_trouble(struct ledger *l, struct arena *a, const struct ledger_trouble **out, struct err *err); /* or LEDGER_NOTHING */

/* When something happened last, since when the oldest fileset waits for a worker (0: never, none), the size of the ledger. */
struct ledger_pulse {
    int64_t event_ms, oldest_due_ms, bytes;
};
int ledger_pulse(struct ledger *l, struct ledger_pulse *out, struct err *err);

/* People were told what is wrong with a card: once, until something else is; and which trouble of a dataset they were told of
 * last, by a number of the caller's. */
int ledger_card_told(struct ledger *l, int64_t id, struct err *err);
int ledger_dataset_told(struct ledger *l, int64_t id, uint64_t trouble, struct err *err);

/* A whole copy, as of one moment, in a file that is not there yet; others may work on the ledger.  REASON_USAGE: it is there. */
int ledger_copy(struct ledger *l, const char *to, struct err *err);

/* May a ledger lie in this directory, which is there?  REASON_LEDGER: on a network share. */
int ledger_place(const char *dir, struct err *err);

/* Who holds the lock: 0 and the words "process 42 since ..."; LEDGER_NOTHING: nobody works on it. */
int ledger_who(const char *state_dir, char out[128], struct err *err);

/* ---- what was found in files ---------------------------------------------------------------------------------------- */

/* Bytes by a file's path and stamp, for one look at a root.  Whatever fails is as if it were not known. */
struct ledger_memory;

void ledger_memory_open(struct ledger *l, int64_t root, struct ledger_memory **out);
/* Of a file with exactly this stamp; valid until the next call. */
bool ledger_memory_find(struct ledger_memory *m, const char *path, const struct ledger_stamp *s, const void **bytes, size_t *n);
void ledger_memory_keep(struct ledger_memory *m, const char *path, const struct ledger_stamp *s, const void *bytes, size_t n);
/* Lists that many files share: found by the number that keeping them gave, -1 when it failed. */
bool ledger_memory_find_list(struct ledger_memory *m, int64_t id, const void **bytes, size_t *n);
int64_t ledger_memory_keep_list(struct ledger_memory *m, const char *digest, const void *bytes, size_t n);
/* Writes what is left.  `there` (may be NULL) says whether a path still exists: rows of others are removed in time. */
void ledger_memory_close(struct ledger_memory *m, bool (*there)(void *arg, const char *path), void *arg);

/* ---- requests ------------------------------------------------------------------------------------------------------ */

struct ledger_request {
    int64_t id;
    enum ledger_verb verb;
    const char *path; /* absolute; NULL = all */
    int64_t made_ms, taken_ms;
    const char *answer; /* NULL until it was taken */
};
int ledger_request_add(struct ledger *l, enum ledger_verb verb, const char *path, int64_t *id, struct err *err);
/* LEDGER_NOTHING: no such row. */
int ledger_request(struct ledger *l, int64_t id, struct arena *a, const struct ledger_request **out, struct err *err);
/* The oldest open request, as it is.  LEDGER_NOTHING: none is open. */
int ledger_request_next(struct ledger *l, struct arena *a, const struct ledger_request **out, struct err *err);
/* Carry the oldest open request out, as one step.  LEDGER_NOTHING: none is open.
 * RETRY: waiting and held ones become ready, or waiting and due where something may be on the server (not those held by the plan:
 * the next scan decides these); done ones whose images were all found deleted (ledger_image_deleted) start again; datasets that
 * wait are due.  FORGET: rows of filesets that are not under way, and of those held as
 * REASON_UNKNOWN_OUTCOME. */
int ledger_request_take(struct ledger *l, struct arena *a, const struct ledger_request **out, struct err *err);
