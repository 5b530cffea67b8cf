/* Where imported files lie, as a real server's rules have it (import.md, sections 2 and 4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "sandbox/process.h"

enum { MOST_PARENTS = 3, TRIES = 1000 };

/* --- components --- */

static bool is_device(const char *name, size_t n)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CLOCK$"};

    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (strlen(devices[i]) == n && strncasecmp(devices[i], name, n) == 0)
            return true;
    return n == 4 && (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0) && name[3] >= '1' && name[3] <= '9';
}

static char clean_char(char c)
{
    static const char from[] = "\"*/:<>?\\|", to[] = "'x!;[]%!!";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : (unsigned char)c < 0x20 ? '_' : c;
}

static const char *clean_component(struct arena *mem, const char *at, size_t n)
{
    const char *dot = memchr(at, '.', n);
    char *out = arena_printf(mem, "_%.*s_", (int)n, at);

    for (size_t i = 1; i <= n; i++)
        out[i] = clean_char(out[i]);
    if (is_device(at, n))
        return out + 1;
    out[n + 1] = '\0';
    return (dot && is_device(at, (size_t)(dot - at))) || at[0] == '$' ? out : out + 1;
}

struct parts {
    const char **at;
    size_t n;
};

static int split(struct call *c, const char *path, struct parts *out)
{
    out->at = arena_alloc(c->mem, strlen(path) + 1, sizeof(*out->at));
    for (; *path; path += strcspn(path, "/"), path += *path == '/') {
        size_t n = strcspn(path, "/");
        if (n == 0 || (n == 1 && path[0] == '.'))
            continue;
        if (n == 2 && strncmp(path, "..", n) == 0)
            return call_throw(c, &om_api_usage_exception_class, "omero-sandbox does not take a client path with '..' in it");
        out->at[out->n++] = clean_component(c->mem, path, n);
    }
    return out->n ? 0 : call_throw(c, &om_api_usage_exception_class, "A client path is empty");
}

/* --- which directories stay --- */

static size_t common_parents(const struct parts *parts, size_t n)
{
    size_t common = parts[0].n - 1;

    for (size_t i = 1; i < n; i++) {
        size_t same = 0;
        while (same < common && same + 1 < parts[i].n && strcmp(parts[0].at[same], parts[i].at[same]) == 0)
            same++;
        common = same;
    }
    return common;
}

static size_t shortest_parents(const struct parts *parts, size_t n)
{
    size_t shortest = parts[0].n - 1;

    for (size_t i = 1; i < n; i++)
        if (parts[i].n - 1 < shortest)
            shortest = parts[i].n - 1;
    return shortest;
}

static const char *join(struct arena *mem, const struct parts *parts, size_t from)
{
    const char *path = parts->at[from];

    for (size_t i = from + 1; i < parts->n; i++)
        path = arena_printf(mem, "%s/%s", path, parts->at[i]);
    return path;
}

int paths_plan(struct call *c, const char *const *client, size_t n, bool has_reader, const char **out)
{
    struct parts *parts = arena_alloc(c->mem, n, sizeof(*parts));

    for (size_t i = 0; i < n; i++)
        if (split(c, client[i], &parts[i]) < 0)
            return -1;

    size_t common = common_parents(parts, n), parents = shortest_parents(parts, n);
    size_t cut = has_reader ? common : parents > MOST_PARENTS ? parents - MOST_PARENTS : 0;

    cut = cut < common ? cut : common;
    for (size_t i = 0; i < n; i++)
        out[i] = join(c->mem, &parts[i], cut);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(out[i], out[k]) == 0)
                return call_throw(c, &om_validation_exception_class,
                                  "could not insert: [ome.model.core.OriginalFile]; constraint [originalfile_repo_path_index]; %s", out[i]);
    return 0;
}

/* --- on disk --- */

static int make_dirs(struct call *c, const char *path)
{
    struct err err = ERR_INIT;

    if (io_make_dirs(path, &err) < 0)
        return call_throw(c, &om_resource_error_class, "%s", err.text);
    return 0;
}

int paths_parents(struct call *c, const char *below)
{
    const char *slash = strrchr(below, '/');
    AUTO(mem_freep) char *dir = mem_printf("%s/%.*s", c->server->repository, slash ? (int)(slash - below) : 0, below);

    return make_dirs(c, dir);
}

int paths_make(struct call *c, const char **out)
{
    const char *user = store_text(c->server->store, c->mem, "select omeName from Experimenter where id = ?", "i", c->session->user);
    int64_t now = clock_wall_ms();

    for (int i = 0; i < TRIES; i++, now++) {
        time_t seconds = now / 1000;
        struct tm t;
        localtime_r(&seconds, &t);
        const char *day = arena_printf(c->mem, "%s_%lld/%04d-%02d/%02d", clean_component(c->mem, user, strlen(user)),
                                       (long long)c->session->user, t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
        const char *dir =
            arena_printf(c->mem, "%s/%02d-%02d-%02d.%03d", day, t.tm_hour, t.tm_min, t.tm_sec, (int)(now % 1000));
        AUTO(mem_freep) char *above = mem_printf("%s/%s", c->server->repository, day);
        AUTO(mem_freep) char *path = mem_printf("%s/%s", c->server->repository, dir);
        if (make_dirs(c, above) < 0)
            return -1;
        if (mkdir(path, 0755) == 0) {
            *out = dir;
            return 0;
        }
        if (errno != EEXIST)
            return call_throw(c, &om_resource_error_class, "%s: %s", path, strerror(errno));
    }
    return call_throw(c, &om_resource_error_class, "no directory for the fileset");
}
