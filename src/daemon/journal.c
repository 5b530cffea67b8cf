/* The log in the journal (sd_journal_sendv(3)): the line as MESSAGE, each field as IMPOMERO_NAME beside it. */
#include "daemon/inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#undef LOG_ERR /* of syslog.h */
#include "base/log.h"
#include "base/mem.h"

enum { FIELDS_MAX = 24 };

struct entry {
    struct iovec at[FIELDS_MAX];
    int n;
};

static void add(struct entry *e, char *text)
{
    if (e->n == FIELDS_MAX) {
        free(text);
        return;
    }
    e->at[e->n++] = (struct iovec){.iov_base = text, .iov_len = strlen(text)};
}

static void add_named(struct entry *e, const char *name, const char *value)
{
    char *text = mem_printf("IMPOMERO_%s=%s", name, value);

    for (char *s = text; *s != '='; s++)
        *s = (char)(*s == '-' ? '_' : toupper((unsigned char)*s));
    add(e, text);
}

static void add_field(struct entry *e, const struct log_field *f)
{
    char number[24];

    switch (f->type) {
    case LOG_FIELD_STR:
        if (f->str)
            add_named(e, f->name, f->str);
        break;
    case LOG_FIELD_INT:
        snprintf(number, sizeof(number), "%lld", (long long)f->number);
        add_named(e, f->name, number);
        break;
    case LOG_FIELD_ERR:
        add_named(e, f->name, reason_row(f->err->why)->name);
        add_named(e, "text", f->err->text);
        break;
    }
}

static void write_entry(enum log_level level, const char *event, const struct log_field *fields, const char *line)
{
    static const int priorities[] = {[LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_INFO] = 6, [LOG_LEVEL_DEBUG] = 7};
    struct entry e = {.n = 0};

    add(&e, mem_printf("MESSAGE=%s", line));
    add(&e, mem_printf("PRIORITY=%d", priorities[level]));
    add(&e, mem_str("SYSLOG_IDENTIFIER=impomero"));
    add_named(&e, "event", event);
    for (; fields->name; fields++)
        add_field(&e, fields);
    sd_journal_sendv(e.at, e.n); /* a log that cannot be written has nobody to tell */
    for (int i = 0; i < e.n; i++)
        free(e.at[i].iov_base);
}

/* $JOURNAL_STREAM names device and inode of the stream that the journal reads (systemd.exec(5)). */
void journal_start(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return;

    AUTO(mem_freep) char *ours = mem_printf("%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    if (strcmp(stream, ours) == 0)
        log_to(write_entry);
}
