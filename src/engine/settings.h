/* The settings: the one table of configuration keys, and the struct they are read into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "engine/naming.h"

/* What may differ from root to root. */
struct root_settings {
    int64_t settle_s; /* quiet time before a fileset counts as complete; 0: at once */
    int64_t rescan_s; /* a service looks at the root this often even where changes are told */
    int64_t poll_s;   /* and this often where they are not */
    const char *policy;             /* "any", "list", "owner"; NULL: not written, "any" (see policy.h) */
    const char *const *allow;       /* of the policy "list": "PATTERN = USER, ..."; NULL: none */
    const char *const *follow_into; /* absolute directories that links may lead into; NULL: no link is followed */
    const char *checksum; /* "SHA1-160" ... or "server": OMERO chooses */
    const char *skip;     /* NULL, or words of om_skip_parse */
    const char *transfer; /* "upload", "ln_s", "ln", "cp" */
    const char *marker; /* a path of the root: without it the root is away; NULL: none is looked for */
    const char *ready;  /* files are imported once a file of this name lies beside them or further up; NULL: at once */
    const char *duplicates; /* "import", "skip", "report": files with the bytes of others that were imported */
    const char *include, *exclude, *formats, *exclude_formats; /* struct format_choice */
    bool gaps;                                                 /* the same */
    int64_t incomplete_s; /* so long an incomplete set just waits; then it is reported */
    struct naming names;  /* templates of the names of datasets and images */
    const char *annotations_namespace;
    bool annotations_each; /* images imported from now on get a map each, instead of a link to the dataset's */
    bool trusted;     /* its files may be linked: they stay in the hands of who may write here */
};

struct settings_root {
    const char *name, *path; /* path absolute, without `.`, `..` and a slash at the end */
    struct root_settings set;
};

struct settings {
    struct {
        const char *host;
        int64_t port;
        const char *user;
        const char *password; /* NULL: none is given anywhere.  Never log, print or pass by argv */
        const char *password_file;
        const char *ca_file; /* NULL: the system's store */
        bool plain_tcp;      /* Glacier2 without TLS */
        int64_t timeout_s;   /* for one answer; 0: what suits each call */
        bool allow_anonymous; /* TLS without certificates (OMERO's old default ciphers) */
    } server;
    const char *state_dir; /* absolute; not made here.  In it: ledger.db, known_servers, lock */
    int64_t workers;
    int64_t uploads; /* files of one set sent at a time */
    int64_t import_deadline_s; /* for one fileset, from the last byte sent to the server's "done" */
    const char *helper;  /* struct format_helper */
    int64_t helper_s;
    const char *in_place_paths; /* om_paths_parse; NULL: the same names on both sides */
    struct {
        const char *on;      /* "all", "trouble" */
        const char *command, *webhook, *mail_to, *mail_else, *mail_from, *sendmail; /* NULL: not that way */
        int64_t quiet_s, per_hour;
    } tell; /* see daemon/tell.h */
    struct {
        const char *listen; /* listen_parse; NULL: no page */
        const char *token;  /* NULL: none is asked for; only on loopback.  As secret as the password */
        const char *token_file;
        const char *const *hosts; /* names, beside its own, by which the page may be asked for; NULL: none */
        const char *omero_web;    /* address of OMERO.web for links; NULL: no links */
    } web; /* see web/web.h */
    const char *log_level;
    const char *trace; /* "off", "wire" */
    struct root_settings defaults; /* for a directory that is no root of the configuration */
    struct settings_root *roots;
    size_t n_roots;
    struct conf *conf; /* where each value came from; owns the texts */
    char *state_dir_owned, *password_owned, *token_owned;
};

/* The table; `config` and `--help` are made of it. */
extern const struct conf_key settings_keys[];
extern const size_t settings_n_keys;

extern const char settings_file[]; /* /etc/impomero/impomero.toml, and beside it impomero.d with any number of *.toml */

/* One option of the command line that belongs to the table: word without dashes, value. */
struct settings_option {
    const char *option, *value;
};

/* Read everything: defaults, the file (`config_path`, or settings_file if there is one when it is NULL), its drop-ins,
 * `env` (as environ) and the options, then the rules that no table can say: the state directory and the password's place.
 * -1: REASON_CONFIG, or REASON_UNREADABLE for a password file. */
int settings_load(struct settings *out, const char *config_path, const char *const *env, const struct settings_option *options,
                  size_t n_options, struct err *err);
void settings_clear(struct settings *s); /* wipes the password; a zeroed struct is fine */

/* What holds for files of that root directory: its own settings, or those of no root in particular. */
const struct root_settings *settings_for(const struct settings *s, const char *root_path);

/* How long a root may go without being looked at, where changes are told or not. */
int64_t settings_look_s(const struct root_settings *set);

/* The keys whose change from `old` to `now` only a restart can take, separated by ", "; NULL when there are none.  Owned by the
 * caller. */
char *settings_need_restart(const struct settings *old, const struct settings *now) ATTR_MUST_USE;

/* Whom its cards may act for must be written.  -1: REASON_CONFIG.  For those who act: looking and showing go without. */
int settings_need_policy(const struct settings_root *root, struct err *err);

/* The root that holds a canonical absolute path (itself or below), or NULL. */
const struct settings_root *settings_root_of(const struct settings *s, const char *path);
