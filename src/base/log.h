/* Log: events with fields.  Event name, fields, then what happens next; one line an event, one write a line.
 *
 *   log_warn("card.broken", "ignored until it changes", LOG_STR("path", path), LOG_ERR(&err));
 *   warning: card.broken path="x/card.toml" why=broken-card text="…": ignored until it changes
 *
 * Only cli, daemon and engine log; rooms below fill in errors.  A password, a session's uuid or the content of a file is never a
 * field.  Safe from several threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *name; /* NULL ends a list */
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_ERR } type;
    const char *str; /* any bytes; NULL is left out */
    int64_t number;
    const struct err *err;
};

#define LOG_STR(name_, value_) ((struct log_field){.name = (name_), .type = LOG_FIELD_STR, .str = (value_)})
#define LOG_INT(name_, value_) ((struct log_field){.name = (name_), .type = LOG_FIELD_INT, .number = (value_)})
#define LOG_ERR(err_) ((struct log_field){.name = "why", .type = LOG_FIELD_ERR, .err = (err_)})

/* Where lines go and which: at start, before threads.  Begins with standard error, LOG_LEVEL_INFO; the time stands before each
 * line only where `with_time` says so (log_start chooses: not on a terminal). */
void log_start(int fd, enum log_level most);
void log_start_with(int fd, enum log_level most, bool with_time);

/* Only the level, at any time. */
void log_most(enum log_level most);

/* Lines go to `write` instead, without time and level; NULL: to the file descriptor again.  At start, before threads. */
typedef void log_write_fn(enum log_level level, const char *event, const struct log_field *fields, const char *line);
void log_to(log_write_fn *write);

/* The level of a word ("error", "warning", "info", "debug"), or -1. */
int log_level_named(const char *word);

/* `next` says what happens now; may be NULL. */
void log_event(enum log_level level, const char *event, const char *next, const struct log_field *fields);

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(,) {.name = NULL}})
#define log_error(event, next, ...) log_event(LOG_LEVEL_ERROR, event, next, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, next, ...) log_event(LOG_LEVEL_WARNING, event, next, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, next, ...) log_event(LOG_LEVEL_INFO, event, next, LOG_FIELDS(__VA_ARGS__))
#define log_debug(event, next, ...) log_event(LOG_LEVEL_DEBUG, event, next, LOG_FIELDS(__VA_ARGS__))
