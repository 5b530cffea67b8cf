#include "format/choice.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Call `fits` with each item of a list, without the blanks around it, until one does. */
static bool any_item(const char *list, bool (*fits)(const char *item, const char *value), const char *value)
{
    for (size_t n; list && *list; list += n + (list[n] == ';')) {
        n = strcspn(list, ";");

        size_t from = strspn(list, " \t"), to = n;

        while (to > from && strchr(" \t", list[to - 1]))
            to--;
        if (from >= to)
            continue;

        AUTO(mem_freep) char *item = mem_strn(list + from, to - from);

        if (fits(item, value))
            return true;
    }
    return false;
}

static bool is_format(const char *item, const char *format)
{
    return strcasecmp(item, format) == 0;
}

static bool pattern_fits(const char *pattern, const char *path)
{
    if (strchr(pattern, '/'))
        return fnmatch(pattern[0] == '/' ? pattern + 1 : pattern, path, FNM_CASEFOLD) == 0;
    for (size_t n; *path; path += n + (path[n] == '/')) {
        n = strcspn(path, "/");

        AUTO(mem_freep) char *part = mem_strn(path, n);

        if (fnmatch(pattern, part, FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

enum reason format_chosen(const struct format_group *g, const struct format_choice *c, const char *path, const char **text)
{
    bool named = any_item(c->formats, is_format, g->format);

    *text = "by `include`, `exclude`, `formats` or `exclude_formats`";
    if (g->why == REASON_UNKNOWN_FORMAT || g->why == REASON_EXCLUDED) {
        *text = g->text;
        return g->why;
    }
    if ((c->include && !any_item(c->include, pattern_fits, path)) || any_item(c->exclude, pattern_fits, path) ||
        (c->formats && !named) || any_item(c->exclude_formats, is_format, g->format))
        return REASON_EXCLUDED;
    *text = g->text;
    if ((g->why == REASON_DEFERRED && g->by_name && named) || (g->why == REASON_INCOMPLETE && g->tolerated && c->gaps)) {
        *text = "";
        return REASON_NONE;
    }
    return g->why;
}
