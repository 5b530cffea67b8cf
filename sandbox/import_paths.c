/* From the paths that clients send to the paths in the repository (import.md of the server's documentation: ManagedRepositoryI,
 * FilePathRestrictions "Windows required" and "UNIX required"). */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "sandbox/import.h"

enum { KEPT_PARENTS = 3, PATH_PARTS_MAX = 1000 };

static const char *const reserved[] = {"CON",  "PRN",  "AUX",  "NUL",  "CLOCK$", "COM1", "COM2", "COM3",
                                       "COM4", "COM5", "COM6", "COM7", "COM8",   "COM9", "LPT1", "LPT2",
                                       "LPT3", "LPT4", "LPT5", "LPT6", "LPT7",   "LPT8", "LPT9"};

static bool is_reserved(const char *part, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strlen(reserved[i]) == n && strncasecmp(part, reserved[i], n) == 0)
            return true;
    return false;
}

static char clean_char(unsigned char ch)
{
    static const char from[] = "\"*/:<>?\\|", to[] = "'x!;[]%!!";
    const char *at = ch ? strchr(from, ch) : NULL;

    return ch < 0x20 ? '_' : at ? to[at - from] : (char)ch;
}

static void add_clean(struct buf *out, const char *part, size_t n)
{
    const char *dot = memchr(part, '.', n);

    if (part[0] == '$' || (dot && is_reserved(part, (size_t)(dot - part))))
        buf_add_byte(out, '_');
    for (size_t i = 0; i < n; i++)
        buf_add_byte(out, (uint8_t)clean_char((unsigned char)part[i]));
    if (is_reserved(part, n))
        buf_add_byte(out, '_');
}

/* A path without empty and `.` parts, each part made safe.  -1: it is empty, or goes upwards. */
static int clean_path(struct arena *mem, const char *path, const char **out)
{
    AUTO(buf_clear) struct buf clean = BUF_INIT(4 * TREE_PATH_MAX);
    size_t parts = 0;

    for (const char *at = path; *at; at += strcspn(at, "/"), at += strspn(at, "/")) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.'))
            continue;
        if ((n == 2 && strncmp(at, "..", 2) == 0) || ++parts > PATH_PARTS_MAX)
            return -1;
        if (clean.len > 0)
            buf_add_byte(&clean, '/');
        add_clean(&clean, at, n);
    }
    if (clean.len == 0 || clean.full)
        return -1;
    *out = arena_strn(mem, (const char *)clean.data, clean.len);
    return 0;
}

static size_t n_dirs(const char *path)
{
    size_t n = 0;

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        n++;
    return n;
}

static const char *skip_dirs(const char *path, size_t n)
{
    while (n-- > 0)
        path = strchr(path, '/') + 1;
    return path;
}

/* Leading directories that two paths have in common. */
static size_t common(const char *a, const char *b)
{
    size_t n = 0;

    for (;; n++) {
        const char *slash = strchr(a, '/');
        if (!slash || strncmp(a, b, (size_t)(slash - a) + 1) != 0)
            return n;
        b += slash - a + 1;
        a = slash + 1;
    }
}

static size_t to_drop(const char *const *paths, size_t n, const char *reader)
{
    size_t kept = reader && strncmp(reader, "loci.formats.in.", strlen("loci.formats.in.")) == 0 ? 0 : KEPT_PARENTS;
    size_t shared = n_dirs(paths[0]), shortest = shared;

    for (size_t i = 1; i < n; i++) {
        size_t dirs = n_dirs(paths[i]), same = common(paths[0], paths[i]);
        shared = same < shared ? same : shared;
        shortest = dirs < shortest ? dirs : shortest;
    }

    size_t over = shortest > kept ? shortest - kept : 0;

    return over < shared ? over : shared;
}

int import_paths(struct call *c, const char *const *paths, size_t n, const char *reader, const char **out, int32_t *omitted)
{
    for (size_t i = 0; i < n; i++)
        if (clean_path(c->mem, paths[i], &out[i]) < 0)
            return call_throw(c, &om_api_usage_exception_class,
                              "omero-sandbox takes no path that is empty, very long or goes upwards: %s", paths[i]);

    size_t drop = to_drop(out, n, reader);

    for (size_t i = 0; i < n; i++)
        out[i] = skip_dirs(out[i], drop);
    *omitted = (int32_t)drop;
    return 0;
}
