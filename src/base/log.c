#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

static struct {
    int fd;
    atomic_int most;
    bool with_time;
    log_write_fn *write;
} sink = {.fd = STDERR_FILENO, .most = LOG_LEVEL_INFO, .with_time = true};

static const char *const level_words[] = {"error", "warning", "info", "debug"};

void log_start_with(int fd, enum log_level most, bool with_time)
{
    sink.fd = fd;
    log_most(most);
    sink.with_time = with_time;
}

void log_most(enum log_level most)
{
    atomic_store(&sink.most, (int)most);
}

void log_to(log_write_fn *write)
{
    sink.write = write;
}

void log_start(int fd, enum log_level most)
{
    log_start_with(fd, most, !isatty(fd));
}

int log_level_named(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(level_words); i++)
        if (strcmp(word, level_words[i]) == 0)
            return (int)i;
    return -1;
}

/* In quotes, safe to show, quotes within doubled by a backslash so that a line can be read back. */
static void add_quoted(struct buf *out, const char *name, const char *text)
{
    AUTO(mem_freep) char *shown = str_show(text);

    buf_printf(out, " %s=\"", name);
    for (const char *s = shown; *s; s++) {
        if (*s == '"')
            buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)*s);
    }
    buf_add_byte(out, '"');
}

static void add_field(struct buf *out, const struct log_field *f)
{
    switch (f->type) {
    case LOG_FIELD_STR:
        if (f->str)
            add_quoted(out, f->name, f->str);
        break;
    case LOG_FIELD_INT:
        buf_printf(out, " %s=%lld", f->name, (long long)f->number);
        break;
    case LOG_FIELD_ERR:
        buf_printf(out, " %s=%s", f->name, reason_row(f->err->why)->name);
        add_quoted(out, "text", f->err->text);
        break;
    }
}

static void add_words(struct buf *line, const char *event, const char *next, const struct log_field *fields)
{
    buf_add_str(line, event);
    for (; fields->name; fields++)
        add_field(line, fields);
    if (next)
        buf_printf(line, ": %s", next);
}

static void write_line(enum log_level level, const char *event, const char *next, const struct log_field *fields)
{
    AUTO(buf_clear) struct buf line = BUF_INIT(LOG_LINE_MAX);

    if (sink.with_time) {
        char now[25];
        clock_text(clock_wall_ms(), now);
        buf_printf(&line, "%s ", now);
    }
    buf_printf(&line, "%s: ", level_words[level]);
    add_words(&line, event, next, fields);
    line.max++; /* the end of the line always fits, also where the ceiling was met */
    line.full = false;
    buf_add_byte(&line, '\n');
    (void)!write(sink.fd, line.data, line.len); /* a log that cannot be written has nobody to tell */
}

void log_event(enum log_level level, const char *event, const char *next, const struct log_field *fields)
{
    if ((int)level > atomic_load(&sink.most))
        return;
    if (!sink.write) {
        write_line(level, event, next, fields);
        return;
    }

    AUTO(buf_clear) struct buf line = BUF_INIT(LOG_LINE_MAX);
    add_words(&line, event, next, fields);
    AUTO(mem_freep) char *text = buf_take_str(&line);
    sink.write(level, event, fields, text);
}
