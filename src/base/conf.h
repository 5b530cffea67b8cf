/* Configuration as one table of keys: the readers of file, environment and options, `--help`, the check, the commented example
 * and the manual all come from it.
 *
 * Sources, the later one wins: default < configuration file < drop-ins < environment < option.  For a key of level CONF_ROOT a
 * file has two places, the top level (for every root) and the root's own [[root]] table, which wins over the top level.
 * Roots of several files add up.
 *
 *   key in the file     `section.name`, or `name` at the top level where section is NULL
 *   environment         IMPOMERO_SECTION_NAME, and the row's alias
 *   option              --section-name, or the row's own word; never for secrets
 *
 * Unknown keys, wrong types and values out of range are errors (REASON_CONFIG) that name file, line and the nearest key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum conf_type {
    CONF_TEXT,    /* const char * ; NULL when empty and without a default */
    CONF_PATH,    /* the same; must be absolute */
    CONF_INT,     /* int64_t between min and max */
    CONF_SECONDS, /* int64_t; in the file a number of seconds or text with a unit: "90", "90s", "10m", "2h", "1d" */
    CONF_BOOL,    /* bool; in environment and options true/false, yes/no, on/off, 1/0 */
    CONF_CHOICE,  /* const char *, one of `choices`; NULL when without a default */
    CONF_LIST,    /* const char *const *, NULL at the end, itself NULL when empty; in the file an array of texts, elsewhere items
                   * with ";" between them */
};

enum conf_level { CONF_GLOBAL, CONF_ROOT };

struct conf_key {
    const char *section, *name;
    enum conf_type type;
    enum conf_level level;
    const char *fallback; /* default, as text */
    int64_t min, max;
    const char *const *choices; /* NULL at the end */
    size_t offset;              /* of the value in the caller's struct (of the root's struct for CONF_ROOT) */
    const char *env;            /* a second name in the environment, or NULL */
    const char *option;         /* word of the option without dashes; NULL: section-name */
    bool secret;                /* no option, never shown */
    bool restart;               /* a change is taken at the next start, not at a reload */
    const char *example;        /* a value as text, for messages and the commented example; NULL: the default */
    int (*check)(const char *text, struct err *err); /* of a text or path that is not empty; -1 with what is wrong in `text` */
    const char *arg;            /* what `--help` calls the value; NULL: the type's word */
    const char *text;           /* one sentence for people */
};

enum conf_source { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_ENV, CONF_FROM_OPTION };

struct conf_value {
    enum conf_source from;
    int line;          /* of the file, else 0 */
    const char *place; /* "default", "FILE:12", "IMPOMERO_SETTLE", "--settle"; safe to show */
    const char *file;  /* its path, or NULL */
    const char *text;  /* the value as text; for secrets too: do not show */
    int64_t number;    /* CONF_INT, CONF_SECONDS, CONF_BOOL */
    const char *const *list; /* CONF_LIST */
};

struct conf_root {
    const char *name, *path; /* both given, names unlike one another, path absolute */
    const char *file;
    int line;
};

struct conf;

/* Begin with the defaults of a table of `n` keys, which must outlive the configuration. */
struct conf *conf_new(const struct conf_key *keys, size_t n) ATTR_MUST_USE;
void conf_free(struct conf *c); /* NULL is fine */
void conf_freep(struct conf **c);

/* Read a file.  A missing file is an error only if it `must` exist. */
int conf_read_file(struct conf *c, const char *path, bool must, struct err *err);
/* Read the same from memory; `name` stands in messages. */
int conf_read_text(struct conf *c, const char *name, const char *text, size_t n, struct err *err);
/* Read the files *.toml of a directory, by name in byte order; no directory is fine. */
int conf_read_dir(struct conf *c, const char *path, struct err *err);
/* Take what the table knows from an environment (NAME=VALUE, NULL at the end).  Empty values are as if absent. */
int conf_read_env(struct conf *c, const char *const *env, struct err *err);
/* Set one key by its option word. */
int conf_set_option(struct conf *c, const char *option, const char *value, struct err *err);

/* The key of an option word, or NULL. */
const struct conf_key *conf_option(const struct conf_key *keys, size_t n, const char *option);
void conf_key_name(const struct conf_key *key, char out[64]);    /* section.name */
void conf_option_name(const struct conf_key *key, char out[64]); /* section-name; empty for a secret */
void conf_env_name(const struct conf_key *key, char out[80]);    /* IMPOMERO_SECTION_NAME */
const char *conf_type_word(const struct conf_key *key);          /* "TEXT", "SECONDS" … */

/* The files that were read, in order. */
size_t conf_n_files(const struct conf *c);
const char *conf_file(const struct conf *c, size_t i);

size_t conf_n_roots(const struct conf *c);
const struct conf_root *conf_root(const struct conf *c, size_t i);

/* What holds for a key: for all roots (`root` CONF_NO_ROOT), or for one. */
#define CONF_NO_ROOT ((size_t)-1)
const struct conf_value *conf_get(const struct conf *c, const struct conf_key *key, size_t root);

/* Does a key have one value in both? */
bool conf_same(const struct conf *a, size_t root_a, const struct conf *b, size_t root_b, const struct conf_key *key);

/* Write all values of one level to the struct that the offsets are meant for.  Texts belong to the configuration. */
void conf_fill(const struct conf *c, enum conf_level level, size_t root, void *out);

/* A file that says every key with its default, as comments: reading it changes nothing. */
void conf_write_example(const struct conf_key *keys, size_t n, FILE *out);
