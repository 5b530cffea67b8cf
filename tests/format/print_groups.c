/* Prints what format_group_tree makes of a directory, as JSON: {"groups": [...], "skipped": [...], "deferred": [...]}.
 * Usage: print_groups DIRECTORY [DEPTH]: files deeper than DEPTH are members only. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "format/format.h"

static unsigned depth_of(const char *path)
{
    unsigned depth = 1;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

/* The simple name of a reader class. */
static const char *simple(const char *reader)
{
    const char *dot = strrchr(reader, '.');

    return dot ? dot + 1 : reader;
}

static json_t *shown(const char *path)
{
    return str_is_utf8(path, strlen(path)) ? json_string(path) : json_string("?");
}

static void print_importable(json_t *groups, const struct format_group *g)
{
    json_t *files = json_array();

    for (size_t i = 0; i < g->n_members; i++)
        json_array_append_new(files, shown(g->members[i]->path));
    json_array_append_new(groups, json_pack("{s:o, s:o, s:s, s:s}", "target", shown(g->members[0]->path), "files", files, "kind",
                                            g->plate ? "plate" : "image", "format", simple(g->reader)));
}

static const char *word_for(enum reason why)
{
    return why == REASON_UNKNOWN_FORMAT ? "unknown" : why == REASON_UNREADABLE ? "unreadable" : "error";
}

static void print_left_out(json_t *skipped, json_t *deferred, const struct format_group *g)
{
    bool later = g->why == REASON_DEFERRED || g->why == REASON_INCOMPLETE || g->why == REASON_TEMPORARY;

    for (size_t i = 0; i < g->n_members; i++)
        json_array_append_new(later ? deferred : skipped,
                              json_pack("{s:o, s:s, s:s, s:s, s:s}", "path", shown(g->members[i]->path), "reason",
                                        word_for(g->why), "format", g->format, "code", reason_row(g->why)->name,
                                        "text", g->text));
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    AUTO(tree_freep) struct tree *tree = NULL;
    AUTO(format_groups_freep) struct format_groups *groups = NULL;
    json_t *importable = json_array(), *skipped = json_array(), *deferred = json_array();
    unsigned depth = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;

    if (argc < 2 || tree_scan(argv[1], &tree, &err) < 0 || format_group_tree(tree, NULL, NULL, &groups, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < groups->n; i++) {
        const struct format_group *g = &groups->at[i];

        if (depth_of(g->members[0]->path) > depth)
            continue;
        if (g->why == REASON_NONE)
            print_importable(importable, g);
        else
            print_left_out(skipped, deferred, g);
    }

    json_t *all = json_pack("{s:o, s:o, s:o}", "groups", importable, "skipped", skipped, "deferred", deferred);

    json_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
    return 0;
}
