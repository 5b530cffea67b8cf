/* The server's own log of an import.  A line of OMERO's logback.xml is
 *     2026-11-25 15:46:05,951 WARN  [ loci.formats.FormatHandler] (2-thread-2) what it says
 * with a logger's name cut to 40 characters; what does not begin so goes on with the line before it. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/str.h"
#include "omero/import.h"
#include "omero/query.h"
#include "omero/repository.h"

enum { SAYS_MAX = 160, LINES_MAX = 3 };

static int find_log(struct om_client *c, int64_t fileset, int64_t *file, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql = "select o.id from FilesetJobLink l join l.child j join j.originalFileLinks jl "
                                      "join jl.child o where l.parent.id = :f and o.mimetype = 'application/omero-log-file'",
                               .cols = "l",
                               .n_args = 1,
                               .args = args};
    int r = om_query_long(c, &q, file, err);

    return r == OM_NO_ROW ? OM_ABSENT : r;
}

static int read_end(struct om_client *c, const struct ice_proxy *store, struct arena *mem, struct om_ice_byte_seq *out,
                    struct err *err)
{
    int64_t size;

    if (om_api_raw_file_store_size(&c->caller, store, mem, &size, err) < 0)
        return -1;
    if (size <= 0)
        return 0;

    int64_t n = size < OM_IMPORT_LOG_BYTES ? size : OM_IMPORT_LOG_BYTES;

    return om_api_raw_file_store_read(&c->caller, store, size - n, (int32_t)n, mem, out, err);
}

static int read_log(struct om_client *c, int64_t file, struct arena *mem, struct om_ice_byte_seq *out, struct err *err)
{
    const struct ice_proxy *store;
    struct err ignored;

    if (om_repository_need(c, err) < 0 ||
        om_grid_repository_file_by_id(&c->caller, c->repository, file, mem, &store, err) < 0)
        return -1;
    if (!store)
        return err_set(err, REASON_PROTOCOL, 0, "OMERO opens no import log");

    int r = read_end(c, store, mem, out, err);

    (void)om_api_stateful_service_interface_close(&c->caller, store, mem, &ignored); /* it ends with the session at the latest */
    return r;
}

/* ---- what a line says ---- */

struct line {
    const char *level, *logger, *says; /* says: to the end of the line */
};

static bool is_dated(const char *s)
{
    static const char pattern[] = "0000-00-00 00:00:00,000 ";

    for (size_t i = 0; pattern[i]; i++)
        if (pattern[i] == '0' ? !isdigit((unsigned char)s[i]) : s[i] != pattern[i])
            return false;
    return true;
}

static bool read_line(const char *text, struct line *out)
{
    const char *open, *close, *thread;

    if (!is_dated(text) || !(open = strchr(text, '[')) || !(close = strstr(open, "] (")) || !(thread = strstr(close, ") ")))
        return false;
    *out = (struct line){.level = text + 24, .logger = open + 1 + strspn(open + 1, " "), .says = thread + 2};
    return true;
}

static bool is_worth_it(const struct line *l)
{
    return str_starts(l->level, "ERROR") || (str_starts(l->level, "WARN") && str_starts(l->logger, "loci."));
}

static void add_words(struct buf *out, const char *before, const char *words)
{
    size_t n = strlen(words);

    n = n < SAYS_MAX ? n : SAYS_MAX;
    while (n > 0 && n < strlen(words) && ((unsigned char)words[n] & 0xC0) == 0x80)
        n--; /* rather a character less than half a one */
    if (out->len)
        buf_add_str(out, "; ");
    buf_add_str(out, before);
    for (size_t i = 0; i < n; i++)
        buf_add_byte(out, (uint8_t)((unsigned char)words[i] < 0x20 ? ' ' : words[i]));
}

/* `text` is cut into its lines. */
static char *words_of(char *text)
{
    static const char format[] = "File format: ";
    AUTO(buf_clear) struct buf out = BUF_INIT((LINES_MAX + 1) * (SAYS_MAX + 16));
    char *rest = text;
    int left = LINES_MAX;

    for (char *at; (at = strsep(&rest, "\n"));) {
        struct line l;
        if (!read_line(at, &l))
            continue;
        if (str_starts(l.says, format))
            add_words(&out, "read as ", l.says + strlen(format));
        else if (is_worth_it(&l) && left-- > 0)
            add_words(&out, "", l.says);
    }
    return buf_take_str(&out);
}

/* The text of a log; OM_ABSENT: there is none. */
static int log_text(struct om_client *c, int64_t fileset, struct arena *mem, char **out, struct err *err)
{
    struct om_ice_byte_seq bytes = {0};
    int64_t file;
    int r = find_log(c, fileset, &file, err);

    if (r != 0 || read_log(c, file, mem, &bytes, err) < 0)
        return r == OM_ABSENT ? OM_ABSENT : err_prefix(err, "the log of the import of Fileset:%lld: ", (long long)fileset);
    *out = arena_strn(mem, (const char *)bytes.at, bytes.n);
    return 0;
}

int om_import_log_words(struct om_client *c, int64_t fileset, struct arena *mem, const char **out, struct err *err)
{
    char *text;
    int r = log_text(c, fileset, mem, &text, err);

    if (r != 0)
        return r;

    AUTO(mem_freep) char *words = words_of(text);

    *out = arena_str(mem, words);
    return 0;
}

/* ---- how far it came ---- */

enum { STEP_PIXELS = 1 }; /* the step in which pixels are read; images are made in the one before */

struct trail {
    bool begun, ended;
    int step; /* that was begun last; -1: the log tells of none */
};

/* `text` is cut into its lines. */
static struct trail trail_of(char *text)
{
    static const char step[] = "Step ";
    struct trail t = {.step = -1};
    char *rest = text;

    for (char *at; (at = strsep(&rest, "\n"));) {
        struct line l;
        if (!read_line(at, &l) || !strstr(l.logger, "ManagedImportRequestI"))
            continue;
        t.begun = true;
        if (str_starts(l.says, step) && isdigit((unsigned char)l.says[strlen(step)]))
            t.step = l.says[strlen(step)] - '0';
        t.ended |= str_starts(l.says, "Cleaning up import");
    }
    return t;
}

int om_import_has_begun(struct om_client *c, int64_t fileset, bool *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    char *text;
    int r = log_text(c, fileset, mem, &text, err);

    if (r < 0)
        return -1;
    *out = r == OM_ABSENT || trail_of(text).begun;
    return 0;
}

static int count_pending(struct om_client *c, int64_t fileset, int64_t *out, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql = "select count(p.id) from Pixels p where p.image.fileset.id = :f and p.sha1 = 'Pending...'",
                               .cols = "l",
                               .n_args = 1,
                               .args = args};
    int64_t before = om_client_group(c, OM_GROUP_ALL);
    int r = om_query_long(c, &q, out, err);

    om_client_group(c, before);
    return r < 0 ? -1 : 0;
}

int om_import_way(struct om_client *c, int64_t fileset, enum om_import_way *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    int64_t pending = 0;
    char *text;

    *out = OM_IMPORT_WHOLE;
    if (count_pending(c, fileset, &pending, err) < 0)
        return -1;
    if (pending == 0)
        return 0;

    int r = log_text(c, fileset, mem, &text, err);

    if (r != 0)
        return r < 0 ? -1 : 0;

    const struct trail t = trail_of(text);

    if (t.step >= 0 && t.step <= STEP_PIXELS)
        *out = t.ended ? OM_IMPORT_GHOSTS : OM_IMPORT_UNDER_WAY;
    return 0;
}
