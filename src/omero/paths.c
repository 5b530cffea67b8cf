#include "omero/paths.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/ceilings.h"

/* Without the slashes at its end; NULL when it is no usable absolute path. */
static const char *directory(const char *text, size_t n, struct arena *mem)
{
    AUTO(mem_freep) char *slashed = mem_printf("%.*s/", (int)n, text);

    if (n == 0 || text[0] != '/' || n > TREE_PATH_MAX || strstr(slashed, "/../") || strstr(slashed, "/./"))
        return NULL;
    while (n && text[n - 1] == '/')
        n--;
    return arena_strn(mem, text, n);
}

static int parse_pair(const char *text, size_t n, struct arena *mem, struct om_path_pair *out, struct err *err)
{
    const char *equals = memchr(text, '=', n);
    size_t host = equals ? (size_t)(equals - text) : 0;

    if (equals) {
        out->host = directory(text, host, mem);
        out->server = directory(equals + 1, n - host - 1, mem);
    }
    if (out->host && out->server)
        return 0;
    err_set(err, REASON_CONFIG, 0, "'%.*s' is no pair of two absolute directories", (int)n, text);
    return err_hint(err, "write HOST=SERVER: the directory as this host names it and as OMERO's server does");
}

static int check_new(const struct om_path_pair *pairs, size_t n, const struct om_path_pair *p, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].host, p->host) == 0 || strcmp(pairs[i].server, p->server) == 0)
            return err_set(err, REASON_CONFIG, 0, "two pairs of directories name '%s=%s'", p->host, p->server);
    return 0;
}

int om_paths_parse(const char *text, struct arena *mem, struct om_paths *out, struct err *err)
{
    struct om_path_pair *pairs = arena_alloc(mem, text ? strlen(text) / 2 + 1 : 1, sizeof(*pairs)); /* "=" and a comma at least */
    size_t n = 0;

    while (text && *text) {
        size_t len = strcspn(text, ",");

        if (parse_pair(text, len, mem, &pairs[n], err) < 0 || check_new(pairs, n, &pairs[n], err) < 0)
            return -1;
        n++;
        text += len + (text[len] == ',');
    }
    *out = (struct om_paths){.n = n, .at = pairs};
    return 0;
}

static bool holds(const char *dir, const char *path)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* `from` and `to` are where a pair has the two names. */
static const char *rename_path(const struct om_paths *paths, const char *path, size_t from, size_t to, struct arena *mem)
{
    const char *was = "", *is = "";
    bool found = false;

    for (size_t i = 0; i < paths->n; i++) {
        const char *dir = *(const char *const *)((const char *)&paths->at[i] + from);

        if (holds(dir, path) && (!found || strlen(dir) > strlen(was))) {
            was = dir;
            is = *(const char *const *)((const char *)&paths->at[i] + to);
            found = true;
        }
    }

    const char *rest = path + strlen(was);

    if (strcmp(rest, "/") == 0)
        rest = "";
    return arena_printf(mem, "%s%s", is, is[0] || rest[0] ? rest : "/");
}

const char *om_paths_to_server(const struct om_paths *paths, const char *host_path, struct arena *mem)
{
    return rename_path(paths, host_path, offsetof(struct om_path_pair, host), offsetof(struct om_path_pair, server), mem);
}

const char *om_paths_to_host(const struct om_paths *paths, const char *server_path, struct arena *mem)
{
    return rename_path(paths, server_path, offsetof(struct om_path_pair, server), offsetof(struct om_path_pair, host), mem);
}
