#include "sandbox/show.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

static void line(int depth, const char *what, const char *text)
{
    AUTO(mem_freep) char *shown = str_show(text ? text : "");

    printf("%*s%s%s\n", 2 * depth, "", what, shown);
}

static void show_pairs(struct store *s, int depth, int64_t annotation)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        s, "select name, value from Pair where holder = 'Annotation.mapValue' and object = ? order by position", "i", annotation);

    while (store_next(s, q))
        line(depth, "", arena_printf(mem, "%s = %s", store_col_text(mem, q, 0), store_col_text(mem, q, 1)));
}

static void show_annotations(struct store *s, int depth, const char *parent, int64_t id)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(mem_freep) char *sql = mem_printf("select a.id, a._kind, a.textValue from %sAnnotationLink l join Annotation a on a.id = l.child "
                                           "where l.parent = ? order by a._kind desc, a.textValue, a.id", parent);
    AUTO(store_donep) sqlite3_stmt *q = store_query(s, sql, "i", id);

    while (store_next(s, q)) {
        const char *kind = store_col_text(mem, q, 1);
        if (strcmp(kind, "MapAnnotation") == 0)
            show_pairs(s, depth, sqlite3_column_int64(q, 0));
        else
            line(depth, strcmp(kind, "TagAnnotation") == 0 ? "tag " : "comment ", store_col_text(mem, q, 2));
    }
}

static void show_files(struct store *s, int depth, int64_t fileset)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        s, "select o.name from FilesetEntry e join OriginalFile o on o.id = e.originalFile where e.fileset = ? order by e.id", "i", fileset);

    while (store_next(s, q))
        line(depth, "file ", store_col_text(mem, q, 0));
}

static void show_images(struct store *s, int depth, const char *sql, int64_t id)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(s, sql, "i", id);

    while (store_next(s, q)) {
        line(depth, "image ", store_col_text(mem, q, 1));
        show_files(s, depth + 1, sqlite3_column_int64(q, 2));
        show_annotations(s, depth + 1, "Image", sqlite3_column_int64(q, 0));
    }
}

static void show_datasets(struct store *s, int depth, const char *sql, int64_t id)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(s, sql, "i", id);

    while (store_next(s, q)) {
        line(depth, "dataset ", store_col_text(mem, q, 1));
        show_annotations(s, depth + 1, "Dataset", sqlite3_column_int64(q, 0));
        show_images(s, depth + 1, "select i.id, i.name, i.fileset from DatasetImageLink l join Image i on i.id = l.child where l.parent = ? "
                                  "order by i.name, i.id", sqlite3_column_int64(q, 0));
    }
}

static void show_user(struct store *s, int64_t user, const char *name)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(s, "select id, name from Project where _owner = ? order by name, id", "i", user);

    line(0, "user ", name);
    while (store_next(s, q)) {
        line(1, "project ", store_col_text(mem, q, 1));
        show_annotations(s, 2, "Project", sqlite3_column_int64(q, 0));
        show_datasets(s, 2, "select d.id, d.name from ProjectDatasetLink l join Dataset d on d.id = l.child where l.parent = ? "
                            "order by d.name, d.id", sqlite3_column_int64(q, 0));
    }
    show_datasets(s, 1, "select id, name from Dataset where _owner = ? and id not in (select child from ProjectDatasetLink) order by name, id",
                  user);
    show_images(s, 1, "select id, name, fileset from Image where _owner = ? and id not in (select child from DatasetImageLink) order by name, id",
                user);
}

void show(struct store *s)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        s, "select id, omeName from Experimenter e where exists (select 1 from Project where _owner = e.id) or "
           "exists (select 1 from Dataset where _owner = e.id) or exists (select 1 from Image where _owner = e.id) order by omeName", "");

    while (store_next(s, q))
        show_user(s, sqlite3_column_int64(q, 0), store_col_text(mem, q, 1));
}
